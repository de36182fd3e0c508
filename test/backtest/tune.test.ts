import { describe, expect, it } from 'vitest';
import { USUAL_CELL } from '../../lib/backtest/cell.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';
import {
  cheaperAsGood,
  type KnobEffect,
  paretoOf,
  type TriedSetting,
  type TuneOptions,
  tune,
} from '../../lib/backtest/tune.ts';

const trace = syntheticTrace({ shape: 'bursts', minutes: 120, meanPerMinute: 20, seed: 1 });
const options: TuneOptions = {
  cell: { ...USUAL_CELL, trace, scaling: { kind: 'factor', factor: 1 } },
  seeds: [1, 2],
  league: 'N',
  policies: policiesNamed('backlog,keda'),
  overrides: { TOLERANCE: '0.2' },
  budget: 6,
  threads: 0,
};
const tried = (costRatio: number, p95: number): TriedSetting => ({
  origin: 'grid',
  settings: {},
  met: 1,
  costRatio,
  lateShare: 0,
  p95,
  actionsPerHour: 1,
  maxWorkers: 1,
});

describe('tuning', () => {
  it('tries the same number of settings for each policy and says what each knob of the chosen one does', async () => {
    const told: number[] = [];
    const result = await tune({ ...options, onProgress: (flown, all) => told.push(flown / all) });
    expect(result).toMatchObject({ complete: true, budget: 6, seeds: [1, 2], trace: { name: 'bursts' } });
    expect(result.policies.map(({ policy, tried: count }) => [policy, count])).toEqual([
      ['backlog', 6],
      ['keda', 6],
    ]);
    for (const { chosen, pareto, qualified, effects, defaults } of result.policies) {
      expect(pareto[0]?.costRatio).toBeLessThanOrEqual(chosen.costRatio);
      expect(qualified).toBe(chosen.met >= 0.9);
      for (const { knob, value, defaultValue, withDefault } of effects) {
        expect(value).not.toBe(defaultValue);
        expect(withDefault.settings).toEqual({ ...chosen.settings, [knob]: defaultValue });
      }
      expect(cheaperAsGood(chosen, effects)).toBeNull();
      expect(Object.keys(defaults?.settings ?? {})).toEqual(expect.arrayContaining(effects.map(({ knob }) => knob)));
    }
    expect(result.runs).toBe(told.length);
    expect(Math.max(...told)).toBeLessThanOrEqual(1);
  });

  it('gives back a knob whose default is cheaper and as good, the one that saves most first', () => {
    const effect = (costRatio: number, met = 1): KnobEffect => {
      return { knob: 'K', value: 2, defaultValue: 1, withDefault: { ...tried(costRatio, 10), met } };
    };
    const chosen = { ...tried(2, 10), met: 0.9 };
    expect(cheaperAsGood(chosen, [effect(1.9, 0.9), effect(1.8), effect(2.5)])?.costRatio).toBe(1.8);
    expect(cheaperAsGood(chosen, [effect(1.5, 0.8), effect(1.9, 0.9)])?.costRatio).toBe(1.9);
    expect(cheaperAsGood(chosen, [effect(1.5, 0.8), effect(2)])).toBeNull();
    expect(cheaperAsGood(chosen, [])).toBeNull();
  });

  it('gives the same answer with threads as without', async () => {
    const one = { ...options, policies: policiesNamed('keda'), seeds: [1] };
    const [alone, shared] = await Promise.all([tune(one), tune({ ...one, threads: 2 })]);
    expect(shared).toEqual(alone);
  });

  it('keeps what was tried when it is stopped', async () => {
    const stop = new AbortController();
    const onProgress = (flown: number): void => {
      if (flown === 5) stop.abort();
    };
    const one = { ...options, policies: policiesNamed('keda'), seeds: [1], budget: 12 };
    const result = await tune({ ...one, onProgress, signal: stop.signal });
    expect(result.complete).toBe(false);
    expect(result.policies[0]?.tried).toBe(8);
    expect((await tune({ ...one, signal: AbortSignal.abort() })).policies).toEqual([]);
  });

  it('leaves out settings that are neither cheaper nor faster', () => {
    const all = [tried(3, 10), tried(1, 50), tried(2, 50), tried(2, 20), tried(4, 10)];
    expect(paretoOf(all)).toEqual([all[1], all[3], all[0]]);
  });
});
