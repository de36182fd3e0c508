import { describe, expect, it } from 'vitest';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { depthOf, NOW, ok, placementOf, policyOf, serverOf, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

describe('a pass', () => {
  it('scales what has to be scaled and records the accepted action', async () => {
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) } });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'scaled', actionId: 42 });
    expect(world.requests).toEqual([
      {
        stackUid: 'stack-1',
        processName: 'worker',
        counts: { a: 5 },
        userReference: 'cloud66-autoscaler:decision-1:worker',
      },
    ]);
    expect(world.records).toEqual([
      {
        version: 1,
        targetId: 'worker',
        stackUid: 'stack-1',
        processName: 'worker',
        actionId: 42,
        requestedCounts: { a: 5 },
        desiredCount: 5,
        previousCount: 1,
        decisionId: 'decision-1',
        acceptedAtMs: NOW,
      },
    ]);
  });

  it('costs one depth read for all targets and one process list per stack while all is quiet', async () => {
    const world = fakeWorld();
    const targets = [targetOf('one'), targetOf('two'), targetOf('three', { stackUid: 'stack-2' })];
    await reconcile(targets, world.ports, openSignals());
    expect(world.calls).toEqual(['depths 3', 'placements stack-1', 'placements stack-2']);
  });

  it('reads the stack and its action log once for all targets of the stack', async () => {
    const world = fakeWorld({ depths: { one: ok(depthOf(45)), two: ok(depthOf(45)) } });
    await reconcile([targetOf('one'), targetOf('two')], world.ports, openSignals());
    expect(world.calls.filter((call) => call.startsWith('stack'))).toHaveLength(1);
    expect(world.calls.filter((call) => call.startsWith('actions'))).toHaveLength(1);
    expect(world.requests).toHaveLength(2);
  });

  it('goes on with the other targets when one fails, and says which failed', async () => {
    const world = fakeWorld({
      depths: { bad: unknown('failed'), good: ok(depthOf(45)) },
    });
    const results = await reconcile([targetOf('bad'), targetOf('good')], world.ports, openSignals());
    expect(results.get('bad')).toMatchObject({ kind: 'failed', decision: { reason: 'backlog_unknown' } });
    expect(results.get('good')?.kind).toBe('scaled');
  });

  it('turns an unexpected error of one target into its result', async () => {
    const world = fakeWorld({
      depths: { bad: ok(depthOf(45)), good: ok(depthOf(45)) },
      scale: ({ processName }) => {
        if (processName === 'bad') throw new Error('surprise');
        return { kind: 'accepted', actionId: 1 };
      },
    });
    const results = await reconcile([targetOf('bad'), targetOf('good')], world.ports, openSignals());
    expect(results.get('bad')).toMatchObject({ kind: 'failed', error: { message: 'surprise' } });
    expect(results.get('good')?.kind).toBe('scaled');
  });

  it('holds without failing while a reading is merely missing', async () => {
    const world = fakeWorld({ depths: { worker: unknown('missing') } });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'held', decision: { reason: 'backlog_unknown' } });
  });

  it('holds as busy when Cloud 66 says so, keeping the working', async () => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      scale: () => ({ kind: 'busy', detail: 'another scale is running' }),
    });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({
      kind: 'held',
      decision: { action: 'hold', reason: 'stack_busy', currentCount: 1, desiredCount: 1 },
    });
    expect(world.records).toEqual([]);
  });

  it.each(['refused', 'unknown'] as const)('fails loudly when the scale call ends as %s', async (kind) => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      scale: () => ({ kind, error: new Error('no luck') }),
    });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'failed', error: { message: 'no luck' } });
    expect(world.records).toEqual([]);
  });

  it('does not record an action in a dry run', async () => {
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) }, scale: () => ({ kind: 'not_sent' }) });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'dry_run', decision: { desiredCount: 5 } });
    expect(world.records).toEqual([]);
  });

  it('fails when the record of an accepted action could not be stored', async () => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      send: () => {
        throw new Error('SQS is down');
      },
    });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'failed', error: { message: 'SQS is down' } });
  });

  it('begins no scale call when the time is up', async () => {
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) } });
    const results = await reconcile([targetOf('worker')], world.ports, {
      work: AbortSignal.abort(),
      last: new AbortController().signal,
    });
    expect(results.get('worker')?.kind).toBe('failed');
    expect(world.requests).toEqual([]);
  });

  it('reads history only on the way to a scale in', async () => {
    const world = fakeWorld({ placements: { worker: ok(placementOf(serverOf('a', 4))) } });
    const results = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'scaled', decision: { desiredCount: 1 } });
    expect(world.calls).toContain('histories worker');
  });

  it('two overlapping passes ask for the same absolute counts, so the second changes nothing', async () => {
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) } });
    await Promise.all([
      reconcile([targetOf('worker')], world.ports, openSignals()),
      reconcile([targetOf('worker')], world.ports, openSignals()),
    ]);
    expect(world.requests.map(({ counts }) => counts)).toEqual([{ a: 5 }, { a: 5 }]);
  });

  it('looks at many stacks side by side and answers for each target in order', async () => {
    const targets = Array.from({ length: 30 }, (_, index) => targetOf(`t${index}`, { stackUid: `stack-${index}` }));
    const results = await reconcile(targets, fakeWorld().ports, openSignals());
    expect([...results.keys()]).toEqual(targets.map(({ id }) => id));
    expect([...results.values()].every(({ kind }) => kind === 'held')).toBe(true);
  });

  it('corrects a count below the minimum even when the queue cannot be read, and still reports the failure', async () => {
    const world = fakeWorld({ depths: { worker: unknown('missing') } });
    const results = await reconcile(
      [targetOf('worker', { policy: policyOf({ minWorkers: 2 }) })],
      world.ports,
      openSignals(),
    );
    expect(results.get('worker')).toMatchObject({ kind: 'scaled', decision: { reason: 'below_minimum' } });
  });
});
