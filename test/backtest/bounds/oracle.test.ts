import { describe, expect, it } from 'vitest';
import { oracle, oraclePlan, plannedWorkers } from '../../../lib/backtest/bounds/oracle.ts';
import { problemOf, referenceSolver, slotArrivals, slotWidth } from '../../../lib/backtest/bounds/references.ts';
import { buildCell, type Cell, type CellOptions, USUAL_CELL } from '../../../lib/backtest/cell.ts';
import { drive } from '../baselines/drive.ts';
import { problem } from './problems.ts';

const ramp = Array.from({ length: 40 }, (_, minute) => Math.round(20 + 15 * Math.sin(minute / 8)));

function cellOf(arrivals: readonly number[], changes: Partial<CellOptions> = {}): Cell {
  const trace = { name: 'made up', binSeconds: 60, startSeconds: 0, arrivals: Float64Array.from(arrivals) };
  return buildCell({ ...USUAL_CELL, trace, scaling: { kind: 'factor', factor: 1 }, seed: 1, ...changes });
}

describe('the oracle plan', () => {
  it('counts on nine tenths of a worker', () => {
    // 36 jobs of 6 s a minute are 3.6 workers, and 4 of them at nine tenths.
    const plan = oraclePlan(
      problem(
        Array.from({ length: 20 }, () => 36),
        { jobSeconds: 6, minWorkers: 1 },
      ),
    );
    expect(Math.max(...plan.workers)).toBe(4);
    const more = oraclePlan(
      problem(
        Array.from({ length: 20 }, () => 37),
        { jobSeconds: 6, minWorkers: 1 },
      ),
    );
    expect(Math.max(...more.workers)).toBe(5);
  });

  it('is read by the second, and holds its ends', () => {
    const plan = { ...oraclePlan(problem([0, 0])), workers: Float64Array.of(1, 5, 2) };
    expect([-5, 0, 59, 60, 120, 999].map((seconds) => plannedWorkers(plan, seconds))).toEqual([1, 1, 1, 5, 2, 2]);
    expect(plannedWorkers(plan, 0, 60)).toBe(5);
  });

  it('orders one mean action latency early, and scale-outs a margin earlier', () => {
    const plan = { ...oraclePlan(problem([0, 0])), workers: Float64Array.of(1, 1, 1, 5, 1, 1) };
    const plain = drive({ baseline: oracle(plan), everySeconds: 30 });
    expect(plain.looks(8)).toEqual([1, 1, 1, 1, 5, 5, 1, 1]);
    const early = drive({ baseline: oracle(plan), settings: { marginSeconds: 60 }, everySeconds: 30 });
    expect(early.looks(8)).toEqual([1, 1, 5, 5, 5, 5, 1, 1]);
  });
});

describe('the references of a cell', () => {
  it('puts every job into its slot, and the work of the plant into the problem', () => {
    const cell = cellOf([3, 0, 5]);
    expect([...slotArrivals(cell.jobs, 60)]).toEqual([3, 0, 5]);
    expect(slotArrivals(cell.jobs, 15).reduce((sum, jobs) => sum + jobs, 0)).toBe(8);
    expect(problemOf(cell, 60).jobSeconds * 8).toBeCloseTo(cell.jobs.workSeconds);
  });

  it('takes the finest slots that the length allows', () => {
    expect([3600, 86_400, 999_999].map((seconds) => slotWidth(seconds, 1500))).toEqual([15, 60, 60]);
    expect(slotWidth(86_400, 6000)).toBe(15);
    expect(slotWidth(40_000, 1500)).toBe(30);
  });

  it('come in order: the work, the linear bound, the oracle that the plant ran', async () => {
    const { lpBound, oraclePlan: flown } = await referenceSolver()(cellOf(ramp, { maxWorkers: 8 }));
    expect(lpBound?.costRatio).toBeGreaterThanOrEqual(1);
    expect(flown?.costRatio).toBeGreaterThan(lpBound?.costRatio ?? Infinity);
    expect(flown?.costRatio).toBeLessThan(2);
    expect(flown?.lateShare).toBeLessThanOrEqual(0.05);
  });

  const bursts = Array.from({ length: 40 }, (_, minute) => (minute % 10 === 5 ? 100 : 1));
  const batches = { maxWorkers: 12, placing: 'batch' } as const;

  it('order earlier where slow actions would cost the target', async () => {
    const solve = referenceSolver();
    for (const seed of [1, 2, 3, 4, 5]) {
      const { oraclePlan: flown } = await solve(cellOf(bursts, { ...batches, seed }));
      expect(flown?.lateShare).toBeLessThanOrEqual(0.05);
    }
  });

  it('show the plain plan where no margin keeps the target', async () => {
    const roughness = { ...USUAL_CELL.roughness, failureShare: 1 };
    const { oraclePlan: flown } = await referenceSolver()(cellOf(bursts, { ...batches, roughness }));
    expect(flown?.lateShare).toBeGreaterThan(0.5);
  });

  it('are missing where no job arrives', async () => {
    const cell = cellOf([1, 1]);
    const empty = { ...cell, jobs: { ...cell.jobs, count: 0 } };
    expect(await referenceSolver()(empty)).toEqual({ lpBound: null, oraclePlan: null });
  });
});
