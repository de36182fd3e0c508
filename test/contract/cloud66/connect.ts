/**
 * The other side of the contract, and the real client of it. The suites of this folder say what the program relies on of
 * Cloud 66, once for each form of reply. Here the simulated account answers; whatever replaces it must pass them too.
 */
import { afterEach } from 'vitest';
import { type Cloud66Client, createCloud66Client } from '../../../lib/cloud66/client.ts';
import { createProcessHost, createScaler } from '../../../lib/cloud66/process-host.ts';
import { fixedToken } from '../../../lib/cloud66/token.ts';
import type { Placement, Reading } from '../../../lib/domain.ts';
import type { ProcessHost, Scaler } from '../../../lib/reconcile/ports.ts';
import { createVirtualClock, type VirtualClock } from '../../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../../lib/simulation/cloud66/account.ts';
import type { AccountSettings, StackSeed } from '../../../lib/simulation/cloud66/model.ts';
import { type Cloud66Server, type ServerOptions, startCloud66Server } from '../../../lib/simulation/cloud66/server.ts';
import type { Cloud66Stack } from '../../../lib/simulation/cloud66/stack.ts';
import { createRandom } from '../../../lib/simulation/random.ts';

export const NOW_MS = Date.UTC(2026, 4, 1, 12, 30, 0);
export const STACK_UID = '5999b763474b0eafa5fafb64bff0ba80';
export const LION = 'e63e859d5ab72b0bcf14321f0ffb013d';
export const TIGER = 'f2e36cbd7d4cd5c5e0f3bb6ba3e4b5b4';
export const PUMA = '0a4d55a8d778e5022fab701977c5d840';

const STACK: StackSeed = {
  uid: STACK_UID,
  servers: [
    { uid: LION, name: 'lion' },
    { uid: TIGER, name: 'tiger' },
    { uid: PUMA, name: 'puma', health: 'failed' },
  ],
  processes: [
    { name: 'worker', counts: { [LION]: 2, [TIGER]: 1 } },
    { name: 'scheduler', counts: { [LION]: 1 } },
    { name: 'mailer: low/prio', counts: { [TIGER]: 4 } },
  ],
};

const TOKENS = [
  { value: 'token-all', user: 'robot@example.com', scopes: ['public', 'admin'] },
  { value: 'token-read', user: 'robot@example.com', scopes: ['public'] },
  { value: 'token-scale', user: 'robot@example.com', scopes: ['admin'] },
] as const;

export interface Contract {
  readonly client: Cloud66Client;
  readonly host: ProcessHost;
  readonly scaler: Scaler;
  readonly stack: Cloud66Stack;
  readonly account: Cloud66Account;
  readonly server: Cloud66Server;
  readonly clock: VirtualClock;
}

export interface Wishes {
  readonly settings?: Partial<AccountSettings>;
  readonly serving?: Partial<ServerOptions>;
  readonly token?: string;
}

const open: Cloud66Server[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

export const never = (): AbortSignal => new AbortController().signal;

/** The reply form of a case; `mixed` comes with several seeds, because each seed mixes otherwise. */
export const FORMS = [
  { replyForm: 'documented', seed: 1 },
  { replyForm: 'go', seed: 1 },
  { replyForm: 'mixed', seed: 1 },
  { replyForm: 'mixed', seed: 2 },
  { replyForm: 'mixed', seed: 3 },
] as const;

export async function connect(form: (typeof FORMS)[number], wishes: Wishes = {}): Promise<Contract> {
  const clock = createVirtualClock(NOW_MS);
  const random = createRandom(form.seed);
  const account = new Cloud66Account({
    clock,
    random,
    stacks: [STACK],
    tokens: TOKENS,
    settings: { scaleLatencySeconds: () => 60, startUpSeconds: () => 0, ...wishes.settings },
  });
  const server = await startCloud66Server({ account, random, replyForm: form.replyForm, ...wishes.serving });
  open.push(server);
  const client = createCloud66Client({
    apiUrl: server.url,
    token: fixedToken(wishes.token ?? 'token-all'),
    clock,
    limits: { retryDelayMs: 1, tryTimeoutMs: 300, scaleTimeoutMs: 300 },
  });
  const host = createProcessHost({ client, clock });
  const scaler = createScaler({ client });
  return { client, host, scaler, stack: account.stack(STACK_UID), account, server, clock };
}

export async function workersOf(host: ProcessHost): Promise<Placement> {
  const reading: Reading<Placement> | undefined = (await host.placements(STACK_UID, ['worker'], never())).get('worker');
  if (reading?.kind !== 'ok') throw new Error(`no placement: ${JSON.stringify(reading)}`);
  return reading.value;
}

export function countsOf(placement: Placement): Record<string, number> {
  return Object.fromEntries(placement.servers.map((server) => [server.name, server.count]));
}

export function wish(counts: Readonly<Record<string, number>>, processName = 'worker') {
  return { stackUid: STACK_UID, processName, counts, userReference: 'decision-7' };
}
