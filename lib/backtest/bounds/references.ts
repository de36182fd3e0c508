/** The references of one cell: the linear bound, and the oracle plan flown through the same plant as every policy. */
import { type Cell, fly } from '../cell.ts';
import type { Jobs } from '../jobs.ts';
import { peerPolicy } from '../policies.ts';
import type { ReferenceSolver } from '../run.ts';
import type { Score } from '../score.ts';
import { lpBound } from './lp-bound.ts';
import { oracle, oraclePlan } from './oracle.ts';
import type { FluidProblem } from './problem.ts';
import { loadSolver } from './solver.ts';

/** Widths of a slot, fine to coarse. */
const SLOT_SECONDS = [15, 30, 60] as const;
/** Slots up to which a finer width is taken: the bound of 1,500 slots takes seconds. */
const BOUND_SLOTS = 1500;
/** A plan takes less time a slot, and needs the finer width to keep a short wait. */
const PLAN_SLOTS = 6000;
/** The longest action that is not stuck takes a minute more than the mean one. */
const MARGINS_SECONDS = [15, 30, 45, 60, 90, 120] as const;

/** Jobs per slot, over the whole trace. */
export function slotArrivals(jobs: Jobs, slotSeconds: number): Float64Array {
  const arrivals = new Float64Array(Math.max(1, Math.ceil(jobs.durationSeconds / slotSeconds)));
  for (const seconds of jobs.arrivalSeconds) {
    const slot = Math.min(arrivals.length - 1, Math.floor(seconds / slotSeconds));
    arrivals[slot] = (arrivals[slot] ?? 0) + 1;
  }
  return arrivals;
}

/** The cell as a fluid in slots of this width. The mean is that of the jobs drawn, so that the work is the plant's. */
export function problemOf(cell: Cell, slotSeconds: number): FluidProblem {
  const { jobs, workload, options } = cell;
  return {
    arrivals: slotArrivals(jobs, slotSeconds),
    slotSeconds,
    jobSeconds: jobs.count === 0 ? workload.jobSeconds : jobs.workSeconds / jobs.count,
    concurrency: workload.concurrency,
    minWorkers: workload.minWorkers,
    maxWorkers: workload.maxWorkers,
    waitSeconds: options.slo.waitSeconds,
    share: options.slo.share,
    startSeconds: workload.actionSeconds,
  };
}

/** The finest width with at most so many slots; a minute when none has. */
export function slotWidth(durationSeconds: number, mostSlots: number): number {
  return SLOT_SECONDS.find((seconds) => durationSeconds / seconds <= mostSlots) ?? 60;
}

/**
 * Flies the plan one mean action latency early. Where slow actions then cost the target (bursts on the minute), its
 * scale-outs are ordered earlier, by the least margin that keeps it; where none does, the figures are those without.
 */
export async function flyOracle(cell: Cell): Promise<Score> {
  const plan = oraclePlan(problemOf(cell, slotWidth(cell.jobs.durationSeconds, PLAN_SLOTS)));
  const policy = peerPolicy(oracle(plan));
  const settings = policy.defaults(cell.workload);
  const allowed = Math.max(plan.lateShare, 1 - cell.options.slo.share);
  const flown = async (marginSeconds: number): Promise<Score> =>
    (await fly(cell, policy, { league: 'N', settings: { ...settings, marginSeconds } })).score;
  const plain = await flown(0);
  if (plain.lateShare <= allowed) return plain;
  for (const margin of MARGINS_SECONDS) {
    const score = await flown(margin);
    if (score.lateShare <= allowed) return score;
  }
  return plain;
}

/** Solves the references of cells; the solver is loaded once, when first needed. */
export function referenceSolver(): ReferenceSolver {
  let loading: ReturnType<typeof loadSolver> | null = null;
  return async (cell) => {
    if (cell.jobs.count === 0) return { lpBound: null, oraclePlan: null };
    loading ??= loadSolver();
    const solve = await loading;
    const { durationSeconds, workSeconds } = cell.jobs;
    const bound = lpBound(problemOf(cell, slotWidth(durationSeconds, BOUND_SLOTS)), solve);
    const score = await flyOracle(cell);
    return {
      lpBound: bound && { costRatio: bound.workerSeconds / workSeconds, lateShare: null, waitSeconds: null },
      oraclePlan: { costRatio: score.costRatio, lateShare: score.lateShare, waitSeconds: score.waitSeconds },
    };
  };
}
