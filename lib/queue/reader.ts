/** Depths of queues, now and before, for many targets at once: the `QueueReader` of the reconcile. */
import type { Backlog, BacklogHistory, QueueSource, Reading } from '../domain.ts';
import type { Clock, QueueQuery, QueueReader } from '../reconcile/ports.ts';
import type { CloudWatch, MetricQuery, Series } from './cloudwatch.ts';
import {
  alignedRange,
  DEPTH_LOOKBACK_SECONDS,
  depthOf,
  HISTORY_LOOKBACK_SECONDS,
  historyOf,
  metricsOf,
  PUBLICATION_LAG_SECONDS,
} from './history.ts';
import { failureOf, malformed } from './problems.ts';
import { rateMetricsOf, ratesOf } from './rates.ts';
import type { DepthAttribute, DepthAttributes, Sqs } from './sqs.ts';

/** What a reader is made of. */
export interface QueueReaderParts {
  readonly sqs: Pick<Sqs, 'depthAttributes' | 'queueUrl'>;
  readonly cloudwatch: CloudWatch;
  readonly clock: Clock;
  /** SQS calls at once. */
  readonly concurrency?: number;
}

type SqsSource = Exclude<QueueSource, { readonly kind: 'metric' }>;
type HistoryQuery = QueueQuery & { readonly windowSeconds: number };

/** Twenty calls of about 20 ms each at once read 1,000 queues in a second, far below the limits of SQS. */
const DEFAULT_CONCURRENCY = 20;

/** Reads live depth from SQS, metrics and history from CloudWatch. One source in trouble affects no other. */
export function createQueueReader(parts: QueueReaderParts): QueueReader {
  const { cloudwatch, clock, concurrency = DEFAULT_CONCURRENCY } = parts;

  async function metricDepths(queries: readonly QueueQuery[], signal: AbortSignal) {
    const range = alignedRange(clock.nowMs(), DEPTH_LOOKBACK_SECONDS);
    const series = await seriesOf(cloudwatch, queries, ({ source }) => metricsOf(source), range, signal);
    const nowMs = clock.nowMs();
    return queries.map((query, index): readonly [string, Reading<Backlog>] => {
      const [only = NO_METRICS] = series[index] ?? [];
      return [query.targetId, depthOf(only, nowMs, query.maxAgeSeconds)];
    });
  }

  async function sqsDepths(queries: readonly QueueQuery[], signal: AbortSignal) {
    return mapLimited(queries, concurrency, async (query): Promise<readonly [string, Reading<Backlog>]> => {
      if (query.source.kind === 'metric') return [query.targetId, NO_METRICS];
      return [query.targetId, await sqsDepth(parts, query.source, signal)];
    });
  }

  return {
    async depths(queries, signal) {
      const fromMetric = queries.filter((query) => query.source.kind === 'metric');
      const fromSqs = queries.filter((query) => query.source.kind !== 'metric');
      const entries = await Promise.all([sqsDepths(fromSqs, signal), metricDepths(fromMetric, signal)]);
      return new Map(entries.flat());
    },

    async histories(queries, signal) {
      const windows = queries.map((query) => query.windowSeconds + PUBLICATION_LAG_SECONDS);
      const range = alignedRange(clock.nowMs(), Math.max(HISTORY_LOOKBACK_SECONDS, ...windows));
      const series = await seriesOf(cloudwatch, queries, ({ source }) => metricsOf(source), range, signal);
      const nowMs = clock.nowMs();
      return new Map(queries.map((query, index) => [query.targetId, historyFor(query, series[index], nowMs)]));
    },

    async rates(queries, signal) {
      const windows = queries.map((query) => query.windowSeconds);
      const range = alignedRange(clock.nowMs(), Math.max(...windows) + PUBLICATION_LAG_SECONDS);
      const series = await seriesOf(
        cloudwatch,
        queries,
        ({ source, columns }) => rateMetricsOf(source, columns),
        range,
        signal,
      );
      const nowMs = clock.nowMs();
      return new Map(
        queries.map((query, index) => [query.targetId, ratesOf(series[index] ?? [], nowMs, query.windowSeconds)]),
      );
    },
  };
}

const NO_METRICS = malformed('queue', 'the URL names no queue; expected https://sqs.REGION.amazonaws.com/ACCOUNT/NAME');

/** The series of each query's metrics, in the order of the queries; none for a source that names no metric. */
async function seriesOf<Q extends QueueQuery>(
  cloudwatch: CloudWatch,
  queries: readonly Q[],
  metricsOfQuery: (query: Q) => readonly MetricQuery[] | null,
  range: ReturnType<typeof alignedRange>,
  signal: AbortSignal,
): Promise<readonly (readonly Series[])[]> {
  const metrics: readonly (readonly MetricQuery[])[] = queries.map((query) => metricsOfQuery(query) ?? []);
  const all = metrics.flat();
  const answers = all.length === 0 ? [] : await cloudwatch.series(all, range, signal);
  let next = 0;
  return metrics.map((one) => {
    next += one.length;
    return answers.slice(next - one.length, next);
  });
}

function historyFor(query: HistoryQuery, series: readonly Series[] = [], nowMs: number): Reading<BacklogHistory> {
  return series.length === 0 ? NO_METRICS : historyOf(series, nowMs, query.windowSeconds);
}

async function sqsDepth(
  { sqs, clock }: QueueReaderParts,
  source: SqsSource,
  signal: AbortSignal,
): Promise<Reading<Backlog>> {
  const name = source.kind === 'sqs_name' ? source.queueName : source.queueUrl;
  try {
    const url = source.kind === 'sqs_name' ? await sqs.queueUrl(source.queueName, signal) : source.queueUrl;
    return backlogOf(name, await sqs.depthAttributes(url, signal), clock.nowMs());
  } catch (error) {
    return failureOf(`queue ${name}`, error);
  }
}

function backlogOf(name: string, attributes: DepthAttributes, observedAtMs: number): Reading<Backlog> {
  const names: readonly DepthAttribute[] = [
    'ApproximateNumberOfMessages',
    'ApproximateNumberOfMessagesNotVisible',
    'ApproximateNumberOfMessagesDelayed',
  ];
  const counts: number[] = [];
  for (const attribute of names) {
    const found = attributes[attribute];
    if (found === undefined) return { kind: 'missing', why: 'no_points', detail: `queue ${name}: no ${attribute}` };
    if (!/^\d{1,15}$/.test(found)) {
      return malformed(`queue ${name}`, `${attribute} is ${JSON.stringify(found)}; expected a count of 0 or more`);
    }
    counts.push(Number(found));
  }
  const [visible = 0, inFlight = 0, delayed = 0] = counts;
  return { kind: 'ok', value: { visible, inFlight, delayed }, observedAtMs };
}

/** Like `Promise.all` over `map`, with at most `limit` at once. */
async function mapLimited<T, R>(items: readonly T[], limit: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}
