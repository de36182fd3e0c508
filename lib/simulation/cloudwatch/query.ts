/**
 * GetMetricData, and the evaluation of metric queries that alarms share with it.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
import { createHash } from 'node:crypto';
import { CloudWatchFault, invalid } from './faults.ts';
import { computeSeries, type Series } from './math.ts';
import { parseExpression } from './math-syntax.ts';
import type { GetMetricDataRequest, MetricDataQuery, MetricStat } from './shapes.ts';
import type { Point } from './statistics.ts';
import { dimensionsOf, type MetricStore } from './store.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A query over more periods than this is refused; AWS stops at 100,800 points a request. */
const MAX_PERIODS = 100_800;

/** The stretch of time that queries look at, as it could be seen at `asOfMs`. */
export interface Window {
  readonly startMs: number;
  readonly endMs: number;
  readonly asOfMs: number;
}

interface MetricDataResult {
  readonly Id: string;
  readonly Label: string;
  readonly Timestamps: readonly number[];
  readonly Values: readonly number[];
  readonly StatusCode: 'Complete' | 'PartialData';
}

export interface GetMetricDataReply {
  readonly MetricDataResults: readonly MetricDataResult[];
  readonly Messages: readonly never[];
  readonly NextToken?: string;
}

/** The points of one metric in a window, by the start of their period. */
export function metricPoints(store: MetricStore, stat: MetricStat, window: Window): ReadonlyMap<number, Point> {
  return store.points({
    metric: {
      namespace: stat.Metric.Namespace,
      name: stat.Metric.MetricName,
      dimensions: dimensionsOf(stat.Metric.Dimensions),
    },
    stat: stat.Stat,
    unit: stat.Unit,
    periodSeconds: stat.Period,
    ...window,
  });
}

/**
 * A function from a query's id to its series. Each is computed once, expressions when they are asked for.
 * @throws CloudWatchFault at once for queries that contradict themselves; on use for unknown ids and circles.
 */
export function seriesReader(
  store: MetricStore,
  queries: readonly MetricDataQuery[],
  window: Window,
): (id: string) => Series {
  checkQueries(queries);
  const queryById = new Map(queries.map((query) => [query.Id, query]));
  const metricIds = queries.filter((query) => query.MetricStat).map((query) => query.Id);
  const done = new Map<string, Series>();
  const running = new Set<string>();

  const compute = (query: MetricDataQuery): Series => {
    if (query.MetricStat) {
      return new Map([...metricPoints(store, query.MetricStat, window)].map(([atMs, point]) => [atMs, point.value]));
    }
    const periodSeconds = periodOf(query, queries);
    const tree = parseExpression(query.Expression ?? '');
    return computeSeries(tree, { timeline: timelineOf(window, periodSeconds), periodSeconds, series: read, metricIds });
  };
  const read = (id: string): Series => {
    const ready = done.get(id);
    if (ready) return ready;
    const query = queryById.get(id);
    if (!query) throw invalid(`Error in expression: there is no metric or expression with the id '${id}'`);
    if (running.has(id)) throw invalid(`Error in expression '${id}': it refers to itself`);
    running.add(id);
    const series = compute(query);
    running.delete(id);
    done.set(id, series);
    return series;
  };
  return read;
}

/** The period of a query; an expression has that of the metrics around it, which must then agree. */
export function periodOf(query: MetricDataQuery, queries: readonly MetricDataQuery[]): number {
  const own = query.MetricStat?.Period ?? query.Period;
  if (own !== undefined) return own;
  const periods = new Set(queries.flatMap((other) => other.MetricStat?.Period ?? []));
  const [only] = periods;
  if (only === undefined || periods.size > 1) {
    throw invalid(`Expression '${query.Id}': found metrics of ${periods.size} different periods, expected one`);
  }
  return only;
}

function timelineOf(window: Window, periodSeconds: number): readonly number[] {
  const length = Math.ceil((window.endMs - window.startMs) / (periodSeconds * 1000));
  if (length > MAX_PERIODS) throw invalid(`The request spans ${length} periods, expected at most ${MAX_PERIODS}`);
  return Array.from({ length }, (_, index) => window.startMs + index * periodSeconds * 1000);
}

function checkQueries(queries: readonly MetricDataQuery[]): void {
  const ids = queries.map((query) => query.Id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw invalid(`MetricDataQueries: the id '${twice}' is not unique`);
  for (const query of queries) {
    if ((query.MetricStat === undefined) === (query.Expression === undefined)) {
      throw new CloudWatchFault(
        'InvalidParameterCombinationException',
        `MetricDataQueries '${query.Id}': exactly one of MetricStat and Expression must be given`,
      );
    }
  }
}

/**
 * Answers GetMetricData. Periods begin at the rounded start time, as the alarm events in the AWS documentation show
 * (a period of 300 seconds that begins at 16:59).
 * @throws CloudWatchFault
 */
export function getMetricData(store: MetricStore, request: GetMetricDataRequest, nowMs: number): GetMetricDataReply {
  const page = pageOf(request, nowMs);
  const startMs = roundStart(Math.round(request.StartTime * 1000), page.asOfMs, request.MetricDataQueries);
  const endMs = Math.round(request.EndTime * 1000);
  if (startMs >= endMs) throw invalid('The parameter StartTime must be less than the parameter EndTime.');
  const read = seriesReader(store, request.MetricDataQueries, { startMs, endMs, asOfMs: page.asOfMs });
  let skip = page.offset;
  let room = request.MaxDatapoints;
  let more = false;
  const results = request.MetricDataQueries.filter((query) => query.ReturnData !== false).map((query) => {
    const all = [...read(query.Id)];
    if (request.ScanBy === 'TimestampDescending') all.reverse();
    const points = all.slice(skip, skip + room);
    const complete = skip + points.length >= all.length;
    skip = Math.max(0, skip - all.length);
    room -= points.length;
    more ||= !complete;
    return resultOf(query, points, complete);
  });
  const reply = { MetricDataResults: results, Messages: [] };
  if (!more) return reply;
  return { ...reply, NextToken: tokenOf({ ...page, offset: page.offset + request.MaxDatapoints }) };
}

function resultOf(
  query: MetricDataQuery,
  points: readonly (readonly [number, number])[],
  complete: boolean,
): MetricDataResult {
  return {
    Id: query.Id,
    Label: query.Label ?? query.MetricStat?.Metric.MetricName ?? query.Id,
    Timestamps: points.map(([atMs]) => atMs / 1000),
    Values: points.map(([, value]) => value),
    StatusCode: complete ? 'Complete' : 'PartialData',
  };
}

/** Down to the minute, five minutes or the hour by age; down to the period for high-resolution queries. */
function roundStart(startMs: number, nowMs: number, queries: readonly MetricDataQuery[]): number {
  const ageMs = nowMs - startMs;
  const shortest = Math.min(...queries.map((query) => query.MetricStat?.Period ?? query.Period ?? 60));
  const fresh = shortest < 60 ? shortest * 1000 : MINUTE_MS;
  const older = ageMs < 63 * DAY_MS ? 5 * MINUTE_MS : 60 * MINUTE_MS;
  const stepMs = ageMs < 15 * DAY_MS ? fresh : older;
  return Math.floor(startMs / stepMs) * stepMs;
}

/** Where a page begins. Later pages look at the data as the first one saw them. */
interface Page {
  readonly asOfMs: number;
  readonly offset: number;
  /** Hash of the request, so that a token is not used with another one. */
  readonly request: string;
}

function pageOf(request: GetMetricDataRequest, nowMs: number): Page {
  const { NextToken: token, ...rest } = request;
  const hash = createHash('sha256').update(JSON.stringify(rest)).digest('base64url').slice(0, 16);
  if (token === undefined) return { asOfMs: nowMs, offset: 0, request: hash };
  const page = readToken(token);
  if (page?.request !== hash) throw new CloudWatchFault('InvalidNextToken', 'The next token specified is invalid.');
  return page;
}

function tokenOf(page: Page): string {
  return Buffer.from(JSON.stringify([page.asOfMs, page.offset, page.request])).toString('base64url');
}

function readToken(token: string): Page | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (!Array.isArray(parts)) return null;
    const [asOfMs, offset, request]: unknown[] = parts;
    if (typeof asOfMs !== 'number' || typeof offset !== 'number' || typeof request !== 'string') return null;
    return Number.isSafeInteger(offset) && offset >= 0 ? { asOfMs, offset, request } : null;
  } catch {
    return null;
  }
}
