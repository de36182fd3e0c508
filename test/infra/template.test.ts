import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { template } from '../../infra/template.ts';
import { parseEnvFile } from '../../lib/config/env-file.ts';
import { homeRegion } from '../../lib/config/home-region.ts';
import { InvalidInputError } from '../../lib/errors.ts';

const PLACE = { service: 'autoscaler', stage: 'dev', region: 'eu-west-1' };
const ONE = {
  CLOUD66_TOKEN_PARAMETER: '/token',
  STACK_UID: 'abc',
  PROCESS_NAME: 'worker',
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
};
const ROOT = path.join(import.meta.dirname, '..', '..');
const PROGRAM = path.join(ROOT, 'infra', 'template.ts');
/** An optional package: not on every platform. */
const OWN_NODE = path.join(ROOT, 'node_modules', 'node', 'bin', 'node');

describe('the template', () => {
  it('reserves no concurrency when told so', () => {
    expect(template(ONE, PLACE).reservedConcurrency).toBe(2);
    expect(template({ ...ONE, RESERVED_CONCURRENCY: 'none' }, PLACE).reservedConcurrency).toBeNull();
  });

  it('grants nothing on queues when the depth comes from a metric, and alarms on its percentile', () => {
    const { roles, alarms } = template({ ...ONE, QUEUE_URL: '', METRIC: 'Sidekiq/Depth?Q=a&stat=p90' }, PLACE);
    expect(JSON.stringify(roles.Resources.ScaleRole)).not.toMatch(/GetQueueAttributes|GetQueueUrl/);
    expect(alarms.Resources.WorkerBacklogAlarm?.Properties).toMatchObject({
      Namespace: 'Sidekiq',
      MetricName: 'Depth',
      Dimensions: [{ Name: 'Q', Value: 'a' }],
      ExtendedStatistic: 'p90',
    });
    expect(alarms.Resources.WorkerBacklogAlarm?.Properties).not.toHaveProperty('Statistic');
  });

  it('leaves the region of a queue at an unusual address to the deployment', () => {
    const { roles } = template({ ...ONE, QUEUE_URL: 'http://127.0.0.1:4566/000000000000/jobs' }, PLACE);
    expect(JSON.stringify(roles)).toContain(`arn:\${AWS::Partition}:sqs:\${AWS::Region}:000000000000:jobs`);
  });

  it('names a queue that two targets share once', () => {
    const { roles } = template(
      { ...ONE, PROCESS_NAME: '', TARGETS: 'a,b', A_PROCESS_NAME: 'a', B_PROCESS_NAME: 'b' },
      PLACE,
    );
    expect(JSON.stringify(roles).match(/:jobs"/g)).toHaveLength(1);
  });

  it('gives every target an alarm, even when ids differ in a hyphen only', () => {
    const names = { A1_PROCESS_NAME: 'x', A_1_PROCESS_NAME: 'y', ADASH1_PROCESS_NAME: 'z' };
    const { alarms } = template({ ...ONE, PROCESS_NAME: '', TARGETS: 'a1,a-1,adash1', ...names }, PLACE);
    const ids = Object.keys(alarms.Resources).filter((id) => id.endsWith('BacklogAlarm'));
    expect(ids).toEqual(['A1BacklogAlarm', 'ADash1BacklogAlarm', 'Adash1BacklogAlarm']);
  });

  it('refuses a queue in another region, from where it cannot be read', () => {
    expect(() => template(ONE, { ...PLACE, region: 'us-east-1' })).toThrow(
      'QUEUE_URL: the queue is in eu-west-1, the deployment would be in us-east-1, from where it cannot be read; deploy with --region eu-west-1',
    );
  });

  it('takes the stage from its place alone, and settings from a file that the environment wins over', () => {
    const file = parseEnvFile('.env', 'DRY_RUN=true\nMAX_WORKERS=7\nPROCESS_NAME=mailer\n');
    const { environments, summary } = template({ ...ONE, STAGE: 'production', MAX_WORKERS: '' }, PLACE, { file });
    expect(environments.scale).toMatchObject({ STAGE: 'dev', DRY_RUN: 'true', PROCESS_NAME: 'worker' });
    expect(environments.scale).not.toHaveProperty('MAX_WORKERS');
    expect(summary).toEqual([expect.stringMatching(/^DRY RUN {2}worker: process worker of stack abc, queue jobs/)]);
  });

  it('refuses variables that are too long for a function, before AWS does', () => {
    const ids = Array.from({ length: 40 }, (_, index) => `target-number-${index}`);
    const own = ids.flatMap((id) => {
      const prefix = id.toUpperCase().replaceAll('-', '_');
      return [
        [`${prefix}_PROCESS_NAME`, id],
        [`${prefix}_QUEUE_URL`, `https://sqs.eu-west-1.amazonaws.com/123456789012/${id}`],
      ];
    });
    const environment = { ...ONE, PROCESS_NAME: '', TARGETS: ids.join(','), ...Object.fromEntries(own) };
    expect(() => template(environment, PLACE)).toThrow(InvalidInputError);
    expect(() => template(environment, PLACE)).toThrow(
      /variables of the function scale: about \d+ bytes are more than the 4096/,
    );
  });

  it('holds twenty targets that share their settings in the variables of a function', () => {
    const ids = Array.from({ length: 20 }, (_, index) => `q${index}`);
    const own = ids.flatMap((id) => [
      [`${id.toUpperCase()}_PROCESS_NAME`, `worker-${id}`],
      [`${id.toUpperCase()}_QUEUE_URL`, `https://sqs.eu-west-1.amazonaws.com/123456789012/production-${id}`],
    ]);
    const environment = { ...ONE, PROCESS_NAME: '', TARGETS: ids.join(','), ...Object.fromEntries(own) };
    expect(Object.keys(template(environment, PLACE).alarms.Resources)).toHaveLength(21);
  });
});

describe('the program that prints the template', () => {
  const print = (environment: Readonly<Record<string, string>>, region: string) =>
    spawnSync(process.execPath, ['--no-warnings', PROGRAM, 'autoscaler', 'dev', region], {
      encoding: 'utf8',
      env: { AUTOSCALER_ENV_FILE: 'none', ...environment },
    });

  it('prints the parts as JSON, and beside them warnings and what was understood', () => {
    const run = print({ ...ONE, LOGLEVEL: 'debug' }, 'eu-west-1');
    const { warnings: _, summary, ...parts } = template(ONE, PLACE);
    expect(JSON.parse(run.stdout)).toEqual(parts);
    expect(run.stderr.trim().split('\n')).toEqual([
      'Settings: the environment',
      'warning: LOGLEVEL is not a setting; did you mean LOG_LEVEL?',
      ...summary,
    ]);
    expect(summary).toEqual([expect.stringMatching(/^LIVE {2}worker: /)]);
    expect(run.status).toBe(0);
  });

  it('ends with warnings and the configuration error alone when the settings are wrong', () => {
    expect(print({ ...ONE, MAX_WORKERS: 'ten', DRYRUN: 'true' }, 'eu-west-1')).toMatchObject({
      status: 1,
      stdout: '',
      stderr:
        'Settings: the environment\nwarning: DRYRUN is not a setting; did you mean DRY_RUN?\n' +
        'configuration: 1 problem\n  MAX_WORKERS: "ten" is not a whole number from 0 to 1000\n',
    });
  });

  it('says when the file that it should read is not there', () => {
    const run = print({ ...ONE, AUTOSCALER_ENV_FILE: 'nowhere.env' }, 'eu-west-1');
    expect(run.status).toBe(1);
    expect(run.stderr).toContain('AUTOSCALER_ENV_FILE: nowhere.env cannot be read (ENOENT)');
  });
});

describe('the region without a word on it', () => {
  const [jobs, mail] = [
    'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/mail',
  ];

  it.each([
    [{ QUEUE_URL: jobs }, 'eu-west-1'],
    [{ A_QUEUE_URL: jobs, B_QUEUE_URL: mail, ACTIONS_QUEUE_URL: jobs.replace('eu-west-1', 'us-west-2') }, 'eu-west-1'],
    [{ A_QUEUE_URL: jobs, B_QUEUE_URL: mail.replace('eu-west-1', 'us-west-2') }, 'us-east-1'],
    [{ QUEUE_NAME: 'jobs', A_QUEUE_URL: '', B_QUEUE_URL: 'no address' }, 'us-east-1'],
  ])('with %o is %s', (environment, region) => {
    expect(homeRegion(environment)).toBe(region);
    const run = spawnSync(process.execPath, ['--no-warnings', path.join(ROOT, 'infra', 'region.ts')], {
      encoding: 'utf8',
      env: { AUTOSCALER_ENV_FILE: 'none', ...environment },
    });
    expect(run.stdout).toBe(region);
  });
});

describe('a Node that cannot run TypeScript', () => {
  it.skipIf(!existsSync(OWN_NODE))("hands over to the project's own", () => {
    const script = "process.stdout.write(require('./infra/node.cjs').nodeForTypeScript())";
    const run = (...flags: readonly string[]) =>
      spawnSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8', cwd: ROOT }).stdout;
    expect(run()).toBe(process.execPath);
    expect(run('--no-experimental-strip-types')).toBe(OWN_NODE);
  });
});
