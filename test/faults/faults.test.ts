/** The deployed handlers through days of faults; the seeds are in seeds.txt. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summaryOf } from '../../lib/cli/faults.ts';
import { createVirtualClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { Observer } from '../../lib/simulation/faults/observer.ts';
import { ActionsQueue } from '../../lib/simulation/faults/queues.ts';
import { DAY, runSeed } from '../../lib/simulation/faults/run.ts';
import { TOKEN } from '../../lib/simulation/faults/services.ts';
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

describe('the checker', () => {
  it('can fail: each broken promise is named', () => {
    const account = new Cloud66Account({
      clock: createVirtualClock(0),
      random: createRandom(1),
      stacks: [
        {
          uid: 'shop',
          servers: [{ uid: 'uid-a', name: 'a' }],
          processes: [{ name: 'worker', counts: { 'uid-a': 3 } }],
        },
      ],
      tokens: [],
    });
    const observer = new Observer(account, { minWorkers: 1, maxWorkers: 8 });
    const post = (count: number) =>
      JSON.stringify({ server_count: { 'uid-a': count }, user_reference: 'ours:d1:1-2:worker' });
    const queue = new ActionsQueue(account.clock as ReturnType<typeof createVirtualClock>);
    observer.posted(undefined, post(9), 409, {});
    observer.posted(undefined, post(2), 200, {});
    observer.wrote(undefined, JSON.stringify({ message: TOKEN }));
    const record = { actionId: 5, desiredCount: 2 };
    observer.wrote(
      undefined,
      JSON.stringify({ event: 'outcome', record, outcome: { kind: 'confirmed', observedCount: 1 } }),
    );
    const failed = { event: 'outcome', record, outcome: { kind: 'failed', observedCount: null } };
    observer.wrote(undefined, JSON.stringify(failed));
    observer.silent('x');
    account.stack('shop').changeByHand('worker', { 'uid-a': 2 });
    observer.posted(undefined, post(4), 200, {});
    queue.add(JSON.stringify({ actionId: 7 }), 'seven');
    queue.recorded.add(8);
    queue.recordedTwice.add(7);
    observer.finish(queue);
    expect(new Set(observer.violations.map(({ invariant }) => invariant))).toEqual(
      new Set([
        'within_limits',
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
        'converges',
      ]),
    );
  });
});
