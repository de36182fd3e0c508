/** Small differences are noise: within the tolerance nothing moves. */
import { hold, pass, type RatedSituation, type Rule } from './ruling.ts';

/**
 * Holds while the recommendation, before rounding, is within `TOLERANCE` of the current count: the dead band of the
 * Kubernetes Horizontal Pod Autoscaler. From zero there is no ratio, hence no tolerance; nor for steps, which are small
 * changes on purpose (Application Auto Scaling's step policies have none either).
 */
export const tolerate: Rule<RatedSituation> = ({ currentCount, policy, recommendation }, count) => {
  if (count === currentCount)
    return hold('tolerate', count, currentCount, 'on_target', 'The count is as it should be.');
  if (currentCount === 0 || recommendation.exact === null) return pass(count);
  const difference = Math.abs(recommendation.exact / currentCount - 1);
  // Two floats that should be equal may differ in their last digits; the user's 0.1 means 0.1.
  if (difference > policy.tolerance + 1e-9) return pass(count);
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
  const why = `${percent(difference)} off the current count, within the tolerance of ${percent(policy.tolerance)}.`;
  return hold('tolerate', count, currentCount, 'within_tolerance', why);
};
