import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watch } from '../../lib/lambda/watch.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { depthOf, LATENCY, NOW, ok, policyOf, ratesOf, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

const target = (id: string) => targetOf(id, { policy: policyOf({ strategy: LATENCY, maxWorkers: 1 }) });

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
    await reconcile([target('bursty')], world.ports, openSignals());
    expect(world.ports.memory.attention('bursty')).toMatchObject({ awake: false, watchedFor: expect.any(String) });
    const before = world.calls.length;
    const watching = watch([target('bursty')], 15, Date.now(), world.ports, openSignals());
    await vi.advanceTimersByTimeAsync(60_000);
    await watching;
    await reconcile([target('bursty')], world.ports, openSignals());
    const made = world.calls.slice(before);
    expect(made.filter((call) => call === 'depths 1')).toHaveLength(4);
    // An awake target's workers would have been counted again by this tick.
    expect(made.filter((call) => !/^(depths|rates)/.test(call))).toEqual([]);
  });

  it('leaves it to the tick while the calls to Cloud 66 run short', async () => {
    const world = sleepyWorld({ depths: { busy: ok(depthOf(500, 1)) }, isStrained: true });
    world.ports.memory.keepAttention('busy', { awake: true, why: 'made by a test' });
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
