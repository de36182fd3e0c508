import { describe, expect, it } from 'vitest';
import { boundWaitSlots, fluid, safeWaitSlots, workBound } from '../../../lib/backtest/bounds/problem.ts';
import { problem } from './problems.ts';

describe('a problem as a fluid', () => {
  it('knows how many jobs a worker starts in a slot, and the work in worker-seconds', () => {
    const given = problem([10, 20], { jobSeconds: 6, concurrency: 2 });
    expect(fluid(given, 1).capacity).toBe(20);
    expect(workBound(given)).toBe(90);
  });

  it('rounds the wait up for a bound and down, less the slot of arrival, for a plan that must keep it', () => {
    const slots = (waitSeconds: number) => {
      const given = problem([1], { waitSeconds });
      return [boundWaitSlots(given), safeWaitSlots(given)];
    };
    expect(slots(60)).toEqual([1, 0]);
    expect(slots(30)).toEqual([1, 0]);
    expect(slots(300)).toEqual([5, 4]);
    expect(slots(310)).toEqual([6, 4]);
  });

  it('finds no late share unavoidable while the maximum count keeps up', () => {
    expect(fluid(problem([10, 10, 10]), 0).unavoidableLateShare).toBe(0);
  });

  it('finds what even the maximum count must let be late', () => {
    // Ten start in the first slot, ten in the next: the last ten of thirty waited longer than one slot.
    expect(fluid(problem([30, 0, 0]), 1).unavoidableLateShare).toBeCloseTo(1 / 3);
    expect(fluid(problem([30, 0, 0]), 2).unavoidableLateShare).toBe(0);
    expect(fluid(problem([0, 0, 30]), 0).unavoidableLateShare).toBeCloseTo(2 / 3);
  });

  it('serves later jobs in time instead of those that are late already', () => {
    // 20 in each of two slots at 10 a slot and no waiting: 10 of each are kept.
    expect(fluid(problem([20, 20]), 0).unavoidableLateShare).toBeCloseTo(0.5);
  });

  it('adds the unavoidable late jobs to the budget, and room after the end for what is left', () => {
    const prepared = fluid(problem([30], { share: 0.9 }), 1);
    expect(prepared.lateBudget).toBeCloseTo(3 + 10);
    expect(prepared.cumulative.length).toBeGreaterThanOrEqual(3);
    expect(fluid(problem([0, 0]), 1).unavoidableLateShare).toBe(0);
  });

  it.each([
    [{ slotSeconds: 0 }, 'slotSeconds'],
    [{ jobSeconds: Number.NaN }, 'jobSeconds'],
    [{ minWorkers: 11 }, 'minWorkers'],
    [{ share: 0 }, 'share'],
  ])('refuses %o', (changes, name) => {
    expect(() => fluid(problem([1], changes), 1)).toThrow(name);
  });

  it('refuses arrivals that are no numbers from 0', () => {
    expect(() => fluid(problem([1, -1]), 1)).toThrow('arrivals[1]: found -1');
  });
});
