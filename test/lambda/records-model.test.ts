/**
 * The poller and its queue against a reference model: whatever happens to actions, workers, Cloud 66 and deliveries, in whatever
 * order, each delivery ends as the model says, and in the end every record has exactly one outcome.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAgainSeconds } from '../../lib/actions/backoff.ts';
import { encodeActionRecord, parseActionRecord } from '../../lib/actions/record.ts';
import type { Action, OutcomeKind } from '../../lib/domain.ts';
import { confirmRecords } from '../../lib/lambda/records.ts';
import { userReferenceFor } from '../../lib/policy/actions.ts';
import type { ActionLook, ProcessHost } from '../../lib/reconcile/ports.ts';
import { createVirtualClock } from '../../lib/simulation/clock.ts';
import { ActionsQueue } from '../../lib/simulation/faults/queues.ts';
import { actionRecord } from '../actions/action-record.ts';
import { actionOf, NOW, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { openSignals } from '../support/ports.ts';
import { logged } from './logged.ts';

const TIMEOUT_SECONDS = 900;
const GRACE_SECONDS = 60;
const STACK = 'stack-1';

/** What is true of an action, and what the model expects to be told of it. */
interface Truth {
  readonly id: number;
  readonly processName: string;
  readonly count: number;
  readonly acceptedAtMs: number;
  state: 'runs' | 'succeeded' | 'failed' | 'vanished';
  endedAtMs: number;
  readonly told: OutcomeKind[];
}

/** The model is the truth itself; what the poller should say of it is worked out in `verdictOf`. */
interface Model {
  nowMs: number;
  isOut: boolean;
  isSpent: boolean;
  readonly truths: Truth[];
  readonly workers: Map<string, number>;
  foreign: number;
}

/** What a delivery of the record must come to now; null = it is looked at again. */
function verdictOf(truth: Truth, { nowMs, isOut, isSpent, truths, workers }: Model): OutcomeKind | null {
  const ageSeconds = Math.round((nowMs - truth.acceptedAtMs) / 1000);
  const late = ageSeconds < TIMEOUT_SECONDS ? null : 'timed_out';
  if (isSpent) return null;
  if (isOut) return late;
  if (truth.state === 'vanished') return ageSeconds < GRACE_SECONDS ? null : 'lost';
  if (truth.state === 'runs') return late;
  if (truth.state === 'failed') return 'failed';
  if (workers.get(truth.processName) === truth.count) return 'confirmed';
  const isSuperseded = truths.some(
    ({ id, processName, state, acceptedAtMs }) =>
      (id > truth.id || (id !== truth.id && acceptedAtMs >= truth.endedAtMs)) &&
      processName === truth.processName &&
      state !== 'vanished',
  );
  return isSuperseded || (nowMs - truth.endedAtMs) / 1000 >= GRACE_SECONDS ? 'mismatched' : null;
}

/** The poller with its queue, in front of a Cloud 66 that is as the model says. */
function realOf(model: Model) {
  const clock = createVirtualClock(model.nowMs);
  const queue = new ActionsQueue(clock);
  const letters: string[] = [];
  const { logger } = logged();
  const actions = (): readonly Action[] =>
    model.truths
      .filter(({ state }) => state !== 'vanished')
      .map(({ id, processName, count, state, acceptedAtMs, endedAtMs }) =>
        actionOf({
          id,
          startedAtMs: acceptedAtMs,
          finishedAtMs: state === 'runs' ? null : endedAtMs,
          success: state === 'runs' ? null : state === 'succeeded',
          userReference: userReferenceFor({ processName, decisionId: `d${id}`, previousCount: 0, desiredCount: count }),
        }),
      )
      .toReversed();
  const look = (actionId: number): ActionLook => {
    if (model.isSpent) return { kind: 'not_asked', why: 'no call is left' };
    if (model.isOut) return { kind: 'unreadable', why: 'HTTP 502' };
    const action = actions().find(({ id }) => id === actionId);
    return action ? { kind: 'found', action } : { kind: 'gone', detail: 'HTTP 404' };
  };
  const host: ProcessHost = {
    allowance: () => ({
      account: '',
      hourlyCalls: 1,
      callsLeft: 1,
      overdueCallsLeft: 1,
      resetAtMs: 0,
      isStrained: false,
    }),
    stack: async () => unknown(),
    action: async (_stackUid, actionId) => look(actionId),
    actions: async () => (model.isOut || model.isSpent ? unknown('failed') : ok(actions(), clock.nowMs())),
    placements: async (_stackUid, names) =>
      new Map(names.map((name) => [name, ok(placementOf(serverOf('a', model.workers.get(name) ?? 0)), clock.nowMs())])),
  };
  const handle = (messages: readonly Delivered[]) =>
    confirmRecords(
      {
        Records: messages.map(({ id, body, receives }) => {
          const attributes = { ApproximateReceiveCount: String(receives) };
          return { messageId: id, receiptHandle: id, body, attributes };
        }),
      },
      {
        clock,
        hostOf: () => host,
        reporter: {
          decided: () => {},
          looked: () => {},
          adopted: () => {},
          ended: ({ record, outcome }) =>
            model.truths.find(({ id }) => id === record.actionId)?.told.push(outcome.kind),
        },
        parseRecord: parseActionRecord,
        lookAgainSeconds,
        changeVisibility: async (id, seconds) => queue.hide(id, clock.nowMs() + seconds * 1000),
        deadLetter: async ({ body }, reason) => {
          expect(reason).toContain('action record');
          letters.push(body);
        },
        actionTimeoutSeconds: TIMEOUT_SECONDS,
      },
      openSignals(),
      logger,
    );
  return { clock, queue, letters, handle };
}
type Real = ReturnType<typeof realOf>;
type Delivered = ReturnType<ActionsQueue['receive']>[number];
type Command = fc.AsyncCommand<Model, Real>;

const command = (text: string, run: (model: Model, real: Real) => void | Promise<void>): Command => ({
  check: () => true,
  run: async (model, real) => await run(model, real),
  toString: () => text,
});

/** Gives the poller what is due, perhaps twice, and compares. */
async function deliver(model: Model, real: Real, times: number): Promise<void> {
  const messages = real.queue.receive();
  for (let time = 0; time < times && messages.length > 0; time += 1) {
    const expected = messages.map(({ id, body }) => {
      const truth = model.truths.find((one) => String(one.id) === id);
      return truth
        ? { id, verdict: verdictOf(truth, model), told: truth.told }
        : { id, verdict: 'foreign', told: [body] };
    });
    const before = expected.map(({ told }) => told.length);
    const { batchItemFailures } = await real.handle(messages);
    const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const [index, { id, verdict, told }] of expected.entries()) {
      expect(kept.has(id), `${id} is kept`).toBe(verdict === null);
      if (verdict === 'foreign') continue;
      expect(told.slice(before[index])).toEqual(verdict === null ? [] : [verdict]);
    }
    if (time === times - 1) for (const { id } of messages) if (!kept.has(id)) real.queue.waiting.delete(id);
  }
}

const advance = (model: Model, real: Real, seconds: number) => {
  real.clock.advanceBySeconds(seconds);
  model.nowMs = real.clock.nowMs();
};
const processName = fc.constantFrom('worker', 'mailer');
const commands: readonly fc.Arbitrary<Command>[] = [
  fc.tuple(processName, fc.integer({ min: 1, max: 3 })).map(([name, count]) =>
    command(`accept ${name} ${count}`, (model, real) => {
      const id = model.truths.length + 1;
      const { nowMs } = model;
      model.truths.push({ id, processName: name, count, acceptedAtMs: nowMs, state: 'runs', endedAtMs: 0, told: [] });
      const counts = { requestedCounts: { a: count }, desiredCount: count, acceptedAtMs: nowMs };
      const record = actionRecord({ actionId: id, stackUid: STACK, processName: name, ...counts });
      real.queue.add(encodeActionRecord(record), String(id));
    }),
  ),
  fc.tuple(fc.nat(20), fc.constantFrom('succeeded', 'succeeded', 'idle', 'failed', 'vanished')).map(([which, end]) =>
    command(`end ${which} ${end}`, (model) => {
      const running = model.truths.filter(({ state }) => state === 'runs');
      const truth = running[which % Math.max(1, running.length)];
      if (!truth) return;
      truth.state = end === 'idle' ? 'succeeded' : (end as Truth['state']);
      truth.endedAtMs = model.nowMs;
      if (end === 'succeeded') model.workers.set(truth.processName, truth.count);
    }),
  ),
  fc.tuple(processName, fc.integer({ min: 0, max: 3 })).map(([name, count]) =>
    command(`by hand ${name} ${count}`, ({ workers }) => {
      workers.set(name, count);
    }),
  ),
  fc.boolean().map((isOut) =>
    command(`outage ${isOut}`, (model) => {
      model.isOut = isOut;
    }),
  ),
  fc.boolean().map((isSpent) =>
    command(`budget spent ${isSpent}`, (model) => {
      model.isSpent = isSpent;
    }),
  ),
  fc.constantFrom('', 'null', '{"version":1}', '{"version":2,"actionId":1}', '[]').map((body) =>
    command(`foreign ${body}`, (model, real) => {
      model.foreign += 1;
      real.queue.addForeign(body, `foreign-${model.foreign}`, 'x');
    }),
  ),
  fc
    .integer({ min: 1, max: 400 })
    .map((seconds) => command(`${seconds} s`, (model, real) => advance(model, real, seconds))),
  fc
    .constantFrom(1, 1, 1, 2)
    .map((times) => command(`deliver x${times}`, (model, real) => deliver(model, real, times))),
  fc.integer({ min: 1, max: 90 }).map((seconds) =>
    command(`${seconds} s and deliver`, async (model, real) => {
      advance(model, real, seconds);
      await deliver(model, real, 1);
    }),
  ),
];

describe('the poller and its queue, for every course of events,', () => {
  it('do what the model says, and tell one outcome of every record', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands([...commands], { maxCommands: 60, size: 'max' }), async (all) => {
        const model: Model = { nowMs: NOW, isOut: false, isSpent: false, truths: [], workers: new Map(), foreign: 0 };
        const real = realOf(model);
        await fc.asyncModelRun(() => ({ model, real }), all);
        const twice = model.truths.filter(({ told }) => told.length > 1).map(({ id }) => id);
        // Calm: everything can be read, and time goes on until nothing waits.
        Object.assign(model, { isOut: false, isSpent: false });
        for (let round = 0; round < 200 && real.queue.waiting.size > 0; round += 1) {
          advance(model, real, 60);
          await deliver(model, real, 1);
        }
        expect(real.queue.waiting.size).toBe(0);
        for (const { id, told } of model.truths) {
          if (!twice.includes(id)) expect(told).toHaveLength(1);
        }
        expect(real.letters.length).toBeGreaterThanOrEqual(model.foreign);
      }),
      { numRuns: 300 },
    );
  });
});
