import type { FluidProblem } from '../../../lib/backtest/bounds/problem.ts';

/** A slot of a minute, jobs of a minute: one worker starts one job a slot. */
export const unit: FluidProblem = {
  arrivals: Float64Array.of(1, 1, 1, 1),
  slotSeconds: 60,
  jobSeconds: 60,
  concurrency: 1,
  minWorkers: 0,
  maxWorkers: 10,
  waitSeconds: 60,
  share: 1,
  startSeconds: 0,
};

/** The unit problem with these arrivals and changes. */
export function problem(arrivals: readonly number[], changes: Partial<FluidProblem> = {}): FluidProblem {
  return { ...unit, ...changes, arrivals: Float64Array.from(arrivals) };
}
