import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { template } from '../../infra/template.ts';
import { InvalidInputError } from '../../lib/errors.ts';

const PLACE = { service: 'autoscaler', stage: 'dev', region: 'eu-west-1' };
const ONE = {
  CLOUD66_TOKEN_PARAMETER: 'token',
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

  it('warns of a queue in another region, where no alarm can see it', () => {
    expect(template(ONE, PLACE).warnings).toEqual([]);
    expect(template(ONE, { ...PLACE, region: 'us-east-1' }).warnings).toEqual([
      'target worker: its queue is in eu-west-1, the deployment in us-east-1, where no alarm can see it',
    ]);
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
      env: environment,
    });

  it('prints the parts as JSON and warnings beside', () => {
    const run = print(ONE, 'us-east-1');
    const { warnings: _, ...parts } = template(ONE, PLACE);
    expect(JSON.parse(run.stdout)).toEqual(parts);
    expect(run.stderr).toMatch(/^warning: target worker: its queue is in eu-west-1/);
    expect(run.status).toBe(0);
  });

  it('ends with the configuration error alone when the settings are wrong', () => {
    const run = print({ ...ONE, MAX_WORKERS: 'ten' }, 'eu-west-1');
    expect(run).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'configuration: 1 problem\n  MAX_WORKERS: "ten" is not a whole number from 0 to 1000\n',
    });
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
