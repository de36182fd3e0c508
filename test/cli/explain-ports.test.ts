import { expect, it } from 'vitest';
import { lookingPorts } from '../../lib/cli/explain.ts';
import { userReferenceFor } from '../../lib/policy/actions.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { actionOf, depthOf, NOW, ok } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

it('a decision is explained while a change of ours is under way, and its record is left to the function', async () => {
  const note = { processName: 'worker', decisionId: 'd', previousCount: 1, desiredCount: 5 };
  const running = { startedAtMs: NOW - 60_000, finishedAtMs: null, success: null };
  const action = actionOf({ id: 77, userReference: userReferenceFor(note), ...running });
  const world = fakeWorld({ depths: { worker: ok(depthOf(45)) }, actions: ok([action]) });
  const results = await reconcile(
    [targetOf('worker')],
    lookingPorts(world, () => {}),
    openSignals(),
  );
  expect(results.get('worker')).toMatchObject({ kind: 'held', decision: { reason: 'action_in_progress' } });
  expect(world.records).toEqual([]);
});
