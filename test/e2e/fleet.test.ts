/** A fleet: 300 targets from a YAML file, packaged offline, and looked at by one tick of the packaged function. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOCAL_STACK_UID } from '../../lib/simulation/local/local-stack.ts';
import { TOKEN_PARAMETER } from '../../lib/simulation/local/world.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import { hurry, inScene, SCALE, stackOf, tick } from './scene.ts';

const TARGETS = 300;
const STACKS = 30;
const ids = Array.from({ length: TARGETS }, (_, at) => `customer-${String(at).padStart(3, '0')}`);
const stackUid = (at: number) => (at % STACKS === 0 ? LOCAL_STACK_UID : `stack-${at % STACKS}`);
const FLEET = [
  'defaults:',
  '  STRATEGY: backlog',
  'targets:',
  ...ids.flatMap((id, at) => [
    `  ${id}:`,
    `    STACK_UID: ${stackUid(at)}`,
    `    PROCESS_NAME: ${id}`,
    `    QUEUE_NAME: ${id}-jobs`,
  ]),
].join('\n');

let packaged: PackagedCopy;
let slowDown: () => void;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoscaler-fleet-'));
  await writeFile(join(folder, 'fleet.yml'), FLEET);
  packaged = await packagedCopy({ CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER, TARGETS_FILE: join(folder, 'fleet.yml') });
  slowDown = hurry(2);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
  await rm(folder, { recursive: true, force: true });
});

it('packages into fewer than 500 resources, policies that IAM takes, and a template that CloudFormation takes', () => {
  const { Resources } = packaged.template as { Resources: Record<string, { Type: string; Properties: object }> };
  expect(Object.keys(Resources).length).toBeLessThan(500);
  const alarms = Object.values(Resources).filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
  expect(alarms.length).toBeGreaterThan(TARGETS);
  expect(JSON.stringify(packaged.template).length).toBeLessThan(1_000_000);
  for (const { Type, Properties } of Object.values(Resources)) {
    if (Type === 'AWS::IAM::Role') expect(JSON.stringify(Properties).length).toBeLessThan(10_240);
  }
});

it('is looked at by one tick, all of it, with the rights that its role has', { timeout: 120_000 }, async () => {
  const counts = (uid: string) =>
    ids.flatMap((name, at) => (stackUid(at) === uid ? [{ name, counts: { [`${uid}-a`]: 1 } }] : []));
  const stacks = Array.from({ length: STACKS }, (_, at) => stackUid(at)).map((uid) =>
    stackOf(1, { uid, servers: [{ uid: `${uid}-a`, name: 'lion' }], processes: counts(uid) }),
  );
  const queues = ids.map((id) => `${id}-jobs`);
  await inScene({ packaged, byHand: true, stacks, queues }, async (scene) => {
    await scene.send(30, queues[TARGETS - 1]);
    const outcome = await scene.invoke(SCALE, tick());
    expect(outcome.kind).toBe('succeeded');
    const summary = outcome.kind === 'succeeded' ? (outcome.payload as Record<string, string>) : {};
    expect(Object.keys(summary).toSorted()).toEqual(ids);
    expect(Object.entries(summary).filter(([, kind]) => kind !== 'held')).toEqual([[ids.at(-1), 'scaled']]);
  });
});
