/**
 * The cheapest schedule of whole workers that keeps the target, first come, first served, the traffic known. The late
 * budget is met by a price per late job, found by halving, which leaves a gap to the best schedule; it is reported. Short
 * problems are searched completely. Long ones are thinned and their counts coarse above 24: the schedule is then exact in
 * what it costs and keeps, and approximate in being the cheapest (some percent above it on days of 15 s slots).
 */
import { type Pass, planPass } from './plan-pass.ts';
import { type Fluid, type FluidProblem, fluid } from './problem.ts';

export interface IntegerPlan {
  readonly slotSeconds: number;
  /** Workers in each slot of the trace and its tail. */
  readonly workers: Float64Array;
  readonly workerSeconds: number;
  readonly lateShare: number;
  /** Whether the late share keeps the budget. False only where even the dearest price of a late job is not enough. */
  readonly feasible: boolean;
  /** No schedule that keeps the budget is cheaper by more than this. Null where not every count and label was searched. */
  readonly gapWorkerSeconds: number | null;
}

/** Counts that are all searched; above, they rise by a twelfth. */
const DENSE_COUNTS = 24;
const COUNT_STEP = 1 / 12;
/** Labels per count: short problems are searched completely, long ones closely. */
const MOST_ROOM = 512;
const LEAST_ROOM = 8;
const LABELS_IN_ALL = 1_000_000;
const HALVINGS = 10;
const LOWEST_PRICE = 0.01;
const HIGHEST_PRICE = 1e6;
/** Jobs that rounding may add to the late ones. */
const ROUNDING = 1e-6;

/** Counts to search between the bounds, both included. */
export function searchedCounts(minWorkers: number, maxWorkers: number): readonly number[] {
  const counts: number[] = [];
  let count = minWorkers;
  while (count < maxWorkers) {
    counts.push(count);
    count += Math.max(1, count < DENSE_COUNTS ? 1 : Math.floor(count * COUNT_STEP));
  }
  return [...counts, maxWorkers];
}

/** What a schedule costs and how many jobs it lets start late; a plain replay, without any search. */
export function followPlan(
  problem: FluidProblem,
  prepared: Fluid,
  waitSlots: number,
  workers: ArrayLike<number>,
): { readonly workerSeconds: number; readonly lateJobs: number; readonly leftJobs: number } {
  const { cumulative, capacity, traceSlots } = prepared;
  let workerSeconds = 0;
  let lateJobs = 0;
  let started = 0;
  let previous = problem.minWorkers;
  for (let slot = 0; slot < cumulative.length; slot += 1) {
    const count = workers[slot] ?? 0;
    const waiting = (cumulative[slot - 1] ?? 0) - started;
    if (slot < traceSlots || waiting > ROUNDING) workerSeconds += count * problem.slotSeconds;
    workerSeconds += Math.max(0, count - previous) * problem.startSeconds;
    previous = count;
    const next = Math.min(cumulative[slot] ?? 0, started + capacity * count);
    lateJobs += Math.max(0, Math.min(next, cumulative[slot - waitSlots - 1] ?? 0) - started);
    started = next;
  }
  return { workerSeconds, lateJobs, leftJobs: prepared.jobs - started };
}

/** Searches the plan for jobs that may wait `waitSlots` slots. About ten passes of at most `LABELS_IN_ALL` labels. */
export function integerPlan(problem: FluidProblem, waitSlots: number): IntegerPlan {
  const prepared = fluid(problem, waitSlots);
  const counts = searchedCounts(problem.minWorkers, problem.maxWorkers);
  const most = Math.floor(LABELS_IN_ALL / (prepared.cumulative.length * counts.length));
  const { slotSeconds, startSeconds } = problem;
  const fixed = { fluid: prepared, waitSlots, counts, slotSeconds, startSeconds };
  const room = Math.max(LEAST_ROOM, Math.min(MOST_ROOM, most));
  const dense = counts.length === problem.maxWorkers - problem.minWorkers + 1;
  const budget = prepared.lateBudget + ROUNDING;
  let searchedAll = dense;
  let bound = -Infinity;
  const priced = (latePrice: number): Followed => {
    const pass = planPass({ ...fixed, latePrice, room });
    searchedAll &&= pass.complete;
    bound = Math.max(bound, pass.priced - latePrice * prepared.lateBudget);
    return { ...followPlan(problem, prepared, waitSlots, pass.workers), workers: pass.workers };
  };
  const best = cheapestWithin(budget, priced);
  return {
    slotSeconds: problem.slotSeconds,
    workers: best.workers,
    workerSeconds: best.workerSeconds,
    lateShare: prepared.jobs === 0 ? 0 : best.lateJobs / prepared.jobs,
    feasible: best.lateJobs <= budget,
    gapWorkerSeconds: searchedAll ? Math.max(0, best.workerSeconds - bound) : null,
  };
}

interface Followed {
  readonly workers: Pass['workers'];
  readonly workerSeconds: number;
  readonly lateJobs: number;
}

/** The cheapest of the schedules within the budget; the one at the highest price when none is. */
function cheapestWithin(budget: number, priced: (latePrice: number) => Followed): Followed {
  const free = priced(0);
  if (free.lateJobs <= budget) return free;
  let best = priced(HIGHEST_PRICE);
  if (best.lateJobs > budget) return best;
  let low = Math.log(LOWEST_PRICE);
  let high = Math.log(HIGHEST_PRICE);
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    const tried = priced(Math.exp(middle));
    if (tried.lateJobs > budget) {
      low = middle;
      continue;
    }
    high = middle;
    if (tried.workerSeconds < best.workerSeconds) best = tried;
  }
  return best;
}
