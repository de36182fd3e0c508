import { describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../lib/simulation/cloud66/account.ts';
import type { ActionFault } from '../../../lib/simulation/cloud66/model.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { countsOf, createExample, NOW_MS, scaleCall } from './example.ts';

describe('scaling', () => {
  it('changes the books when the action ends, and the workers when they have started up', () => {
    const { account, clock, events } = createExample();
    const stack = account.stack('shop');
    const action = stack.scale(scaleCall({ 'uid-a': 4, 'uid-b': 0 }));
    expect(action).toMatchObject({ kind: 'process_scale', startedAtMs: NOW_MS, finishedAtMs: null, success: null });

    clock.advanceBySeconds(59);
    expect(countsOf(account)).toEqual({ 'uid-a': 2, 'uid-b': 1 });
    expect(events).toEqual([]);

    clock.advanceBySeconds(1);
    expect(countsOf(account)).toEqual({ 'uid-a': 4, 'uid-b': 0 });
    expect(stack.action(action.id)).toMatchObject({ finishedAtMs: NOW_MS + 60_000, success: true, message: null });
    expect(events.map((event) => event.running)).toEqual([2]);

    clock.advanceBySeconds(10);
    expect(events.map((event) => event.running)).toEqual([2, 3, 4]);
    expect(events[0]).toEqual({ stackUid: 'shop', processName: 'worker', running: 2, stopSeconds: 90 });
    expect(stack.workers('worker')).toBe(4);
    expect(stack.workers('scheduler')).toBe(1);
  });

  it('stops workers that still start up before those that work', () => {
    const { account, clock, events } = createExample();
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 5, 'uid-b': 1 }));
    clock.advanceBySeconds(61);
    stack.changeByHand('worker', { 'uid-a': 3 });
    clock.advanceBySeconds(60);
    expect(events.map((event) => event.running)).toEqual([4]);
  });

  it('draws latencies between 20 s and 2 min and start-ups up to 15 s by default', () => {
    const random = createRandom(9);
    for (let draw = 0; draw < 500; draw += 1) {
      const latencySeconds = DEFAULT_SETTINGS.scaleLatencySeconds(random);
      expect(latencySeconds).toBeGreaterThan(20);
      expect(latencySeconds).toBeLessThan(120);
      expect(DEFAULT_SETTINGS.startUpSeconds(random)).toBeLessThan(15);
    }
  });

  it('keeps the workers of servers that the call does not name', () => {
    const { account, clock } = createExample();
    account.stack('shop').scale(scaleCall({ 'uid-a': 3 }));
    clock.advanceBySeconds(60);
    expect(countsOf(account)).toEqual({ 'uid-a': 3, 'uid-b': 1 });
  });

  it('takes the workers of servers that the call does not name, when set to', () => {
    const { account, clock } = createExample({ omittedServers: 'zero' });
    account.stack('shop').scale(scaleCall({ 'uid-a': 3 }));
    clock.advanceBySeconds(60);
    expect(countsOf(account)).toEqual({ 'uid-a': 3, 'uid-b': 0 });
  });

  it('hides servers scaled to zero, when set to', () => {
    const { account, clock } = createExample({ listsZeroCounts: false });
    account.stack('shop').scale(scaleCall({ 'uid-b': 0 }));
    clock.advanceBySeconds(60);
    expect(countsOf(account)).toEqual({ 'uid-a': 2 });
  });

  it('refuses a second call while the stack is busy', () => {
    const { account, clock } = createExample();
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 3 }));
    expect(() => stack.scale(scaleCall({ 'uid-a': 4 }))).toThrow('409 conflict');
    clock.advanceBySeconds(60);
    expect(stack.scale(scaleCall({ 'uid-a': 4 })).finishedAtMs).toBeNull();
  });

  it('does a second call after the first one, when set to', () => {
    const { account, clock } = createExample({ whenBusy: 'queue' });
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 3 }));
    stack.scale(scaleCall({ 'uid-a': 5 }));
    clock.advanceBySeconds(119);
    expect(countsOf(account)).toMatchObject({ 'uid-a': 3 });
    clock.advanceBySeconds(1);
    expect(countsOf(account)).toMatchObject({ 'uid-a': 5 });
  });

  it.each([
    ['an unknown process', scaleCall({ 'uid-a': 1 }, 'mailer'), '404 not_found: no process mailer'],
    ['an unknown server', scaleCall({ 'uid-a': 1, lion: 1 }), '400 bad_request: server_count: no server lion'],
    ['a negative count', scaleCall({ 'uid-a': -1 }), '400 bad_request: server_count: -1 for server uid-a'],
    ['a broken count', scaleCall({ 'uid-a': 1.5 }), '400 bad_request: server_count: 1.5 for server uid-a'],
    ['no server', scaleCall({}), '400 bad_request: server_count: names no server'],
  ])('refuses %s and starts nothing', (_name, call, message) => {
    const { account } = createExample();
    expect(() => account.stack('shop').scale(call)).toThrow(message);
    expect(account.stack('shop').actions()).toEqual([]);
  });

  it('shows the user reference only when it is echoed', () => {
    expect(
      createExample()
        .account.stack('shop')
        .scale(scaleCall({ 'uid-a': 1 })).userReference,
    ).toBe('note');
    const silent = createExample({ echoesUserReference: false });
    expect(silent.account.stack('shop').scale(scaleCall({ 'uid-a': 1 })).userReference).toBeNull();
  });

  it('forgets the oldest finished actions, never the running ones', () => {
    const { account } = createExample({ actionFault: () => ({ kind: 'never_finishes' }) });
    const stack = account.stack('shop');
    const running = stack.scale(scaleCall({ 'uid-a': 3 }));
    for (let change = 0; change < 1200; change += 1) stack.changeByHand('worker', { 'uid-a': change });
    expect(stack.actions()).toHaveLength(1000);
    expect(stack.action(running.id).finishedAtMs).toBeNull();
  });
});

describe('actions that go wrong', () => {
  it.each<[string, ActionFault, object | null, object]>([
    [
      'fails with a message and changes nothing',
      { kind: 'fails', message: 'server lion is unreachable' },
      { success: false, message: 'server lion is unreachable', finishedAtMs: NOW_MS + 60_000 },
      { 'uid-a': 2, 'uid-b': 1 },
    ],
    ['never finishes', { kind: 'never_finishes' }, { success: null, finishedAtMs: null }, { 'uid-a': 2, 'uid-b': 1 }],
    [
      'vanishes without a change',
      { kind: 'vanishes', afterSeconds: 5, appliesChange: false },
      null,
      { 'uid-a': 2, 'uid-b': 1 },
    ],
    [
      'vanishes with the change made',
      { kind: 'vanishes', afterSeconds: 5, appliesChange: true },
      null,
      { 'uid-a': 7, 'uid-b': 1 },
    ],
    [
      'succeeds without changing the workers',
      { kind: 'changes_nothing' },
      { success: true, finishedAtMs: NOW_MS + 60_000 },
      { 'uid-a': 2, 'uid-b': 1 },
    ],
    [
      'is very slow',
      { kind: 'slow', latencySeconds: 3000 },
      { success: true, finishedAtMs: NOW_MS + 3_000_000 },
      { 'uid-a': 7, 'uid-b': 1 },
    ],
  ])('%s', (_name, fault, seen, counts) => {
    const { account, clock } = createExample({ actionFault: () => fault });
    const stack = account.stack('shop');
    const { id } = stack.scale(scaleCall({ 'uid-a': 7 }));
    clock.advanceBySeconds(3600);
    if (seen === null) expect(() => stack.action(id)).toThrow(`404 not_found: no action ${id}`);
    else expect(stack.action(id)).toMatchObject(seen);
    expect(countsOf(account)).toEqual(counts);
  });

  it('keeps the stack busy for as long as a hanging action holds it', () => {
    const { account, clock } = createExample({
      actionFault: ({ id }) => (id === 1001 ? { kind: 'never_finishes', holdsStackSeconds: 600 } : null),
    });
    const stack = account.stack('shop');
    const { id } = stack.scale(scaleCall({ 'uid-a': 3 }));
    clock.advanceBySeconds(599);
    expect(() => stack.scale(scaleCall({ 'uid-a': 3 }))).toThrow('409 conflict');
    clock.advanceBySeconds(1);
    stack.scale(scaleCall({ 'uid-a': 3 }));
    clock.advanceBySeconds(60);
    expect(countsOf(account)).toMatchObject({ 'uid-a': 3 });
    expect(stack.action(id).finishedAtMs).toBeNull();
  });
});
