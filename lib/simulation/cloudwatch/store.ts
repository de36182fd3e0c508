/**
 * A small faithful CloudWatch for the local run, the tests and the virtual simulation; no package emulates its alarms.
 * This file holds the metrics: samples by namespace, name and dimensions, and their statistics by period.
 * Nothing in this folder reads the wall clock, starts a timer or knows the autoscaler; `server.ts` alone opens a port.
 */
import type { Clock } from '../../reconcile/ports.ts';
import { CloudWatchFault } from './faults.ts';
import type { MetricDatum, PutMetricDataRequest } from './shapes.ts';
import { type Point, type Sample, statisticOf } from './statistics.ts';

const MINUTE_MS = 60_000;
/** One-minute data lives for 15 days; the coarser copies that AWS keeps for longer are not emulated. */
const RETENTION_MS = 15 * 24 * 60 * MINUTE_MS;
const OLDEST_TIMESTAMP_MS = 14 * 24 * 60 * MINUTE_MS;
const NEWEST_TIMESTAMP_MS = 2 * 60 * MINUTE_MS;
/** A series beyond this loses its oldest samples: a month of one sample every 10 seconds. */
const MAX_SAMPLES_PER_SERIES = 250_000;
const MAX_SERIES = 20_000;
/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html */
const LARGEST_VALUE = 2 ** 360;

/** What makes a metric this metric; the order of dimensions does not matter. */
export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Which points are wanted: periods that begin at `startMs + n * period`, samples before `endMs`. */
interface PointQuery {
  readonly metric: MetricId;
  readonly stat: string;
  readonly unit?: string | undefined;
  readonly periodSeconds: number;
  readonly startMs: number;
  readonly endMs: number;
  /** What was not yet visible at this moment is not seen. */
  readonly asOfMs: number;
}

export interface MetricStore {
  /** Adds one sample without the rules for callers of PutMetricData: this is how AWS's own services publish. */
  add(metric: MetricId, sample: Sample): void;
  /**
   * PutMetricData: all data are checked before any is stored.
   * @throws CloudWatchFault
   */
  put(request: PutMetricDataRequest): void;
  /** Points by the start of their period, oldest first; periods without samples are absent. */
  points(query: PointQuery): ReadonlyMap<number, Point>;
}

/** Dimensions of the wire (a list) as a record. */
export function dimensionsOf(
  list: readonly { readonly Name: string; readonly Value: string }[],
): Record<string, string> {
  return Object.fromEntries(list.map((one) => [one.Name, one.Value]));
}

/** A sample of one value, seen from `visibleAtMs` on. */
export function sampleOf(value: number, atMs: number, visibleAtMs: number, unit: string): Sample {
  return { atMs, visibleAtMs, unit, sampleCount: 1, sum: value, minimum: value, maximum: value, values: [[value, 1]] };
}

/** An empty store. */
export function createMetricStore({ clock }: { readonly clock: Clock }): MetricStore {
  const seriesByKey = new Map<string, Sample[]>();

  const add = (metric: MetricId, sample: Sample): void => {
    const key = keyOf(metric);
    const series = seriesByKey.get(key) ?? [];
    if (seriesByKey.size >= MAX_SERIES && series.length === 0) {
      throw new CloudWatchFault('LimitExceededFault', `This CloudWatch holds at most ${MAX_SERIES} metrics`);
    }
    seriesByKey.set(key, series);
    series.splice(firstAtOrAfter(series, sample.atMs + 1), 0, sample);
    expire(series, clock.nowMs());
  };

  return {
    add,
    put: (request) => {
      const nowMs = clock.nowMs();
      checkNamespace(request.Namespace);
      const samples = request.MetricData.map((datum, index) =>
        toSample(datum, `MetricData.member.${index + 1}`, nowMs),
      );
      request.MetricData.forEach((datum, index) => {
        const dimensions = dimensionsOf(datum.Dimensions);
        const sample = samples[index];
        if (sample) add({ namespace: request.Namespace, name: datum.MetricName, dimensions }, sample);
      });
    },
    points: (query) => pointsOf(seriesByKey.get(keyOf(query.metric)) ?? [], query),
  };
}

function keyOf(metric: MetricId): string {
  const dimensions = Object.entries(metric.dimensions).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metric.namespace, metric.name, dimensions]);
}

/** Index of the first sample at or after a moment. */
function firstAtOrAfter(series: readonly Sample[], atMs: number): number {
  let low = 0;
  let high = series.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((series[middle]?.atMs ?? Number.POSITIVE_INFINITY) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function expire(series: Sample[], nowMs: number): void {
  const surplus = Math.max(firstAtOrAfter(series, nowMs - RETENTION_MS), series.length - MAX_SAMPLES_PER_SERIES);
  // Removing from the front moves everything: do it rarely and by the thousand.
  if (surplus > 1000) series.splice(0, surplus);
}

function pointsOf(series: readonly Sample[], query: PointQuery): ReadonlyMap<number, Point> {
  const statistic = statisticOf(query.stat);
  const periodMs = query.periodSeconds * 1000;
  const oldestMs = Math.max(query.startMs, query.asOfMs - RETENTION_MS);
  const samplesByPeriod = new Map<number, Sample[]>();
  for (let index = firstAtOrAfter(series, oldestMs); index < series.length; index += 1) {
    const sample = series[index];
    if (!sample || sample.atMs >= query.endMs) break;
    if (sample.visibleAtMs > query.asOfMs || (query.unit !== undefined && query.unit !== sample.unit)) continue;
    const start = query.startMs + Math.floor((sample.atMs - query.startMs) / periodMs) * periodMs;
    const samples = samplesByPeriod.get(start);
    if (samples) samples.push(sample);
    else samplesByPeriod.set(start, [sample]);
  }
  const points = new Map<number, Point>();
  for (const [start, samples] of samplesByPeriod) {
    const value = statistic(samples);
    if (value === null) continue;
    points.set(start, { value, sampleCount: samples.reduce((sum, sample) => sum + sample.sampleCount, 0) });
  }
  return points;
}

const refuse = (message: string): CloudWatchFault => new CloudWatchFault('InvalidParameterValueException', message);

function checkNamespace(namespace: string): void {
  if (namespace.startsWith('AWS/')) throw refuse('The value AWS/ for parameter Namespace is invalid.');
  if (namespace.startsWith(':')) throw refuse('Namespace: must not begin with a colon');
}

function toSample(datum: MetricDatum, path: string, nowMs: number): Sample {
  const atMs = datum.Timestamp === undefined ? nowMs : Math.round(datum.Timestamp * 1000);
  if (atMs < nowMs - OLDEST_TIMESTAMP_MS) {
    throw refuse(`The parameter ${path}.Timestamp must specify a time within the past two weeks.`);
  }
  if (atMs > nowMs + NEWEST_TIMESTAMP_MS) {
    throw refuse(`The parameter ${path}.Timestamp must specify a time no more than two hours in the future.`);
  }
  const resolutionMs = datum.StorageResolution * 1000;
  return {
    atMs: Math.floor(atMs / resolutionMs) * resolutionMs,
    visibleAtMs: nowMs,
    unit: datum.Unit,
    ...amountsOf(datum, path),
  };
}

type Amounts = Pick<Sample, 'sampleCount' | 'sum' | 'minimum' | 'maximum' | 'values'>;

function amountsOf(datum: MetricDatum, path: string): Amounts {
  const given = [datum.Value, datum.Values, datum.StatisticValues].filter((one) => one !== undefined);
  if (given.length === 0) {
    throw new CloudWatchFault(
      'MissingRequiredParameterException',
      `The parameter ${path}.Value, Values or StatisticValues is required.`,
    );
  }
  if (given.length > 1) {
    throw new CloudWatchFault(
      'InvalidParameterCombinationException',
      `${path}: only one of Value, Values and StatisticValues may be given.`,
    );
  }
  if (datum.StatisticValues) return amountsOfSummary(datum.StatisticValues, path);
  return amountsOfValues(datum.Values ?? [datum.Value ?? 0], datum.Counts, path);
}

function amountsOfSummary(set: NonNullable<MetricDatum['StatisticValues']>, path: string): Amounts {
  for (const [name, number] of Object.entries(set)) checkNumber(number, `${path}.StatisticValues.${name}`);
  if (set.SampleCount <= 0 || set.Minimum > set.Maximum) {
    throw refuse(`${path}.StatisticValues: SampleCount must be positive and Minimum at most Maximum.`);
  }
  return { sampleCount: set.SampleCount, sum: set.Sum, minimum: set.Minimum, maximum: set.Maximum, values: null };
}

function amountsOfValues(values: readonly number[], counts: readonly number[] | undefined, path: string): Amounts {
  if (values.length === 0 || (counts && counts.length !== values.length)) {
    throw refuse(`${path}: Values must not be empty, and Counts must be of the same length.`);
  }
  const pairs = values.map((value, index): readonly [number, number] => [value, counts?.[index] ?? 1]);
  for (const [value, count] of pairs) {
    checkNumber(value, `${path}.Values`);
    if (!(count > 0 && count <= LARGEST_VALUE)) throw refuse(`${path}.Counts: found ${count}, expected more than 0`);
  }
  return {
    sampleCount: pairs.reduce((sum, [, count]) => sum + count, 0),
    sum: pairs.reduce((sum, [value, count]) => sum + value * count, 0),
    minimum: Math.min(...values),
    maximum: Math.max(...values),
    values: pairs,
  };
}

function checkNumber(value: number, path: string): void {
  if (Number.isFinite(value) && Math.abs(value) <= LARGEST_VALUE) return;
  throw refuse(`The value for the parameter ${path} is invalid: found ${value}, expected -2^360 to 2^360.`);
}
