import { describe, expect, it, vi } from 'vitest';
import type { Action, ActionRecord, Reading } from '../../lib/domain.ts';
import { userReferenceFor } from '../../lib/policy/actions.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { actionOf, depthOf, NOW, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

/** As a scale call of ours shows up in the log. */
function ownAction(ageSeconds: number, decisionId = 'elsewhere'): Action {
  const userReference = userReferenceFor({ processName: 'worker', decisionId, previousCount: 1, desiredCount: 5 });
  return actionOf({ id: 77, startedAtMs: NOW - ageSeconds * 1000, finishedAtMs: null, success: null, userReference });
}

type World = ReturnType<typeof fakeWorld>;

/** The stored records, as `target action`. */
function followed({ records }: World): readonly string[] {
  return records.map(({ targetId, actionId }) => `${targetId} ${actionId}`);
}

/** A world whose action log is another one at each reading. */
function withLogs({ ports }: World, actions: () => Promise<Reading<readonly Action[]>>): World['ports'] {
  return { ...ports, host: { ...ports.host, actions } };
}

describe('an accepted action without a record', () => {
  it('is followed with all that was asked for when only the answer of its call was lost', async () => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      scale: () => ({ kind: 'unknown', error: new Error('the connection was reset') }),
    });
    const first = await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(first.get('worker')).toMatchObject({ kind: 'failed' });
    expect(world.records).toEqual([]);
    world.answers.actions = ok([ownAction(0, 'decision-1')]);
    world.answers.nowMs += 20_000;
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toMatchObject([{ actionId: 77, requestedCounts: { a: 5 }, decisionId: 'decision-1' }]);
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toHaveLength(1);
    expect(world.requests).toHaveLength(1);
  });

  it('is followed once the queue takes records again, and nothing is changed before', async () => {
    let isRefused = true;
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      send: () => {
        if (isRefused) throw new Error('the queue refused');
      },
    });
    for (let pass = 0; pass < 2; pass += 1) {
      const results = await reconcile([targetOf('worker')], world.ports, openSignals());
      expect(results.get('worker')).toMatchObject({ kind: 'failed', error: { message: 'the queue refused' } });
    }
    expect(world.requests).toHaveLength(1);
    isRefused = false;
    world.answers.actions = ok([{ ...ownAction(0, 'decision-1'), id: 42 }]);
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toMatchObject([{ actionId: 42, requestedCounts: { a: 5 } }]);
  });

  it('is found by an environment that starts after the one that made the call died', async () => {
    const world = fakeWorld({ actions: ok([ownAction(60)]) });
    await reconcile([targetOf('worker')], world.ports, openSignals());
    const asked = { requestedCounts: null, previousCount: 1, desiredCount: 5, acceptedAtMs: NOW - 60_000 };
    expect(world.records).toMatchObject([{ actionId: 77, targetId: 'worker', decisionId: 'elsewhere', ...asked }]);
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toHaveLength(1);
  });

  it.each([
    ['rests', ok(depthOf(0), NOW + 180_000)],
    ['cannot be read', unknown('failed')],
  ])(
    'is found by the call whose answer was lost, in a log read for a later target, while the queue %s',
    async (_, depth) => {
      const lost = () => ({ kind: 'unknown' as const, error: new Error('the connection was reset') });
      const world = fakeWorld({ depths: { worker: ok(depthOf(45)) }, scale: lost });
      const targets = [targetOf('worker'), targetOf('mailer')];
      await reconcile(targets, world.ports, openSignals());
      world.answers.nowMs += 180_000;
      world.answers.depths = { worker: depth, mailer: ok(depthOf(45), NOW + 180_000) };
      const answers = [unknown('failed'), ok([ownAction(0, 'decision-1')], NOW + 180_000)];
      const actions = async () => answers.shift() ?? unknown('failed');
      const ports = withLogs(world, actions);
      await reconcile(targets, ports, openSignals());
      expect(world.records).toContainEqual(expect.objectContaining({ actionId: 77, requestedCounts: { a: 5 } }));
    },
  );

  it('is found in a newer log although the call of its own turn was refused', async () => {
    const world = fakeWorld({ scale: () => ({ kind: 'refused', error: new Error('HTTP 422') }) });
    const targets = [targetOf('worker'), targetOf('mailer')];
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    world.answers.depths = { worker: ok(depthOf(45), NOW + 60_000), mailer: ok(depthOf(45), NOW + 60_000) };
    const answers = [ok<readonly Action[]>([], NOW + 60_000), ok([ownAction(-20)], NOW + 66_000)];
    const actions = async () => answers.shift() ?? unknown('failed');
    const ports = withLogs(world, actions);
    world.answers.scale = () => {
      world.answers.nowMs += 6000;
      return { kind: 'refused', error: new Error('HTTP 422') };
    };
    const results = await reconcile(targets, ports, openSignals());
    expect(results.get('worker')).toMatchObject({ kind: 'failed', error: { message: 'HTTP 422' } });
    expect(world.records).toMatchObject([{ actionId: 77, targetId: 'worker' }]);
  });

  it('is not looked for once more where the gate held, and no call was refused', async () => {
    const world = fakeWorld();
    const targets = [targetOf('worker'), targetOf('mailer')];
    const deployment = actionOf({ id: 9, kind: 'redeploy' });
    const actions = async () => {
      world.calls.push('actions');
      const log = ok([deployment], world.answers.nowMs);
      world.answers.nowMs += 6000;
      return log;
    };
    const ports = withLogs(world, actions);
    await reconcile(targets, ports, openSignals());
    world.answers.depths = { worker: ok(depthOf(45)), mailer: ok(depthOf(45)) };
    const results = await reconcile(targets, ports, openSignals());
    expect([...results.values()].map(({ decision }) => decision?.reason)).toEqual(['stack_busy', 'stack_busy']);
    const before = world.calls.filter((call) => call === 'actions').length;
    expect(before).toBe(3);
    world.answers.depths = {};
    await reconcile(targets, ports, openSignals());
    expect(world.calls.filter((call) => call === 'actions')).toHaveLength(before);
  });

  it('is looked for at once where something moves, and a few stacks at a time where nothing does', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const counted = (count: number) => ok(placementOf(serverOf('a', count)));
    const world = fakeWorld({
      depths: { t9: ok(depthOf(1)), t10: ok(depthOf(0, 1)), t11: unknown('missing') },
      placements: { t8: counted(2) },
    });
    const targets = ids.map((id) => targetOf(id, { stackUid: `stack-${id}` }));
    const read = async () => {
      world.calls.length = 0;
      await reconcile(targets, world.ports, openSignals());
      return world.calls.filter((call) => call.startsWith('actions')).map((call) => call.replace('actions stack-', ''));
    };
    expect((await read()).toSorted()).toEqual(['t10', 't11', 't8', 't9']);
    expect((await read()).filter((id) => Number(id.slice(1)) < 8)).toHaveLength(4);
  });

  it('is looked for with a tenth of the calls that are left: changes need the others', async () => {
    const targets = Array.from({ length: 5 }, (_, index) => targetOf(`t${index}`, { stackUid: `stack-${index}` }));
    const depths = Object.fromEntries(targets.map(({ id }) => [id, ok(depthOf(1))]));
    const world = fakeWorld({ depths, callsLeft: 39 });
    await reconcile(targets, world.ports, openSignals());
    expect(world.calls.filter((call) => call.startsWith('actions'))).toHaveLength(3);
  });

  it('is left alone while its own environment may store a better record, and looked for again', async () => {
    const world = fakeWorld({ actions: ok([ownAction(10)]) });
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toEqual([]);
    world.answers.nowMs += 30_000;
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toHaveLength(1);
  });

  it('is found by an environment that made no pass for some minutes: another one did, and may have died', async () => {
    const world = fakeWorld();
    await reconcile([targetOf('worker')], world.ports, openSignals());
    world.answers.actions = ok([ownAction(-300)]);
    world.answers.nowMs += 400_000;
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toMatchObject([{ actionId: 77 }]);
  });

  it('is found by an environment that looked at another target only for some minutes, for its alarm', async () => {
    const world = fakeWorld();
    const [worker, mailer] = [targetOf('worker'), targetOf('mailer')];
    await reconcile([worker, mailer], world.ports, openSignals());
    for (let minute = 1; minute <= 3; minute += 1) {
      world.answers.nowMs = NOW + minute * 60_000;
      await reconcile([mailer], world.ports, openSignals());
    }
    world.answers.actions = ok([ownAction(-60)], world.answers.nowMs);
    await reconcile([worker, mailer], world.ports, openSignals());
    expect(world.records).toMatchObject([{ actionId: 77, targetId: 'worker' }]);
  });

  it('is given up while the queue refuses it, before SQS would take the record for a new one', async () => {
    vi.useFakeTimers({ now: NOW });
    try {
      const world = fakeWorld({ actions: ok([ownAction(230)]) });
      const send = (_record: unknown, signal: AbortSignal) =>
        new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error(`stopped after ${Date.now() - NOW} ms`)));
        });
      const passed = reconcile([targetOf('worker')], { ...world.ports, sender: { send } }, openSignals());
      await vi.advanceTimersByTimeAsync(60_000);
      const error = { message: 'stopped after 60000 ms' };
      expect((await passed).get('worker')).toMatchObject({ kind: 'failed', error });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is found when the log is read for another target of the stack, which had its turn later', async () => {
    const world = fakeWorld({ depths: { mailer: ok(depthOf(45)) }, actions: ok([ownAction(60)]) });
    // So many stacks are counted that none is searched: only the decision about the mailer reads the log.
    const others = Array.from({ length: 5 }, (_, index) => targetOf(`x${index}`, { stackUid: `other-${index}` }));
    await reconcile([targetOf('worker'), targetOf('mailer'), ...others], world.ports, openSignals());
    expect(world.calls.filter((call) => call.startsWith('actions'))).toEqual(['actions stack-1']);
    expect(followed(world)).toContain('worker 77');
  });

  it('is found then also where the turn before had failed, for a reading that has nothing to do with it', async () => {
    const depths = { worker: unknown('failed'), mailer: ok(depthOf(45)) };
    // No call is left for a search: only the decision about the mailer reads the log.
    const world = fakeWorld({ depths, callsLeft: 9, actions: ok([ownAction(176)]) });
    const others = Array.from({ length: 5 }, (_, index) => targetOf(`x${index}`, { stackUid: `other-${index}` }));
    const targets = [targetOf('worker'), targetOf('mailer'), ...others];
    const results = await reconcile(targets, world.ports, openSignals());
    expect(followed(world)).toContain('worker 77');
    expect(results.get('worker')).toMatchObject({ kind: 'failed', decision: { reason: 'backlog_unknown' } });
  });

  it('is found then also by an environment that had searched before the other one made the call and died', async () => {
    const world = fakeWorld();
    const targets = [targetOf('worker'), targetOf('mailer')];
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    world.answers.depths = { mailer: ok(depthOf(45), NOW + 60_000) };
    world.answers.actions = ok([ownAction(-20)], NOW + 60_000);
    await reconcile(targets, world.ports, openSignals());
    expect(followed(world)).toContain('worker 77');
  });

  it('is stored by the next pass when it was found for a target that had its turn, and the queue refused it', async () => {
    let isRefused = true;
    const world = fakeWorld({
      send: ({ targetId }) => {
        if (targetId === 'worker' && isRefused) throw new Error('the queue refused');
      },
    });
    const targets = [targetOf('worker'), targetOf('mailer')];
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    world.answers.depths = { mailer: ok(depthOf(45), NOW + 60_000) };
    world.answers.actions = ok([ownAction(-20)], NOW + 60_000);
    const results = await reconcile(targets, world.ports, openSignals());
    const refused = { kind: 'failed', decision: { reason: 'at_minimum' }, error: { message: 'the queue refused' } };
    expect(results.get('worker')).toMatchObject(refused);
    isRefused = false;
    world.answers.nowMs += 60_000;
    world.answers.depths = {};
    await reconcile(targets, world.ports, openSignals());
    expect(followed(world)).toContain('worker 77');
  });

  it('is one more thing that failed where a reading had failed', async () => {
    const send = ({ targetId }: ActionRecord) => {
      if (targetId === 'worker') throw new Error('the queue refused');
    };
    const world = fakeWorld({ send });
    const targets = [targetOf('worker'), targetOf('mailer')];
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    world.answers.depths = { worker: unknown('failed'), mailer: ok(depthOf(45), NOW + 60_000) };
    world.answers.actions = ok([ownAction(-20)], NOW + 60_000);
    const results = await reconcile(targets, world.ports, openSignals());
    const message = expect.stringMatching(/readings failed.*; the queue refused$/s);
    expect(results.get('worker')).toMatchObject({ decision: { reason: 'backlog_unknown' }, error: { message } });
  });

  it.each([
    ['before the log was read', ['worker', 'mailer', 'reports']],
    ['after a later reading of it failed', ['mailer', 'reports', 'worker']],
  ])('is found in a log of this pass by a target that had its turn %s', async (_, order) => {
    const world = fakeWorld();
    const targets = order.map((id) => targetOf(id));
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    const busy = ok(depthOf(45), NOW + 60_000);
    world.answers.depths = { mailer: busy, reports: busy };
    world.answers.actions = ok([ownAction(-20)], NOW + 60_000);
    world.answers.scale = () => {
      world.answers.nowMs += 6000;
      world.answers.actions = unknown('failed');
      return { kind: 'accepted', actionId: 42 };
    };
    const results = await reconcile(targets, world.ports, openSignals());
    expect(results.get('reports')).toMatchObject({ kind: 'failed', decision: { reason: 'actions_unknown' } });
    expect(followed(world)).toContain('worker 77');
  });

  it('keeps no other target waiting while its record is stored', async () => {
    const world = fakeWorld();
    const targets = ['worker', 'mailer', 'reports'].map((id) => targetOf(id));
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 60_000;
    const busy = ok(depthOf(45), NOW + 60_000);
    world.answers.depths = { mailer: busy, reports: busy };
    world.answers.actions = ok([ownAction(-20)], NOW + 60_000);
    world.answers.send = ({ targetId }) => void world.calls.push(`send ${targetId}`);
    await reconcile(targets, world.ports, openSignals());
    const done = world.calls.filter((call) => /^(scale|send)/.test(call));
    expect(done).toEqual(['scale mailer', 'send mailer', 'scale reports', 'send reports', 'send worker']);
  });

  it('is stored by the next pass when the queue refused it in its turn, whatever log is read then', async () => {
    const sent: string[] = [];
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)), mailer: ok(depthOf(45)) },
      scale: ({ processName }) => {
        world.answers.nowMs += 6000;
        return { kind: 'accepted', actionId: processName === 'worker' ? 41 : 42 };
      },
      send: ({ targetId }) => {
        sent.push(targetId);
        if (targetId === 'worker') throw new Error('the queue refused');
      },
    });
    const ports = withLogs(world, async () => ok([], world.answers.nowMs));
    await reconcile([targetOf('worker'), targetOf('mailer')], ports, openSignals());
    expect(sent).toEqual(['worker', 'mailer']);
    await reconcile([targetOf('worker'), targetOf('mailer')], ports, openSignals());
    expect(sent.slice(2)).toContain('worker');
  });

  it('is not given up on a log that is too old to show it', async () => {
    const lost = () => ({ kind: 'unknown' as const, error: new Error('the connection was reset') });
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) }, scale: lost });
    const targets = [targetOf('worker'), targetOf('mailer')];
    await reconcile(targets, world.ports, openSignals());
    world.answers.nowMs += 30_000;
    world.answers.depths = { mailer: ok(depthOf(45), NOW + 30_000) };
    // Not to be read when this pass begins; then read, and the mailer's call takes long.
    const answers = [unknown('failed'), ok([], NOW + 30_000)];
    const actions = async () => answers.shift() ?? ok([ownAction(0, 'decision-1')], NOW + 65_000);
    const ports = withLogs(world, actions);
    world.answers.scale = () => {
      world.answers.nowMs += 35_000;
      return { kind: 'accepted', actionId: 42 };
    };
    await reconcile(targets, ports, openSignals());
    expect(world.requests.map(({ processName }) => processName)).toEqual(['worker', 'mailer']);
    await reconcile(targets, ports, openSignals());
    expect(world.records).toContainEqual(expect.objectContaining({ actionId: 77, requestedCounts: { a: 5 } }));
  });

  it.each([
    ['', ['worker']],
    [', also when a newer log was read for another target', ['worker', 'mailer']],
  ])('is looked for again when Cloud 66 is busy, perhaps with a change of a dead environment%s', async (_, ids) => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)), mailer: ok(depthOf(45)) },
      scale: ({ processName }) => {
        world.answers.nowMs += 6000;
        if (processName === 'mailer') return { kind: 'accepted', actionId: 42 };
        return { kind: 'busy', detail: 'another action is in progress' };
      },
    });
    const own = { ...ownAction(0), startedAtMs: NOW };
    const actions = async () => ok(world.answers.nowMs < NOW + 60_000 ? [] : [own], world.answers.nowMs);
    const ports = withLogs(world, actions);
    const targets = ids.map((id) => targetOf(id));
    await reconcile(targets, ports, openSignals());
    expect(world.records.map(({ targetId }) => targetId)).not.toContain('worker');
    world.answers.nowMs = NOW + 60_000;
    world.answers.depths = {};
    await reconcile(targets, ports, openSignals());
    expect(followed(world)).toContain('worker 77');
  });

  it('is left alone when storing another one took until SQS has forgotten it', async () => {
    const world = fakeWorld({
      actions: ok([ownAction(60), { ...ownAction(200, 'older'), id: 76 }]),
      send: () => {
        world.answers.nowMs += 60_000;
      },
    });
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toMatchObject([{ actionId: 77 }]);
  });

  it.each([
    ['older than SQS remembers a record', ok([ownAction(300)])],
    ['of another process', ok([{ ...ownAction(60), userReference: 'cloud66-autoscaler:d:1-2:mailer' }])],
    ['made by a person', ok([{ ...ownAction(60), userReference: null }])],
  ])('is not followed when it is %s', async (_what, actions) => {
    const world = fakeWorld({ actions });
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.records).toEqual([]);
  });

  it('is given up when the log does not show it within a minute: the call was not carried out', async () => {
    const world = fakeWorld({
      depths: { worker: ok(depthOf(45)) },
      scale: () => ({ kind: 'unknown', error: new Error('the connection was reset') }),
    });
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.ports.memory.owed('worker')).toHaveLength(1);
    world.answers.depths = {};
    world.answers.nowMs += 61_000;
    world.answers.actions = ok([], NOW + 61_000);
    await reconcile([targetOf('worker')], world.ports, openSignals());
    expect(world.ports.memory.owed('worker')).toEqual([]);
    expect(world.records).toEqual([]);
  });
});
