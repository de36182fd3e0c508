/** A small account on a virtual clock, for the tests of the simulator. */

import { createVirtualClock, type VirtualClock } from '../../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../../lib/simulation/cloud66/account.ts';
import type { AccountSettings, StackSeed, WorkersEvent } from '../../../lib/simulation/cloud66/model.ts';
import { createRandom } from '../../../lib/simulation/random.ts';

export const NOW_MS = Date.UTC(2026, 4, 1, 12, 0, 0);

export const SHOP: StackSeed = {
  uid: 'shop',
  servers: [
    { uid: 'uid-a', name: 'lion' },
    { uid: 'uid-b', name: 'tiger', roles: ['web', 'worker'], groupId: 2, hasAgent: false },
    { uid: 'uid-c', name: 'puma', health: 'failed' },
  ],
  processes: [
    { name: 'worker', command: 'bundle exec rake jobs:work', counts: { 'uid-a': 2, 'uid-b': 1 } },
    { name: 'scheduler', counts: { 'uid-a': 1 }, stopSequence: 'quit, 75, term, 15, kill' },
  ],
};

export const TOKENS = [
  { value: 'all', user: 'robot@example.com', scopes: ['public', 'redeploy', 'admin'] },
  { value: 'read', user: 'robot@example.com', scopes: ['public'] },
  { value: 'other', user: 'ci@example.com', scopes: ['admin'] },
] as const;

export interface Example {
  readonly account: Cloud66Account;
  readonly clock: VirtualClock;
  /** Every change of running workers, as `process=running`. */
  readonly events: WorkersEvent[];
}

/** Actions take 60 s and workers 10 s to start, unless the settings say otherwise. */
export function createExample(settings: Partial<AccountSettings> = {}, seed = 1): Example {
  const clock = createVirtualClock(NOW_MS);
  const events: WorkersEvent[] = [];
  const account = new Cloud66Account({
    clock,
    random: createRandom(seed),
    stacks: [SHOP],
    tokens: TOKENS,
    settings: { scaleLatencySeconds: () => 60, startUpSeconds: () => 10, ...settings },
    onWorkersChanged: (event) => events.push(event),
  });
  return { account, clock, events };
}

/** A scale call of the test's user. */
export function scaleCall(counts: Readonly<Record<string, number>>, processName = 'worker') {
  return { processName, counts, user: 'robot@example.com', userReference: 'note' };
}

/** The books of one process, by server uid. */
export function countsOf(account: Cloud66Account, processName = 'worker') {
  return account
    .stack('shop')
    .processes()
    .find((process) => process.name === processName)?.counts;
}
