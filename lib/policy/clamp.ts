/** The last rule: whatever the rules before it want, the count stays inside what is allowed and possible. */
import type { Placement, Policy } from '../domain.ts';
import { capacityOf } from './distribute.ts';
import { go, hold, pass, type Rule, type Situation } from './ruling.ts';

/** The limits of one decision: the user's, narrowed to what the servers can take. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** True when the servers, not `MAX_WORKERS`, set the upper limit. */
  readonly limitedByServers: boolean;
}

/** Limits for the total count of workers. `min <= max` always holds; the servers' capacity wins over `MIN_WORKERS`. */
export function boundsOf(policy: Policy, placement: Placement): Bounds {
  const { most, fewest } = capacityOf(placement, policy);
  const max = Math.max(Math.min(policy.maxWorkers, most), fewest);
  const min = Math.min(Math.max(policy.minWorkers, fewest), max);
  return { min, max, limitedByServers: most < policy.maxWorkers };
}

/** Clamps the count; a count that thereby comes back to the current one is a hold that names the limit. */
export const clamp: Rule<Situation> = ({ bounds, currentCount, policy }, count) => {
  const clamped = Math.min(Math.max(count, bounds.min), bounds.max);
  if (clamped === count) return pass(count);
  const wantsMore = count > bounds.max;
  const limit = wantsMore
    ? bounds.limitedByServers
      ? `the servers can take ${bounds.max} workers`
      : `MAX_WORKERS is ${bounds.max}`
    : `at least ${bounds.min} workers are kept (MIN_WORKERS ${policy.minWorkers})`;
  if (clamped !== currentCount) return go('clamp', count, clamped, `${limit}.`);
  const reason = wantsMore ? (bounds.limitedByServers ? 'no_capacity' : 'at_maximum') : 'at_minimum';
  return hold('clamp', count, currentCount, reason, `${limit}, and that many run already.`);
};
