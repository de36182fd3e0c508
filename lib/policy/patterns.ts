/**
 * Arrivals that return with the clock: cron batches, the first jobs of an office day. Reaction is provably too late for
 * them, since a change takes about a minute to land; their past tells when to be there.
 *
 * Only onsets matter: minutes in which clearly more arrived than in the minutes before. Reaction follows the rest. Each onset
 * is a trial of every cycle (5 minutes to a week): did as much arrive one cycle later? A cycle is believed when enough
 * of its trials came true, those at the same place of the cycle counting besides all others (a Beta prior: the unseen
 * cycle of an hour, half an hour or a day is tried once, others wait for a first return). What is expected is the mean of
 * the last times. A cycle that fails is dropped after one or two vain starts.
 */
import type { ArrivalForecast, RateHistory } from '../domain.ts';

/** Minutes between returns that are tried, those that cron and calendars make. */
const CYCLES_MINUTES = [5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 10_080] as const;
/** Cycles common enough to be tried after a single onset. */
const COMMON_CYCLES: ReadonlySet<number> = new Set([30, 60, 1440]);
/** A cycle is believed from this probability of return on. */
const BELIEVED = 0.4;
/** Older trials weigh less by this factor each. */
const FORGETTING = 0.97;
/** At most so many earlier times of the same place in a cycle are compared, and averaged. */
const PLACES = 6;
const AVERAGED = 3;
/** A return has at least this share of the arrivals of the time before. */
const RETURN_SHARE = 0.5;
/** How far around now the forecast reaches: back for what was foreseen lately, ahead until the next reading. */
export const FORECAST_BACK_MINUTES = 30;
export const FORECAST_AHEAD_MINUTES = 30;
/** How much of the past is read: two weeks show a week's return, and CloudWatch keeps minutes for fifteen days. */
export const PATTERN_HISTORY_SECONDS = 14 * 86_400;

/** How often arrivals returned after a cycle. */
interface Trials {
  hits: number;
  all: number;
}

/** What the past has shown. */
interface Learned {
  readonly sent: Float64Array;
  /** 1 where arrivals clearly began to rise. */
  readonly onset: Uint8Array;
  readonly trials: readonly Trials[];
}

/** The forecast for the minutes around the end of a history of one-minute periods. */
export function forecastArrivals(history: RateHistory): ArrivalForecast {
  const learned = learn(history);
  const end = learned.sent.length;
  const first = end - FORECAST_BACK_MINUTES;
  const expected: number[] = [];
  const cycleMinutes: number[] = [];
  for (let minute = first; minute < end + FORECAST_AHEAD_MINUTES; minute += 1) {
    const { count, cycle } = expectedIn(minute, learned);
    expected.push(count);
    cycleMinutes.push(cycle);
  }
  const { startMs, periodSeconds } = history;
  return { startMs: startMs + first * periodSeconds * 1000, periodSeconds, expected, cycleMinutes };
}

function learn({ sent: recorded }: RateHistory): Learned {
  const sent = new Float64Array(recorded.length);
  for (let minute = 0; minute < sent.length; minute += 1) sent[minute] = recorded[minute] ?? 0;
  const onset = onsetsOf(sent);
  const trials = CYCLES_MINUTES.map((): Trials => ({ hits: 0, all: 0 }));
  for (let minute = onset.indexOf(1); minute >= 0; minute = onset.indexOf(1, minute + 1)) {
    for (const [index, trial] of trials.entries()) tryCycle(trial, CYCLES_MINUTES[index] ?? 0, minute, sent);
  }
  return { sent, onset, trials };
}

const BEFORE_MINUTES = 6;
const LEAST_ONSET = 3;

/** Marks with 1 the bursts: minutes with clearly more arrivals than in the six before and than twice as many as in the last. */
export function onsetsOf(sent: Float64Array): Uint8Array {
  const onset = new Uint8Array(sent.length);
  let sum = 0;
  let previous = meanAfterFirst(sent);
  for (let minute = 0; minute < sent.length; minute += 1) {
    const count = sent[minute] as number;
    // The cheaper test first: few pass it.
    if (count > 2 * previous + LEAST_ONSET) {
      const mean = minute === 0 ? previous : sum / Math.min(BEFORE_MINUTES, minute);
      if (count > 2 * mean + 3 * Math.sqrt(mean) + LEAST_ONSET) onset[minute] = 1;
    }
    previous = count;
    sum += count;
    if (minute >= BEFORE_MINUTES) sum -= sent[minute - BEFORE_MINUTES] as number;
  }
  return onset;
}

/** The first minute has none before it; those after it tell whether it stands out. */
function meanAfterFirst(sent: Float64Array): number {
  const after = sent.subarray(1, 1 + BEFORE_MINUTES);
  return after.reduce((sum, count) => sum + count, 0) / Math.max(1, after.length);
}

/** One onset as a trial of one cycle; a minute to either side counts as the same time. */
function tryCycle(trial: Trials, cycle: number, minute: number, sent: Float64Array): void {
  const due = minute + cycle;
  if (due + 1 >= sent.length) return;
  const returned = Math.max(sent[due - 1] as number, sent[due] as number, sent[due + 1] as number);
  trial.all = trial.all * FORGETTING + 1;
  trial.hits = trial.hits * FORGETTING + (returned >= RETURN_SHARE * (sent[minute] as number) ? 1 : 0);
}

/** What the most credible cycle expects of a minute, which may lie ahead; among about equals, the larger count. */
function expectedIn(minute: number, learned: Learned): { count: number; cycle: number } {
  let best = { count: 0, cycle: 0, credit: 0 };
  for (const [index, cycle] of CYCLES_MINUTES.entries()) {
    const place = placeOf(minute, cycle, learned, learned.trials[index] ?? { hits: 0, all: 0 });
    if (place === null || place.credit < BELIEVED) continue;
    const clearly = place.credit > best.credit + 0.15;
    const about = place.credit > best.credit - 0.15 && place.count > best.count;
    if (clearly || about) best = { ...place, cycle };
  }
  return best;
}

/** The earlier times at the same place of the cycle: what to expect, and how far to trust it. */
function placeOf(
  minute: number,
  cycle: number,
  learned: Learned,
  trials: Trials,
): { count: number; credit: number } | null {
  const { sent, onset } = learned;
  // The last time that was recorded; a forecast of several cycles ahead skips those still to come.
  let last = minute - cycle;
  while (last >= sent.length) last -= cycle;
  if (last < 0 || onset[last] !== 1) return null;
  const prior = COMMON_CYCLES.has(cycle) ? 1 : 0.5;
  const general = (prior + trials.hits) / (1 + prior + trials.all);
  let [hits, all, sum, counted] = [0, 0, sent[last] as number, 1];
  for (let times = 1; times < PLACES && last - times * cycle >= 0; times += 1) {
    const earlier = last - times * cycle;
    const count = sent[earlier] as number;
    if (onset[earlier] !== 1) continue;
    all += 1;
    if ((sent[earlier + cycle] as number) >= RETURN_SHARE * count) hits += 1;
    if (times < AVERAGED) {
      sum += count;
      counted += 1;
    }
  }
  return { count: sum / counted, credit: (2 * general + hits) / (2 + all) };
}
