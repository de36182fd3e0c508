import { describe, expect, it } from 'vitest';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import {
  actionOf,
  depthOf,
  historyOf,
  NOW,
  ok,
  placementOf,
  policyOf,
  serverOf,
  unknown,
} from '../support/observations.ts';
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
        userReference: 'cloud66-autoscaler:decision-1:1-5:worker',
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

  it('costs one depth read for all targets and one process list per stack while all is quiet, and at first a look for lost actions', async () => {
    const world = fakeWorld();
    const targets = [targetOf('one'), targetOf('two'), targetOf('three', { stackUid: 'stack-2' })];
    await reconcile(targets, world.ports, openSignals());
    const first = ['depths 3', 'placements stack-1', 'placements stack-2'];
    expect(world.calls.splice(0)).toEqual([...first, 'actions stack-1', 'actions stack-2']);
    world.answers.nowMs += 60_000;
    await reconcile(targets, world.ports, openSignals());
    expect(world.calls.every((call) => /^(depths|placements)/.test(call))).toBe(true);
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

  describe('with two processes of a stack that want a change', () => {
    const pass = async (world: ReturnType<typeof fakeWorld>, ids = ['first', 'second']) => {
      world.calls.length = 0;
      world.answers.nowMs += 30_000;
      const counted = (processName: string) =>
        ok({ ...placementOf(serverOf('a', 1)), processName }, world.answers.nowMs);
      world.answers.placements = Object.fromEntries(ids.map((id) => [id, counted(id)]));
      const results = await reconcile(
        ids.map((id) => targetOf(id)),
        world.ports,
        openSignals(),
      );
      return [...results].map(([id, result]) => {
        const why = result.kind === 'failed' ? result.error.message : result.decision?.reason;
        return `${id} ${result.kind} ${why}`;
      });
    };
    const tried = ({ calls }: ReturnType<typeof fakeWorld>) => calls.filter((call) => call.startsWith('scale'));
    const wanting = (...ids: readonly string[]) => ({
      depths: Object.fromEntries(ids.map((id) => [id, ok(depthOf(45))])),
    });
    /** Refuses a second action while one runs, which is until `end`; the log shows what runs. */
    const serialWorld = (...ids: readonly string[]) => {
      const accepted = { kind: 'accepted' as const, actionId: 41 };
      const world = fakeWorld({
        ...wanting(...ids),
        scale: ({ userReference }) => {
          const { answers } = world;
          if (answers.actions.kind === 'ok' && answers.actions.value.length > 0)
            return { kind: 'busy', detail: 'another action is in progress' };
          const action = actionOf({ id: accepted.actionId, startedAtMs: answers.nowMs, userReference });
          answers.actions = ok([action]);
          return accepted;
        },
      });
      const end = () => {
        world.answers.actions = ok([]);
      };
      return { world, end };
    };

    it('makes both where Cloud 66 takes both', async () => {
      const world = fakeWorld(wanting('first', 'second'));
      expect(await pass(world)).toEqual(['first scaled backlog_above_target', 'second scaled backlog_above_target']);
      expect(world.ports.memory.isSerial('stack-1', world.answers.nowMs)).toBe(false);
    });

    it('learns where it refuses the second: the others wait from then on without a call that is bound to fail', async () => {
      const { world, end } = serialWorld('first', 'second', 'third');
      const all = ['first', 'second', 'third'];
      expect(await pass(world, all)).toEqual([
        'first scaled backlog_above_target',
        'second held stack_busy',
        'third held stack_busy',
      ]);
      expect(tried(world)).toEqual(['scale first', 'scale second']);
      await pass(world, all);
      expect(tried(world)).toEqual([]);
      end();
      // What was changed last waits for the others.
      await pass(world, all);
      expect(tried(world)).toEqual(['scale second']);
      end();
      await pass(world, all);
      expect(tried(world)).toEqual(['scale third']);
    });

    it('one that is looked at alone does not come before another that waits for its turn, until that one is gone', async () => {
      const { world, end } = serialWorld('first', 'second');
      await pass(world);
      end();
      expect(await pass(world, ['first'])).toEqual(['first held stack_busy']);
      expect(tried(world)).toEqual([]);
      world.answers.depths.second = ok(depthOf(0));
      await pass(world);
      expect(tried(world)).toEqual(['scale first']);
    });

    it('does not blame the other process when nothing of ours runs', async () => {
      const busy = () => ({ kind: 'busy' as const, detail: 'a deployment' });
      const world = fakeWorld({ ...wanting('first', 'second'), scale: busy });
      await pass(world);
      expect(world.ports.memory.isSerial('stack-1', NOW)).toBe(false);
    });

    it('reads the log before the state of the stack while a change of ours may run', async () => {
      const world = fakeWorld(wanting('first'));
      await pass(world, ['first']);
      expect(world.calls).toContain('stack stack-1');
      const userReference = 'cloud66-autoscaler:decision-1:1-5:first';
      world.answers.actions = ok([actionOf({ startedAtMs: world.answers.nowMs, userReference })]);
      expect(await pass(world, ['first'])).toEqual(['first held action_in_progress']);
      expect(world.calls).toContain('actions stack-1');
      expect(world.calls).not.toContain('stack stack-1');
      world.answers.actions = ok([]);
      expect(await pass(world, ['first'])).toEqual(['first scaled backlog_above_target']);
      expect(world.calls).toContain('stack stack-1');
    });
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
    expect(results.get('worker')).toMatchObject({
      kind: 'failed',
      decision: { action: 'scale_out', desiredCount: 5 },
      error: { message: 'SQS is down' },
    });
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

  it('counts the workers once more before a change, and decides on that count', async () => {
    const busy = ok(historyOf(Array<number>(10).fill(80)));
    const world = fakeWorld({ depths: { worker: ok(depthOf(25)) }, histories: { worker: busy } });
    let reads = 0;
    // 1 worker when the pass begins; our own change to 8 has landed by the time the action log shows nothing running.
    const host = {
      ...world.ports.host,
      placements: async () => {
        reads += 1;
        const atMs = NOW + reads * 1000;
        return new Map([['worker', ok(placementOf(serverOf('a', reads === 1 ? 1 : 8)), atMs)]]);
      },
      actions: async () => ok([], NOW + 1500),
    };
    const quiet = { ...world.ports, host };
    const results = await reconcile([targetOf('worker')], quiet, openSignals());
    expect(reads).toBe(2);
    expect(world.requests).toEqual([]);
    expect(results.get('worker')?.decision).toMatchObject({ currentCount: 8, reason: 'stabilizing_scale_in' });
  });

  it('turns a bug in the reading of one stack into results of its targets, and finishes the others', async () => {
    const world = fakeWorld({ depths: { good: ok(depthOf(45)) } });
    const host = {
      ...world.ports.host,
      placements: async (...args: Parameters<typeof world.ports.host.placements>) => {
        if (args[0] === 'stack-2') throw new TypeError('a bug');
        return world.ports.host.placements(...args);
      },
    };
    const targets = [targetOf('bad', { stackUid: 'stack-2' }), targetOf('good')];
    const results = await reconcile(targets, { ...world.ports, host }, openSignals());
    expect(results.get('bad')).toMatchObject({ kind: 'failed', error: { message: 'a bug' } });
    expect(results.get('good')?.kind).toBe('scaled');
    expect(world.records).toHaveLength(1);
  });

  it('holds quietly on the last count while no call is left, and changes nothing', async () => {
    const world = fakeWorld();
    const targets = [targetOf('worker'), targetOf('other', { stackUid: 'stack-2' })];
    await reconcile([targetOf('worker')], world.ports, openSignals());
    world.answers.callsLeft = 0;
    world.answers.nowMs += 600_000;
    const results = await reconcile(targets, world.ports, openSignals());
    expect(world.calls.filter((call) => call.startsWith('placements'))).toEqual(['placements stack-1']);
    expect(results.get('worker')).toMatchObject({ kind: 'held', decision: { currentCount: 1 } });
    expect(results.get('other')).toMatchObject({ kind: 'held', decision: { reason: 'api_budget_spent' } });
  });

  it('counts the workers in each pass until an accepted change is seen', async () => {
    const world = fakeWorld({ depths: { worker: ok(depthOf(45)) } });
    const pass = async (visible: number, workers: number) => {
      world.answers.nowMs += 60_000;
      world.answers.depths.worker = ok(depthOf(visible), world.answers.nowMs);
      world.answers.placements.worker = ok(placementOf(serverOf('a', workers)), world.answers.nowMs);
      world.calls.length = 0;
      await reconcile([targetOf('worker')], world.ports, openSignals());
      return world.calls.filter((call) => call.startsWith('placements')).length;
    };
    expect(await pass(45, 1)).toBe(1);
    expect(world.requests).toHaveLength(1);
    expect(await pass(5, 1)).toBe(1);
    expect(await pass(45, 5)).toBe(1);
    expect(await pass(45, 5)).toBe(0);
  });

  it('knows from the last log how long changes take, and does not read it for that', async () => {
    const took = actionOf({ startedAtMs: NOW - 900_000, finishedAtMs: NOW - 720_000, success: true });
    const world = fakeWorld({ actions: ok([took]) });
    const seen: unknown[] = [];
    const reporter: typeof world.ports.reporter = {
      ...world.ports.reporter,
      decided: ({ input }) => seen.push(input.observation.changeSeconds),
    };
    for (let pass = 0; pass < 2; pass += 1) {
      await reconcile([targetOf('worker')], { ...world.ports, reporter }, openSignals());
      world.answers.nowMs += 60_000;
    }
    expect(seen).toEqual([ok([180]), ok([180])]);
    expect(world.calls.filter((call) => call.startsWith('actions'))).toHaveLength(1);
  });

  it('looks at what is breaching before what is quiet', async () => {
    const world = fakeWorld({ depths: { full: ok(depthOf(45)) } });
    const targets = Array.from({ length: 12 }, (_, index) => targetOf(`calm${index}`, { stackUid: `stack-${index}` }));
    await reconcile([...targets, targetOf('full', { stackUid: 'stack-full' })], world.ports, openSignals());
    expect(world.calls[1]).toBe('placements stack-full');
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

  it('corrects a count below the minimum even when the queue cannot be read', async () => {
    const world = fakeWorld({ depths: { worker: unknown('missing') } });
    const results = await reconcile(
      [targetOf('worker', { policy: policyOf({ minWorkers: 2 }) })],
      world.ports,
      openSignals(),
    );
    expect(results.get('worker')).toMatchObject({ kind: 'scaled', decision: { reason: 'below_minimum' } });
  });
});
