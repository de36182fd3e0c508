import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantiles, score } from '../../lib/backtest/score.ts';
import { exactPlant, jobsOf } from './plants.ts';

describe('quantiles', () => {
  it('are those of the sorted values, for any values and shares', () => {
    const values = fc.array(fc.float({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.001, max: 1, noNaN: true }), (list, share) => {
        // Waits are differences and never -0.
        const array = Float32Array.from(list, (value) => value + 0);
        const sorted = array.toSorted();
        expect(quantiles(array, [share, 1])).toEqual([
          sorted[Math.max(1, Math.ceil(share * list.length)) - 1],
          sorted.at(-1),
        ]);
      }),
    );
  });

  it('are 0 without any value', () => {
    expect(quantiles(new Float32Array(0), [0.5])).toEqual([0]);
  });
});

describe('score', () => {
  const jobs = jobsOf(
    [
      [0, 30],
      [10, 30],
      [20, 30],
      [30, 30],
    ],
    240,
  );

  it('counts late jobs, money and moves', () => {
    const plant = exactPlant(jobs);
    plant.order(2);
    plant.advance(240);
    // Waits: 0, 20 (first worker free), 10 (second worker up at 30), 30.
    const result = score(plant, { paidSeconds: plant.finish(), looks: 4, complete: true }, 15);
    expect(result).toMatchObject({
      jobs: 4,
      unfinishedJobs: 0,
      waitSeconds: { p50: 10, p95: 30, p99: 30, max: 30 },
      lateShare: 0.5,
      costSeconds: 480,
      costRatio: 4,
      utilization: 0.25,
      actions: 1,
      actionsPerHour: 15,
      workerStarts: 1,
      maxWorkers: 2,
      complete: true,
    });
  });

  it('compares supply with need, minute by minute', () => {
    const plant = exactPlant(jobs, { minWorkers: 1 });
    plant.order(2);
    plant.advance(240);
    const { elasticity } = score(plant, { paidSeconds: plant.finish(), looks: 4, complete: true }, 15);
    // Need: 120 s of work = 2 workers in the first minute, the minimum of 1 in the others; supply: 2 throughout.
    expect(elasticity).toEqual({
      underAccuracy: 0,
      overAccuracy: 3 / 5,
      underTimeshare: 0,
      overTimeshare: 3 / 4,
      instability: 0,
    });
  });

  it('counts jobs that nobody ever took as late, with the time they have waited', () => {
    const plant = exactPlant(jobs, { initialWorkers: 0 });
    plant.advance(600);
    const result = score(plant, { paidSeconds: plant.finish(), looks: 1, complete: true }, 60);
    expect(result).toMatchObject({ jobs: 4, unfinishedJobs: 4, lateShare: 1, waitSeconds: { p50: 580, max: 600 } });
  });

  it('sets the cost of a run that was stopped early against the work that was started', () => {
    const plant = exactPlant(jobs);
    plant.advance(40);
    const result = score(plant, { paidSeconds: plant.finish(), looks: 1, complete: false }, 60);
    expect(result).toMatchObject({ complete: false, costRatio: 40 / 60, costSeconds: 40 });
  });
});
