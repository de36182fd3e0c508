import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { followPlan, integerPlan, searchedCounts } from '../../../lib/backtest/bounds/integer-plan.ts';
import { lpBound } from '../../../lib/backtest/bounds/lp-bound.ts';
import { boundWaitSlots, type FluidProblem, fluid, workBound } from '../../../lib/backtest/bounds/problem.ts';
import { loadSolver, Rows, type SolveLinear } from '../../../lib/backtest/bounds/solver.ts';
import { problem } from './problems.ts';

let solve: SolveLinear;
beforeAll(async () => {
  solve = await loadSolver();
});

const bound = (given: FluidProblem): number => lpBound(given, solve)?.workerSeconds ?? Number.NaN;
const plan = (given: FluidProblem) => integerPlan(given, boundWaitSlots(given));

/** Every schedule there is, with as few slots after the end as the search has. */
function bruteForce(given: FluidProblem): number {
  const waitSlots = boundWaitSlots(given);
  const prepared = fluid(given, waitSlots);
  const counts = given.maxWorkers - given.minWorkers + 1;
  const slots = prepared.cumulative.length;
  let best = Infinity;
  for (let code = 0; code < counts ** slots; code += 1) {
    const workers = Array.from({ length: slots }, (_, slot) => {
      return given.minWorkers + (Math.floor(code / counts ** slot) % counts);
    });
    const { workerSeconds, lateJobs, leftJobs } = followPlan(given, prepared, waitSlots, workers);
    if (leftJobs > 1e-6 || lateJobs > prepared.lateBudget + 1e-6) continue;
    best = Math.min(best, workerSeconds);
  }
  return best;
}

const small = fc.record({
  arrivals: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 2, maxLength: 3 }),
  minWorkers: fc.constantFrom(0, 1),
  maxWorkers: fc.constantFrom(2, 3),
  waitSeconds: fc.constantFrom(0, 60),
  share: fc.constantFrom(0.5, 0.8, 1),
  startSeconds: fc.constantFrom(0, 30, 90),
});
const larger = fc.record({
  arrivals: fc.array(fc.integer({ min: 0, max: 18 }), { minLength: 4, maxLength: 12 }),
  minWorkers: fc.constantFrom(0, 1),
  jobSeconds: fc.constantFrom(6, 20, 60),
  share: fc.constantFrom(0.8, 0.95, 1),
  startSeconds: fc.constantFrom(0, 60),
});

describe('the solver', () => {
  it('finds the optimum of a program solved by hand', () => {
    const rows = new Rows();
    rows.add(4, Infinity, [0, 1], [1, 2]);
    rows.add(-Infinity, 1, [1, 1]);
    const two = (value: number): Float64Array => new Float64Array(2).fill(value);
    const solved = solve({ cost: Float64Array.of(1, 1), columnLower: two(0), columnUpper: two(Infinity), rows });
    expect(solved?.objective).toBeCloseTo(3);
    expect([...(solved?.columns ?? [])]).toEqual([2, 1]);
  });

  it('answers null when nothing is allowed', () => {
    const rows = new Rows();
    rows.add(2, Infinity, [0, 1]);
    const one = (value: number): Float64Array => Float64Array.of(value);
    expect(solve({ cost: one(1), columnLower: one(0), columnUpper: one(1), rows })).toBeNull();
  });
});

describe('the linear bound', () => {
  it('is the work on a steady flow, and the minimum count where that is more', () => {
    expect(bound(problem([2, 2, 2, 2]))).toBeCloseTo(8 * 60);
    expect(bound(problem([0, 0, 0, 0], { minWorkers: 1 }))).toBeCloseTo(4 * 60);
  });

  it('pays a start for each worker above the minimum', () => {
    expect(bound(problem([2, 2, 2, 2], { waitSeconds: 0, startSeconds: 30 }))).toBeCloseTo(8 * 60 + 2 * 30);
  });

  it('spreads a burst over the slots that it may wait', () => {
    // Four jobs, two slots: two workers for two slots instead of four for one.
    expect(bound(problem([4, 0, 0, 0], { startSeconds: 30 }))).toBeCloseTo(4 * 60 + 2 * 30);
    expect(bound(problem([4, 0, 0, 0], { startSeconds: 30, waitSeconds: 180 }))).toBeCloseTo(4 * 60 + 30);
  });

  it('lets the allowed share be late where that saves starts', () => {
    // One worker has eight slots for ten jobs of which two may be late and none may wait.
    const burst = problem([3, 1, 1, 1, 1, 1, 0, 0], { waitSeconds: 0, startSeconds: 60, share: 0.75 });
    expect(bound(burst)).toBeCloseTo(8 * 60 + 60);
    expect(bound({ ...burst, share: 1 })).toBeCloseTo(8 * 60 + 3 * 60);
  });

  it('counts late jobs that nothing avoids as allowed', () => {
    const given = problem([30, 0, 0], { startSeconds: 0 });
    expect(lpBound(given, solve)?.unavoidableLateShare).toBeCloseTo(1 / 3);
    expect(bound(given)).toBeCloseTo(30 * 60);
  });

  it('is cut into windows when long, and says so', () => {
    const long = problem(
      Array.from({ length: 3100 }, (_, slot) => (slot % 20 < 2 ? 3 : 0)),
      { minWorkers: 1 },
    );
    const cut = lpBound(long, solve);
    expect(cut?.exact).toBe(false);
    expect(cut?.workers.length).toBe(3100);
    expect(cut?.workerSeconds).toBeGreaterThanOrEqual(workBound(long));
    expect(lpBound(problem([1, 1]), solve)?.exact).toBe(true);
  });

  it('is null when the solver does not finish', () => {
    expect(lpBound(problem([1, 1]), () => null)).toBeNull();
  });
});

describe('the integer plan', () => {
  it('is the best of all schedules when no job may be late', () => {
    fc.assert(
      fc.property(small, ({ arrivals, ...changes }) => {
        const given = problem(arrivals, { ...changes, share: 1 });
        fc.pre(fluid(given, boundWaitSlots(given)).unavoidableLateShare === 0);
        fc.pre(
          (given.maxWorkers - given.minWorkers + 1) ** fluid(given, boundWaitSlots(given)).cumulative.length < 5000,
        );
        expect(plan(given).workerSeconds).toBeCloseTo(bruteForce(given));
      }),
      { numRuns: 60 },
    );
  });

  it('is within its own gap of the best schedule when some may be', () => {
    fc.assert(
      fc.property(small, ({ arrivals, ...changes }) => {
        const given = problem(arrivals, changes);
        fc.pre(
          (given.maxWorkers - given.minWorkers + 1) ** fluid(given, boundWaitSlots(given)).cumulative.length < 5000,
        );
        const best = bruteForce(given);
        const found = plan(given);
        fc.pre(found.feasible);
        expect(found.workerSeconds).toBeGreaterThanOrEqual(best - 1e-6);
        expect(found.workerSeconds - (found.gapWorkerSeconds ?? 0)).toBeLessThanOrEqual(best + 1e-3);
      }),
      { numRuns: 60 },
    );
  });

  it('costs at least the linear bound, which costs at least the work', () => {
    fc.assert(
      fc.property(larger, ({ arrivals, ...changes }) => {
        const given = problem(arrivals, { ...changes, maxWorkers: 20 });
        const linear = bound(given);
        const found = plan(given);
        expect(linear).toBeGreaterThanOrEqual(workBound(given) - 1e-3);
        expect(found.feasible).toBe(true);
        expect(found.workerSeconds).toBeGreaterThanOrEqual(linear - 1e-3);
        expect(found.lateShare).toBeLessThanOrEqual(1 - given.share + 1e-6);
      }),
      { numRuns: 25 },
    );
  });

  it('costs no more the longer a job may wait, and neither does the bound', () => {
    fc.assert(
      fc.property(larger, ({ arrivals, ...changes }) => {
        const at = (waitSeconds: number) => problem(arrivals, { ...changes, maxWorkers: 20, waitSeconds, share: 1 });
        for (const [shorter, longer] of [
          [0, 60],
          [60, 300],
        ] as const) {
          expect(bound(at(longer))).toBeLessThanOrEqual(bound(at(shorter)) + 1e-3);
          expect(plan(at(longer)).workerSeconds).toBeLessThanOrEqual(plan(at(shorter)).workerSeconds + 1e-3);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('says that it could not keep the target where being first in line costs it', () => {
    // First come, first served: those behind the late ones are late as well, which the bound can avoid.
    const found = plan(problem([20, 20, 20], { maxWorkers: 10, waitSeconds: 0 }));
    expect(found.feasible).toBe(false);
    expect(found.lateShare).toBeGreaterThan(0.5);
  });

  it('claims no gap where it did not search every count', () => {
    expect(plan(problem([100, 3, 3], { maxWorkers: 200 })).gapWorkerSeconds).toBeNull();
    expect(plan(problem([0, 0])).lateShare).toBe(0);
  });

  it('searches every count up to 24 and both bounds', () => {
    expect(searchedCounts(1, 5)).toEqual([1, 2, 3, 4, 5]);
    expect(searchedCounts(3, 3)).toEqual([3]);
    const many = searchedCounts(0, 1000);
    expect(many.slice(0, 25)).toEqual(Array.from({ length: 25 }, (_, count) => count));
    expect(many.at(-1)).toBe(1000);
    expect(many.length).toBeLessThan(80);
  });
});
