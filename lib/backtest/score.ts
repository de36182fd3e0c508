/** The figures of a run: how long jobs waited, what it cost, how restless it was. */
import type { Plant } from './plant.ts';
import type { ReplayEnd } from './replay.ts';

export interface Waits {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** How well the count followed the need, after the SPEC RG cloud group's elasticity metrics; diagnostics only. */
export interface Elasticity {
  /** Mean shortfall and surplus of workers, each as a share of the mean need. */
  readonly underAccuracy: number;
  readonly overAccuracy: number;
  /** Share of the time with too few and with too many workers. */
  readonly underTimeshare: number;
  readonly overTimeshare: number;
  /** Share of the minutes in which need and supply moved in opposite directions, or supply alone. */
  readonly instability: number;
}

export interface Score {
  readonly jobs: number;
  /** Jobs that never started; they count as late. Above 0 only when a policy left the queue alone for a day. */
  readonly unfinishedJobs: number;
  readonly waitSeconds: Waits;
  /** Share of the jobs that waited longer than the target. */
  readonly lateShare: number;
  /** Paid worker-seconds: from the acceptance of the action that adds a worker to the end of its draining. */
  readonly costSeconds: number;
  /** Cost over work, the sum of all service times. */
  readonly costRatio: number;
  /** Work over what the paid workers could have done. */
  readonly utilization: number;
  readonly actions: number;
  readonly actionsPerHour: number;
  readonly workerStarts: number;
  readonly maxWorkers: number;
  readonly looks: number;
  readonly elasticity: Elasticity;
  /** False when the run was stopped early. */
  readonly complete: boolean;
}

/** Scores a finished run against a wait target. */
export function score(plant: Plant, end: ReplayEnd, waitTargetSeconds: number): Score {
  const { jobs, nowSeconds, settings } = plant;
  const waits = waitsOf(plant);
  const work = end.complete ? jobs.workSeconds : workOf(jobs.serviceSeconds, plant.startedJobs);
  const actions = plant.actuator.actions.length;
  return {
    jobs: waits.length,
    unfinishedJobs: plant.arrivedJobs - plant.startedJobs,
    waitSeconds: waitsSummary(waits),
    lateShare: shareAbove(waits, waitTargetSeconds),
    costSeconds: end.paidSeconds,
    costRatio: end.paidSeconds / work,
    utilization: work / (end.paidSeconds * settings.concurrency),
    actions,
    actionsPerHour: actions / (nowSeconds / 3600),
    workerStarts: plant.workerStarts,
    maxWorkers: plant.mostWorkers,
    looks: end.looks,
    elasticity: elasticityOf(plant),
    complete: end.complete,
  };
}

/** Waits of all jobs that have arrived; those that still wait have waited until now. */
function waitsOf({ waitSeconds, jobs, startedJobs, arrivedJobs, nowSeconds }: Plant): Float32Array {
  for (let job = startedJobs; job < arrivedJobs; job += 1) {
    waitSeconds[job] = nowSeconds - (jobs.arrivalSeconds[job] as number);
  }
  return waitSeconds.subarray(0, arrivedJobs);
}

function workOf(serviceSeconds: Float32Array, count: number): number {
  let sum = 0;
  for (let job = 0; job < count; job += 1) sum += serviceSeconds[job] as number;
  return sum;
}

function shareAbove(waits: Float32Array, limit: number): number {
  let above = 0;
  for (let job = 0; job < waits.length; job += 1) if ((waits[job] as number) > limit) above += 1;
  return waits.length === 0 ? 0 : above / waits.length;
}

/**
 * Exact quantiles of non-negative numbers, smallest value with at least that share at or below it, without sorting
 * millions of them: the bits of a positive float order like the float, so two counting passes of 16 bits find the value.
 */
export function quantiles(values: Float32Array, shares: readonly number[]): readonly number[] {
  if (values.length === 0) return shares.map(() => 0);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(65_536);
  for (let index = 0; index < bits.length; index += 1) (high[(bits[index] as number) >>> 16] as number)++;
  return shares.map((share) => {
    const rank = Math.max(1, Math.ceil(share * values.length));
    const upper = bucketOf(high, rank);
    const low = new Uint32Array(65_536);
    for (let index = 0; index < bits.length; index += 1) {
      const word = bits[index] as number;
      if (word >>> 16 === upper.bucket) (low[word & 0xffff] as number)++;
    }
    const lower = bucketOf(low, rank - upper.below);
    return asFloat(upper.bucket * 65_536 + lower.bucket);
  });
}

/** The bucket that holds the value of a rank (1 = smallest), and how many values lie in the buckets below it. */
function bucketOf(counts: Uint32Array, rank: number): { bucket: number; below: number } {
  let below = 0;
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] as number;
    if (below + count >= rank) return { bucket, below };
    below += count;
  }
  return { bucket: counts.length - 1, below };
}

function asFloat(word: number): number {
  return new Float32Array(new Uint32Array([word]).buffer)[0] as number;
}

function waitsSummary(waits: Float32Array): Waits {
  const [p50 = 0, p95 = 0, p99 = 0, max = 0] = quantiles(waits, [0.5, 0.95, 0.99, 1]);
  return { p50, p95, p99, max };
}

/** Need of a minute = the work that arrived in it; supply = the workers at its end. */
function elasticityOf({ minutes, jobs, settings }: Plant): Elasticity {
  const recorded = Math.min(minutes.count, Math.ceil(jobs.durationSeconds / 60));
  const perArrival = jobs.workSeconds / Math.max(1, jobs.count) / (60 * settings.concurrency);
  let [need, under, over, underTime, overTime, unstable] = [0, 0, 0, 0, 0, 0];
  let previous = { wanted: 0, supplied: 0 };
  for (let at = 0; at < recorded; at += 1) {
    const exact = (minutes.sent[at] as number) * perArrival;
    const wanted = Math.min(Math.max(Math.ceil(exact), settings.minWorkers), settings.maxWorkers);
    const supplied = minutes.runningWorkers[at] as number;
    need += wanted;
    under += Math.max(0, wanted - supplied);
    over += Math.max(0, supplied - wanted);
    if (supplied < wanted) underTime += 1;
    if (supplied > wanted) overTime += 1;
    const moved = Math.sign(supplied - previous.supplied);
    if (at > 0 && moved !== 0 && moved !== Math.sign(wanted - previous.wanted)) unstable += 1;
    previous = { wanted, supplied };
  }
  const share = (sum: number): number => (recorded === 0 ? 0 : sum / recorded);
  return {
    underAccuracy: need === 0 ? 0 : under / need,
    overAccuracy: need === 0 ? 0 : over / need,
    underTimeshare: share(underTime),
    overTimeshare: share(overTime),
    instability: share(unstable),
  };
}
