/** From an accepted action to its reported end, in the packaged template: all ends, foreign records, a queue that is down. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaultHook } from '../../lib/simulation/aws/gateway.ts';
import type { ActionFault } from '../../lib/simulation/cloud66/model.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import {
  ACTIONS_QUEUE,
  DEAD_LETTERS,
  hurry,
  inScene,
  POLLER,
  SCALE,
  type SceneOptions,
  SIDE_BY_SIDE,
  SPEED,
  tick,
} from './scene.ts';

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  packaged = await packagedCopy();
  slowDown = hurry(SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

const FIRST_ACTION_ID = 1001;

/** A backlog of 30 wants three workers; this befalls every action that tries. */
function withFault(fault: ActionFault, settings: SceneOptions['settings'] = {}): SceneOptions {
  return { packaged, byHand: true, jobs: 30, settings, account: { actionFault: () => fault } };
}

describe('an action ends, reported once, as', SIDE_BY_SIDE, () => {
  it('confirmed when it succeeded and the workers are there', () =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      await scene.invoke(SCALE, tick());
      await scene.until('an outcome', () => scene.outcomes().length > 0);
      await scene.until('the record is gone', () => scene.cloud.queues.bodies(ACTIONS_QUEUE).length === 0);
      expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed', observedCount: 3 } }]);
      expect(scene.stack.workers('worker')).toBe(3);
    }));

  it.each<[string, ActionFault, string, Record<string, string>]>([
    ['failed', { kind: 'fails', message: 'no space left on lion' }, 'no space left on lion', {}],
    ['mismatched', { kind: 'changes_nothing' }, 'The action succeeded, but', {}],
    ['lost', { kind: 'vanishes', afterSeconds: 20, appliesChange: false }, 'does not know the action', {}],
    ['timed_out', { kind: 'never_finishes' }, 'still running', { ACTION_TIMEOUT_SECONDS: '40' }],
  ])('%s', (kind, fault, why, settings) =>
    inScene(withFault(fault, settings), async (scene) => {
      const ofFirst = () => scene.outcomes().filter(({ record }) => record?.actionId === FIRST_ACTION_ID);
      const waiting = () => scene.cloud.queues.bodies(ACTIONS_QUEUE).map((body) => JSON.parse(body).actionId);
      await scene.invoke(SCALE, tick());
      await scene.until('an outcome of the first action', () => ofFirst().length > 0);
      await scene.until('its record is gone', () => !waiting().includes(FIRST_ACTION_ID));
      expect(ofFirst()).toMatchObject([{ outcome: { kind } }]);
      expect(ofFirst()[0]?.outcome?.why).toContain(why);
      expect(scene.cloud.queues.bodies(DEAD_LETTERS)).toEqual([]);
    }),
  );
});

describe('what is no action record goes to the dead-letter queue at once, with its reason:', SIDE_BY_SIDE, () => {
  const record = {
    version: 1,
    targetId: 'worker',
    stackUid: 's',
    processName: 'worker',
    actionId: 7,
    requestedCounts: { a: 1 },
    desiredCount: 1,
    previousCount: 2,
    decisionId: 'd',
    acceptedAtMs: 1,
  };
  it.each<[string, string, string[]]>([
    ['text that is not JSON', 'hello', ['body', 'expected JSON']],
    ['the JSON of somebody else', '{"hello":"world"}', ['targetId', 'actionId', 'requestedCounts']],
    ['a list', '[1]', ['expected a JSON object']],
    ['an unknown version', JSON.stringify({ ...record, version: 2 }), ['version', 'found 2']],
    [
      'wrong types',
      JSON.stringify({ ...record, actionId: '7', requestedCounts: { a: -1 }, desiredCount: 0.5 }),
      ['actionId', 'requestedCounts.a', 'desiredCount'],
    ],
  ])('%s', (_title, body, reasons) =>
    inScene({ packaged }, async (scene) => {
      const { queues } = scene.cloud;
      await queues.send(ACTIONS_QUEUE, body, { groupId: 'somebody', deduplicationId: 'once' });
      await scene.until('it is put aside', () => queues.bodies(DEAD_LETTERS).length > 0);
      await scene.until('the queue is empty', () => queues.bodies(ACTIONS_QUEUE).length === 0);
      const batches = scene.invocations.filter(({ functionName }) => functionName === POLLER);
      expect(batches).toMatchObject([{ outcome: { kind: 'succeeded', payload: { batchItemFailures: [] } } }]);
      const [letter, ...more] = await queues.receive(DEAD_LETTERS);
      expect(more).toEqual([]);
      expect(letter?.body).toBe(body);
      const reason = JSON.stringify(letter?.messageAttributes.reason);
      for (const part of reasons) expect(reason).toContain(part);
      expect(scene.outcomes()).toEqual([]);
    }),
  );
});

describe('SQS cannot be reached while a record is sent', SIDE_BY_SIDE, () => {
  const unavailable = { kind: 'error', status: 503, code: 'ServiceUnavailable', message: 'try again' } as const;
  /** Sends of the scale function fail, the first so many of them. */
  function failingSends(count: number): { readonly faults: FaultHook; readonly failed: () => number } {
    let failed = 0;
    const faults: FaultHook = ({ operation, functionName }) => {
      if (operation !== 'SendMessage' || functionName !== SCALE || failed === count) return null;
      failed += 1;
      return unavailable;
    };
    return { faults, failed: () => failed };
  }

  it('for a while: the record is sent again until it arrives, once, and the action is confirmed', () => {
    const { faults, failed } = failingSends(8);
    return inScene({ packaged, byHand: true, jobs: 30, cloud: { faults } }, async (scene) => {
      expect(await scene.invoke(SCALE, tick())).toMatchObject({ payload: { worker: 'scaled' } });
      expect(failed()).toBe(8);
      await scene.until('an outcome', () => scene.outcomes().length > 0);
      expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed' } }]);
      expect(scene.cloud.queues.depth(ACTIONS_QUEUE).sent).toBe(1);
    });
  });

  it('until the function runs out of time: the invocation fails, the whole record is in its log', () => {
    const { faults, failed } = failingSends(Number.POSITIVE_INFINITY);
    return inScene({ packaged, byHand: true, jobs: 30, cloud: { faults } }, async (scene) => {
      const outcome = await scene.invoke(SCALE, tick());
      expect(outcome).toMatchObject({ kind: 'failed', payload: { errorType: 'PassFailedError' } });
      expect(failed()).toBeGreaterThan(8);
      const message = JSON.stringify(outcome);
      for (const part of ['could not be stored', 'actionId', 'requestedCounts', 'acceptedAtMs']) {
        expect(message).toContain(part);
        expect(scene.text()).toContain(part);
      }
      expect(scene.outcomes()).toEqual([]);
    });
  });
});
