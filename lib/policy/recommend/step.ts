/** Strategy `step`: a staircase of changes relative to the current count, chosen by the depth of the queue. */
import type { StepRule } from '../../domain.ts';

/**
 * The step with the highest `atLeast` that the backlog reaches; below the first one nothing changes. Bounds are
 * inclusive from below, as in Application Auto Scaling's step adjustments.
 *
 * @returns the number of workers, never negative.
 */
export function workersForStep(backlog: number, currentCount: number, steps: readonly StepRule[]): number {
  const reached = steps.filter(({ atLeast }) => backlog >= atLeast);
  const change = reached.reduce<StepRule | null>(
    (best, step) => (best === null || step.atLeast > best.atLeast ? step : best),
    null,
  );
  return Math.max(0, currentCount + (change?.change ?? 0));
}
