/** The hourly calls to Cloud 66 as people see them: how many we make, what is left, and once an hour that they run out. */
import type { ApiBudget, RateLimit } from '../cloud66/budget.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Follows the budget of one account in one execution environment. */
export interface CallReport {
  /** A reply told how many calls are left. */
  seen(rateLimit: RateLimit): void;
  /** At the end of an invocation: the calls it made, what is left if a reply told it, and a line an hour when that is little. */
  tell(logger: Logger): void;
}

const HOUR_MS = 3_600_000;

export function createCallReport(parts: {
  readonly account: string;
  readonly budget: ApiBudget;
  readonly metrics: Metrics;
  readonly clock: Clock;
}): CallReport {
  const { account, budget, metrics, clock } = parts;
  let isKnown = false;
  let toldCalls = 0;
  let toldHour: number | null = null;
  return {
    seen({ remaining }) {
      isKnown ||= remaining !== null;
    },
    tell(logger) {
      const nowMs = clock.nowMs();
      const remaining = budget.remaining(nowMs);
      if (isKnown) metrics.measure('ApiCallsRemaining', 'Count', remaining);
      if (budget.calls() > toldCalls) metrics.measure('ApiCalls', 'Count', budget.calls() - toldCalls);
      [isKnown, toldCalls] = [false, budget.calls()];
      const isSpent = budget.allowance(nowMs).callsLeft === 0;
      const hour = Math.floor(nowMs / HOUR_MS);
      if (!isSpent || toldHour === hour) return;
      toldHour = hour;
      metrics.count('ApiBudgetSpent');
      const message =
        'What is left of the calls to Cloud 66 in this hour is kept (API_BUDGET_RESERVE): quiet targets are counted late.';
      logger.warn(message, { event: 'api_calls', account, remaining, limit: budget.limit() });
    },
  };
}
