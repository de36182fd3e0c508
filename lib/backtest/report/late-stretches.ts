/** When jobs were late, and how badly: the stretches of time that a user would look at first. */
import type { Plant } from '../plant.ts';

/** Minutes in which jobs arrived that waited too long, together with the short pauses between them. */
export interface LateStretch {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly lateJobs: number;
  readonly maxWaitSeconds: number;
  readonly peakBacklog: number;
  /** Workers when it began, and the most until it ended. */
  readonly workersBefore: number;
  readonly workersMost: number;
}

/** Late minutes this near to each other are one trouble. */
const PAUSE_MINUTES = 5;
const MOST_STRETCHES = 5;

/** The worst stretches of a flight by late jobs, worst first. */
export function lateStretches(plant: Plant, waitTargetSeconds: number): readonly LateStretch[] {
  const { late, longest } = lateByMinute(plant, waitTargetSeconds);
  const stretches: LateStretch[] = [];
  for (let first = 0; first < late.length; first += 1) {
    if (late[first] === 0) continue;
    let last = first;
    for (let minute = first; minute < late.length && minute <= last + PAUSE_MINUTES; minute += 1) {
      if ((late[minute] as number) > 0) last = minute;
    }
    stretches.push(stretchOf(plant, first, last, late, longest));
    first = last;
  }
  return stretches.toSorted((a, b) => b.lateJobs - a.lateJobs).slice(0, MOST_STRETCHES);
}

function lateByMinute({ jobs, waitSeconds, arrivedJobs }: Plant, targetSeconds: number) {
  const minutes = Math.ceil(jobs.durationSeconds / 60) + 1;
  const late = new Float64Array(minutes);
  const longest = new Float64Array(minutes);
  for (let job = 0; job < arrivedJobs; job += 1) {
    const wait = waitSeconds[job] as number;
    if (wait <= targetSeconds) continue;
    const minute = Math.min(minutes - 1, Math.floor((jobs.arrivalSeconds[job] as number) / 60));
    late[minute] = (late[minute] as number) + 1;
    longest[minute] = Math.max(longest[minute] as number, wait);
  }
  return { late, longest };
}

function stretchOf(
  { minutes, settings }: Plant,
  first: number,
  last: number,
  late: Float64Array,
  longest: Float64Array,
): LateStretch {
  const most = (column: Float64Array, from: number, to: number): number =>
    column.subarray(from, to + 1).reduce(larger, 0);
  const drained = Math.min(minutes.count, last + 1 + Math.ceil(most(longest, first, last) / 60));
  return {
    fromSeconds: first * 60,
    toSeconds: (last + 1) * 60,
    lateJobs: late.subarray(first, last + 1).reduce((sum, jobs) => sum + jobs, 0),
    maxWaitSeconds: most(longest, first, last),
    peakBacklog: most(minutes.visible, first, drained),
    workersBefore: first === 0 ? settings.initialWorkers : (minutes.runningWorkers[first - 1] ?? 0),
    workersMost: most(minutes.runningWorkers, first, drained),
  };
}

function larger(one: number, other: number): number {
  return Math.max(one, other);
}
