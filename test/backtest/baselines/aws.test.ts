import { describe, expect, it } from 'vitest';
import { awsStep, stepChange } from '../../../lib/backtest/baselines/aws-step.ts';
import { awsTargetTracking, SCALE_IN_VARIANTS, scaleIn } from '../../../lib/backtest/baselines/aws-target-tracking.ts';
import { drive, workload } from './drive.ts';

const guide = { target: 100 };

describe('AWS target tracking', () => {
  it('adds 5 to 10 instances for 1500 messages at a target of 100, after three minutes: the guide', () => {
    const driven = drive({ baseline: awsTargetTracking, settings: guide, workers: 10 });
    expect(driven.looks(3, { visible: 1500 })).toEqual([10, 10, 15]);
  });

  it('wants three minutes in a row', () => {
    const driven = drive({ baseline: awsTargetTracking, settings: guide, workers: 10 });
    driven.looks(2, { visible: 1500 });
    driven.look({ visible: 1000 });
    expect(driven.looks(2, { visible: 1500 })).toEqual([10, 10]);
  });

  it('does nothing without a data point, and goes on with those it has', () => {
    const driven = drive({ baseline: awsTargetTracking, settings: guide, workers: 10 });
    driven.looks(2, { visible: 1500 });
    expect(driven.look({ visible: 1500, metric: null })).toBe(10);
    expect(driven.look({ visible: 1500 })).toBe(15);
  });

  it('takes fifteen minutes below 90 % of the target to scale in', () => {
    const settings = { ...guide, outCooldownSeconds: 0, inCooldownSeconds: 0 };
    const driven = drive({ baseline: awsTargetTracking, settings, workers: 10 });
    expect(driven.looks(20, { visible: 900 }).at(-1)).toBe(10);
    expect(driven.looks(14, { visible: 450 }).at(-1)).toBe(10);
    expect(driven.look({ visible: 450 })).toBe(5);
  });

  it('lets only a larger scale-out through during its cooldown', () => {
    const run = (visible: number) => {
      const driven = drive({ baseline: awsTargetTracking, settings: guide, workers: 10 });
      driven.looks(3, { visible: 1500 });
      return driven.look({ visible, runningWorkers: 10 });
    };
    expect(run(1500)).toBe(15);
    // 200 a worker on the ten there were before: twenty, of which five are under way.
    expect(run(2000)).toBe(20);
  });

  it('scales out again when the cooldown has passed', () => {
    const driven = drive({ baseline: awsTargetTracking, settings: guide, workers: 10 });
    driven.looks(3, { visible: 1500 });
    expect(driven.looks(4, { visible: 1650 })).toEqual([15, 15, 15, 15]);
    expect(driven.look({ visible: 1650 })).toBe(17);
  });

  it('keeps the scale-in cooldown, which a scale-out cancels', () => {
    const settings = { ...guide, outCooldownSeconds: 0, inCooldownSeconds: 600, variant: SCALE_IN_VARIANTS.oneByOne };
    const driven = drive({ baseline: awsTargetTracking, settings, workers: 10 });
    driven.looks(15, { visible: 100 });
    expect(driven.looks(9, { visible: 100 })).toEqual(Array.from({ length: 9 }, () => 9));
    expect(driven.look({ visible: 100 })).toBe(8);
    driven.looks(3, { visible: 1000, runningWorkers: 8 });
    expect(driven.look({ visible: 100 })).toBe(10);
    expect(driven.looks(14, { visible: 100 }).at(-1)).toBe(9);
  });

  it('holds the scale-in while the scale-out cools down', () => {
    const settings = { ...guide, outCooldownSeconds: 1200, inCooldownSeconds: 0 };
    const driven = drive({ baseline: awsTargetTracking, settings, workers: 10 });
    driven.looks(3, { visible: 1500 });
    expect(driven.looks(19, { visible: 0 }).at(-1)).toBe(15);
    expect(driven.look({ visible: 0 })).toBe(1);
  });

  it('reads the unpublished step in three ways, all rounded to the larger count', () => {
    expect(scaleIn(SCALE_IN_VARIANTS.literal, 30, 0.5)).toBe(15);
    expect(scaleIn(SCALE_IN_VARIANTS.literal, 3, 0.5)).toBe(2);
    expect(scaleIn(SCALE_IN_VARIANTS.gradual, 30, 0.5)).toBe(27);
    expect(scaleIn(SCALE_IN_VARIANTS.gradual, 5, 0.5)).toBe(4);
    expect(scaleIn(SCALE_IN_VARIANTS.oneByOne, 30, 0.5)).toBe(29);
    expect(scaleIn(SCALE_IN_VARIANTS.gradual, 30, 0.95)).toBe(29);
  });

  it('scales out from zero, and rounds a fraction up', () => {
    const driven = drive({ baseline: awsTargetTracking, settings: guide, workload: { minWorkers: 0 } });
    expect(driven.looks(3, { visible: 150 })).toEqual([0, 0, 2]);
  });

  it('stays at its bounds', () => {
    const full = drive({ baseline: awsTargetTracking, settings: guide, workers: 100 });
    expect(full.looks(5, { visible: 99_999 }).at(-1)).toBe(100);
    expect(drive({ baseline: awsTargetTracking, settings: guide, workers: 1 }).looks(20).at(-1)).toBe(1);
  });

  it('takes latency by processing time as its target, with the cooldowns of Copilot by the book', () => {
    expect(awsTargetTracking.defaults(workload)).toMatchObject({ target: 10, outCooldownSeconds: 300 });
    expect(awsTargetTracking.byTheBook(workload)).toMatchObject({ outCooldownSeconds: 60, inCooldownSeconds: 120 });
  });
});

describe('AWS step scaling', () => {
  it('adds 1 from 100 messages and 5 from 500, bounds included: the CDK', () => {
    expect([0, 99, 100, 499, 500].map((visible) => stepChange(visible, 100, false))).toEqual([0, 0, 1, 1, 5]);
    expect(drive({ baseline: awsStep }).look({ visible: 100 })).toBe(2);
    expect(drive({ baseline: awsStep }).look({ visible: 500 })).toBe(6);
    expect(drive({ baseline: awsStep, workers: 4 }).look({ visible: 99 })).toBe(4);
  });

  it('doubles on the other ladder', () => {
    expect([9, 10, 20, 40, 80].map((visible) => stepChange(visible, 10, true))).toEqual([0, 1, 2, 4, 8]);
  });

  it('sees the maximum of five minutes, and then five empty ones', () => {
    const driven = drive({ baseline: awsStep, settings: { outCooldownSeconds: 0 } });
    expect(driven.look({ visible: 100 })).toBe(2);
    expect(driven.looks(5, { visible: 0 })).toEqual([3, 4, 5, 6, 5]);
  });

  it('removes 1 after five empty minutes, then one every 300 s', () => {
    const driven = drive({ baseline: awsStep, workers: 5 });
    expect(driven.looks(10)).toEqual([5, 5, 5, 5, 4, 4, 4, 4, 4, 3]);
  });

  it('adds only the rest of a larger step during the cooldown', () => {
    const driven = drive({ baseline: awsStep, workers: 10 });
    expect(driven.look({ visible: 100 })).toBe(11);
    expect(driven.look({ visible: 100 })).toBe(11);
    expect(driven.look({ visible: 500 })).toBe(15);
    expect(driven.looks(5, { visible: 500 })).toEqual([15, 15, 15, 15, 20]);
  });

  it('does nothing without a data point, and stays at its bounds', () => {
    expect(drive({ baseline: awsStep }).look({ visible: 900, metric: null })).toBe(1);
    expect(drive({ baseline: awsStep, workers: 1 }).looks(9).at(-1)).toBe(1);
    expect(drive({ baseline: awsStep, workers: 100 }).look({ visible: 900 })).toBe(100);
  });
});
