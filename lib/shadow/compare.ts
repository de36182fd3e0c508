/**
 * What would have been, beside what was. Worker time is counted. Waits can only be estimated: of both sides by the same fluid
 * queue, fed with the arrivals that the recorded depth shows, so that their difference is the counts' and not the model's.
 *
 *     completions = jobs in flight / seconds per job            (Little's law)
 *     arrivals    = change of what waits or runs + completions
 *     waits       = what waits / what the workers finish per second
 */
import type { ShadowRecord } from './records.ts';

/** Longer pauses between two looks are a gap: nothing is known of them, and nothing is counted. */
const MAX_GAP_SECONDS = 200;
/** How long a job takes where nobody measured it. */
const ASSUMED_JOB_SECONDS = 10;

/** One side of the comparison. */
export interface ShadowSide {
  readonly workerHours: number;
  /** How often the count changed. */
  readonly changes: number;
  readonly p95WaitSeconds: number;
  readonly longestWaitSeconds: number;
}

/** One point in time, for charts. */
export interface ShadowPoint {
  readonly atMs: number;
  readonly actualCount: number;
  readonly virtualCount: number;
  readonly actualWaiting: number;
  readonly virtualWaiting: number;
  readonly actualWaitSeconds: number;
  readonly virtualWaitSeconds: number;
}

/** The comparison of one target. */
export interface ShadowComparison {
  readonly targetId: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the time in between, what was looked at. */
  readonly coveredHours: number;
  readonly looks: number;
  readonly jobSeconds: number;
  /** False when the time of a job is assumed: waits are then worth little. */
  readonly isJobTimeMeasured: boolean;
  readonly actual: ShadowSide;
  readonly virtual: ShadowSide;
  readonly points: readonly ShadowPoint[];
}

/** Compares the records of one target, oldest first; null when they cover no time. */
export function compareShadow(records: readonly ShadowRecord[]): ShadowComparison | null {
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined) return null;
  const measured = records.flatMap(({ jobSeconds }) => jobSeconds ?? []);
  const jobSeconds = measured.length === 0 ? ASSUMED_JOB_SECONDS : median(measured);
  const actual = createSide();
  const virtual = createSide();
  const points: ShadowPoint[] = [];
  let coveredSeconds = 0;
  for (const [index, record] of records.entries()) {
    const next = records[index + 1];
    const seconds = next === undefined ? 0 : (next.timestamp - record.timestamp) / 1000;
    if (next === undefined || seconds <= 0 || seconds > MAX_GAP_SECONDS) {
      // What is on the other side of a gap begins with what is really there.
      for (const side of [actual, virtual]) side.restart(next?.visible ?? 0);
      continue;
    }
    const perSecond = record.jobsPerWorker / jobSeconds;
    const came = Math.max(
      0,
      next.visible + next.inFlight - record.visible - record.inFlight + (record.inFlight / jobSeconds) * seconds,
    );
    coveredSeconds += seconds;
    actual.pass(seconds, record.actualCount, came, perSecond);
    virtual.pass(seconds, record.virtualCount, came, perSecond);
    points.push({
      atMs: record.timestamp,
      actualCount: record.actualCount,
      virtualCount: record.virtualCount,
      actualWaiting: actual.waiting(),
      virtualWaiting: virtual.waiting(),
      actualWaitSeconds: actual.waitSeconds(),
      virtualWaitSeconds: virtual.waitSeconds(),
    });
  }
  if (coveredSeconds === 0) return null;
  return {
    targetId: first.targetId,
    fromMs: first.timestamp,
    toMs: last.timestamp,
    coveredHours: coveredSeconds / 3600,
    looks: records.length,
    jobSeconds,
    isJobTimeMeasured: measured.length > 0,
    actual: actual.result(),
    virtual: virtual.result(),
    points,
  };
}

/** A fluid queue with workers, and the bill for them. */
function createSide() {
  let [waiting, wait, workerSeconds, changes] = [0, 0, 0, 0];
  let workers: number | null = null;
  const waits: { readonly seconds: number; readonly jobs: number }[] = [];
  return {
    restart(jobs: number): void {
      waiting = jobs;
      workers = null;
    },
    pass(seconds: number, count: number, came: number, perWorkerSecond: number): void {
      if (workers !== null && workers !== count) changes += 1;
      workers = count;
      workerSeconds += count * seconds;
      const capacity = count * perWorkerSecond;
      // Without workers those that came wait at least for as long as nobody does.
      wait =
        capacity > 0
          ? Math.max(0, waiting + came - capacity * seconds) / capacity
          : waiting + came > 0
            ? wait + seconds
            : 0;
      waiting = Math.max(0, waiting + came - capacity * seconds);
      if (came > 0) waits.push({ seconds: wait, jobs: came });
    },
    waiting: () => waiting,
    waitSeconds: () => wait,
    result: (): ShadowSide => ({
      workerHours: workerSeconds / 3600,
      changes,
      p95WaitSeconds: weightedQuantile(waits, 0.95),
      longestWaitSeconds: waits.reduce((longest, { seconds }) => Math.max(longest, seconds), 0),
    }),
  };
}

function weightedQuantile(
  waits: readonly { readonly seconds: number; readonly jobs: number }[],
  share: number,
): number {
  const sorted = waits.toSorted((a, b) => a.seconds - b.seconds);
  const total = sorted.reduce((sum, { jobs }) => sum + jobs, 0);
  let sum = 0;
  for (const { seconds, jobs } of sorted) {
    sum += jobs;
    if (sum >= total * share) return seconds;
  }
  return 0;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
