/**
 * CloudWatch: series of metric points by GetMetricData, many metrics to a call. One metric that cannot be read leaves
 * the others readable.
 */
import * as v from 'valibot';
import type { AwsConnection } from './connection.ts';
import { createJsonCall, type JsonService } from './json-call.ts';
import { type Failure, failureOf, isRefusedAsInvalid, malformed } from './problems.ts';
import { createSignedPost } from './signed-post.ts';

const SERVICE: JsonService = {
  name: 'monitoring',
  targetPrefix: 'GraniteServiceVersion20100801',
  endpointVariable: 'CLOUDWATCH',
};

/** What is read of an answer. Times are in seconds; points are judged one by one below. */
const metricResult = v.object({
  Id: v.optional(v.string(), ''),
  StatusCode: v.optional(v.string()),
  Timestamps: v.optional(v.array(v.unknown()), []),
  Values: v.optional(v.array(v.unknown()), []),
  Messages: v.optional(v.array(v.object({ Code: v.optional(v.string(), ''), Value: v.optional(v.string(), '') })), []),
});
const metricAnswer = v.object({
  MetricDataResults: v.optional(v.array(metricResult), []),
  NextToken: v.optional(v.string()),
});

/** One metric, reduced to one value per period. */
export interface MetricQuery {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Such as `Maximum`, `Average`, `p90`. */
  readonly stat: string;
}

/** One value; `atMs` is the start of its period. */
export interface MetricPoint {
  readonly atMs: number;
  readonly value: number;
}

/** The points of one metric, oldest first; periods without a value are absent. */
export type Series = { readonly kind: 'ok'; readonly points: readonly MetricPoint[] } | Failure;

/** Which points to read. */
interface SeriesRange {
  readonly startMs: number;
  readonly endMs: number;
  readonly periodSeconds: number;
}

/** Reads metrics. Never throws for trouble at CloudWatch; answers in the order of the queries. */
export interface CloudWatch {
  series(queries: readonly MetricQuery[], range: SeriesRange, signal: AbortSignal): Promise<readonly Series[]>;
}

/** CloudWatch's own limits per call: 500 metrics, 100,800 points. Source: API reference, GetMetricData. */
const MAX_QUERIES_PER_CALL = 500;
const MAX_POINTS_PER_CALL = 100_800;
/** Pages of one call that are followed; each may hold 100,800 points, so a second one is rare. */
const MAX_PAGES = 10;
/** Calls that one read may make, refused ones split in halves included: 1,000 targets need six. */
const MAX_CALLS = 60;
/** Calls at once; the account's limit is 50 a second. */
const MAX_CONCURRENT_CALLS = 4;

/** A reader of CloudWatch. Makes no call by itself. */
export function createCloudWatch(connection: AwsConnection): CloudWatch & { destroy(): void } {
  const { signedPost, destroy } = createSignedPost(connection);
  const ask = createJsonCall(signedPost, connection, SERVICE);
  const call: PageCall = (batch, range, nextToken, signal) =>
    ask('GetMetricData', inputFor(batch, range, nextToken), metricAnswer, signal);

  return {
    async series(queries, range, signal) {
      const budget = { callsLeft: MAX_CALLS };
      const batches = chunks(queries, batchSize(range));
      const answers: Series[][] = [];
      for (const group of chunks(batches, MAX_CONCURRENT_CALLS)) {
        answers.push(...(await Promise.all(group.map((batch) => readBatch(call, batch, range, budget, signal)))));
      }
      return answers.flat();
    },
    destroy,
  };
}

type PageCall = (
  batch: readonly MetricQuery[],
  range: SeriesRange,
  nextToken: string | undefined,
  signal: AbortSignal,
) => Promise<v.InferOutput<typeof metricAnswer>>;

/** So many that all their points fit into one answer. */
function batchSize(range: SeriesRange): number {
  const pointsEach = Math.max(1, Math.ceil((range.endMs - range.startMs) / (range.periodSeconds * 1000)));
  return Math.max(1, Math.min(MAX_QUERIES_PER_CALL, Math.floor(MAX_POINTS_PER_CALL / pointsEach)));
}

function inputFor(batch: readonly MetricQuery[], range: SeriesRange, nextToken: string | undefined) {
  return {
    StartTime: range.startMs / 1000,
    EndTime: range.endMs / 1000,
    ScanBy: 'TimestampAscending',
    ...(nextToken === undefined ? {} : { NextToken: nextToken }),
    MetricDataQueries: batch.map((query, index) => ({
      Id: idOf(index),
      ReturnData: true,
      MetricStat: {
        Metric: {
          Namespace: query.namespace,
          MetricName: query.name,
          Dimensions: Object.entries(query.dimensions).map(([Name, Value]) => ({ Name, Value })),
        },
        Period: range.periodSeconds,
        Stat: query.stat,
      },
    })),
  };
}

/**
 * One call with its pages. CloudWatch refuses a whole call for one invalid metric; the batch is then halved until the
 * invalid one is alone, so that it spoils no other.
 */
async function readBatch(
  call: PageCall,
  batch: readonly MetricQuery[],
  range: SeriesRange,
  budget: { callsLeft: number },
  signal: AbortSignal,
): Promise<Series[]> {
  try {
    const results = await readPages(call, batch, range, budget, signal);
    return batch.map((_, index) => seriesOf(results.get(idOf(index))));
  } catch (error) {
    if (!isRefusedAsInvalid(error) || batch.length === 1) {
      return batch.map(() => failureOf('GetMetricData', error));
    }
    const middle = Math.ceil(batch.length / 2);
    const first = await readBatch(call, batch.slice(0, middle), range, budget, signal);
    return [...first, ...(await readBatch(call, batch.slice(middle), range, budget, signal))];
  }
}

async function readPages(
  call: PageCall,
  batch: readonly MetricQuery[],
  range: SeriesRange,
  budget: { callsLeft: number },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Collected>> {
  const results = new Map<string, Collected>();
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    if (budget.callsLeft <= 0) throw new CallLimitError(`more than ${MAX_CALLS} calls would be needed`);
    budget.callsLeft -= 1;
    const answer = await call(batch, range, nextToken, signal);
    for (const result of answer.MetricDataResults) collect(results, result);
    nextToken = answer.NextToken;
    if (!nextToken) return results;
  }
  throw new CallLimitError(`the answer has more than ${MAX_PAGES} pages`);
}

/** Named so that it reads as "unavailable": part of the truth was not fetched. */
class CallLimitError extends Error {
  override readonly name = 'ServiceUnavailable';
}

/** What all pages say of one metric. */
interface Collected {
  readonly times: unknown[];
  readonly values: unknown[];
  /** Of the last page: `PartialData` on an earlier one only says that more pages follow. */
  status: string;
  readonly messages: string[];
}

function collect(results: Map<string, Collected>, result: v.InferOutput<typeof metricResult>): void {
  const id = result.Id;
  const known = results.get(id) ?? { times: [], values: [], status: 'Complete', messages: [] };
  known.times.push(...result.Timestamps);
  known.values.push(...result.Values);
  known.status = result.StatusCode ?? known.status;
  known.messages.push(...result.Messages.map(({ Code, Value }) => `${Code} ${Value}`));
  results.set(id, known);
}

function seriesOf(collected: Collected | undefined): Series {
  if (!collected) return malformed('GetMetricData', 'the answer lacks this metric');
  const { status, times, values, messages } = collected;
  const said = `${status} ${messages.join('; ')}`;
  if (status === 'Forbidden') return { kind: 'failed', why: 'access_denied', detail: `GetMetricData: ${said}`.trim() };
  if (status !== 'Complete') return { kind: 'failed', why: 'unavailable', detail: `GetMetricData: ${said}`.trim() };
  if (times.length !== values.length) {
    return malformed('GetMetricData', `${times.length} times for ${values.length} values`);
  }
  const points: MetricPoint[] = [];
  for (const [index, value] of values.entries()) {
    const time = times[index];
    const atMs = typeof time === 'number' ? Math.round(time * 1000) : Number.NaN;
    if (!Number.isFinite(atMs) || typeof value !== 'number' || !Number.isFinite(value)) {
      return malformed('GetMetricData', `point ${index} is ${String(value)} at ${atMs}; expected numbers`);
    }
    points.push({ atMs, value });
  }
  return { kind: 'ok', points: points.toSorted((a, b) => a.atMs - b.atMs) };
}

function idOf(index: number): string {
  return `m${index}`;
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
