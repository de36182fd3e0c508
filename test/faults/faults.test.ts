/** The deployed handlers through days of faults; the seeds are in seeds.txt. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summaryOf } from '../../lib/cli/faults.ts';
import { createVirtualClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { Observer } from '../../lib/simulation/faults/observer.ts';
import { createDice } from '../../lib/simulation/faults/plan.ts';
import { ActionsQueue } from '../../lib/simulation/faults/queues.ts';
import { alarmEvent, DAY, passMinute, runSeed } from '../../lib/simulation/faults/run.ts';
import { fleetOf, type SimulatedTarget, TOKEN } from '../../lib/simulation/faults/scenario.ts';
import { startVirtualWorld } from '../../lib/simulation/faults/virtual-world.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const SHORT = { faultyMinutes: 180, calmMinutes: 120 };
const seeds = readFileSync(join(import.meta.dirname, 'seeds.txt'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, seed, isDay] = /^(\d+)(d?) /.exec(line) ?? [];
    return seed === undefined ? [] : [{ seed: Number(seed), plan: isDay ? DAY : SHORT }];
  });

describe('the handlers under faults', () => {
  it.each(seeds)('keep every promise with seed $seed', { timeout: 60_000 }, async ({ seed, plan }) => {
    const result = await runSeed(seed, plan);
    expect(result.violations).toEqual([]);
    expect(result.faults.size).toBeGreaterThan(5);
    expect(result.scaleCalls).toBeGreaterThan(0);
    expect(summaryOf([result])).toMatch(/\n0 violations$/);
  });

  it('live the same day with the same seed, and another with another', { timeout: 60_000 }, async () => {
    const plan = { faultyMinutes: 30, calmMinutes: 60 };
    const [first, again, other] = [await runSeed(3, plan), await runSeed(3, plan), await runSeed(4, plan)];
    expect(again).toEqual(first);
    expect(other.digest).not.toBe(first.digest);
  });
});

describe('a day on which nothing goes wrong', () => {
  it('has no error, no warning and no violation, and every action is confirmed', { timeout: 60_000 }, async () => {
    const random = createRandom('fair');
    const dice = createDice(random);
    dice.calm();
    const world = startVirtualWorld({ scenario: fleetOf(['shop/worker', 'office/worker']), random, dice });
    const lines: string[] = [];
    const wrote = world.observer.wrote.bind(world.observer);
    world.observer.wrote = (asker, line) => {
      lines.push(line);
      wrote(asker, line);
    };
    try {
      for (let minute = 0; minute < 300; minute += 1) await passMinute(world);
      // An alarm leads to a look at its target and at no other.
      const alarm = world.functions.invoke('scale', alarmEvent('worker', world.services.clock.nowMs()));
      await world.pass(1);
      expect(await alarm).toMatchObject({ kind: 'returned', value: { worker: expect.any(String) as string } });
      expect(Object.keys(((await alarm) as { readonly value: object }).value)).toEqual(['worker']);
    } finally {
      world.close();
    }
    const troubles = lines.filter((line) => /"level":"(error|warn)"/.test(line));
    expect(troubles).toEqual([]);
    expect(world.observer.violations).toEqual([]);
    expect(world.observer.accepted).toBeGreaterThan(10);
    expect([...world.observer.outcomes.keys()]).toEqual(['confirmed']);
  });
});

describe('the checker', () => {
  it.each([
    ['holds an action without a record against who read the log and lived on', ['accepted_is_followed'], true],
    ['holds it against nobody where no reader lived on', [], false],
  ])('%s', (_, expected, livesOn) => {
    const scenario = fleetOf(['shop/worker']);
    const clock = createVirtualClock(5_400_000);
    const account = new Cloud66Account({ stacks: scenario.stacks, clock, random: createRandom(1), tokens: [] });
    const observer = new Observer(account, scenario);
    const worker = { processName: 'worker', counts: { 'uid-shop-a': 2 }, user: 'robot', userReference: null };
    const action = account.stack('shop').scale(worker);
    observer.accept(action.id, scenario.targets[0] as SimulatedTarget, 'd1');
    clock.advanceBySeconds(120);
    const logsRead = [{ stackUid: 'shop', atMs: clock.nowMs() }];
    const reader = { name: 'scale', scope: null, countsSeen: new Map(), depthsKnown: new Set<string>() };
    if (livesOn) observer.logsRead({ ...reader, owed: new Set(), told: null, logsRead });
    observer.settle(new ActionsQueue(clock));
    expect(observer.violations.map(({ invariant }) => invariant)).toEqual(expected);
  });

  it('can fail: each broken promise is named', () => {
    const scenario = fleetOf(['shop/worker'], {
      maxWorkersPerServer: 3,
      floors: [{ fromMs: 0, untilMs: 86_400_000, minWorkers: 3 }],
    });
    const clock = createVirtualClock(5_400_000);
    const account = new Cloud66Account({ stacks: scenario.stacks, clock, random: createRandom(1), tokens: [] });
    const [stack, target] = [account.stack('shop'), scenario.targets[0] as SimulatedTarget];
    stack.changeByHand('worker', { 'uid-shop-a': 3 });
    const observer = new Observer(account, scenario);
    const post = (count: number, process_name = 'worker') =>
      JSON.stringify({ process_name, server_count: { 'uid-shop-a': count }, user_reference: 'ours:d1:1-2:worker' });
    const asker = (told: { readonly remaining: number; readonly isThrottled: boolean }) => ({
      name: 'scale',
      scope: null,
      countsSeen: new Map(),
      depthsKnown: new Set<string>(),
      owed: new Set<number>(),
      logsRead: [],
      told: { ...told, limit: 3600, atMs: clock.nowMs() - 60_000 },
    });
    const queue = new ActionsQueue(clock);
    observer.asks(asker({ remaining: 400, isThrottled: false }), 'GET');
    observer.asks(asker({ remaining: 0, isThrottled: true }), 'GET');
    observer.posted(undefined, 'shop', post(9), 409, {});
    observer.posted(undefined, 'shop', post(9, 'mailer'), 409, {});
    observer.posted(undefined, 'shop', post(2), 200, {});
    observer.wrote(undefined, JSON.stringify({ message: TOKEN }));
    const record = { actionId: 5, desiredCount: 2, targetId: target.id, stackUid: 'shop' };
    observer.wrote(
      undefined,
      JSON.stringify({ event: 'outcome', record, outcome: { kind: 'confirmed', observedCount: 1 } }),
    );
    const failed = { event: 'outcome', record, outcome: { kind: 'failed', observedCount: null } };
    observer.wrote(undefined, JSON.stringify(failed));
    observer.silent('x');
    const scale = { processName: 'worker', counts: { 'uid-shop-a': 2 }, user: 'robot', userReference: null };
    stack.scale(scale);
    clock.advanceBySeconds(60);
    stack.changeByHand('worker', { 'uid-shop-a': 2 });
    clock.advanceBySeconds(60);
    const reader = asker({ remaining: 3000, isThrottled: false });
    observer.logsRead({ ...reader, logsRead: [{ stackUid: 'shop', atMs: clock.nowMs() }] });
    const held = { event: 'decision', targetId: target.id, decision: { reason: 'no_capacity' } };
    observer.wrote(undefined, JSON.stringify(held));
    clock.advanceBySeconds(2401);
    observer.wrote(undefined, JSON.stringify(held));
    queue.add(JSON.stringify({ actionId: 7 }), 'seven');
    queue.recorded.add(8);
    queue.recordedTwice.add(7);
    observer.finish(queue);
    expect(new Set(observer.violations.map(({ invariant }) => invariant))).toEqual(
      new Set([
        'within_limits',
        'within_server_limits',
        'schedule_is_kept',
        'only_its_targets',
        'reserve_is_kept',
        'throttling_is_obeyed',
        'one_call_per_pass',
        'no_scale_in_on_unknown',
        'token_in_no_output',
        'confirmed_means_seen',
        'failures_are_seen',
        'no_record_lost',
        'records_are_true',
        'accepted_is_followed',
        'recorded_once',
        'every_action_ends',
        'one_outcome',
        'holds_end',
        'converges',
      ]),
    );
  });
});
