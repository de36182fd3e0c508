/**
 * `SCHEDULE`: limits by the clock, written as cron expressions in a time zone. Parsing and calendars live here, by croner, a
 * kept library that knows daylight saving: a window at 02:30 opens once on the day when that hour comes twice, and at 03:00
 * on the day when it does not come at all. What a window means is decided in `policy/schedule.ts`.
 */
import { Cron } from 'croner';
import type { ScheduleRule, ScheduleWindow } from '../domain.ts';
import type { ValueType } from './values.ts';

const MINUTE_MS = 60_000;
const MAX_RULES = 20;
const MAX_DURATION_SECONDS = 7 * 86_400;
const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** Rules between semicolons, their four parts between bars: `0 7 * * 1-5 | Europe/Berlin | 10h | min=4 max=20`. */
export const scheduleRules: ValueType<readonly ScheduleRule[]> = {
  expected:
    'a list of "cron | time zone | duration | limits" between semicolons, such as ' +
    '"0 7 * * 1-5 | Europe/Berlin | 10h | min=4" (durations in m, h or d up to 7d; min=, max= or both)',
  parse: (text) => {
    const rules = text.split(';').map((part) => ruleOf(part.split('|').map((each) => each.trim())));
    const known = rules.flatMap((rule) => (rule === null ? [] : [rule]));
    return known.length === rules.length && rules.length <= MAX_RULES ? known : null;
  },
};

/** The windows of some rules that are open at `nowMs`. A window begins at its rule's newest cron time and lasts its duration. */
export function openWindows(rules: readonly ScheduleRule[], nowMs: number): readonly ScheduleWindow[] {
  return rules.flatMap((rule) => {
    const { durationSeconds, minWorkers, maxWorkers } = rule;
    const startMs = newestRunMs(rule, nowMs);
    const endMs = startMs + durationSeconds * 1000;
    return startMs <= nowMs && nowMs < endMs ? [{ startMs, endMs, minWorkers, maxWorkers }] : [];
  });
}

/** What is known of a rule: the library's own form of it, and a span of time with the newest run of every moment in it. */
interface KnownRule {
  readonly cron: Cron;
  fromMs: number;
  untilMs: number;
  runMs: number;
}

/** Every pass asks for every target, and the answer is the same from one run to the next. */
const knownRules = new WeakMap<ScheduleRule, KnownRule>();

function newestRunMs(rule: ScheduleRule, nowMs: number): number {
  const known = knownRules.get(rule) ?? {
    cron: new Cron(rule.cron, { timezone: rule.timeZone }),
    fromMs: Number.POSITIVE_INFINITY,
    untilMs: Number.NEGATIVE_INFINITY,
    runMs: 0,
  };
  knownRules.set(rule, known);
  if (nowMs < known.fromMs || nowMs >= known.untilMs) {
    known.fromMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    // Runs strictly before the time that is given; croner sees whole seconds, and runs begin with their minute.
    const [newest] = known.cron.previousRuns(1, new Date(known.fromMs + 1000));
    known.runMs = newest?.getTime() ?? Number.POSITIVE_INFINITY;
    // The first run after this minute's own.
    known.untilMs = known.cron.nextRun(new Date(known.fromMs))?.getTime() ?? Number.POSITIVE_INFINITY;
  }
  return known.runMs;
}

function ruleOf([
  cron = '',
  timeZone = '',
  duration = '',
  limits = '',
  ...rest
]: readonly string[]): ScheduleRule | null {
  const durationSeconds = durationOf(duration);
  const bounds = limitsOf(limits);
  if (rest.length > 0 || durationSeconds === null || bounds === null || !isCron(cron, timeZone)) return null;
  return { cron, timeZone, durationSeconds, ...bounds };
}

/** Five fields, so that nobody writes seconds by mistake; the library judges the rest, time zone included. */
function isCron(cron: string, timeZone: string): boolean {
  if (cron.split(/\s+/).length !== 5 || timeZone === '') return false;
  try {
    return new Cron(cron, { timezone: timeZone }).nextRun(new Date(0)) !== null;
  } catch {
    return false;
  }
}

/** Seconds of `30m`, `2h` or `1d`, up to seven days; null for anything else. */
export function durationOf(text: string): number | null {
  const [, amount, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNITS[unit] ?? Number.NaN);
  return seconds > 0 && seconds <= MAX_DURATION_SECONDS ? seconds : null;
}

function limitsOf(text: string): Pick<ScheduleRule, 'minWorkers' | 'maxWorkers'> | null {
  const found = new Map<string, number>();
  for (const part of text.split(/\s+/)) {
    const [, name = '', value = ''] = /^(min|max)=(\d{1,4})$/.exec(part) ?? [];
    if (name === '' || found.has(name)) return null;
    found.set(name, Number(value));
  }
  const [minWorkers, maxWorkers] = [found.get('min') ?? null, found.get('max') ?? null];
  return minWorkers !== null && maxWorkers !== null && minWorkers > maxWorkers ? null : { minWorkers, maxWorkers };
}
