/**
 * Limits by the clock: a floor before the morning rush, a ceiling at night. The windows arrive as times; calendars, time
 * zones and daylight saving are the business of whoever computes them.
 */
import type { Policy, ScheduleWindow } from '../domain.ts';

/** The limits that hold now, and until when a schedule changes them (null = no window is open). */
export interface ScheduledLimits {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly untilMs: number | null;
}

/**
 * The tightest of all open windows and of the target's own limits: the highest floor, the lowest ceiling. Where a floor
 * would stand above a ceiling, the ceiling wins, since it is there to keep harm away.
 */
export function limitsAt(
  { minWorkers, maxWorkers }: Pick<Policy, 'minWorkers' | 'maxWorkers'>,
  windows: readonly ScheduleWindow[],
  now: number,
): ScheduledLimits {
  const open = windows.filter(({ startMs, endMs }) => startMs <= now && now < endMs);
  const max = Math.min(maxWorkers, ...open.flatMap((window) => window.maxWorkers ?? []));
  const min = Math.min(max, Math.max(minWorkers, ...open.flatMap((window) => window.minWorkers ?? [])));
  const untilMs = open.length === 0 ? null : Math.min(...open.map(({ endMs }) => endMs));
  return { minWorkers: min, maxWorkers: max, untilMs };
}
