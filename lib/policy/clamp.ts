/** The last rule: whatever the rules before it want, the count stays inside what is allowed and possible. */
import type { Placement, Policy, ScheduleWindow } from '../domain.ts';
import { capacityOf } from './distribute.ts';
import { go, hold, pass, type Rule, type Situation } from './ruling.ts';
import { limitsAt } from './schedule.ts';
import { workersThat } from './wording.ts';

/** The limits of one decision: the user's, narrowed to what the servers can take. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** True when the servers, not `MAX_WORKERS`, set the upper limit. */
  readonly limitedByServers: boolean;
  /** End of the schedule window that shapes them; null = none is open. */
  readonly scheduledUntilMs: number | null;
}

/** Limits for the total count of workers. `min <= max` always holds; the servers' capacity wins over `MIN_WORKERS`. */
export function boundsOf(
  policy: Policy,
  placement: Placement,
  windows: readonly ScheduleWindow[],
  now: number,
): Bounds {
  const { most, fewest } = capacityOf(placement, policy);
  const { minWorkers, maxWorkers, untilMs } = limitsAt(policy, windows, now);
  const max = Math.max(Math.min(maxWorkers, most), fewest);
  const min = Math.min(Math.max(minWorkers, fewest), max);
  return { min, max, limitedByServers: most < maxWorkers, scheduledUntilMs: untilMs };
}

/** A remark for limits that a schedule shapes. */
export function scheduleRemark({ scheduledUntilMs }: Bounds): string {
  return scheduledUntilMs === null ? '' : ` (SCHEDULE, until ${new Date(scheduledUntilMs).toISOString()})`;
}

/** Clamps the count; a count that thereby comes back to the current one is a hold that names the limit. */
export const clamp: Rule<Situation> = ({ bounds, currentCount, policy }, count) => {
  const clamped = Math.min(Math.max(count, bounds.min), bounds.max);
  if (clamped === count) return pass(count);
  const wantsMore = count > bounds.max;
  const limit = wantsMore
    ? bounds.limitedByServers
      ? `the servers can take ${bounds.max} workers`
      : `MAX_WORKERS is ${bounds.max}${scheduleRemark(bounds)}`
    : `at least ${workersThat(bounds.min, 'is', 'are')} kept (MIN_WORKERS ${policy.minWorkers})${scheduleRemark(bounds)}`;
  if (clamped !== currentCount) return go('clamp', count, clamped, `${limit}.`);
  const reason = wantsMore ? (bounds.limitedByServers ? 'no_capacity' : 'at_maximum') : 'at_minimum';
  return hold('clamp', count, currentCount, reason, `${limit}, and that many run already.`);
};
