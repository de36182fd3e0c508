import { describe, expect, it } from 'vitest';
import { readEvidence, type StackEvidence } from '../../lib/reconcile/observe.ts';
import { policyOf } from '../support/observations.ts';
import { fakeWorld, targetOf } from '../support/ports.ts';

/** Reads the action log for targets with these cooldowns, one after the other: how far back each read reached, in seconds. */
async function readsFor(...cooldownsSeconds: readonly number[]): Promise<readonly number[]> {
  const { ports, answers } = fakeWorld();
  const reached: number[] = [];
  const host: typeof ports.host = {
    ...ports.host,
    actions: async (_stackUid, _signal, sinceMs = answers.nowMs) => {
      reached.push((answers.nowMs - sinceMs) / 1000);
      return { kind: 'ok', value: [], observedAtMs: answers.nowMs };
    },
  };
  const notRead = { kind: 'not_read' } as const;
  const shared: StackEvidence = { stack: notRead, actions: notRead, newestLog: notRead, isChanging: false };
  for (const scaleInCooldownSeconds of cooldownsSeconds) {
    const target = targetOf('worker', { policy: policyOf({ scaleInCooldownSeconds, actionTimeoutSeconds: 900 }) });
    await readEvidence(['actions'], target, shared, { ...ports, host }, new AbortController().signal);
    answers.nowMs += 100;
  }
  return reached;
}

describe('the action log is read', () => {
  it('as far back as a change could still hold the target: its cooldown, and the time that an action may take', async () => {
    expect(await readsFor(86_400)).toEqual([87_300]);
  });

  it('once for all targets of a stack, and again for one that has to see further back', async () => {
    expect(await readsFor(600, 600, 300, 3600, 600)).toEqual([1500, 4500]);
  });
});
