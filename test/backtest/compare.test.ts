import { describe, expect, it } from 'vitest';
import { USUAL_CELL } from '../../lib/backtest/cell.ts';
import {
  type Candidate,
  candidatesOf,
  compare,
  type FlownCell,
  keepsSlo,
  USUAL_JUDGING,
} from '../../lib/backtest/compare.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import { flyFleet } from '../../lib/backtest/fleet.ts';
import type { ReplayPolicy } from '../../lib/backtest/policies.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';

const outcome = (costRatio: number, lateShare: number) => ({
  costRatio,
  lateShare,
  p95: 100 * lateShare,
  actionsPerHour: costRatio,
  maxWorkers: 5,
});
const candidate = (origin: Candidate['origin'], k: number): Candidate => ({ policy: 'p', origin, settings: { k } });
const CANDIDATES = [candidate('defaults', 0), candidate('book', 1), candidate('grid', 2)];

/** On traces a and b the cheap setting is good enough, on c only the dear one is. */
const CELLS: readonly FlownCell[] = [
  { trace: 'a', load: 1, seed: 1, outcomes: [outcome(1, 0.2), outcome(2, 0.01), outcome(4, 0)] },
  { trace: 'b', load: 1, seed: 1, outcomes: [outcome(1, 0.2), outcome(2, 0.01), outcome(4, 0)] },
  { trace: 'c', load: 1, seed: 1, outcomes: [outcome(1, 0.2), outcome(2, 0.3), outcome(8, 0)] },
];

describe('compare', () => {
  it('reads each trace with the cheapest setting that was good enough on the others', () => {
    const [result] = compare(CELLS, CANDIDATES, USUAL_JUDGING);
    expect(result?.folds.map(({ heldOut, chosen, qualified }) => [heldOut, chosen.settings, qualified])).toEqual([
      ['a', { k: 2 }, true],
      ['b', { k: 2 }, true],
      ['c', { k: 1 }, true],
    ]);
    expect(result?.heldOut).toMatchObject({ cells: 3, met: 2 / 3, worstP95: 30 });
    expect(result?.heldOut.costRatio).toBeCloseTo(Math.cbrt(4 * 4 * 2), 10);
    expect(result?.inSample).toMatchObject({ chosen: { settings: { k: 2 } }, qualified: true });
    expect(result?.defaults).toMatchObject({ costRatio: 1, met: 0 });
    expect(result?.book.costRatio).toBeCloseTo(2, 10);
    expect(result?.budget).toBe(3);
    expect(result?.heldOutCells.map(({ cell, met }) => [cell.trace, met])).toEqual([
      ['a', true],
      ['b', true],
      ['c', false],
    ]);
  });

  it('allows what is late whatever anyone does', () => {
    const unavoidableLateShare = ({ trace }: FlownCell) => (trace === 'c' ? 0.25 : 0);
    const [result] = compare(CELLS, CANDIDATES, { ...USUAL_JUDGING, unavoidableLateShare });
    expect(result?.inSample.chosen.settings).toEqual({ k: 1 });
    expect(keepsSlo(outcome(1, 0.05), CELLS[0] as FlownCell, USUAL_JUDGING)).toBe(true);
    expect(keepsSlo(outcome(1, 0.051), CELLS[0] as FlownCell, USUAL_JUDGING)).toBe(false);
  });

  it('takes the setting that was good enough most often where none qualifies, and says so', () => {
    const cells = CELLS.map((cell) => ({ ...cell, outcomes: [...cell.outcomes.slice(0, 2), outcome(9, 0.9)] }));
    const [result] = compare(cells, CANDIDATES, USUAL_JUDGING);
    expect(result?.inSample).toMatchObject({ chosen: { settings: { k: 1 } }, qualified: false });
  });

  it('passes over settings that were not flown everywhere', () => {
    const cells = CELLS.map((cell, index) => ({
      ...cell,
      outcomes: [...cell.outcomes.slice(0, 2), index === 0 ? outcome(4, 0) : null],
    }));
    const [result] = compare(cells, CANDIDATES, USUAL_JUDGING);
    expect(result?.inSample.chosen.settings).toEqual({ k: 1 });
  });

  it('chooses and reads on the same cells where there is one trace only', () => {
    const [result] = compare(CELLS.slice(0, 1), CANDIDATES, USUAL_JUDGING);
    expect(result?.heldOut.costRatio).toBeCloseTo(2, 10);
  });
});

describe('candidatesOf', () => {
  const withKnobs = (...sizes: number[]): ReplayPolicy => ({
    name: 'p',
    title: 'p',
    ours: false,
    knobs: sizes.map((size, knob) => ({
      name: `k${knob}`,
      unit: '',
      values: Array.from({ length: size }, (_, at) => at),
    })),
    defaults: () => ({}),
    byTheBook: () => ({}),
    pilot: () => ({ firstLookSeconds: 0, look: (now) => now + 60 }),
  });

  it('takes the whole grid where the budget allows it', () => {
    const candidates = candidatesOf(withKnobs(3, 2), 20);
    expect(candidates.map(({ origin }) => origin)).toEqual(['defaults', 'book', ...Array(6).fill('grid')]);
    expect(new Set(candidates.map(({ settings }) => JSON.stringify(settings))).size).toBe(7);
  });

  it('spreads a small budget over all values of all knobs', () => {
    const candidates = candidatesOf(withKnobs(8, 5, 4, 3), 26).slice(2);
    expect(candidates).toHaveLength(24);
    for (const [knob, size] of [8, 5, 4, 3].entries()) {
      expect(new Set(candidates.map(({ settings }) => settings?.[`k${knob}`])).size).toBe(size);
    }
  });

  it('refuses budgets and knobs beyond its means', () => {
    expect(() => candidatesOf(withKnobs(2), 2)).toThrow('expected at least 3');
    expect(() => candidatesOf(withKnobs(1, 1, 1, 1, 1, 1, 1), 10)).toThrow('7 knobs, at most 6');
  });
});

describe('the fleet', () => {
  const policies = policiesNamed('backlog,buildkite');
  const cells = (['bursts', 'sine'] as const).map((shape, index) => ({
    ...USUAL_CELL,
    trace: syntheticTrace({ shape, minutes: 60, meanPerMinute: 10, seed: 1 }),
    scaling: { kind: 'load' as const, busyWorkers: 1 + index },
    seed: 1,
  }));
  const options = {
    cells,
    candidates: policies.flatMap((policy) => candidatesOf(policy, 4)),
    league: 'E' as const,
    overrides: { TOLERANCE: '0' },
  };

  it('flies the same in threads as without, and counts its flights', async () => {
    const counts: number[] = [];
    const here = await flyFleet({ ...options, threads: 0, onProgress: (flown) => counts.push(flown) }, policies);
    expect(counts).toEqual([...Array(16).keys()].map((index) => index + 1));
    expect(here.map(({ trace, load }) => [trace, load])).toEqual([
      ['bursts', 1],
      ['sine', 2],
    ]);
    expect(here.every(({ outcomes }) => outcomes.every((each) => (each?.costRatio ?? 0) > 1))).toBe(true);
    expect(await flyFleet({ ...options, threads: 2 }, policies)).toEqual(here);
  });

  it('leaves gaps where it was stopped', async () => {
    for (const threads of [0, 2]) {
      const stopped = await flyFleet({ ...options, threads, signal: AbortSignal.abort() }, policies);
      expect(stopped.flatMap(({ outcomes }) => outcomes).every((each) => each === null)).toBe(true);
    }
  });

  it('fails with the error of a thread', async () => {
    const overrides = { TOLERANCE: 'much' };
    await expect(flyFleet({ ...options, threads: 1, overrides }, policies)).rejects.toThrow('TOLERANCE');
    await expect(flyFleet({ ...options, threads: 0 }, [])).rejects.toThrow('There is no policy "backlog".');
  });
});
