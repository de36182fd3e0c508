/** One action, looked at dozens of times: always the same message, delivered again. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import { ACTIONS_QUEUE, DEAD_LETTERS, hurry, inScene } from './scene.ts';

/** A look a minute for more than an hour. What fails at this speed is looked at again, too. */
const HIGH_SPEED = 180;
/** 130 looks of a minute each; a machine so slow that each takes three times as long still makes more than 40. */
const ACTION_SECONDS = 8100;

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  packaged = await packagedCopy();
  slowDown = hurry(HIGH_SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

it(
  'an action that runs through more than 40 looks is confirmed, and no message is ever sent for a look',
  {
    timeout: 120_000,
  },
  () =>
    inScene(
      {
        packaged,
        byHand: true,
        jobs: 30,
        settings: { ACTION_TIMEOUT_SECONDS: '10800' },
        account: { actionFault: () => ({ kind: 'slow', latencySeconds: ACTION_SECONDS }) },
      },
      async (scene) => {
        // At this speed a busy machine may let a look run out of time; the next one does it.
        await scene.tickUntil('an accepted action', () => scene.world.account.calls.writes() === 1);
        await scene.until('an outcome', () => scene.outcomes().length > 0);
        await scene.until('the record is gone', () => scene.cloud.queues.bodies(ACTIONS_QUEUE).length === 0);
        expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed', observedCount: 3 } }]);
        expect(scene.outcomes()[0]?.looks).toBeGreaterThan(40);
        expect(scene.cloud.queues.depth(ACTIONS_QUEUE)).toMatchObject({ sent: 1, deleted: 1 });
        expect(scene.cloud.queues.bodies(DEAD_LETTERS)).toEqual([]);
        expect(scene.world.account.calls.writes()).toBe(1);
      },
    ),
);
