/** What is left of the hourly calls to Cloud 66, told before it is used up: the budget is shared with people and CI. */
import type { ApiBudget, RateLimit } from '../cloud66/budget.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Follows the budget of one execution environment. */
export interface CallReport {
  /** A reply told how many calls are left. */
  seen(rateLimit: RateLimit): void;
  /** At the end of an invocation: one value, if a reply told one, and a line an hour when there is little left. */
  tell(logger: Logger): void;
}

/** Share of the hourly calls below which it is told. */
const LITTLE = 0.25;
const HOUR_MS = 3_600_000;

export function createCallReport(parts: {
  readonly budget: ApiBudget;
  readonly metrics: Metrics;
  readonly clock: Clock;
}): CallReport {
  const { budget, metrics, clock } = parts;
  let isKnown = false;
  let toldHour: number | null = null;
  return {
    seen({ remaining }) {
      isKnown ||= remaining !== null;
    },
    tell(logger) {
      const nowMs = clock.nowMs();
      const remaining = budget.remaining(nowMs);
      if (isKnown) metrics.measure('ApiCallsRemaining', 'Count', remaining);
      isKnown = false;
      const hour = Math.floor(nowMs / HOUR_MS);
      const limit = budget.limit();
      if (remaining >= limit * LITTLE || toldHour === hour) return;
      toldHour = hour;
      logger.info('Few calls to the Cloud 66 API are left in this hour.', { event: 'api_calls', remaining, limit });
    },
  };
}
