import { describe, expect, it } from 'vitest';
import { planOf } from '../bench/policy.ts';
import { runBench } from '../bench/policy-run.ts';
import { benchText } from '../bench/policy-text.ts';

describe('the comparison of policies', () => {
  it('runs small, and reads every policy on the traces it was not tuned on', async () => {
    const args = [
      '--quick',
      '--traces',
      'azure_llm23_conv_1s,azfn19_hourlybatch_1m',
      '--loads',
      '0.5',
      '--threads',
      '0',
    ];
    const read = await planOf([...args, '--policies', 'latency,backlog,keda,static', '--budget', '3']);
    if (read === null) throw new Error('no plan');
    const told: number[] = [];
    const result = await runBench({ ...read.plan, onProgress: (share) => told.push(share) });
    expect(result).toMatchObject({ complete: true, flights: 2 * 2 * 4 * 3 });
    expect(result.comparisons.map(({ league }) => league)).toEqual(['E', 'N']);
    for (const { ours, bestPeer, ratio, policies, traces, feasible } of result.comparisons) {
      // The first of the hourly batches comes before anybody can have a worker; the others need luck at this load.
      expect(feasible?.cells).toBeGreaterThanOrEqual(1);
      expect(feasible?.defaults.costRatio).toBeGreaterThan(1);
      expect({ ours, bestPeer }).toEqual({ ours: 'latency', bestPeer: 'keda' });
      expect(ratio).toBeGreaterThan(0);
      expect(policies.map(({ policy, heldOut }) => [policy, heldOut.cells])).toEqual([
        ['latency', 2],
        ['backlog', 2],
        ['keda', 2],
        ['static', 2],
      ]);
      expect(traces.map(({ oracle }) => (oracle ?? 0) > 1)).toEqual([true, true]);
    }
    expect(told.at(-1)).toBeLessThanOrEqual(1);
    const text = benchText(result);
    expect(text).toContain('latency costs');
    expect(text).toMatch(/On the [12] of 2 cells that the oracle plan keeps, latency keeps/);
    expect(text).toContain('azfn19_hourlybatch_1m');
  });

  it('says nothing of feasible cells without the oracle, nor of peers where there are none', async () => {
    const few = ['--quick', '--traces', 'azure_llm23_conv_1s', '--loads', '0.5', '--threads', '0', '--no-oracle'];
    const read = await planOf([...few, '--policies', 'latency', '--budget', '3', '--leagues', 'E']);
    if (read === null) throw new Error('no plan');
    const result = await runBench(read.plan);
    expect(result.comparisons[0]).toMatchObject({ feasible: null, bestPeer: null });
    expect(benchText(result)).toContain('There is nobody to compare with.');
  });

  it('takes a rougher plant and settings of ours', async () => {
    const read = await planOf(['--rough', 'latency=2,failures=0.05', '--set', 'JOB_SECONDS=3']);
    expect(read?.plan).toMatchObject({
      roughness: { latencyFactor: 2, lagFactor: 1, failureShare: 0.05, driftFactor: 1 },
      overrides: { JOB_SECONDS: '3' },
    });
  });

  it('takes seeds one by one and as ranges', async () => {
    expect((await planOf(['--seeds', '7,1-3,2']))?.plan.seeds).toEqual([7, 1, 2, 3]);
  });

  it.each([
    [['--seeds', '8-1'], '"8-1"'],
    [['--seeds', 'few'], '"few"'],
    [['--leagues', 'E,X'], '"X"'],
    [['--slos', '60'], '"60"'],
    [['--policies', 'latency,none'], '"none"'],
    [['--budget', '2'], '"2"'],
    [['--traces', 'unknown'], '"unknown"'],
    [['--seeds', '1-2-3'], '"1-2-3"'],
    [['--slos', '60:95:9'], '"60:95:9"'],
    [['--loads', '3,,10'], '""'],
    [['--loads', '3,many'], '"many"'],
    [['--rough', 'weather=2'], '"weather"'],
    [['--set', 'JOB_SECONDS'], '--set: found "JOB_SECONDS"'],
    [['--rough', 'latency='], '""'],
    [['--cells-met', 'most'], '"most"'],
  ])('says what is wrong with %j instead of leaving it out', async (args, found) => {
    await expect(planOf(args)).rejects.toThrow(found);
  });
});
