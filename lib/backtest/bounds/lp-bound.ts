/**
 * The linear bound: workers, starts and jobs as a fluid, the traffic known, any order of service. In each slot t, with
 * all but n and u cumulative and in worker-slots:
 *
 *     min Σ slot·n + start·u    n ≥ min, n ≤ max, u_t ≥ n_t − n_{t−1}
 *     ΔS_t + ΔL_t ≤ n_t         what starts, on time (S) or late (L), has a worker
 *     S_t + Y_t ≤ A_t           Y: arrivals given up as late
 *     L_t ≤ Y_t                 only those start late
 *     S_t ≥ A_{t−w} − Y_{t−w}   all others have started w slots later
 *     Y_T ≤ budget, S_T + L_T = A_T
 */
import { boundWaitSlots, type Fluid, type FluidProblem, fluid } from './problem.ts';
import { Rows, type SolveLinear } from './solver.ts';

export interface LpBound {
  readonly workerSeconds: number;
  /** Workers in each slot of the trace and its tail, not whole numbers. */
  readonly workers: Float64Array;
  readonly unavoidableLateShare: number;
  /**
   * False where the trace was cut into windows: each then serves its own jobs and keeps the late share on its own, so that
   * the sum is an approximation from above of the bound of the whole.
   */
  readonly exact: boolean;
}

/** The time grows faster than the slots: a day of minutes takes 1 to 4 s, two days 5 s, eight days a minute. */
const MAX_SLOTS = 3000;
const WINDOW_SLOTS = 720;

/** Lower bound of the cost, in worker-seconds; null when the solver does not finish. */
export function lpBound(problem: FluidProblem, solve: SolveLinear): LpBound | null {
  const exact = problem.arrivals.length <= MAX_SLOTS;
  const { unavoidableLateShare } = fluid(problem, boundWaitSlots(problem));
  const parts: Float64Array[] = [];
  let workerSeconds = 0;
  const width = exact ? Math.max(1, problem.arrivals.length) : WINDOW_SLOTS;
  for (let from = 0; from < problem.arrivals.length; from += width) {
    const part = solveWindow(
      { ...problem, arrivals: problem.arrivals.subarray(from, from + width) },
      from === 0,
      solve,
    );
    if (part === null) return null;
    workerSeconds += part.workerSeconds;
    parts.push(exact ? part.workers : part.workers.subarray(0, Math.min(width, problem.arrivals.length - from)));
  }
  return { workerSeconds, workers: concatenated(parts), unavoidableLateShare, exact };
}

function concatenated(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function solveWindow(
  problem: FluidProblem,
  first: boolean,
  solve: SolveLinear,
): { readonly workerSeconds: number; readonly workers: Float64Array } | null {
  const waitSlots = boundWaitSlots(problem);
  const prepared = fluid(problem, waitSlots);
  const slots = prepared.cumulative.length;
  const cost = new Float64Array(5 * slots).fill(problem.slotSeconds, 0, slots);
  cost.fill(problem.startSeconds, slots, 2 * slots);
  const columnLower = new Float64Array(5 * slots).fill(problem.minWorkers, 0, prepared.traceSlots);
  const columnUpper = new Float64Array(5 * slots).fill(Infinity).fill(problem.maxWorkers, 0, slots);
  // A relative margin above the solver's tolerance: with late jobs that nothing avoids the budget leaves no room.
  columnUpper[5 * slots - 1] = (prepared.lateBudget / prepared.capacity) * (1 + 1e-7) + 1e-7;
  // A later window begins with the workers of the one before: its first ones cost no start.
  if (!first) cost[slots] = 0;
  const rows = rowsOf(prepared, waitSlots, problem.minWorkers);
  const solved = solve({ cost, columnLower, columnUpper, rows });
  return solved && { workerSeconds: solved.objective, workers: solved.columns.slice(0, slots) };
}

function rowsOf({ cumulative, capacity }: Fluid, waitSlots: number, minWorkers: number): Rows {
  const slots = cumulative.length;
  const arrived = (slot: number): number => (cumulative[slot] ?? 0) / capacity;
  const workers = (slot: number): number => slot;
  const started = (slot: number): number => slots + slot;
  const onTime = (slot: number): number => 2 * slots + slot;
  const late = (slot: number): number => 3 * slots + slot;
  const givenUp = (slot: number): number => 4 * slots + slot;
  const rows = new Rows();
  rows.add(-minWorkers, Infinity, [started(0), 1], [workers(0), -1]);
  rows.add(-Infinity, 0, [onTime(0), 1], [late(0), 1], [workers(0), -1]);
  for (let slot = 0; slot < slots; slot += 1) {
    rows.add(-Infinity, arrived(slot), [onTime(slot), 1], [givenUp(slot), 1]);
    rows.add(-Infinity, 0, [late(slot), 1], [givenUp(slot), -1]);
    if (slot >= waitSlots) {
      const due = slot - waitSlots;
      // Without any wait the two given-up columns are the same one, and S + Y = A.
      rows.add(arrived(due), Infinity, [onTime(slot), 1], [givenUp(due), 1]);
    }
    if (slot === 0) continue;
    const before = slot - 1;
    rows.add(0, Infinity, [started(slot), 1], [workers(slot), -1], [workers(before), 1]);
    const starts = [
      [onTime(slot), 1],
      [late(slot), 1],
      [onTime(before), -1],
      [late(before), -1],
    ] as const;
    rows.add(-Infinity, 0, ...starts, [workers(slot), -1]);
    for (const grows of [onTime, late, givenUp]) rows.add(0, Infinity, [grows(slot), 1], [grows(before), -1]);
  }
  rows.add(arrived(slots - 1), Infinity, [onTime(slots - 1), 1], [late(slots - 1), 1]);
  return rows;
}
