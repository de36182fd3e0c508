import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AutoscalerError } from '../../../lib/errors.ts';
import { packageTemplate } from '../../../lib/simulation/local/package.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const SETTINGS = {
  STACK_UID: '5999b763474b0eafa5fafb64bff0ba80',
  PROCESS_NAME: 'worker',
  QUEUE_NAME: 'jobs',
  CLOUD66_TOKEN_PARAMETER: '/local/token',
};
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoscaler-local-'));
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('tells what the framework says when it refuses', async () => {
  await writeFile(join(folder, 'serverless.yml'), 'service: x\nprovider:\n  name: nobody\n');
  const packaging = packageTemplate(folder, {}, process.env);
  await expect(packaging).rejects.toBeInstanceOf(AutoscalerError);
  await expect(packaging).rejects.toThrow(/^serverless package failed \(exit 1\):\n/);
  await expect(packaging).rejects.toThrow("Configuration error at 'service'");
});

it('takes nothing from a .env or the shell, and leaves what was packaged before alone', {
  timeout: 60_000,
}, async () => {
  for (const part of ['functions', 'infra', 'lib', 'serverless.yml', 'package.json']) {
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  }
  await writeFile(
    join(folder, '.env'),
    'TARGETS=a,b\nA_QUEUE_NAME=a\nDRY_RUN=true\nSTAGE=production\nMAX_WORKERS=ten\n',
  );
  // One of a run that has ended (no process has that number), one of a run that goes on.
  const others = ['99999999', String(process.ppid)];
  for (const name of others) await mkdir(join(folder, '.cache', 'local', name), { recursive: true });
  await mkdir(join(folder, '.serverless'));
  await writeFile(join(folder, '.serverless', 'scale.zip'), 'of production');
  const shell = {
    WORKER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/210987654321/mine',
    WORKER_MAX_WORKER: '3',
    SCALE_IN_COLOR: 'red',
    TARGETS: 'mailer',
    STAGE: 'production',
    AWS_REGION: 'eu-west-1',
    AUTOSCALER_ENV_FILE: '.env',
  };
  const { template, artifactsFolder } = await packageTemplate(folder, SETTINGS, { ...process.env, ...shell });
  const { Resources } = template as { Resources: Record<string, { Properties: Record<string, unknown> }> };
  const variables = Resources['ScaleLambdaFunction']?.Properties['Environment'] as {
    Variables: Record<string, unknown>;
  };
  expect(variables.Variables).toMatchObject({ ...SETTINGS, STAGE: 'local' });
  const foreign = /TARGETS|DRY_RUN|MAX_WORKER|^WORKER_|COLOR/;
  expect(Object.keys(variables.Variables).filter((name) => foreign.test(name))).toEqual([]);
  expect(Object.keys(Resources).filter((id) => id.endsWith('BacklogAlarm'))).toEqual(['WorkerBacklogAlarm']);
  expect((await readFile(join(artifactsFolder, 'scale.zip'))).subarray(0, 2).toString()).toBe('PK');
  expect(await readFile(join(folder, '.serverless', 'scale.zip'), 'utf8')).toBe('of production');
  const runs = await readdir(join(folder, '.cache', 'local'));
  expect(runs.toSorted()).toEqual([String(process.pid), String(process.ppid)].toSorted());
});
