/** No change is larger than the user allows for one step. */
import type { StepLimit } from '../domain.ts';
import { go, pass, type Rule, type Situation } from './ruling.ts';

/** Limits the distance from the current count by `SCALE_OUT_MAX_STEP` or `SCALE_IN_MAX_STEP`. */
export const limit: Rule<Situation> = ({ currentCount, policy }, count) => {
  const scalesOut = count > currentCount;
  const stepLimit = scalesOut ? policy.scaleOutMaxStep : policy.scaleInMaxStep;
  if (stepLimit === null) return pass(count);
  const workers = workersOf(stepLimit, currentCount);
  const limited = scalesOut ? Math.min(count, currentCount + workers) : Math.max(count, currentCount - workers);
  if (limited === count) return pass(count);
  const name = scalesOut ? 'SCALE_OUT_MAX_STEP' : 'SCALE_IN_MAX_STEP';
  return go('limit', count, limited, `${name} allows ${workers} worker${workers === 1 ? '' : 's'} per change.`);
};

/** A percentage is rounded up, so that a small count can still move. */
function workersOf(stepLimit: StepLimit, currentCount: number): number {
  if (stepLimit.kind === 'workers') return stepLimit.workers;
  return Math.max(1, Math.ceil((currentCount * stepLimit.percent) / 100));
}
