/**
 * How many calls the Cloud 66 account has left. The budget is per *user* and hour, shared with people and CI, so the newest
 * headers are believed over our own count. In memory only: losing it costs one refused call.
 *
 * Source: https://developers.cloud66.com/v3 (rate limiting): 3,000 requests per user and hour, then 503 `throttled` until
 * the next hourly interval; sample headers show `X-RateLimit-Limit: 3600`.
 */

import type { CallAllowance } from '../reconcile/ports.ts';

/** What a reply's headers say of the limit; null for what they leave out. */
export interface RateLimit {
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAtMs: number | null;
  readonly observedAtMs: number;
}

/** What a call is for. Changes are paid for first, then their confirmation, then counting the workers of what is quiet. */
export type CallPurpose = 'change' | 'confirm' | 'count';

/**
 * How much of the reserve each leaves, as a share of it. Nothing of it is planned for (see `allowance`). A quarter may go into
 * following what is under way, and into stacks that nobody has counted for a whole round. A change is rare, and somebody's
 * jobs wait for it, so it may take half of the reserve; the other half is never ours.
 */
const RESERVE_KEPT: Readonly<Record<CallPurpose, number>> = { count: 0.75, confirm: 0.75, change: 0.5 };

/** The API budget as one process knows it. */
export interface ApiBudget {
  /** A call is about to be made. */
  called(nowMs: number): void;
  /** A reply carried rate limit headers. */
  seen(rateLimit: RateLimit): void;
  /** Cloud 66 refused until then. */
  throttled(untilMs: number): void;
  /** When calls may be made again; null when they may be made now. */
  throttledUntilMs(nowMs: number): number | null;
  /** Calls left in this hour, never below zero; zero while throttled. */
  remaining(nowMs: number): number;
  /** Calls per hour, as far as is known. */
  limit(): number;
  /** Calls that this process made since it started. */
  calls(): number;
  /** False when what is left is kept for people and more urgent calls, and while Cloud 66 throttles. */
  allows(purpose: CallPurpose, nowMs: number): boolean;
  /** What of the hour's calls is this program's. */
  allowance(nowMs: number): Omit<CallAllowance, 'account'>;
}

/** The documented limit, which is below the one in the sample headers. */
const DEFAULT_LIMIT = 3000;
const HOUR_MS = 3_600_000;
/** A budget may be this share of the hour, a minute, ahead of its time: a change or two at the beginning of an hour are. */
const SLACK_SHARE = 1 / 60;

/** Start of the next hourly interval: when the documented limit is lifted. */
export function nextHourMs(nowMs: number): number {
  return (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
}

export interface BudgetOptions {
  readonly defaultLimit?: number;
  /** Share of the limit that is kept for people and other programs. */
  readonly reserveShare?: number;
}

/** A budget that has seen nothing yet: `defaultLimit` calls per hour until headers say otherwise. */
export function createBudget({ defaultLimit = DEFAULT_LIMIT, reserveShare = 0.25 }: BudgetOptions = {}): ApiBudget {
  let limit = defaultLimit;
  let left = defaultLimit;
  let intervalEndsMs = 0;
  let untilMs = 0;
  let calls = 0;

  const startInterval = (nowMs: number): void => {
    if (nowMs < intervalEndsMs) return;
    intervalEndsMs = nextHourMs(nowMs);
    left = limit;
  };

  const remaining = (nowMs: number): number => {
    startInterval(nowMs);
    return nowMs < untilMs ? 0 : Math.max(0, left);
  };

  return {
    called(nowMs) {
      startInterval(nowMs);
      calls += 1;
      left -= 1;
    },
    seen(rateLimit) {
      startInterval(rateLimit.observedAtMs);
      // Only what was seen replaces what was counted: a limit alone moves what is left by its difference.
      left = rateLimit.remaining ?? left + (rateLimit.limit ?? limit) - limit;
      limit = rateLimit.limit ?? limit;
      if (rateLimit.resetAtMs !== null) intervalEndsMs = rateLimit.resetAtMs;
    },
    throttled(atMs) {
      untilMs = Math.max(untilMs, atMs);
    },
    throttledUntilMs: (nowMs) => (nowMs < untilMs ? untilMs : null),
    remaining,
    allows: (purpose, nowMs) => remaining(nowMs) > RESERVE_KEPT[purpose] * reserveShare * limit,
    allowance(nowMs) {
      const hourlyCalls = Math.floor((1 - reserveShare) * limit);
      const leftAbove = (share: number) => Math.max(0, Math.floor(remaining(nowMs) - share * reserveShare * limit));
      const callsLeft = leftAbove(1);
      const resetAtMs = Math.max(intervalEndsMs, untilMs);
      const shareOfHourLeft = Math.min(1, (resetAtMs - nowMs) / HOUR_MS);
      const isStrained = callsLeft === 0 || callsLeft < hourlyCalls * (shareOfHourLeft - SLACK_SHARE);
      return { hourlyCalls, callsLeft, overdueCallsLeft: leftAbove(RESERVE_KEPT.count), resetAtMs, isStrained };
    },
    limit: () => limit,
    calls: () => calls,
  };
}
