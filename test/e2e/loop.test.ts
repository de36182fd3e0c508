/** The whole loop under load: out and in again, to zero and back, and as a dry run. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLocal } from '../../lib/simulation/local/run.ts';
import type { RunSummary } from '../../lib/simulation/local/witness.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import { hurry, inScene, SIDE_BY_SIDE, SPEED } from './scene.ts';

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  packaged = await packagedCopy();
  slowDown = hurry(2 * SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

/** 60 messages in half a minute, which one worker would need three minutes for. */
const LOAD = {
  sendAtSeconds: Array.from({ length: 60 }, (_, job) => job / 2),
  durationSeconds: 30,
  piece: 'a burst',
};

describe('a burst of messages', SIDE_BY_SIDE, () => {
  it.each(['documented', 'go'] as const)(
    'closes the loop, with the replies of Cloud 66 in the form "%s"',
    async (replyForm) => {
      const told: string[] = [];
      const summary: RunSummary = await runLocal({
        packaged,
        replyForm,
        load: LOAD,
        seed: 7,
        jobSeconds: 3,
        limitSeconds: 1800,
        tell: (_at, what, text) => told.push(`${what} ${text}`),
        signal: new AbortController().signal,
      });
      expect(summary, told.join('\n')).toMatchObject({ problems: [], jobs: 60, jobsDone: 60, finalWorkers: 1 });
      expect(summary.scaleOuts).toBeGreaterThan(0);
      expect(summary.scaleIns).toBeGreaterThan(0);
      expect(summary.peakWorkers).toBeGreaterThan(1);
      expect(summary.actions.confirmed).toBe(summary.actions.accepted);
      expect(told).toContainEqual(expect.stringMatching(/^alarm .* is ALARM$/));
      expect(told).toContainEqual(expect.stringMatching(/^decide .*scale out 1 -> /));
      expect(told).toContainEqual(expect.stringMatching(/^outcome .*confirmed/));
      expect(told).toContainEqual(expect.stringMatching(/^decide .*scale in /));
    },
  );

  it('is only looked at in a dry run: decisions in the log, not one write at Cloud 66', () =>
    // By hand: a tick and an alarm at once would have an execution environment, and virtual counts, of their own.
    inScene({ packaged, byHand: true, jobs: 60, jobSeconds: 3, settings: { DRY_RUN: 'true' } }, async (scene) => {
      await scene.tickUntil('the jobs are done', () => scene.cloud.queues.depth('jobs').deleted === 60);
      expect(scene.decisions()).toContainEqual(
        expect.objectContaining({
          result: { kind: 'dry_run' },
          decision: expect.objectContaining({ action: 'scale_out' }),
        }),
      );
      await scene.tickUntil('virtual workers', () => /"virtualCount":[2-9]\d*,"actualCount":1,/.test(scene.text()));
      expect(scene.stack.workers('worker')).toBe(1);
      expect(scene.world.account.calls.reads()).toBeGreaterThan(0);
      expect(scene.world.account.calls.writes()).toBe(0);
    }));

  it('wakes a target that was scaled to zero', () => {
    const settings = { MIN_WORKERS: '0', SCALE_IN_STABILIZATION_SECONDS: '60', SCALE_IN_COOLDOWN_SECONDS: '0' };
    return inScene({ packaged, jobSeconds: 1, settings }, async (scene) => {
      const workers = () => scene.stack.workers('worker');
      const changes = () => scene.decisions().filter(({ result }) => result?.kind === 'scaled');
      await scene.until('no worker is left', () => workers() === 0);
      await scene.until('an outcome', () => scene.outcomes().length > 0);
      await scene.send(5);
      await scene.until('the jobs are done', () => scene.cloud.queues.depth('jobs').deleted === 5);
      await scene.until('two outcomes', () => scene.outcomes().length > 1);
      expect(changes()[0]).toMatchObject({ decision: { action: 'scale_in', desiredCount: 0 } });
      expect(changes()[1]).toMatchObject({ decision: { action: 'scale_out', reason: 'from_zero' } });
      expect(scene.outcomes().map(({ outcome }) => outcome?.kind)).toEqual(scene.outcomes().map(() => 'confirmed'));
    });
  });
});
