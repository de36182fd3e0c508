/** Calls per user and hour. Cloud 66 counts in fixed hours: a used-up budget comes back with the next one. */
import type { SimulationClock } from '../clock.ts';

const HOUR_MS = 3_600_000;

/** What is left after a call. */
export interface Budget {
  readonly allowed: boolean;
  readonly limit: number;
  /** Never negative. */
  readonly remaining: number;
  readonly secondsUntilReset: number;
}

export interface RateLimit {
  /** Takes calls from the user's budget; a call that it does not cover is not allowed and takes nothing. */
  spend(user: string, calls: number): Budget;
}

/** The budget belongs to the user, so people, CI and every token of the user draw on the same one. */
export function createRateLimit(callsPerHour: number, clock: SimulationClock): RateLimit {
  const spentByUser = new Map<string, { hour: number; spent: number }>();
  return {
    spend: (user, calls) => {
      const nowMs = clock.nowMs();
      const hour = Math.floor(nowMs / HOUR_MS);
      const known = spentByUser.get(user);
      const spent = known?.hour === hour ? known.spent : 0;
      const allowed = spent + calls <= callsPerHour;
      const nowSpent = allowed ? spent + calls : spent;
      spentByUser.set(user, { hour, spent: nowSpent });
      return {
        allowed,
        limit: callsPerHour,
        remaining: callsPerHour - nowSpent,
        secondsUntilReset: Math.ceil(((hour + 1) * HOUR_MS - nowMs) / 1000),
      };
    },
  };
}
