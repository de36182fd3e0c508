import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Baseline, Sensed } from '../../../lib/backtest/baselines/baseline.ts';
import { baselines } from '../../../lib/backtest/baselines/index.ts';
import { workload } from './drive.ts';

const sensed = fc.record({
  visible: fc.nat(5000),
  inFlight: fc.nat(60),
  delayed: fc.nat(10),
  oldestAgeSeconds: fc.nat(4000),
  runningWorkers: fc.nat(60),
  busyWorkers: fc.nat(60),
  completedSinceLast: fc.nat(100),
  arrivedSinceLast: fc.nat(100),
  missing: fc.boolean(),
});
const bounds = fc.record({ minWorkers: fc.integer({ min: 0, max: 5 }), above: fc.nat(50) });

function settingsOf(baseline: Baseline): fc.Arbitrary<Record<string, number>> {
  const knobs = baseline.knobs.map((knob) => [knob.name, fc.constantFrom(...knob.values)] as const);
  return fc.record(Object.fromEntries(knobs));
}

describe.each(baselines.map((baseline) => [baseline.name, baseline] as const))('%s', (name, baseline) => {
  it('declares two to five knobs that its settings know, with values to try', () => {
    if (name !== 'static') expect(baseline.knobs.length).toBeGreaterThanOrEqual(2);
    expect(baseline.knobs.length).toBeLessThanOrEqual(5);
    for (const settings of [baseline.defaults(workload), baseline.byTheBook(workload)]) {
      expect(Object.keys(settings)).toEqual(expect.arrayContaining(baseline.knobs.map((knob) => knob.name)));
      expect(Object.keys(settings).sort()).toEqual(Object.keys(baseline.defaults(workload)).sort());
    }
    for (const knob of baseline.knobs) expect(new Set(knob.values).size).toBe(knob.values.length);
  });

  it('answers whole counts within the bounds or nothing, and the same for the same past', () => {
    const run = fc.tuple(settingsOf(baseline), bounds, fc.array(sensed, { maxLength: 30 }), fc.constantFrom(5, 60));
    fc.assert(
      fc.property(run, ([knobs, { minWorkers, above }, seen, everySeconds]) => {
        const given = { ...workload, minWorkers, maxWorkers: Math.max(1, minWorkers + above) };
        const settings = { ...baseline.defaults(given), ...knobs };
        const one = baseline.start(settings, given);
        const other = baseline.start(settings, given);
        let desiredWorkers = given.minWorkers;
        for (const [index, { missing, ...look }] of seen.entries()) {
          const live: Sensed = { ...look, nowSeconds: index * everySeconds, desiredWorkers, metric: null };
          const input = { ...live, metric: missing ? null : live };
          const wanted = one(input);
          expect(other(input)).toBe(wanted);
          if (wanted === null) continue;
          expect(Number.isInteger(wanted)).toBe(true);
          expect(wanted).toBeGreaterThanOrEqual(given.minWorkers);
          expect(wanted).toBeLessThanOrEqual(given.maxWorkers);
          desiredWorkers = wanted;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('names a setting that is missing', () => {
    expect(() => baseline.start({}, workload)({ ...look, nowSeconds: 0 })).toThrow(/setting \w+: found undefined/);
  });
});

const look: Sensed = {
  nowSeconds: 0,
  visible: 500,
  inFlight: 0,
  delayed: 0,
  oldestAgeSeconds: 500,
  runningWorkers: 1,
  desiredWorkers: 1,
  busyWorkers: 1,
  completedSinceLast: 0,
  arrivedSinceLast: 0,
  metric: null,
};

describe('the list', () => {
  it('has each name once', () => {
    const names = baselines.map((baseline) => baseline.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(['hpa', 'keda', 'aws-target-tracking', 'aws-step', 'static']));
  });
});
