import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../../lib/simulation/clock.ts';
import { Cloud66Account, DEFAULT_SETTINGS } from '../../../lib/simulation/cloud66/account.ts';
import type { ActionFault } from '../../../lib/simulation/cloud66/model.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { createExample, NOW_MS, SHOP, scaleCall, TOKENS } from './example.ts';

function countsOf(account: Cloud66Account, processName = 'worker') {
  return account
    .stack('shop')
    .processes()
    .find((process) => process.name === processName)?.counts;
}

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

describe('what people do', () => {
  it('deploys: deploying, busy, then new workers everywhere', () => {
    const { account, clock, events } = createExample();
    const stack = account.stack('shop');
    const { id } = stack.deploy(300);
    expect(stack.view()).toMatchObject({ status: 'deploying', health: 'building' });
    expect(() => stack.scale(scaleCall({ 'uid-a': 3 }))).toThrow('409 conflict');
    clock.advanceBySeconds(300);
    expect(stack.view()).toMatchObject({ status: 'deployed', health: 'impaired' });
    expect(stack.action(id)).toMatchObject({ kind: 'stack_redeploy', success: true, processName: null });
    expect(stack.workers('worker')).toBe(0);
    clock.advanceBySeconds(10);
    expect(stack.workers('worker')).toBe(3);
    expect(events.filter((event) => event.processName === 'scheduler').map((event) => event.running)).toEqual([0, 1]);
  });

  it('deploys without touching the workers, when set to', () => {
    const { account, clock, events } = createExample({ restartsWorkersOnDeploy: false });
    account.stack('shop').deploy(30);
    clock.advanceBySeconds(60);
    expect(events).toEqual([]);
  });

  it('deploys after the running action, and reports a failed deployment', () => {
    const { account, clock } = createExample({
      actionFault: ({ kind }) => (kind === 'stack_redeploy' ? { kind: 'fails', message: 'build failed' } : null),
    });
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 3 }));
    stack.deploy(30);
    expect(stack.view().status).toBe('queued_for_deploying');
    clock.advanceBySeconds(60);
    expect(stack.view().status).toBe('deploying');
    clock.advanceBySeconds(30);
    expect(stack.view().status).toBe('failed');
  });

  it('changes counts by hand even while an action runs, which then has the last word', () => {
    const { account, clock } = createExample();
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 3 }));
    const byHand = stack.changeByHand('worker', { 'uid-a': 9 });
    expect(byHand).toMatchObject({ user: 'person@example.com', startedVia: 'web', success: true });
    expect(countsOf(account)).toEqual({ 'uid-a': 9, 'uid-b': 1 });
    clock.advanceBySeconds(60);
    expect(countsOf(account)).toEqual({ 'uid-a': 3, 'uid-b': 1 });
    expect(stack.actions().map((action) => action.id)).toEqual([1002, 1001]);
  });

  it('pauses and unpauses a process', () => {
    const { account, clock } = createExample();
    const stack = account.stack('shop');
    stack.pause('worker');
    expect(stack.processes()[0]).toMatchObject({
      counts: { 'uid-a': 0, 'uid-b': 0 },
      pauses: { 'uid-a': 2, 'uid-b': 1 },
    });
    expect(stack.workers('worker')).toBe(0);
    stack.unpause('worker');
    clock.advanceBySeconds(10);
    expect(stack.processes()[0]).toMatchObject({ counts: { 'uid-a': 2, 'uid-b': 1 }, pauses: {} });
    expect(stack.workers('worker')).toBe(3);
  });

  it('ends a pause where the process is scaled', () => {
    const { account } = createExample({ scaleLatencySeconds: () => 0 });
    const stack = account.stack('shop');
    stack.pause('worker');
    stack.scale(scaleCall({ 'uid-a': 1 }));
    expect(stack.processes()[0]).toMatchObject({ counts: { 'uid-a': 1, 'uid-b': 0 }, pauses: { 'uid-b': 1 } });
  });

  it('sets status and maintenance mode', () => {
    const { account } = createExample();
    const stack = account.stack('shop');
    stack.setMaintenanceMode(true);
    stack.setStatus('analysing');
    expect(stack.view()).toMatchObject({ status: 'analysing', maintenanceMode: true, name: 'shop', resourceId: 283 });
  });

  it('removes a server with its workers, also while a scale call for it is under way', () => {
    const { account, clock, events } = createExample();
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 1, 'uid-b': 5 }));
    stack.removeServer('uid-b');
    expect(events.map((event) => event.running)).toEqual([2]);
    clock.advanceBySeconds(120);
    expect(countsOf(account)).toEqual({ 'uid-a': 1 });
    expect(stack.servers().map((server) => server.uid)).toEqual(['uid-a', 'uid-c']);
  });

  it('adds and renames servers', () => {
    const { account, clock } = createExample();
    const stack = account.stack('shop');
    stack.addServer({ uid: 'uid-d', name: 'lynx' });
    stack.renameServer('uid-a', 'old lion');
    stack.scale(scaleCall({ 'uid-a': 2, 'uid-b': 1, 'uid-d': 2 }));
    clock.advanceBySeconds(70);
    expect(stack.workers('worker')).toBe(5);
    expect(stack.servers().map((server) => server.name)).toEqual(['old lion', 'tiger', 'puma', 'lynx']);
    expect(() => stack.addServer({ uid: 'uid-a', name: 'x' })).toThrow('server uid-a exists already');
    expect(() => stack.renameServer('uid-a', 'lynx')).toThrow('a server is named lynx already');
    expect(() => stack.removeServer('uid-x')).toThrow('404 not_found: no server uid-x');
  });

  it('runs nothing on a failed server until it recovers, and keeps its counts', () => {
    const { account, clock, events } = createExample();
    const stack = account.stack('shop');
    stack.setServerHealth('uid-a', 'failed');
    expect(stack.workers('worker')).toBe(1);
    expect(countsOf(account)).toEqual({ 'uid-a': 2, 'uid-b': 1 });
    stack.setServerHealth('uid-a', 'healthy');
    clock.advanceBySeconds(10);
    expect(events.filter((event) => event.processName === 'worker').map((event) => event.running)).toEqual([1, 2, 3]);
  });

  it('lists what one server runs', () => {
    const { account } = createExample();
    const stack = account.stack('shop');
    expect(stack.processes('uid-b').map((process) => [process.name, process.counts])).toEqual([
      ['worker', { 'uid-b': 1 }],
    ]);
    expect(stack.processes('uid-c')).toEqual([]);
    expect(() => stack.processes('lion')).toThrow('404 not_found: no server lion');
  });
});

describe('the account', () => {
  it('knows its tokens and repeats none of them', () => {
    const { account } = createExample();
    expect(account.authenticate('bearer all').user).toBe('robot@example.com');
    for (const sent of [undefined, '', 'all', 'Bearer', 'Bearer wrong-secret', 'Basic all']) {
      expect(() => account.authenticate(sent)).toThrow(/^401 unauthenticated: the access token is missing/);
    }
    expect(() => account.checkScope(account.authenticate('Bearer read'), 'admin')).toThrow(
      '403 forbidden: this call needs the scope admin',
    );
  });

  it('gives each user the same number of calls per clock hour', () => {
    const { account, clock } = createExample({ callsPerHour: 3 });
    clock.advanceBySeconds(1800);
    expect(account.spend('robot')).toEqual({ allowed: true, limit: 3, remaining: 2, secondsUntilReset: 1800 });
    expect(account.spend('robot', 2).remaining).toBe(0);
    expect(account.spend('robot')).toMatchObject({ allowed: false, remaining: 0 });
    expect(account.spend('ci')).toMatchObject({ allowed: true, remaining: 2 });
    clock.advanceBySeconds(1799);
    expect(account.spend('robot').allowed).toBe(false);
    clock.advanceBySeconds(1);
    expect(account.spend('robot').remaining).toBe(2);
  });

  it('does the same things at the same times for the same seed', () => {
    const history = (seed: number) => {
      const { account, clock, events } = createExample(
        {
          scaleLatencySeconds: DEFAULT_SETTINGS.scaleLatencySeconds,
          startUpSeconds: DEFAULT_SETTINGS.startUpSeconds,
        },
        seed,
      );
      for (const wanted of [5, 1, 4]) {
        account.stack('shop').scale(scaleCall({ 'uid-a': wanted }));
        clock.advanceBySeconds(200);
      }
      return [account.stack('shop').actions(), events];
    };
    expect(history(1)).toEqual(history(1));
    expect(history(1)).not.toEqual(history(2));
  });

  it('stops everything that is under way when it is closed', () => {
    const { account, clock, events } = createExample({ whenBusy: 'queue' });
    const stack = account.stack('shop');
    stack.scale(scaleCall({ 'uid-a': 4 }));
    clock.advanceBySeconds(60);
    stack.scale(scaleCall({ 'uid-a': 5 }));
    stack.scale(scaleCall({ 'uid-a': 6 }));
    account.close();
    clock.advanceBySeconds(600);
    expect(events).toEqual([]);
    expect(countsOf(account)).toMatchObject({ 'uid-a': 4 });
  });

  it('does not know other stacks', () => {
    expect(() => createExample().account.stack('blog')).toThrow('404 not_found: no stack blog');
  });

  it.each([
    ['two stacks of one uid', [SHOP, SHOP], 'stack shop exists already'],
    [
      'two processes of one name',
      [{ ...SHOP, processes: [...SHOP.processes, ...SHOP.processes] }],
      'process worker exists already',
    ],
    [
      'workers on a server that does not exist',
      [{ ...SHOP, processes: [{ name: 'w', counts: { x: 1 } }] }],
      'no server x',
    ],
  ])('does not start with %s', (_name, stacks, message) => {
    const make = () =>
      new Cloud66Account({ clock: createVirtualClock(0), random: createRandom(1), stacks, tokens: TOKENS });
    expect(make).toThrow(message);
  });
});
