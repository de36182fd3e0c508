/**
 * References: what scaling would cost if the traffic were known. This folder holds the bounds and plans that no reacting
 * policy can beat, computed on a fluid of jobs in slots of equal width. They do not simulate: only `references.ts`, which
 * flies the oracle plan, knows the plant.
 *
 * This file: the problem that all of them solve, and the late share that not even the maximum count avoids.
 */

/** Traffic and wishes. Arrivals are jobs per slot, not necessarily whole. */
export interface FluidProblem {
  readonly arrivals: Float64Array;
  readonly slotSeconds: number;
  /** Mean service time of one job. */
  readonly jobSeconds: number;
  readonly concurrency: number;
  /** Workers before the first slot, too. */
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly waitSeconds: number;
  /** Share of the jobs that may not wait longer, 0.95 for 95 %. */
  readonly share: number;
  /** Paid seconds of a new worker before its first job. */
  readonly startSeconds: number;
}

/** The problem in the units of the solvers. */
export interface Fluid {
  /** Arrivals up to the end of each slot, over the trace and its tail. */
  readonly cumulative: Float64Array;
  /** Slots of the trace itself; those after it only serve what is left, and only then cost anything. */
  readonly traceSlots: number;
  readonly jobs: number;
  /** Jobs that one worker starts in a slot. */
  readonly capacity: number;
  readonly unavoidableLateShare: number;
  /** Jobs that may be late: 1 − share of them, and the unavoidable ones on top. */
  readonly lateBudget: number;
}

/** A slot later than this many never matters: two weeks of minutes. */
const MAX_TAIL_SLOTS = 20_160;

/**
 * Slots that a job may wait so that no kept wait is left out. A job may arrive at the end of its slot, so the wait is
 * rounded up: every real plan that keeps the target stays allowed, which is what a lower bound needs.
 */
export function boundWaitSlots(problem: FluidProblem): number {
  return Math.ceil(problem.waitSeconds / problem.slotSeconds - 1e-9);
}

/** Slots that a job may wait so that the target is kept even when it arrives at the start of its slot. */
export function safeWaitSlots(problem: FluidProblem): number {
  return Math.max(0, Math.floor(problem.waitSeconds / problem.slotSeconds + 1e-9) - 1);
}

/**
 * Prepares a problem for jobs that may wait `waitSlots` slots.
 *
 * @throws RangeError when a number is out of range.
 */
export function fluid(problem: FluidProblem, waitSlots: number): Fluid {
  check(problem);
  const capacity = (problem.concurrency * problem.slotSeconds) / problem.jobSeconds;
  const { lateJobs, leftJobs } = withMaximum(problem.arrivals, capacity * problem.maxWorkers, waitSlots);
  const traceSlots = problem.arrivals.length;
  const drainSlots = Math.ceil(leftJobs / (capacity * problem.maxWorkers));
  const tailSlots = Math.min(MAX_TAIL_SLOTS, Math.max(waitSlots, drainSlots + 1));
  const cumulative = new Float64Array(traceSlots + tailSlots);
  let jobs = 0;
  for (let slot = 0; slot < cumulative.length; slot += 1) {
    jobs += problem.arrivals[slot] ?? 0;
    cumulative[slot] = jobs;
  }
  const unavoidableLateShare = jobs === 0 ? 0 : lateJobs / jobs;
  const lateBudget = Math.min(jobs, (1 - problem.share) * jobs + lateJobs);
  return { cumulative, traceSlots, jobs, capacity, unavoidableLateShare, lateBudget };
}

/**
 * What the maximum count does with the traffic: the oldest job first and given up once late, which keeps as many as can
 * be kept when all jobs may wait equally long. `leftJobs` are those not served by the end of the trace when none is
 * given up.
 */
function withMaximum(
  arrivals: Float64Array,
  slotCapacity: number,
  waitSlots: number,
): { readonly lateJobs: number; readonly leftJobs: number } {
  const waiting = Float64Array.from(arrivals);
  let oldest = 0;
  let lateJobs = 0;
  let leftJobs = 0;
  const end = arrivals.length + waitSlots;
  for (let slot = 0; slot < end; slot += 1) {
    if (slot < arrivals.length) leftJobs = Math.max(0, leftJobs + (arrivals[slot] ?? 0) - slotCapacity);
    for (; oldest < slot - waitSlots; oldest += 1) lateJobs += waiting[oldest] ?? 0;
    let room = slotCapacity;
    while (oldest <= slot && oldest < arrivals.length && room > 0) {
      const served = Math.min(room, waiting[oldest] ?? 0);
      waiting[oldest] = (waiting[oldest] ?? 0) - served;
      room -= served;
      if ((waiting[oldest] ?? 0) > 0) break;
      oldest += 1;
    }
  }
  for (; oldest < arrivals.length; oldest += 1) lateJobs += waiting[oldest] ?? 0;
  return { lateJobs, leftJobs };
}

function check(problem: FluidProblem): void {
  const { arrivals, slotSeconds, jobSeconds, concurrency, minWorkers, maxWorkers, share } = problem;
  const positive = { slotSeconds, jobSeconds, concurrency, maxWorkers };
  for (const [name, value] of Object.entries(positive)) {
    if (!(value > 0)) throw new RangeError(`${name}: found ${value}, expected more than 0`);
  }
  if (!(minWorkers >= 0 && minWorkers <= maxWorkers)) {
    throw new RangeError(`minWorkers: found ${minWorkers}, expected 0 to maxWorkers = ${maxWorkers}`);
  }
  if (!(share > 0 && share <= 1)) throw new RangeError(`share: found ${share}, expected more than 0 and at most 1`);
  const wrong = arrivals.findIndex((value) => !(value >= 0 && Number.isFinite(value)));
  if (wrong !== -1) throw new RangeError(`arrivals[${wrong}]: found ${arrivals[wrong]}, expected a number from 0`);
}

/** The work itself: every paid second of every worker is used. In worker-seconds. */
export function workBound(problem: FluidProblem): number {
  return (problem.arrivals.reduce((sum, jobs) => sum + jobs, 0) * problem.jobSeconds) / problem.concurrency;
}
