import { describe, expect, it } from 'vitest';
import { createRealClock, createVirtualClock } from '../../../lib/simulation/clock.ts';
import { Cloud66Account, DEFAULT_SETTINGS } from '../../../lib/simulation/cloud66/account.ts';
import type { WorkersEvent } from '../../../lib/simulation/cloud66/model.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { countsOf, createExample, SHOP, scaleCall, TOKENS } from './example.ts';

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

  it('lives on the real clock as well', async () => {
    const started = new Promise<WorkersEvent>((resolve) => {
      const account = new Cloud66Account({
        clock: createRealClock(),
        random: createRandom(1),
        stacks: [SHOP],
        tokens: TOKENS,
        settings: { scaleLatencySeconds: () => 0.005, startUpSeconds: () => 0.005 },
        onWorkersChanged: resolve,
      });
      account.stack('shop').scale(scaleCall({ 'uid-b': 2 }));
    });
    expect(await started).toMatchObject({ processName: 'worker', running: 4 });
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
