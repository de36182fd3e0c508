/** Strategy `step`: a staircase of changes relative to the current count, chosen by the depth of the queue. */
import type { StepRule } from '../../domain.ts';

/**
 * The step with the highest `atLeast` that the backlog reaches. Below the first one nothing changes, unless the first one
 * already scales in: then it holds below it too, since a smaller backlog never asks for more. Bounds are inclusive from
 * below, as in Application Auto Scaling's step adjustments.
 *
 * @returns the number of workers, never negative.
 */
export function workersForStep(backlog: number, currentCount: number, steps: readonly StepRule[]): number {
  const ascending = steps.toSorted((a, b) => a.atLeast - b.atLeast);
  const reached = ascending.findLast(({ atLeast }) => backlog >= atLeast);
  const change = reached?.change ?? Math.min(0, ascending[0]?.change ?? 0);
  return Math.max(0, currentCount + change);
}
