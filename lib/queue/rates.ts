/** From metric points to what came and went per minute. Pure; the times are CloudWatch's. */
import type { QueueSource, RateHistory, Reading } from '../domain.ts';
import type { RatesQuery } from '../reconcile/ports.ts';
import type { MetricPoint, MetricQuery, Series } from './cloudwatch.ts';
import { PERIOD_SECONDS, PUBLICATION_LAG_SECONDS, queueNameOf } from './history.ts';

const PERIOD_MS = PERIOD_SECONDS * 1000;

/** Sent, and with all columns deleted and in flight, of an SQS queue; null for a metric that carries no rates. */
export function rateMetricsOf(source: QueueSource, columns: RatesQuery['columns']): readonly MetricQuery[] | null {
  if (source.kind === 'metric') return null;
  const queueName = source.kind === 'sqs_name' ? source.queueName : queueNameOf(source.queueUrl);
  if (queueName === null) return null;
  const metric = (name: string, stat: string): MetricQuery => {
    return { namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName }, stat };
  };
  const sent = metric('NumberOfMessagesSent', 'Sum');
  if (columns === 'sent') return [sent];
  return [sent, metric('NumberOfMessagesDeleted', 'Sum'), metric('ApproximateNumberOfMessagesNotVisible', 'Average')];
}

/**
 * Columns of the last `windowSeconds` up to the newest minute that is out, each minute that is not over left out. SQS
 * publishes sent and deleted counts, zeros included, while the queue is in use: a minute without them is null.
 */
export function ratesOf(series: readonly Series[], nowMs: number, windowSeconds: number): Reading<RateHistory> {
  if (series.length === 0) {
    return { kind: 'missing', why: 'no_points', detail: 'the source counts no messages sent and deleted' };
  }
  const columns: (readonly MetricPoint[])[] = [];
  for (const one of series) {
    if (one.kind !== 'ok') return one;
    columns.push(one.points);
  }
  const [sent = [], deleted, inFlight] = columns;
  const newest = sent.findLast((point) => point.atMs + PERIOD_MS <= nowMs);
  if (!newest) return { kind: 'missing', why: 'asleep', detail: 'no message was counted in the window' };
  const endMs = newest.atMs + PERIOD_MS;
  const oldest = sent[0] ?? newest;
  const wantedMs = (windowSeconds + PUBLICATION_LAG_SECONDS) * 1000;
  const startMs = Math.max(oldest.atMs, endMs - Math.floor(wantedMs / PERIOD_MS) * PERIOD_MS);
  const column = (points: readonly MetricPoint[]): readonly (number | null)[] => {
    const values = Array<number | null>((endMs - startMs) / PERIOD_MS).fill(null);
    for (const { atMs, value } of points) {
      const at = Math.floor((atMs - startMs) / PERIOD_MS);
      if (at >= 0 && at < values.length) values[at] = value;
    }
    return values;
  };
  return {
    kind: 'ok',
    value: {
      startMs,
      periodSeconds: PERIOD_SECONDS,
      sent: column(sent),
      deleted: deleted ? column(deleted) : [],
      inFlight: inFlight ? column(inFlight) : [],
    },
    observedAtMs: endMs,
  };
}
