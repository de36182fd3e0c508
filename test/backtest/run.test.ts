import { describe, expect, it } from 'vitest';
import { buildCell, USUAL_CELL } from '../../lib/backtest/cell.ts';
import { policiesNamed, REPLAY_POLICIES } from '../../lib/backtest/contenders.ts';
import { type BacktestOptions, runBacktest } from '../../lib/backtest/run.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';
import { flyStatic, staticBest } from '../../lib/backtest/static-best.ts';

const trace = syntheticTrace({ shape: 'sine', minutes: 180, meanPerMinute: 30, seed: 1 });
const cell = { ...USUAL_CELL, trace, scaling: { kind: 'load' as const, busyWorkers: 3 } };
const OPTIONS: BacktestOptions = {
  cell,
  seeds: [1],
  league: 'E',
  policies: policiesNamed('backlog,keda'),
  settingsFrom: 'defaults',
};

describe('runBacktest', () => {
  it('answers with a row per policy and the references', async () => {
    const result = await runBacktest(OPTIONS);
    expect(result).toMatchObject({
      trace: { name: 'sine', durationSeconds: 10_800, jobs: 5400 },
      slo: { waitSeconds: 60, share: 0.95 },
      league: 'E',
      complete: true,
      references: { work: { costRatio: 1 }, lpBound: null, oraclePlan: null },
    });
    expect(result.policies.map(({ name }) => name)).toEqual(['backlog', 'keda']);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    for (const policy of result.policies) {
      expect(policy).toMatchObject({ jobs: 5400, unfinishedJobs: 0, complete: true });
      expect(policy.costRatio).toBeGreaterThan(1);
      expect(policy.meetsSlo).toBe(policy.lateShare <= 0.05);
      expect(policy.waitSeconds.p50).toBeLessThanOrEqual(policy.waitSeconds.p95);
    }
    expect(result.policies[0]?.settings).toMatchObject({ BACKLOG_PER_WORKER: 10 });
    const best = result.references.staticBest;
    expect(best?.lateShare).toBeLessThanOrEqual(0.05);
  });

  it('averages over seeds and repeats from them', async () => {
    const [first, second, both] = await Promise.all(
      [[1], [2], [1, 2]].map((seeds) => runBacktest({ ...OPTIONS, seeds })),
    );
    const cost = (result: typeof both) => result?.policies[1]?.costRatio ?? Number.NaN;
    expect(cost(both)).toBeCloseTo((cost(first) + cost(second)) / 2, 10);
    expect(both?.policies[1]?.jobs).toBe(10_800);
    expect(await runBacktest({ ...OPTIONS, seeds: [1, 2] })).toEqual(both);
  });

  it('flies with the advice of the documentation, single knobs, settings by name and a solver when asked', async () => {
    const reference = { costRatio: 1.2, lateShare: 0.01, waitSeconds: null };
    const result = await runBacktest({
      ...OPTIONS,
      settingsFrom: 'book',
      settings: { keda: { queueLength: 3 } },
      overrides: { TOLERANCE: '0.2' },
      solver: async () => ({ lpBound: reference, oraclePlan: null }),
    });
    const [ours, keda] = result.policies;
    expect(ours?.settings).toMatchObject({ BACKLOG_PER_WORKER: 11, TOLERANCE: '0.2' });
    expect(keda?.settings).toMatchObject({ queueLength: 3, scaleOnInFlight: 1 });
    expect(result.references).toMatchObject({ lpBound: reference, oraclePlan: null });
  });

  it('tells how far it is, and keeps what it has when it is stopped', async () => {
    const stopper = new AbortController();
    const shares: number[] = [];
    const onProgress = (share: number) => {
      shares.push(share);
      stopper.abort();
    };
    const result = await runBacktest({ ...OPTIONS, hooks: { onProgress, signal: stopper.signal } });
    expect(shares).toEqual([0.5]);
    expect(result.complete).toBe(false);
    expect(result.policies.map(({ name }) => name)).toEqual(['backlog']);
    expect(result.references.staticBest).toBeNull();
  });

  it('wants at least one seed and one policy', async () => {
    await expect(runBacktest({ ...OPTIONS, seeds: [] })).rejects.toThrow('At least one seed and one policy.');
  });
});

describe('the best fixed count', () => {
  it('is the fewest workers that keep the objective', async () => {
    const built = buildCell({ ...cell, seed: 1 });
    const best = await staticBest(built);
    if (best === null) throw new Error('The maximum suffices on a smooth load.');
    expect(best.score.lateShare).toBeLessThanOrEqual(0.05);
    expect(best.score).toMatchObject({ actions: 0, maxWorkers: best.workers });
    expect((await flyStatic(built, best.workers - 1)).lateShare).toBeGreaterThan(0.05);
  });

  it('does not exist where the maximum is too small', async () => {
    expect(await staticBest(buildCell({ ...cell, seed: 1, maxWorkers: 2 }))).toBeNull();
  });
});

describe('the list of policies', () => {
  it('has every name once', () => {
    const names = REPLAY_POLICIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(policiesNamed('all')).toBe(REPLAY_POLICIES);
  });

  it('names what it does not know, and what it does', () => {
    expect(() => policiesNamed('keda, kedda,foo')).toThrow(
      /2 problems[\s\S]*found "kedda", expected one of all, latency, backlog/,
    );
  });

  it.each(REPLAY_POLICIES.map((policy) => [policy.name, policy] as const))(
    '%s flies with its defaults, its documentation and any corner of its knobs',
    async (_name, policy) => {
      const short = syntheticTrace({ shape: 'bursts', minutes: 60, meanPerMinute: 20, seed: 1 });
      const corners = [0, -1].map((at) =>
        Object.fromEntries(policy.knobs.map((knob) => [knob.name, knob.values.at(at) ?? 0])),
      );
      for (const settings of [...corners, {}]) {
        const result = await runBacktest({
          ...OPTIONS,
          cell: { ...cell, trace: short },
          policies: [policy],
          settingsFrom: settings === corners[0] ? 'book' : 'defaults',
          settings: { [policy.name]: settings },
        });
        expect(result.policies[0]).toMatchObject({ name: policy.name, complete: true, unfinishedJobs: 0 });
      }
    },
  );
});
