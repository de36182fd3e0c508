import { describe, expect, it } from 'vitest';
import { FORECAST_BACK_MINUTES, forecastArrivals } from '../../lib/policy/patterns.ts';
import { NOW, ratesOf } from '../support/observations.ts';

/** Expected counts by minutes from now (0 = the minute that begins now), where there are any. */
function foreseen(sent: readonly (number | null)[]): Record<number, number> {
  const rates = { ...ratesOf(sent.map((count) => count ?? 0)), sent };
  const { startMs, expected } = forecastArrivals(rates);
  const entries = expected.map((count, at) => [(startMs - NOW) / 60_000 + at, Math.round(count)] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0));
}

/** `minutes` minutes that end now, with a batch wherever `isBatch` says so by minutes before now. */
const past = (minutes: number, batch: (ago: number) => number): readonly number[] =>
  Array.from({ length: minutes }, (_, at) => batch(minutes - at));

describe('the forecast of arrivals that return with the clock', () => {
  it('expects the next batches of a cron of thirty minutes', () => {
    const sent = past(600, (ago) => (ago % 30 === 10 ? 120 : 1));
    expect(foreseen(sent)).toMatchObject({ 20: 120 });
    expect(Object.keys(foreseen(sent)).every((at) => (Number(at) + 10) % 30 === 0)).toBe(true);
  });

  it('tells foreseen minutes of the last half hour from surprises', () => {
    const sent = past(600, (ago) => (ago % 30 === 10 ? 120 : 1));
    expect(foreseen(sent)[-10]).toBe(120);
    expect(forecastArrivals(ratesOf(sent)).startMs).toBe(NOW - FORECAST_BACK_MINUTES * 60_000);
  });

  it('tries the hour after a single onset, and drops it when nothing returns', () => {
    const once = past(50, (ago) => (ago === 45 ? 500 : 0));
    expect(foreseen(once)).toEqual({ 15: 500 });
    const vain = past(400, (ago) => (ago === 250 || ago === 45 ? 500 : 0));
    expect(foreseen(vain)).toEqual({});
  });

  it('learns a day from its second morning on', () => {
    const sent = past(2 * 1440 + 1420, (ago) => (ago % 1440 === 1420 ? 800 : 2));
    expect(foreseen(sent)).toEqual({ 20: 800 });
  });

  it('averages the last times of the same place', () => {
    const sent = past(200, (ago) => (ago % 60 === 40 ? 100 + ago / 10 : 0));
    expect(foreseen(sent)[20]).toBe(110);
  });

  it('sees nothing in steady or in empty traffic, nor without any', () => {
    expect(foreseen(past(1440, () => 50))).toEqual({});
    expect(foreseen(past(1440, () => 0))).toEqual({});
    expect(foreseen([])).toEqual({});
  });

  it('reads gaps as nothing', () => {
    const sent = past(600, (ago) => (ago % 30 === 10 ? 120 : 1)).map((count, at) => (at % 50 === 7 ? null : count));
    expect(foreseen(sent)[20]).toBe(120);
  });
});
