/** Cloud 66 in trouble: the workers stay, the invocation fails, and everything recovers by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpFault } from '../../lib/simulation/cloud66/http-faults.ts';
import type { Scope } from '../../lib/simulation/cloud66/model.ts';
import { LOCAL_TOKEN, TOKEN_PARAMETER } from '../../lib/simulation/local/world.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import { ACTIONS_QUEUE, hurry, inScene, SCALE, type Scene, SIDE_BY_SIDE, SPEED, tick } from './scene.ts';

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

function envelope(error: string): string {
  return JSON.stringify({ error, error_description: 'made by a test', details: 'made by a test' });
}

/** The next ticks do what the failed invocation could not. */
async function recovers(scene: Scene): Promise<void> {
  await scene.tickUntil('a change', () => scene.decisions().some(({ result }) => result?.kind === 'scaled'));
  await scene.until('an outcome', () => scene.outcomes().length > 0);
  expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed', observedCount: 3 } }]);
}

describe('the workers are kept, the invocation fails, and the next ticks go on when Cloud 66', SIDE_BY_SIDE, () => {
  const json = { 'content-type': 'application/json' };
  it.each<[string, HttpFault, string]>([
    ['cuts every connection', { kind: 'reset' }, 'unavailable'],
    ['is down behind a proxy', { kind: 'status', status: 502 }, 'unavailable'],
    [
      'throttles',
      { kind: 'status', status: 503, body: envelope('throttled'), headers: { ...json, 'retry-after': '30' } },
      'throttled',
    ],
    ['answers with a web page', { kind: 'garbage' }, 'malformed'],
    ['redirects', { kind: 'status', status: 302, headers: { location: 'https://example.com/' } }, 'malformed'],
  ])('%s', (_title, fault, why) => {
    let down = true;
    return inScene({ packaged, byHand: true, jobs: 30, cloud66Faults: () => (down ? fault : null) }, async (scene) => {
      const outcome = await scene.invoke(SCALE, tick());
      expect(outcome).toMatchObject({ kind: 'failed', payload: { errorType: 'PassFailedError' } });
      expect(scene.failures(SCALE)[0]).toContain(`(${why})`);
      expect(scene.decisions()[0]).toMatchObject({
        level: 'error',
        result: { kind: 'failed' },
        decision: { action: 'hold', reason: 'workers_unknown' },
      });
      expect(scene.stack.workers('worker')).toBe(1);
      expect(scene.stack.actions()).toEqual([]);
      down = false;
      await recovers(scene);
    });
  });
});

describe('the token', SIDE_BY_SIDE, () => {
  it('may be replaced in its parameter without a deployment', () => {
    let value = 'old-token-0123456789abcdefghij';
    const parameters = {
      [TOKEN_PARAMETER]: {
        type: 'SecureString' as const,
        get value() {
          return value;
        },
      },
    };
    return inScene({ packaged, byHand: true, jobs: 30, cloud: { parameters } }, async (scene) => {
      await scene.invoke(SCALE, tick());
      expect(scene.failures(SCALE)[0]).toContain('token is not accepted');
      expect(scene.stack.workers('worker')).toBe(1);
      const revoked = value;
      value = LOCAL_TOKEN;
      await recovers(scene);
      expect(scene.text()).not.toContain(revoked);
    });
  });

  it('without the scope to scale: the failure names the scope', () => {
    const scopes: Scope[] = ['public'];
    return inScene({ packaged, byHand: true, jobs: 30, scopes }, async (scene) => {
      await scene.invoke(SCALE, tick());
      expect(scene.failures(SCALE)[0]).toContain('needs the scope "admin"');
      expect(scene.decisions()[0]).toMatchObject({ result: { kind: 'failed' }, decision: { desiredCount: 3 } });
      expect(scene.stack.workers('worker')).toBe(1);
      scopes.push('admin');
      await recovers(scene);
    });
  });
});

describe('a scale call', SIDE_BY_SIDE, () => {
  it('that finds the stack busy becomes a hold, and no failure', () => {
    let busy = true;
    const fault: HttpFault = { kind: 'status', status: 409, body: envelope('conflict') };
    const cloud66Faults = ({ method }: { readonly method: string }) => (busy && method === 'POST' ? fault : null);
    return inScene({ packaged, byHand: true, jobs: 30, cloud66Faults }, async (scene) => {
      expect(await scene.invoke(SCALE, tick())).toMatchObject({ kind: 'succeeded', payload: { worker: 'held' } });
      expect(scene.decisions()[0]).toMatchObject({ level: 'warn', decision: { action: 'hold', reason: 'stack_busy' } });
      expect(scene.stack.workers('worker')).toBe(1);
      busy = false;
      await recovers(scene);
    });
  });

  it('whose answer is lost fails the invocation and is not repeated: the next look finds it, and it is confirmed', () => {
    const cloud66Faults = ({ method }: { readonly method: string }) =>
      method === 'POST' ? ({ kind: 'lose_answer' } as const) : null;
    return inScene({ packaged, byHand: true, jobs: 30, cloud66Faults }, async (scene) => {
      await scene.invoke(SCALE, tick());
      expect(scene.failures(SCALE)[0]).toContain('may or may not have been carried out');
      await scene.tickUntil('a look that finds nothing to do', () =>
        scene.decisions().some(({ decision }) => decision?.reason === 'on_target'),
      );
      expect(scene.world.account.calls.writes()).toBe(1);
      expect(scene.stack.workers('worker')).toBe(3);
      // It was found again in the action log, and followed to its end like any other.
      await scene.until('the end of the action', () => scene.outcomes().length > 0);
      expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed' } }]);
    });
  });

  it('waits while a person deploys', () =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      scene.stack.deploy(70);
      expect(await scene.invoke(SCALE, tick())).toMatchObject({ kind: 'succeeded', payload: { worker: 'held' } });
      expect(scene.decisions()[0]).toMatchObject({ decision: { action: 'hold', reason: 'stack_deploying' } });
      expect(scene.world.account.calls.writes()).toBe(0);
      await recovers(scene);
    }));
});

it('an action is followed through an outage of Cloud 66, and confirmed', { timeout: 120_000 }, () => {
  let down = false;
  const cloud66Faults = () => (down ? ({ kind: 'reset' } as const) : null);
  return inScene({ packaged, byHand: true, jobs: 30, cloud66Faults }, async (scene) => {
    expect(await scene.invoke(SCALE, tick())).toMatchObject({ payload: { worker: 'scaled' } });
    down = true;
    const blindLooks = () => scene.lines.filter(({ event, level }) => event === 'look' && level === 'warn');
    await scene.until('a look during the outage', () => blindLooks().length > 0);
    expect(blindLooks()[0]?.message).toContain('the action could not be read');
    await scene.until('it is counted', () => scene.text().includes('"LooksUnreadable":1'));
    expect(scene.outcomes()).toEqual([]);
    down = false;
    await recovers(scene);
    expect(scene.cloud.queues.depth(ACTIONS_QUEUE).sent).toBe(1);
  });
});
