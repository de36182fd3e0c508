import { describe, expect, it } from 'vitest';
import { hirefire, MANAGERS } from '../../../lib/backtest/baselines/hirefire.ts';
import { judoscale } from '../../../lib/backtest/baselines/judoscale.ts';
import { solidQueue } from '../../../lib/backtest/baselines/solid-queue.ts';
import { drive, workload } from './drive.ts';

describe('Judoscale', () => {
  it('scales out at once, one step, and again only after the upscale frequency', () => {
    const driven = drive({ baseline: judoscale });
    expect(driven.look({ oldestAgeSeconds: 30 })).toBe(1);
    expect(driven.looks(7, { oldestAgeSeconds: 31 })).toEqual([2, 2, 2, 2, 2, 2, 3]);
  });

  it('jumps by several when told', () => {
    expect(drive({ baseline: judoscale, settings: { jump: 4 } }).look({ oldestAgeSeconds: 31 })).toBe(5);
  });

  it('scales in by one after ten calm minutes, and by another after ten more', () => {
    const driven = drive({ baseline: judoscale, workers: 5 });
    driven.look({ oldestAgeSeconds: 5 });
    expect(driven.looks(59).at(-1)).toBe(5);
    expect(driven.look()).toBe(4);
    expect(driven.looks(59).at(-1)).toBe(4);
    expect(driven.look()).toBe(3);
  });

  it('starts the ten minutes again at the lower threshold', () => {
    const driven = drive({ baseline: judoscale, workers: 5 });
    driven.looks(59);
    driven.look({ oldestAgeSeconds: 5 });
    expect(driven.looks(59).at(-1)).toBe(5);
    expect(driven.look()).toBe(4);
  });

  it('stays at its bounds', () => {
    expect(drive({ baseline: judoscale, workers: 100 }).look({ oldestAgeSeconds: 99 })).toBe(100);
    expect(drive({ baseline: judoscale, workers: 1 }).looks(100).at(-1)).toBe(1);
    expect(judoscale.byTheBook(workload)).toMatchObject({ upperSeconds: 60, lowerSeconds: 10 });
  });
});

describe('HireFire', () => {
  const latency = { maximumLatencySeconds: 60, minimumLatencySeconds: 10 };

  it('scales out after as many breaches as its sensitivity, by its quantity', () => {
    const driven = drive({ baseline: hirefire, settings: { ...latency, upQuantity: 5, upSensitivity: 2 } });
    expect(driven.look({ oldestAgeSeconds: 61 })).toBe(1);
    expect(driven.look({ oldestAgeSeconds: 60 })).toBe(1);
    expect(driven.looks(2, { oldestAgeSeconds: 61 })).toEqual([1, 6]);
  });

  it('moves once per direction within the timeout', () => {
    const up = drive({ baseline: hirefire, settings: { ...latency, upQuantity: 1, upTimeoutMinutes: 3 } });
    expect(up.looks(5, { oldestAgeSeconds: 61 })).toEqual([2, 2, 2, 3, 3]);
    const down = drive({ baseline: hirefire, settings: { ...latency, downTimeoutMinutes: 3 }, workers: 9 });
    expect(down.looks(7)).toEqual([9, 8, 8, 8, 7, 7, 7]);
  });

  it('starts a worker for the first job', () => {
    const driven = drive({ baseline: hirefire, workload: { minWorkers: 0 } });
    expect(driven.look()).toBe(0);
    expect(driven.look({ visible: 1 })).toBe(1);
    const without = drive({ baseline: hirefire, settings: { upscaleOnInitialJob: 0 }, workload: { minWorkers: 0 } });
    expect(without.look({ visible: 1 })).toBe(0);
  });

  it('divides the queue by the ratio and keeps the count until the queue is empty', () => {
    const driven = drive({ baseline: hirefire, settings: { manager: MANAGERS.jobQueue, jobsPerWorker: 10 } });
    expect(driven.look({ visible: 95, inFlight: 6 })).toBe(11);
    expect(driven.look({ visible: 5 })).toBe(11);
    expect(driven.look({ visible: 0 })).toBe(1);
  });

  it('comes down with the queue when it is decrementable', () => {
    const settings = { manager: MANAGERS.jobQueue, jobsPerWorker: 10, decrementable: 1 };
    const driven = drive({ baseline: hirefire, settings });
    driven.look({ visible: 100 });
    expect(driven.look({ visible: 31 })).toBe(4);
  });

  it('takes the wait target as the maximum latency by the book', () => {
    expect(hirefire.byTheBook(workload)).toMatchObject({ maximumLatencySeconds: 60, jobsPerWorker: 11 });
  });
});

describe('solid_queue_autoscaler', () => {
  it('adds one worker at a depth of 100 or an age of 300 s', () => {
    expect(drive({ baseline: solidQueue }).look({ visible: 99, oldestAgeSeconds: 299 })).toBe(1);
    expect(drive({ baseline: solidQueue }).look({ visible: 100 })).toBe(2);
    expect(drive({ baseline: solidQueue }).look({ visible: 1, oldestAgeSeconds: 300 })).toBe(2);
  });

  it('removes one when depth and age are low, or when all is idle', () => {
    const busy = { inFlight: 1 };
    expect(drive({ baseline: solidQueue, workers: 5 }).look({ ...busy, visible: 10, oldestAgeSeconds: 30 })).toBe(4);
    expect(drive({ baseline: solidQueue, workers: 5 }).look({ ...busy, visible: 11, oldestAgeSeconds: 0 })).toBe(5);
    expect(drive({ baseline: solidQueue, workers: 5 }).look({ ...busy, visible: 1, oldestAgeSeconds: 31 })).toBe(5);
    expect(drive({ baseline: solidQueue, workers: 5 }).look({ oldestAgeSeconds: 31 })).toBe(4);
  });

  it('waits 120 s between moves of one direction', () => {
    expect(drive({ baseline: solidQueue }).looks(6, { visible: 100 })).toEqual([2, 2, 2, 2, 3, 3]);
    const driven = drive({ baseline: solidQueue, workers: 5 });
    driven.look({ visible: 100 });
    expect(driven.looks(5)).toEqual([5, 5, 5, 5, 4]);
  });

  it('adds by depth or age above the threshold when proportional', () => {
    const up = (seen: object) => drive({ baseline: solidQueue, settings: { proportional: 1 } }).look(seen);
    expect(up({ visible: 100 })).toBe(2);
    expect(up({ visible: 260 })).toBe(5);
    expect(up({ visible: 1, oldestAgeSeconds: 421 })).toBe(4);
  });

  it('goes to the minimum when idle and proportional, else by the spare depth', () => {
    const settings = { proportional: 1, jobsPerWorker: 2 };
    expect(drive({ baseline: solidQueue, settings, workers: 9 }).look()).toBe(1);
    expect(drive({ baseline: solidQueue, settings, workers: 9 }).look({ visible: 4 })).toBe(6);
    expect(drive({ baseline: solidQueue, settings, workers: 9 }).look({ visible: 10 })).toBe(8);
  });

  it('starts from zero for one job that is a second old, without the cooldown', () => {
    const driven = drive({ baseline: solidQueue, workload: { minWorkers: 0 } });
    expect(driven.look({ visible: 1, oldestAgeSeconds: 0 })).toBe(0);
    expect(driven.look({ visible: 1, oldestAgeSeconds: 1 })).toBe(1);
    expect(solidQueue.byTheBook(workload)).toMatchObject({ upAgeSeconds: 60, upDepth: 10 });
  });
});
