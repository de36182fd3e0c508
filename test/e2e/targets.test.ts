/** Several targets: two processes of one stack and one of another; and what a single one may be set to. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StackSeed } from '../../lib/simulation/cloud66/model.ts';
import { LOCAL_STACK_UID } from '../../lib/simulation/local/local-stack.ts';
import { ONE_TARGET, type PackagedCopy, packagedCopy } from './packaged.ts';
import {
  ACTIONS_QUEUE,
  hurry,
  inScene,
  LION,
  SCALE,
  type Scene,
  SIDE_BY_SIDE,
  SPEED,
  stackOf,
  TIGER,
} from './scene.ts';

const OTHER_STACK_UID = 'b7634745e0eafa5fafb64bff0ba80599';

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  packaged = await packagedCopy({
    CLOUD66_TOKEN_PARAMETER: ONE_TARGET.CLOUD66_TOKEN_PARAMETER,
    TARGETS: 'mailer,reports,billing',
    STACK_UID: LOCAL_STACK_UID,
    MAILER_PROCESS_NAME: 'mailer',
    MAILER_QUEUE_NAME: 'mails',
    REPORTS_PROCESS_NAME: 'reports',
    REPORTS_QUEUE_NAME: 'reports',
    BILLING_STACK_UID: OTHER_STACK_UID,
    BILLING_PROCESS_NAME: 'billing',
    BILLING_QUEUE_NAME: 'bills',
  });
  slowDown = hurry(SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

const counts = { [LION]: 1, [TIGER]: 0 };
const SHOP = stackOf(1, {
  processes: [
    { name: 'mailer', counts },
    { name: 'reports', counts },
  ],
});
const OFFICE = stackOf(1, { uid: OTHER_STACK_UID, processes: [{ name: 'billing', counts }] });
const QUEUES = ['mails', 'reports', 'bills'];

function threeTargets(
  stacks: readonly StackSeed[],
  queues: readonly string[],
  play: (scene: Scene) => Promise<void>,
): Promise<void> {
  return inScene({ packaged, byHand: true, stacks, queues }, async (scene) => {
    for (const queue of queues) await scene.send(30, queue);
    await play(scene);
  });
}

function confirmedTargets(scene: Scene): ReadonlySet<string | undefined> {
  const confirmed = scene.outcomes().filter(({ outcome }) => outcome?.kind === 'confirmed');
  return new Set(confirmed.map(({ targetId }) => targetId));
}

describe('three targets on two stacks', SIDE_BY_SIDE, () => {
  it('are all scaled and confirmed, one action after the other on the shared stack', () =>
    threeTargets([SHOP, OFFICE], QUEUES, async (scene) => {
      await scene.tickUntil('three confirmed targets', () => confirmedTargets(scene).size === 3);
      expect(confirmedTargets(scene)).toEqual(new Set(['billing', 'mailer', 'reports']));
      expect(scene.stack.workers('mailer')).toBe(3);
      expect(scene.stack.workers('reports')).toBe(3);
      expect(scene.world.account.stack(OTHER_STACK_UID).workers('billing')).toBe(3);
    }));

  it('are independent: a stack that is gone fails the invocation, and the others are scaled', () =>
    threeTargets([SHOP], QUEUES, async (scene) => {
      await scene.tickUntil('two confirmed targets', () => confirmedTargets(scene).size === 2);
      expect(confirmedTargets(scene)).toEqual(new Set(['mailer', 'reports']));
      expect(scene.failures(SCALE)[0]).toContain('1 of 3 targets failed:\n  billing: ');
    }));

  it('are independent: a queue that is gone fails the invocation, and its neighbor on the stack is scaled', () =>
    threeTargets([SHOP, OFFICE], ['reports', 'bills'], async (scene) => {
      await scene.tickUntil('two confirmed targets', () => confirmedTargets(scene).size === 2);
      expect(confirmedTargets(scene)).toEqual(new Set(['billing', 'reports']));
      expect(scene.failures(SCALE)[0]).toContain('1 of 3 targets failed:\n  mailer: ');
      expect(scene.stack.workers('mailer')).toBe(1);
    }));

  it('is looked at alone when its own alarm goes off', () =>
    inScene({ packaged, stacks: [SHOP, OFFICE], queues: ['reports'] }, async (scene) => {
      await scene.send(30, 'reports');
      await scene.until('the alarm called', () => scene.transitions.some(({ actionArns }) => actionArns.length > 0));
      await scene.until('an outcome', () => scene.outcomes().length > 0);
      expect(confirmedTargets(scene)).toEqual(new Set(['reports']));
      expect(scene.cloud.queues.depth(ACTIONS_QUEUE).sent).toBe(1);
    }));
});
