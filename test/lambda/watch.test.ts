import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watch } from '../../lib/lambda/watch.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { depthOf, LATENCY, NOW, ok, policyOf, ratesOf, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

const target = (id: string, maxWorkers = 1) => targetOf(id, { policy: policyOf({ strategy: LATENCY, maxWorkers }) });

/** A world whose clock is the fake one; its workers cannot be raised, so that more waiting keeps a target awake. */
function sleepyWorld(changes: Parameters<typeof fakeWorld>[0]) {
  const world = fakeWorld(changes);
  return { ...world, ports: { ...world.ports, clock: { nowMs: () => Date.now() } } };
}

describe('the watch after a tick', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('ends at once, without a call, while nobody is awake', async () => {
    const world = sleepyWorld({});
    expect(await watch([target('calm')], 15, Date.now(), world.ports, openSignals())).toEqual(new Map());
    expect(world.calls).toEqual([]);
  });

  it('looks at the awake target every interval and stops before the next tick', async () => {
    const world = sleepyWorld({ depths: { busy: ok(depthOf(500, 1)) } });
    world.ports.memory.keepAttention('busy', { awake: true, why: 'made by a test' });
    const watching = watch([target('busy'), target('calm')], 15, Date.now(), world.ports, openSignals());
    await vi.advanceTimersByTimeAsync(60_000);
    await watching;
    expect(world.calls.filter((call) => call === 'depths 1')).toHaveLength(3);
  });

  it('looks as often at a quiet target after a burst, and asks nothing more of Cloud 66 for it', async () => {
    const bursty = ok(ratesOf([...Array<number>(39).fill(5), 100, ...Array<number>(20).fill(5)]));
    const world = sleepyWorld({ depths: { bursty: ok(depthOf(1, 1)) }, rates: { bursty } });
    await reconcile([target('bursty', 9)], world.ports, openSignals());
    expect(world.ports.memory.attention('bursty')).toMatchObject({ awake: false, afterBurst: expect.any(String) });
    const before = world.calls.length;
    const watching = watch([target('bursty', 9)], 15, Date.now(), world.ports, openSignals());
    await vi.advanceTimersByTimeAsync(60_000);
    await watching;
    await reconcile([target('bursty', 9)], world.ports, openSignals());
    const made = world.calls.slice(before);
    expect(made.filter((call) => call === 'depths 1')).toHaveLength(4);
    // An awake target's workers would have been counted again by this tick.
    expect(made.filter((call) => !/^(depths|rates)/.test(call))).toEqual([]);
  });

  it('counts the workers of each stack as often with watched ones among them as without', async () => {
    const targets = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ ...target(id, 9), stackUid: `stack-${id}` }));
    const bursty = [...Array<number>(39).fill(5), 100, ...Array<number>(20).fill(5)];
    const minutesOf = async (ids: readonly string[]) => {
      vi.setSystemTime(NOW);
      const world = sleepyWorld({});
      for (let minute = 0; minute < 12; minute += 1) {
        world.answers.nowMs = Date.now();
        const depth = ok(depthOf(1, 0), Date.now());
        world.answers.depths = Object.fromEntries(targets.map(({ id }) => [id, depth]));
        const rates = ok(ratesOf(bursty, 6, Date.now()), Date.now());
        world.answers.rates = Object.fromEntries(ids.map((id) => [id, rates]));
        await reconcile(targets, world.ports, openSignals());
        const watching = watch(targets, 15, Date.now(), world.ports, openSignals());
        await vi.advanceTimersByTimeAsync(60_000);
        await watching;
      }
      return world.calls;
    };
    const counted = (calls: readonly string[]) => calls.filter((call) => call.startsWith('placements')).toSorted();
    const [calm, watched] = [await minutesOf([]), await minutesOf(['b', 'd'])];
    expect(watched.filter((call) => call === 'depths 2')).toHaveLength(36);
    expect(counted(watched)).toEqual(counted(calm));
  });

  it.each([
    { awake: true, why: 'made by a test' },
    { awake: false, afterBurst: 'made by a test' },
  ] as const)('leaves it to the tick while the calls to Cloud 66 run short: %j', async (attentive) => {
    const world = sleepyWorld({ depths: { busy: ok(depthOf(500, 1)) }, isStrained: true });
    world.ports.memory.keepAttention('busy', attentive);
    await watch([target('busy')], 15, Date.now(), world.ports, openSignals());
    expect(world.calls).toEqual([]);
  });

  it('stops as soon as the target has calmed down', async () => {
    const world = sleepyWorld({ depths: { busy: ok(depthOf(0)) } });
    world.ports.memory.keepAttention('busy', { awake: true, why: 'made by a test' });
    const watching = watch([target('busy')], 15, Date.now(), world.ports, openSignals());
    await vi.advanceTimersByTimeAsync(60_000);
    await watching;
    expect(world.calls.filter((call) => call === 'depths 1')).toHaveLength(1);
  });

  it('keeps the failure of one look although the next one went well', async () => {
    const world = sleepyWorld({ depths: { busy: unknown('failed') } });
    world.ports.memory.keepAttention('busy', { awake: true, why: 'made by a test' });
    const watching = watch([target('busy')], 15, Date.now(), world.ports, openSignals());
    await vi.advanceTimersByTimeAsync(15_000);
    world.answers.depths = { busy: ok(depthOf(0)) };
    await vi.advanceTimersByTimeAsync(45_000);
    expect((await watching).get('busy')?.kind).toBe('failed');
  });

  it('ends when the time of the invocation is up', async () => {
    const world = sleepyWorld({ depths: { busy: ok(depthOf(500, 1)) } });
    world.ports.memory.keepAttention('busy', { awake: true, why: 'made by a test' });
    const stop = new AbortController();
    const watching = watch([target('busy')], 15, Date.now(), world.ports, { ...openSignals(), work: stop.signal });
    await vi.advanceTimersByTimeAsync(20_000);
    stop.abort();
    await watching;
    expect(world.calls.filter((call) => call === 'depths 1')).toHaveLength(1);
  });
});
