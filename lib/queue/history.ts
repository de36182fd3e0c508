/** From metric points to the depth of a queue, now and before. Pure; the times are CloudWatch's. */
import type { Backlog, BacklogHistory, BacklogPoint, QueueSource, Reading } from '../domain.ts';
import type { MetricPoint, MetricQuery, Series } from './cloudwatch.ts';
import { malformed, shorten } from './problems.ts';

/** All metrics are read minute by minute: SQS publishes so, and windows are a few minutes long. */
export const PERIOD_SECONDS = 60;
const PERIOD_MS = PERIOD_SECONDS * 1000;

/** How far back the newest point of a metric is looked for; without any, the source sleeps or does not exist. */
export const DEPTH_LOOKBACK_SECONDS = 3 * 3600;
/** The same for the history; at least this much is read, to tell a gap from a queue that sleeps. */
export const HISTORY_LOOKBACK_SECONDS = 3600;
/** Points of AWS/SQS appear one to three minutes late; a window is extended by as much. */
export const PUBLICATION_LAG_SECONDS = 180;

/** A range whose ends fall on full minutes, which CloudWatch answers fastest and in full. */
export function alignedRange(nowMs: number, lookbackSeconds: number) {
  const startMs = Math.floor((nowMs - lookbackSeconds * 1000) / PERIOD_MS) * PERIOD_MS;
  return { startMs, endMs: Math.ceil(nowMs / PERIOD_MS) * PERIOD_MS, periodSeconds: PERIOD_SECONDS };
}

/** The three metrics of an SQS queue, or the one metric that the user named. */
export function metricsOf(source: QueueSource): readonly MetricQuery[] | null {
  if (source.kind === 'metric') {
    const { namespace, name, dimensions, stat } = source;
    return [{ namespace, name, dimensions, stat }];
  }
  const queueName = source.kind === 'sqs_name' ? source.queueName : queueNameOf(source.queueUrl);
  if (queueName === null) return null;
  const names = ['Visible', 'NotVisible', 'Delayed'].map((state) => `ApproximateNumberOfMessages${state}`);
  // Maximum, not Sum: SQS sends several points in some minutes, and a sum would count the same messages again.
  return names.map((name) => ({ namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName }, stat: 'Maximum' }));
}

/** The name at the end of a queue URL; null when there is none. */
export function queueNameOf(queueUrl: string): string | null {
  if (!URL.canParse(queueUrl)) return null;
  const name = new URL(queueUrl).pathname.split('/').at(-1);
  return name ? name : null;
}

/**
 * The depth that a metric shows now. The newest period may still be filling, and is then believed only if it shows
 * more than the one before: an incomplete point understates.
 */
export function depthOf(series: Series, nowMs: number, maxAgeSeconds: number): Reading<Backlog> {
  if (series.kind !== 'ok') return series;
  const newest = newestPoint(series.points, nowMs);
  if (!newest) return asleep(DEPTH_LOOKBACK_SECONDS);
  if (newest.value < 0) return malformed('metric', `the newest value is ${newest.value}; expected 0 or more`);
  const observedAtMs = Math.min(nowMs, newest.atMs + PERIOD_MS);
  const ageSeconds = Math.round((nowMs - observedAtMs) / 1000);
  if (ageSeconds > maxAgeSeconds) {
    const detail = `the newest point is ${ageSeconds} s old; at most ${maxAgeSeconds} s is fresh`;
    return { kind: 'stale', why: 'too_old', detail };
  }
  return { kind: 'ok', value: { visible: newest.value, inFlight: 0, delayed: 0 }, observedAtMs };
}

function newestPoint(points: readonly MetricPoint[], nowMs: number): MetricPoint | undefined {
  const closed = points.findLast((point) => isClosed(point, nowMs));
  const open = points.findLast((point) => !isClosed(point, nowMs));
  if (!open || !closed) return open ?? closed;
  return open.value > closed.value ? open : closed;
}

/**
 * The history that the series of one source show: the series of its own metric, or visible, not visible and delayed
 * of an SQS queue. SQS publishes the latter two only while there are such messages, so their absence beside a
 * visible count is zero; a minute without a visible count is unknown and left out, like a minute that is not over.
 */
export function historyOf(series: readonly Series[], nowMs: number, windowSeconds: number): Reading<BacklogHistory> {
  const points: (readonly MetricPoint[])[] = [];
  for (const one of series) {
    if (one.kind !== 'ok') return one;
    points.push(one.points);
  }
  const [visible = [], inFlight = [], delayed = []] = points;
  const closed = visible.filter((point) => isClosed(point, nowMs));
  const newest = closed.at(-1);
  if (!newest) return asleep(Math.max(HISTORY_LOOKBACK_SECONDS, windowSeconds + PUBLICATION_LAG_SECONDS));

  const startMs = nowMs - (windowSeconds + PUBLICATION_LAG_SECONDS) * 1000;
  const within = closed.filter((point) => point.atMs + PERIOD_MS > startMs);
  if (within.length === 0) return gap(newest, nowMs, windowSeconds);
  const merged = merge(within, inFlight, delayed);
  const negative = merged.find((point) => Math.min(point.visible, point.inFlight, point.delayed) < 0);
  if (negative) return malformed('metric', `the depth ${JSON.stringify(negative)} is negative; expected 0 or more`);
  return {
    kind: 'ok',
    value: { periodSeconds: PERIOD_SECONDS, points: merged },
    observedAtMs: newest.atMs + PERIOD_MS,
  };
}

function merge(
  visible: readonly MetricPoint[],
  inFlight: readonly MetricPoint[],
  delayed: readonly MetricPoint[],
): readonly BacklogPoint[] {
  const inFlightAt = new Map(inFlight.map((point) => [point.atMs, point.value]));
  const delayedAt = new Map(delayed.map((point) => [point.atMs, point.value]));
  return visible.map(({ atMs, value }) => ({
    atMs,
    visible: value,
    inFlight: inFlightAt.get(atMs) ?? 0,
    delayed: delayedAt.get(atMs) ?? 0,
  }));
}

function isClosed(point: MetricPoint, nowMs: number): boolean {
  return point.atMs + PERIOD_MS <= nowMs;
}

function asleep(lookbackSeconds: number): Reading<never> {
  const minutes = Math.round(lookbackSeconds / 60);
  const detail = `no point in ${minutes} minutes: the source sleeps, was never used, or does not exist`;
  return { kind: 'missing', why: 'asleep', detail };
}

function gap(newest: MetricPoint, nowMs: number, windowSeconds: number): Reading<never> {
  const agoSeconds = Math.round((nowMs - newest.atMs - PERIOD_MS) / 1000);
  const detail = shorten(`no point within ${windowSeconds} s; the newest ended ${agoSeconds} s ago`);
  return { kind: 'missing', why: 'no_points', detail };
}
