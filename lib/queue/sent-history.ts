/**
 * How many messages were sent to a queue, as CloudWatch recorded it: the traffic of a backtest. Depths are not read, since
 * they were made under the workers of that time; what was sent does not depend on them.
 */
import { AutoscalerError } from '../errors.ts';
import type { CloudWatch, MetricPoint, MetricQuery } from './cloudwatch.ts';

/** Which part of the past. */
export interface SentHistoryQuery {
  readonly queueName: string;
  readonly days: number;
  readonly nowMs: number;
}

/** Sent messages per bin, without gaps, and how bins without a point were treated. */
export interface SentHistory {
  readonly binSeconds: number;
  readonly startMs: number;
  /** Whole numbers. */
  readonly sent: readonly number[];
  /** Bins in which the queue slept: SQS publishes nothing for a queue that nobody used for six hours. Counted as 0. */
  readonly asleepBins: number;
  /** Bins whose points are missing although the queue was in use; filled with the mean of the nearest known ones. */
  readonly filledBins: number;
}

const MINUTE_SECONDS = 60;
const FINE_DAYS = 15;
/** Points of one minute are kept for 15 days, of five minutes for 63. Source: CloudWatch user guide, metrics retention. */
const COARSE_SECONDS = 300;
/** The newest points are not complete yet. */
const PUBLICATION_LAG_MS = 180_000;
/** After so long without messages and calls SQS stops publishing. Source: SQS developer guide, CloudWatch metrics. */
const ASLEEP_AFTER_SECONDS = 6 * 3600;
/** More than this share of invented bins would be a story, not a history. */
const MAX_FILLED_SHARE = 0.2;

/**
 * Reads the sent counts of a queue: per minute up to 15 days back, per five minutes beyond.
 *
 * @throws AutoscalerError when CloudWatch refuses or fails, when there is no point at all, or when too many are missing.
 */
export async function readSentHistory(
  cloudwatch: CloudWatch,
  { queueName, days, nowMs }: SentHistoryQuery,
  signal: AbortSignal,
): Promise<SentHistory> {
  const periodSeconds = days <= FINE_DAYS ? MINUTE_SECONDS : COARSE_SECONDS;
  const periodMs = periodSeconds * 1000;
  const endMs = Math.floor((nowMs - PUBLICATION_LAG_MS) / periodMs) * periodMs;
  // Strictly within the retention: a start that is older by seconds would be answered with coarser points or none.
  const startMs = Math.floor((nowMs - days * 86_400_000) / periodMs + 2) * periodMs;
  const metric = (name: string, stat: string): MetricQuery => ({
    namespace: 'AWS/SQS',
    name,
    dimensions: { QueueName: queueName },
    stat,
  });
  // The depth only tells whether the queue was empty and awake; its value goes into nothing.
  const queries = [metric('NumberOfMessagesSent', 'Sum'), metric('ApproximateNumberOfMessagesVisible', 'Maximum')];
  const answers = await cloudwatch.series(queries, { startMs, endMs, periodSeconds }, signal);
  const [sent, depth] = answers.map((series) => {
    if (series.kind !== 'ok') throw new AutoscalerError(`The history of queue ${queueName}: ${series.detail}`);
    return series.points;
  });
  const bins = Math.round((endMs - startMs) / periodMs);
  const column = (points: readonly MetricPoint[] = []): Float64Array => columnOf(points, startMs, periodMs, bins);
  return gapsTreated(queueName, column(sent), column(depth), startMs, periodSeconds);
}

/** One value per bin, NaN where there is no point. */
function columnOf(points: readonly MetricPoint[], startMs: number, periodMs: number, bins: number): Float64Array {
  const column = new Float64Array(bins).fill(Number.NaN);
  for (const { atMs, value } of points) {
    const bin = Math.floor((atMs - startMs) / periodMs);
    if (bin >= 0 && bin < bins) column[bin] = value;
  }
  return column;
}

function gapsTreated(
  queueName: string,
  sent: Float64Array,
  depth: Float64Array,
  startMs: number,
  binSeconds: number,
): SentHistory {
  const first = sent.findIndex((value) => !Number.isNaN(value));
  if (first < 0) {
    const what = `CloudWatch has no NumberOfMessagesSent of queue ${queueName} in this time`;
    throw new AutoscalerError(`${what}: it has another name, is in another region or account, or has slept all along.`);
  }
  const filled = Array.from(sent.subarray(first));
  const depths = depth.subarray(first);
  let asleepBins = 0;
  let filledBins = 0;
  for (let bin = 0; bin < filled.length; bin += 1) {
    if (!Number.isNaN(filled[bin])) continue;
    const end = endOfGap(filled, bin);
    const slept = wasIdle(filled, depths, bin, binSeconds);
    const value = slept ? 0 : meanAround(filled, bin, end);
    filled.fill(value, bin, end);
    if (slept) asleepBins += end - bin;
    else filledBins += end - bin;
    bin = end - 1;
  }
  if (filledBins > MAX_FILLED_SHARE * filled.length) {
    const share = Math.round((100 * filledBins) / filled.length);
    throw new AutoscalerError(
      `${share} % of the points of queue ${queueName} are missing although it did not sleep; that is no history to replay.`,
    );
  }
  return {
    binSeconds,
    startMs: startMs + first * binSeconds * 1000,
    sent: filled.map((value) => Math.round(value)),
    asleepBins,
    filledBins,
  };
}

function endOfGap(sent: readonly number[], from: number): number {
  let end = from;
  while (end < sent.length && Number.isNaN(sent[end])) end += 1;
  return end;
}

/** True when nothing was sent and nothing waited for six hours before a gap: only then SQS stops publishing by itself. */
function wasIdle(sent: readonly number[], depth: Float64Array, gap: number, binSeconds: number): boolean {
  const bins = ASLEEP_AFTER_SECONDS / binSeconds;
  if (gap < bins) return false;
  for (let bin = gap - bins; bin < gap; bin += 1) {
    if ((sent[bin] ?? 0) > 0 || (depth[bin] ?? 0) > 0) return false;
  }
  return true;
}

/** Mean of the known bins on both sides of a gap; the last gap has one side only. */
function meanAround(sent: readonly number[], from: number, end: number): number {
  const before = sent[from - 1] ?? 0;
  return (before + (sent[end] ?? before)) / 2;
}
