import { describe, expect, it } from 'vitest';
import {
  arrivalRate,
  backlogGrowth,
  drainWorkers,
  growthConfidence,
  projected,
} from '../../../lib/backtest/baselines/laravel-estimates.ts';
import { laravelQueueAutoscale } from '../../../lib/backtest/baselines/laravel-queue-autoscale.ts';
import { drive, workload } from './drive.ts';

const samples = (values: readonly number[], everySeconds = 5) =>
  values.map((value, index) => ({ atSeconds: index * everySeconds, value }));

describe('the estimates of laravel-queue-autoscale', () => {
  it('weighs the latest pair of backlogs double the one before', () => {
    expect(backlogGrowth(samples([0, 10, 10]))).toBeCloseTo(2 / 3);
    expect(backlogGrowth(samples([10, 10, 20]))).toBeCloseTo(4 / 3);
    expect(backlogGrowth(samples([10]))).toBe(0);
  });

  it('trusts a small change or a single pair less', () => {
    expect(growthConfidence(samples([0]))).toBe(0);
    expect(growthConfidence(samples([0, 10]))).toBeCloseTo(0.9 * (0.8 + 0.2 / 3));
    expect(growthConfidence(samples([0, 10, 20, 30]))).toBeCloseTo(0.9);
    expect(growthConfidence(samples([0, 0, 0, 2]))).toBeCloseTo(0.54);
    expect(growthConfidence(samples([0, 0, 0, 10], 60))).toBeCloseTo(0.7);
    expect(growthConfidence(samples([0, 0, 0, 10], 61))).toBeCloseTo(0.5);
  });

  it('projects a line only from five points that lie on one', () => {
    expect(projected(samples([0, 1, 2, 3, 4]), 30)).toBeCloseTo(6);
    expect(projected(samples([0, 1, 2, 3]), 30)).toBeNull();
    expect(projected(samples([0, 9, 1, 8, 0]), 30)).toBeNull();
    expect(projected(samples([3, 3, 3, 3, 3]), 30)).toBeNull();
    expect(projected(samples([4, 3, 2, 1, 0]), 60)).toBe(0);
  });

  it('uses completions alone where the growth is not trusted', () => {
    const rate = arrivalRate(30);
    expect(rate({ nowSeconds: 0, backlog: 50, throughput: 2, oldestAgeSeconds: 9 })).toBe(2);
    expect(rate({ nowSeconds: 5, backlog: 60, throughput: 2, oldestAgeSeconds: 9 })).toBe(4);
    expect(rate({ nowSeconds: 66, backlog: 61, throughput: 2, oldestAgeSeconds: 9 })).toBe(2);
  });

  it('puts backlog by target, up to double, where nothing was ever served', () => {
    const first = (oldestAgeSeconds: number, backlog = 30) =>
      arrivalRate(30)({ nowSeconds: 0, backlog, throughput: 0, oldestAgeSeconds });
    expect(first(0)).toBe(1);
    expect(first(15)).toBe(1);
    expect(first(90)).toBe(2);
    expect(first(90, 2)).toBe(0);
  });

  it('drains by the deadline, not before half of it, and harder after it', () => {
    expect(drainWorkers(0, 50, 60, 6)).toBe(0);
    expect(drainWorkers(100, 0, 60, 6)).toBe(10);
    expect(drainWorkers(100, 29, 60, 6)).toBe(0);
    expect(drainWorkers(100, 30, 60, 6)).toBe(20);
    expect(drainWorkers(100, 45, 60, 6)).toBeCloseTo(40 * 1.5);
    expect(drainWorkers(100, 60, 60, 6)).toBeCloseTo((100 / 6) * 3);
    expect(drainWorkers(100, 600, 60, 6)).toBeCloseTo((100 / 6) * 5);
  });
});

describe('laravel-queue-autoscale', () => {
  it("follows Little's law on a steady flow", () => {
    const driven = drive({ baseline: laravelQueueAutoscale, workers: 4 });
    const steady = { completedSinceLast: 2.5, busyWorkers: 3 };
    expect(driven.looks(40, steady).at(-1)).toBe(3);
  });

  it('adds one to workers that are all busy', () => {
    const driven = drive({ baseline: laravelQueueAutoscale, workers: 2 });
    expect(driven.look({ busyWorkers: 2, inFlight: 2 })).toBe(3);
  });

  it('gives up a quarter of the workers a step', () => {
    expect(drive({ baseline: laravelQueueAutoscale, workers: 20 }).looks(3)).toEqual([15, 11, 8]);
    expect(drive({ baseline: laravelQueueAutoscale, workers: 2 }).look()).toBe(1);
  });

  it('does not turn around within 60 s, except upwards when the target is missed', () => {
    const driven = drive({ baseline: laravelQueueAutoscale, workers: 20 });
    driven.look();
    expect(driven.look({ visible: 900 })).toBe(15);
    expect(driven.look({ visible: 900, oldestAgeSeconds: 30 })).toBe(100);
    expect(driven.looks(11)).toEqual(Array.from({ length: 11 }, () => 100));
    expect(driven.looks(2).at(-1)).toBeLessThan(100);
  });

  it('takes the measured start-up off the target, up to the cap', () => {
    const first = (spawnCapSeconds: number) => {
      const settings = { slaSeconds: 60, spawnCapSeconds, antiFlapSeconds: 0 };
      const driven = drive({ baseline: laravelQueueAutoscale, settings, workers: 1 });
      for (let round = 0; round < 8; round += 1) {
        driven.looks(30, { visible: 60, runningWorkers: 1 });
        driven.look({ visible: 60 });
      }
      return driven.look({ visible: 90, oldestAgeSeconds: 14 });
    };
    expect(first(120)).toBeGreaterThan(first(5));
  });

  it('holds a steady flow by one at a time, and takes the wait target by the book', () => {
    expect(laravelQueueAutoscale.byTheBook(workload)).toMatchObject({ slaSeconds: 60, downPercent: 25 });
    const odd = drive({ baseline: laravelQueueAutoscale, workload: { jobSeconds: 700 }, workers: 1 });
    expect(odd.look({ visible: 15 })).toBe(2);
  });
});
