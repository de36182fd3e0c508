/** Whatever is done to an account, in whatever order: its books, actions and budgets stay sane. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionFault } from '../../../lib/simulation/cloud66/model.ts';
import { Refusal } from '../../../lib/simulation/cloud66/refusal.ts';
import { createReplyForms } from '../../../lib/simulation/cloud66/reply-forms.ts';
import { answer } from '../../../lib/simulation/cloud66/routes.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { createExample, type Example, scaleCall } from './example.ts';

const uid = fc.constantFrom('uid-a', 'uid-b', 'uid-c', 'uid-d');
const processName = fc.constantFrom('worker', 'scheduler', 'nobody');
const counts = fc.dictionary(uid, fc.integer({ min: -1, max: 6 }), { maxKeys: 4 });
const seconds = fc.integer({ min: 0, max: 300 });

type Operation = (example: Example) => unknown;

const operation: fc.Arbitrary<Operation> = fc.oneof(
  seconds.map(
    (by): Operation =>
      ({ clock }) =>
        clock.advanceBySeconds(by),
  ),
  fc.tuple(counts, processName).map(
    ([wanted, name]): Operation =>
      ({ account }) =>
        account.stack('shop').scale(scaleCall(wanted, name)),
  ),
  fc.tuple(counts, processName).map(
    ([wanted, name]): Operation =>
      ({ account }) =>
        account.stack('shop').changeByHand(name, wanted),
  ),
  processName.map(
    (name): Operation =>
      ({ account }) =>
        account.stack('shop').pause(name),
  ),
  processName.map(
    (name): Operation =>
      ({ account }) =>
        account.stack('shop').unpause(name),
  ),
  seconds.map(
    (by): Operation =>
      ({ account }) =>
        account.stack('shop').deploy(by),
  ),
  uid.map(
    (server): Operation =>
      ({ account }) =>
        account.stack('shop').removeServer(server),
  ),
  uid.map(
    (server): Operation =>
      ({ account }) =>
        account.stack('shop').setServerHealth(server, 'failed'),
  ),
  uid.map(
    (server): Operation =>
      ({ account }) =>
        account.stack('shop').setServerHealth(server, 'healthy'),
  ),
  fc.integer({ min: 1, max: 20 }).map(
    (calls): Operation =>
      ({ account }) =>
        account.spend('robot@example.com', calls),
  ),
);

const fault: fc.Arbitrary<ActionFault | null> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  fc.constant({ kind: 'fails', message: 'no' } as const),
  fc.constant({ kind: 'never_finishes', holdsStackSeconds: 100 } as const),
  fc.constant({ kind: 'vanishes', afterSeconds: 30, appliesChange: true } as const),
  fc.constant({ kind: 'changes_nothing' } as const),
  seconds.map((latencySeconds) => ({ kind: 'slow', latencySeconds }) as const),
);

/** Cloud 66 may refuse anything; it must not break on anything. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

function checkBooks({ account }: Example): void {
  const stack = account.stack('shop');
  const alive = new Set(stack.servers().map((server) => server.uid));
  for (const process of stack.processes()) {
    const booked = Object.entries(process.counts);
    expect(booked.every(([server, count]) => count >= 0 && alive.has(server))).toBe(true);
    expect(Object.values(process.pauses).every((count) => count > 0)).toBe(true);
    const running = stack.workers(process.name);
    expect(running).toBeGreaterThanOrEqual(0);
    expect(running).toBeLessThanOrEqual(booked.reduce((total, [, count]) => total + count, 0));
  }
}

function checkActions({ account, clock }: Example): void {
  const actions = account.stack('shop').actions();
  for (const action of actions) {
    expect(action.finishedAtMs === null).toBe(action.success === null);
    if (action.success !== false) expect(action.message).toBeNull();
    expect(action.finishedAtMs ?? clock.nowMs()).toBeGreaterThanOrEqual(action.startedAtMs);
  }
  expect(actions.map((action) => action.id)).toEqual(actions.map((action) => action.id).sort((a, b) => b - a));
}

function checkBudget({ account }: Example): void {
  const budget = account.spend('robot@example.com', 0);
  expect(budget.remaining).toBeGreaterThanOrEqual(0);
  expect(budget.remaining).toBeLessThanOrEqual(budget.limit);
}

describe('an account, whatever is done to it', () => {
  it('keeps counts, results and budgets sane, and ends every action as its fault says', () => {
    const scenario = fc.record({
      operations: fc.array(operation, { maxLength: 25 }),
      faults: fc.array(fault, { minLength: 1, maxLength: 6 }),
      whenBusy: fc.constantFrom('conflict' as const, 'queue' as const),
      omittedServers: fc.constantFrom('keep' as const, 'zero' as const),
    });
    fc.assert(
      fc.property(scenario, ({ operations, faults, whenBusy, omittedServers }) => {
        const faultOf = (id: number): ActionFault | null => faults[id % faults.length] ?? null;
        const example = createExample({
          whenBusy,
          omittedServers,
          callsPerHour: 50,
          actionFault: ({ id }) => faultOf(id),
        });
        for (const run of operations) {
          attempt(() => run(example));
          checkBooks(example);
          checkActions(example);
          checkBudget(example);
        }
        example.clock.advanceBySeconds(25 * 310); // longer than all of them one after the other
        checkBooks(example);
        const unfinished = example.account
          .stack('shop')
          .actions()
          .filter((action) => action.finishedAtMs === null);
        expect(unfinished.every((action) => faultOf(action.id)?.kind === 'never_finishes')).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('answers every request with a documented status, never with an exception', () => {
    const segment = fc.constantFrom(
      'stacks',
      'shop',
      'processes',
      'actions',
      'servers',
      'worker',
      '1001',
      '%',
      '..',
      '',
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      path: fc.array(segment, { maxLength: 5 }).map((segments) => `/api/3/${segments.join('/')}.json`),
      query: fc
        .dictionary(fc.constantFrom('page', 'server_uid', 'server_count', 'process_name'), fc.string())
        .map((query) => new URLSearchParams(query)),
      authorization: fc.constantFrom(undefined, 'Bearer all', 'Bearer read', 'Bearer wrong'),
      body: fc.oneof(
        fc.string(),
        fc.json(),
        counts.map((wanted) => JSON.stringify({ server_count: wanted })),
      ),
    });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 8 }), (requests) => {
        const { account } = createExample({ callsPerHour: 6 });
        const forms = createReplyForms('mixed', createRandom(1));
        for (const each of requests) {
          const reply = answer({ account, forms }, each);
          expect([200, 400, 401, 403, 404, 409, 503]).toContain(reply.status);
          expect(Object.keys(reply.body).length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 150 },
    );
  });
});
