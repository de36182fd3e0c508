import { describe, expect, it } from 'vitest';
import { countsOf, createExample, scaleCall } from './example.ts';

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
    expect(stack.processes()[0]?.counts).toEqual({ 'uid-a': 1, 'uid-b': 0 });
    expect(stack.processes()[0]?.pauses).toEqual({ 'uid-b': 1 });
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
