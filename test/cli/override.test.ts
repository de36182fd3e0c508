import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type OverrideOptions, override } from '../../lib/cli/override.ts';
import { encodeOverrides, parseOverrides } from '../../lib/overrides/document.ts';
import { createOverrideReader } from '../../lib/overrides/source.ts';
import { createParameterReader } from '../../lib/queue/parameter.ts';
import { changeParameterDocument } from '../../lib/queue/parameter-document.ts';
import { createSqs, type Sqs } from '../../lib/queue/sqs.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import type { World } from '../../lib/simulation/local/world.ts';
import { depthOf, ok } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';
import { environmentOf, startDeployment } from './local-deployment.ts';
import { runCommand } from './run-command.ts';

const NAME = '/cloud66-worker-autoscaler/dev/overrides';
const signal = new AbortController().signal;
let world: World;
let sqs: Sqs;
beforeAll(async () => {
  world = await startDeployment();
  sqs = createSqs({
    region: 'us-east-1',
    endpoint: world.cloud.endpoint,
    credentials: { accessKeyId: world.cloud.operatorAccessKeyId, secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  sqs.destroy();
  await world.close();
});
beforeEach(async () => {
  await changeParameterDocument(place(), NAME, () => encodeOverrides(new Map(), 0), signal);
});

const place = () => ({ signedPost: sqs.signedPost, region: 'us-east-1', endpoint: world.cloud.endpoint });
const readDocument = () => createParameterReader(place()).readIfAny(NAME, signal);

/** What the command does, without a process of its own. */
function say(words: readonly string[], options: OverrideOptions) {
  return override(words, { environment: environmentOf(world), file: null }, options);
}

describe('an override', () => {
  it('is set, listed, replaced and cleared', async () => {
    const set = await say(['worker', '8'], { for: '2h', why: 'import' });
    expect([...set.values()]).toMatchObject([{ kind: 'count', workers: 8, why: 'import' }]);
    await say(['pause-scale-in'], { all: true, for: '1d', why: 'sale' });
    const listed = await say([], { list: true });
    expect([...listed].map(([id, { kind }]) => [id, kind])).toEqual([
      ['worker', 'count'],
      ['*', 'pause_scale_in'],
    ]);
    await say(['worker', 'pause'], { for: '5m', why: 'look' });
    const left = await say(['worker'], { clear: true });
    expect([...left.keys()]).toEqual(['*']);
  });

  it('is seen in the decisions, survives a cold start and ends by itself', async () => {
    const { answers, ports, requests, results } = fakeWorld({ depths: { worker: ok(depthOf(500)) } });
    answers.nowMs = Date.now();
    await say(['worker', '3'], { for: '2h', why: 'import' });
    const look = async (afterSeconds: number) => {
      answers.nowMs += afterSeconds * 1000;
      const now = answers.nowMs;
      answers.depths.worker = ok(depthOf(500), now);
      // A reader of its own each time, as after a cold start: what it knows is in the store alone.
      const overrides = createOverrideReader({ readDocument, clock: ports.clock });
      await reconcile([targetOf('worker')], { ...ports, overrides }, openSignals());
      return results.at(-1)?.[1];
    };
    expect(await look(0)).toMatchObject({ kind: 'scaled', decision: { desiredCount: 3, reason: 'overridden' } });
    expect(await look(7000)).toMatchObject({ decision: { reason: 'overridden' } });
    expect(await look(300)).toMatchObject({ decision: { desiredCount: 10, reason: 'backlog_above_target' } });
    expect(requests.map(({ counts }) => Object.values(counts))).toEqual([[3], [3], [10]]);
  });

  it('written by two people at once: neither is lost', async () => {
    const add = (signedPost: Sqs['signedPost'], target: string) =>
      changeParameterDocument(
        { ...place(), signedPost },
        NAME,
        (text) => {
          const overrides = new Map(parseOverrides(text ?? '{"version":1,"overrides":[]}'));
          overrides.set(target, { kind: 'pause', workers: null, untilMs: Date.now() + 60_000, why: target });
          return encodeOverrides(overrides, Date.now());
        },
        signal,
      );
    let isFirst = true;
    // The other one writes after this one has read.
    const interrupted: Sqs['signedPost'] = async (request, limit) => {
      const interrupts = request.headers['x-amz-target']?.endsWith('PutParameter') === true && isFirst;
      if (interrupts) {
        isFirst = false;
        await add(sqs.signedPost, 'theirs');
      }
      return await sqs.signedPost(request, limit);
    };
    await add(interrupted, 'mine');
    expect([...parseOverrides((await readDocument()) ?? '').keys()].toSorted()).toEqual(['mine', 'theirs']);
  });
});

describe('what is wrong with the arguments', () => {
  it.each<[string, string[], OverrideOptions, RegExp]>([
    ['nothing', [], {}, /target[\s\S]*what[\s\S]*--for[\s\S]*--why/],
    ['a target that is none', ['mailer', '2'], { for: '1h', why: 'x' }, /no target "mailer"; expected one of worker/],
    ['a count beyond the limits', ['worker', '99'], { for: '1h', why: 'x' }, /99 workers are outside 1 to 10/],
    ['a word that is none', ['worker', 'stop'], { for: '1h', why: 'x' }, /expected a number of workers, pause/],
    ['too long', ['worker', 'pause'], { for: '8d', why: 'x' }, /--for/],
    ['a reason that is a novel', ['worker', 'pause'], { for: '1d', why: 'x'.repeat(201) }, /--why/],
    ['clear with a count', ['worker', '3'], { clear: true }, /--clear/],
  ])('%s', async (_title, words, options, message) => {
    await expect(say(words, options)).rejects.toThrow(message);
  });
});

describe('npm run override', () => {
  it('prints what is in force, as text and as JSON', async () => {
    const environment = environmentOf(world);
    const set = await runCommand(['override', '--json', 'worker', 'pause', '--for', '1h', '--why', 'x'], environment);
    expect(set).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(set.stdout)).toMatchObject({ overrides: [{ target: 'worker', kind: 'pause', why: 'x' }] });
    const listed = await runCommand(['override', '--list'], environment);
    expect(listed.stdout).toMatch(/^worker: no change until \d{4}-.*: x$/m);
  });

  it('exits with 1 and every problem', async () => {
    const { code, stderr } = await runCommand(['override', 'nobody', 'nothing'], environmentOf(world));
    expect(code).toBe(1);
    expect(stderr).toMatch(/4 problems/);
  });
});
