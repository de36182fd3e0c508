/** Whether an environment asks Cloud 66 for more than it was told that it may. */
import type { Violation } from './observer.ts';

/** What Cloud 66 last told an environment of the rate limit. */
export interface Told {
  readonly remaining: number;
  readonly limit: number;
  readonly atMs: number;
  readonly isThrottled: boolean;
}

const HOUR_MS = 3_600_000;
/** So close to the hour, a skewed clock may be in another one. */
const SKEW_MS = 10_000;
/** Half of the reserve is nobody's but people's: API_BUDGET_RESERVE is a quarter of the limit unless set. */
const UNTOUCHED_SHARE = 0.125;
/** Calls that were under way when the environment was told: stacks go side by side, each with some lists and their pages. */
const UNDER_WAY = { least: 20, perStack: 8 } as const;
/** Less than the first wait before a read is tried again. */
const SIDE_BY_SIDE_MS = 200;
/** While it throttles, Cloud 66 is asked again once in five minutes, by clocks that may be ahead by seconds. */
const THROTTLED_MS = 280_000;

/** The promise that a call breaks, for an environment that looks at so many stacks; null = none. */
export function overspending(told: Told, method: string, nowMs: number, stacks: number): Violation | null {
  const intoHourMs = told.atMs % HOUR_MS;
  const isSameHour = intoHourMs > SKEW_MS && intoHourMs + nowMs - told.atMs < HOUR_MS - SKEW_MS;
  // What is asked side by side is under way when the first answer tells.
  if (!isSameHour || nowMs - told.atMs < SIDE_BY_SIDE_MS) return null;
  if (told.isThrottled) {
    if (method !== 'GET' || nowMs - told.atMs >= THROTTLED_MS) return null;
    const detail = `asked again ${nowMs - told.atMs} ms after it was throttled`;
    return { invariant: 'throttling_is_obeyed', detail };
  }
  const underWay = UNDER_WAY.least + UNDER_WAY.perStack * stacks;
  if (told.remaining >= UNTOUCHED_SHARE * told.limit - underWay) return null;
  return { invariant: 'reserve_is_kept', detail: `asked with ${told.remaining} of ${told.limit} calls left` };
}
