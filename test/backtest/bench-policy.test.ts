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
    for (const { ours, bestPeer, ratio, policies, traces } of result.comparisons) {
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
    expect(text).toContain('azfn19_hourlybatch_1m');
  });

  it('takes numbers only where numbers belong', async () => {
    await expect(planOf(['--loads', '3,many'])).rejects.toThrow('"3,many"');
  });
});
