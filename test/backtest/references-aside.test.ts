import { describe, expect, it } from 'vitest';
import { referenceSolver } from '../../lib/backtest/bounds/references.ts';
import { buildCell, type CellOptions, USUAL_CELL } from '../../lib/backtest/cell.ts';
import { referencesAside } from '../../lib/backtest/references-aside.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';

const trace = syntheticTrace({ shape: 'step', minutes: 30, meanPerMinute: 20, seed: 1 });
const cell: Omit<CellOptions, 'seed'> = { ...USUAL_CELL, trace, scaling: { kind: 'factor', factor: 1 } };

describe('the bounds computed beside the flights', () => {
  it('are those computed here, for every seed', async () => {
    const aside = referencesAside(cell, [1, 2], new AbortController().signal);
    const here = referenceSolver();
    for (const seed of [1, 2]) {
      const built = buildCell({ ...cell, seed });
      expect(await aside(built)).toEqual(await here(built));
    }
  });

  it('are not known when they are stopped', async () => {
    const stop = new AbortController();
    const aside = referencesAside(cell, [1], stop.signal);
    stop.abort();
    expect(await aside(buildCell({ ...cell, seed: 1 }))).toEqual({ lpBound: null, oraclePlan: null });
    const late = referencesAside(cell, [1], stop.signal);
    expect(await late(buildCell({ ...cell, seed: 1 }))).toEqual({ lpBound: null, oraclePlan: null });
  });

  it('fail where they are waited for', async () => {
    const wrong = { ...cell, concurrency: Number.NaN };
    const aside = referencesAside(wrong, [1], new AbortController().signal);
    await expect(aside(buildCell({ ...cell, seed: 1 }))).rejects.toThrow(/concurrency|finite|length/i);
  });
});
