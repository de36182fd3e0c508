/**
 * What a backtest looked like, for people: the recording of its flights, the verdict, and one self-contained HTML page.
 * This folder holds no measuring: figures come from the score, and texts of the page's script and style from the caller.
 *
 * This file: the recording. A plant is large and is not kept; what a picture needs of it is taken when it lands.
 */
import type { Cell } from '../cell.ts';
import type { Plant } from '../plant.ts';
import type { FlightRecorder } from '../run.ts';
import { type Band, Buckets, bandOf, rounded } from './buckets.ts';
import { DecisionLog, type LoggedDecision, ordersOf } from './decision-log.ts';
import { type LateStretch, lateStretches } from './late-stretches.ts';

/** One policy over time, one value per bucket. */
export interface FlightPicture {
  readonly policy: string;
  readonly backlog: Band;
  readonly workers: Band;
  /** Of the jobs that arrived in the bucket; null where none did. */
  readonly p95WaitSeconds: readonly (number | null)[];
  readonly maxWaitSeconds: readonly (number | null)[];
  readonly stretches: readonly LateStretch[];
  readonly decisions: readonly LoggedDecision[];
  /** Decisions that are not listed, because there were too many. */
  readonly decisionsLeftOut: number;
}

/** All that is drawn over time. */
export interface Recording {
  readonly bucketSeconds: number;
  readonly buckets: number;
  /** Time of the epoch at second 0. */
  readonly startMs: number;
  /** False when the trace has no date and its days are only counted. */
  readonly dated: boolean;
  /** Workers that the arriving work keeps busy, one value per minute reduced to buckets. */
  readonly need: Band;
  readonly flights: readonly FlightPicture[];
  /** The seed that was recorded: the first one. */
  readonly seed: number;
}

/** Buckets of a picture; a day of minutes fits twice. */
const MAX_BUCKETS = 2880;
/** Drawn beyond the end of the traffic, for what is worked off later: so much of it, within these bounds. */
const OVERTIME = { share: 0.05, minSeconds: 300, maxSeconds: 3600 };
/** Series with smaller times count from their own beginning. */
const EARLIEST_DATED_SECONDS = 1_000_000_000;

/** Records the flights of the first seed. */
export function createRecorder(): FlightRecorder & { recording(): Recording | null } {
  const flights: FlightPicture[] = [];
  let log = new DecisionLog();
  let seed: number | null = null;
  let frame: Omit<Recording, 'flights' | 'seed'> | null = null;
  return {
    decisionsOf(_policy, flownSeed) {
      seed ??= flownSeed;
      const current = new DecisionLog();
      log = current;
      return flownSeed === seed ? (event) => current.add(event) : () => {};
    },
    flown(policy, cell, { plant }) {
      if (cell.options.seed !== seed) return;
      const buckets = bucketsOf(cell);
      frame ??= frameOf(cell, buckets);
      const { actions } = plant.actuator;
      const { kept, leftOut } = policy.ours
        ? log.decisions(cell.startMs, actions)
        : ordersOf(actions, plant.settings.initialWorkers);
      flights.push({
        ...pictureOf(plant, buckets),
        policy: policy.name,
        stretches: lateStretches(plant, cell.workload.waitTargetSeconds),
        decisions: kept,
        decisionsLeftOut: leftOut,
      });
    },
    recording: () => (frame === null || seed === null ? null : { ...frame, flights, seed }),
  };
}

function bucketsOf({ jobs }: Cell): Buckets {
  const { share, minSeconds, maxSeconds } = OVERTIME;
  const overtime = Math.min(Math.max(share * jobs.durationSeconds, minSeconds), maxSeconds);
  return new Buckets((jobs.durationSeconds + overtime) / 60, MAX_BUCKETS);
}

function frameOf({ jobs, startMs, workload, trace }: Cell, buckets: Buckets): Omit<Recording, 'flights' | 'seed'> {
  const work = new Float64Array(buckets.minutes);
  for (let job = 0; job < jobs.count; job += 1) {
    const minute = Math.floor((jobs.arrivalSeconds[job] as number) / 60);
    work[minute] = (work[minute] as number) + (jobs.serviceSeconds[job] as number);
  }
  const need = work.map((seconds) => seconds / (60 * workload.concurrency));
  return {
    bucketSeconds: buckets.width * 60,
    buckets: buckets.count,
    startMs,
    dated: trace.startSeconds >= EARLIEST_DATED_SECONDS,
    need: bandOf(need, buckets),
  };
}

function pictureOf(
  plant: Plant,
  buckets: Buckets,
): Pick<FlightPicture, 'backlog' | 'workers' | 'p95WaitSeconds' | 'maxWaitSeconds'> {
  const { visible, runningWorkers, count } = plant.minutes;
  const waits = waitsByBucket(plant, buckets);
  return {
    backlog: bandOf(visible.subarray(0, count), buckets),
    workers: bandOf(runningWorkers.subarray(0, count), buckets),
    p95WaitSeconds: waits.map((sorted) => quantile(sorted, 0.95)),
    maxWaitSeconds: waits.map((sorted) => quantile(sorted, 1)),
  };
}

/** Sorted waits of the jobs that arrived in each bucket. */
function waitsByBucket({ jobs, waitSeconds, arrivedJobs }: Plant, buckets: Buckets): Float32Array[] {
  let job = 0;
  return buckets.map((_first, end) => {
    const from = job;
    while (job < arrivedJobs && (jobs.arrivalSeconds[job] as number) < end * 60) job += 1;
    return waitSeconds.slice(from, job).sort();
  });
}

function quantile(sorted: Float32Array, share: number): number | null {
  const value = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1];
  return value === undefined ? null : rounded(value);
}
