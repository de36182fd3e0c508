import { describe, expect, it } from 'vitest';
import { buildkite, outstandingWorkers } from '../../../lib/backtest/baselines/buildkite.ts';
import { fixed } from '../../../lib/backtest/baselines/fixed.ts';
import { fly } from '../../../lib/backtest/baselines/fly.ts';
import { horizon } from '../../../lib/backtest/baselines/horizon.ts';
import { knative } from '../../../lib/backtest/baselines/knative.ts';
import { nomad, targetValue } from '../../../lib/backtest/baselines/nomad.ts';
import { drive, workload } from './drive.ts';

describe('Nomad target-value', () => {
  it('has a dead band of 1 %', () => {
    expect(targetValue(100, 1.01, 0.01)).toBeNull();
    expect(targetValue(100, 0.995, 0.01)).toBeNull();
    expect(targetValue(100, 1.011, 0.01)).toBe(102);
    expect(targetValue(100, 0.98, 0.01)).toBe(98);
  });

  it('takes the factor itself as the count from zero', () => {
    expect(targetValue(0, 2.5, 0.01)).toBe(3);
    expect(targetValue(0, 0, 0.01)).toBeNull();
    expect(drive({ baseline: nomad, workload: { minWorkers: 0 } }).look({ visible: 25 })).toBe(3);
  });

  it('takes no action for five minutes after one, and then acts on what it sees', () => {
    const driven = drive({ baseline: nomad });
    expect(driven.look({ visible: 50 })).toBe(5);
    expect(driven.looks(29, { visible: 90 }).at(-1)).toBe(5);
    expect(driven.look({ visible: 70 })).toBe(7);
  });

  it('may cool down for another time after a scale-out', () => {
    const driven = drive({ baseline: nomad, settings: { upCooldownSeconds: 20 } });
    expect(driven.looks(3, { visible: 50 })).toEqual([5, 5, 5]);
    expect(driven.look()).toBe(1);
    expect(driven.looks(3, { visible: 50 })).toEqual([1, 1, 1]);
  });

  it('limits a step when told, and falls to the minimum on an empty queue', () => {
    expect(drive({ baseline: nomad, settings: { maxScaleUp: 2 } }).look({ visible: 90 })).toBe(3);
    expect(drive({ baseline: nomad, settings: { maxScaleDown: 2 }, workers: 9 }).look()).toBe(7);
    expect(drive({ baseline: nomad, workers: 9 }).look()).toBe(1);
    expect(drive({ baseline: nomad, settings: { countInFlight: 0 } }).look({ visible: 20, inFlight: 50 })).toBe(2);
    expect(nomad.byTheBook(workload)).toMatchObject({ target: 11 });
  });
});

describe('Buildkite', () => {
  const binary = { outCooldownSeconds: 0, inCooldownSeconds: 0, disableScaleIn: 0 };

  it('asks for one slot for each outstanding job', () => {
    expect(outstandingWorkers(7, 1, 0)).toBe(7);
    expect(outstandingWorkers(7, 2, 0)).toBe(4);
    expect(drive({ baseline: buildkite, settings: binary }).look({ visible: 5, inFlight: 2 })).toBe(7);
  });

  it('adds the buffer while there are jobs, but no more than they need', () => {
    expect([0, 1, 2, 9].map((jobs) => outstandingWorkers(jobs, 1, 3))).toEqual([0, 2, 4, 12]);
  });

  it('multiplies the change by its factors, rounding outwards', () => {
    const settings = { ...binary, outFactor: 0.5, inFactor: 0.5 };
    expect(drive({ baseline: buildkite, settings }).look({ visible: 6 })).toBe(4);
    expect(drive({ baseline: buildkite, settings, workers: 6 }).look({ visible: 1 })).toBe(3);
  });

  it('keeps its two cooldowns', () => {
    const out = drive({ baseline: buildkite, settings: { ...binary, outCooldownSeconds: 30 } });
    expect([2, 4, 6, 8].map((visible) => out.look({ visible }))).toEqual([2, 2, 2, 8]);
    const into = drive({ baseline: buildkite, settings: { ...binary, inCooldownSeconds: 30 }, workers: 9 });
    expect([8, 6, 4, 2].map((inFlight) => into.look({ inFlight }))).toEqual([8, 8, 8, 2]);
  });

  it('neither repeats an order under way nor forgets to take it back', () => {
    const driven = drive({ baseline: buildkite, settings: binary });
    driven.look({ visible: 9 });
    expect(driven.look({ visible: 9, runningWorkers: 1 })).toBe(9);
    expect(driven.look({ visible: 4, runningWorkers: 1 })).toBe(4);
  });

  it('leaves scale-in to agents that were idle for 600 s, each by its own clock', () => {
    const driven = drive({ baseline: buildkite, workers: 5 });
    driven.looks(20, { busyWorkers: 3, inFlight: 3 });
    expect(driven.looks(39, { busyWorkers: 1, inFlight: 1 }).at(-1)).toBe(5);
    expect(driven.look({ busyWorkers: 1, inFlight: 1 })).toBe(5);
    // Two of them were idle from the start, two more for only 400 s.
    expect(driven.look({ busyWorkers: 1, inFlight: 1 })).toBe(3);
    expect(driven.looks(18, { busyWorkers: 1, inFlight: 1 }).at(-1)).toBe(3);
    expect(driven.look({ busyWorkers: 1, inFlight: 1 })).toBe(1);
  });

  it('keeps agents that were busy in between', () => {
    const driven = drive({ baseline: buildkite, workers: 3 });
    driven.looks(50);
    driven.look({ inFlight: 3, busyWorkers: 3 });
    expect(driven.looks(50).at(-1)).toBe(3);
    expect(buildkite.byTheBook(workload)).toMatchObject({ outCooldownSeconds: 0, disableScaleIn: 0 });
  });
});

describe('Knative KPA', () => {
  const calm = { panicThreshold: 1000 };

  it('averages the concurrency of the last 60 s over the target', () => {
    const driven = drive({ baseline: knative, settings: { ...calm, target: 1 } });
    driven.looks(15, { visible: 2 });
    expect(driven.looks(15, { visible: 4 }).at(-1)).toBe(3);
    expect(driven.looks(15, { visible: 4 }).at(-1)).toBe(4);
  });

  it('aims at 70 % of the concurrency of a worker', () => {
    expect(drive({ baseline: knative }).look({ visible: 7 })).toBe(10);
    expect(knative.defaults({ ...workload, concurrency: 10 })).toMatchObject({ target: 7 });
    expect(knative.byTheBook(workload)).toMatchObject({ target: 0.7 * 11 });
  });

  it('follows the 6 s window from twice the running count on, and does not come down before 60 s', () => {
    const driven = drive({ baseline: knative, settings: { target: 1 }, workers: 2 });
    driven.looks(30, { visible: 2 });
    expect(driven.looks(3, { visible: 12 }).at(-1)).toBe(12);
    expect(driven.looks(28, { visible: 1 }).at(-1)).toBe(12);
    expect(driven.looks(5, { visible: 1 }).at(-1)).toBeLessThan(12);
  });

  it('comes down to half the running count a tick at most', () => {
    const driven = drive({ baseline: knative, settings: { ...calm, stableWindowSeconds: 2 }, workers: 16 });
    expect(driven.looks(4)).toEqual([8, 4, 2, 1]);
  });

  it('goes to zero 30 s after nothing is wanted, and up again with the first job', () => {
    const driven = drive({ baseline: knative, workload: { minWorkers: 0 }, workers: 1 });
    expect(driven.looks(15).at(-1)).toBe(1);
    expect(driven.look()).toBe(0);
    expect(driven.look({ visible: 40 })).toBeGreaterThanOrEqual(1);
  });
});

describe('the simple ones', () => {
  it('fly divides the depth by ten and rounds up, with an optional dead band', () => {
    expect(drive({ baseline: fly }).look({ visible: 95 })).toBe(10);
    expect(drive({ baseline: fly, workers: 20 }).look({ visible: 95 })).toBe(10);
    const banded = { bandFactor: 2 };
    expect(drive({ baseline: fly, settings: banded, workers: 20 }).look({ visible: 95 })).toBe(20);
    expect(drive({ baseline: fly, settings: banded, workers: 21 }).look({ visible: 95 })).toBe(20);
    expect(fly.byTheBook(workload)).toMatchObject({ jobsPerWorker: 10 });
  });

  it('Horizon moves one process every 3 s to the maximum or the minimum', () => {
    const driven = drive({ baseline: horizon, everySeconds: 1 });
    expect(driven.looks(7, { visible: 1 })).toEqual([2, 2, 2, 3, 3, 3, 4]);
    expect(driven.looks(6)).toEqual([4, 4, 3, 3, 3, 2]);
    expect(horizon.byTheBook(workload)).toEqual(horizon.defaults(workload));
  });

  it('a constant count stays', () => {
    const driven = drive({ baseline: fixed, settings: { workers: 7 } });
    expect(driven.looks(2, { visible: 99 })).toEqual([7, 7]);
    expect(fixed.byTheBook(workload)).toEqual({ workers: 100 });
  });
});
