/** Single checks, on deployments that are hard to bring about: what is said of each, and what is advised. */
import { describe, expect, it } from 'vitest';
import { createBudget } from '../../lib/cloud66/budget.ts';
import { createCloud66Client } from '../../lib/cloud66/client.ts';
import type { ProcessReply, ServerReply } from '../../lib/cloud66/schema.ts';
import { fixedToken } from '../../lib/cloud66/token.ts';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { checkAlarms } from '../../lib/doctor/alarms.ts';
import type { DeployedAlarm, DeploymentReader } from '../../lib/doctor/aws.ts';
import type { CheckResult, Checks, Examined } from '../../lib/doctor/check.ts';
import { checkFunctions, seeFunctions } from '../../lib/doctor/functions.ts';
import { stopSequenceResult } from '../../lib/doctor/jobs.ts';
import { checkLetters } from '../../lib/doctor/letters.ts';
import { overridesResult } from '../../lib/doctor/overrides.ts';
import { allows, permissionsIn } from '../../lib/doctor/policy-text.ts';
import { processResult, serversResult } from '../../lib/doctor/processes.ts';
import { checkQueues } from '../../lib/doctor/queues.ts';
import type { BacklogHistory, Reading } from '../../lib/domain.ts';
import { depthOf, historyOf, NOW, ok, policyOf, unknown } from '../support/observations.ts';
import { targetOf } from '../support/ports.ts';

const NAME = 'cloud66-worker-autoscaler-test';
const ARN = `arn:aws:lambda:us-east-1:123456789012:function:${NAME}-scale`;
const RULE_ARN = 'arn:aws:events:us-east-1:123456789012:rule/tick';
const SETTINGS = { STACK_UID: 'abc', PROCESS_NAME: 'worker', QUEUE_NAME: 'jobs', CLOUD66_TOKEN_PARAMETER: '/token' };
const DEPLOYMENT = parseDeployment({ ...SETTINGS, STAGE: 'test', ALARM_THRESHOLD: '11' });

const ALARM: DeployedAlarm = {
  name: `${NAME}-backlog-worker`,
  actionsEnabled: true,
  alarmActions: [ARN],
  okActions: [ARN],
  namespace: 'AWS/SQS',
  metricName: 'ApproximateNumberOfMessagesVisible',
  statistic: 'Maximum',
  periodSeconds: 60,
  threshold: 11,
  state: 'OK',
  changedAtMs: NOW - 3 * 3_600_000,
  stateReason: '',
};

/** A deployment in order. */
const ORDERLY: DeploymentReader = {
  function: async (name) => ({
    arn: `arn:aws:lambda:us-east-1:123456789012:function:${name}`,
    state: 'Active',
    lastUpdateStatus: 'Successful',
    modifiedAtMs: NOW - 86_400_000,
    variables: name.endsWith('scale') ? DEPLOYMENT.environments.scale : DEPLOYMENT.environments.poller,
  }),
  permissions: async () => [
    { service: 'events.amazonaws.com', sourceArn: RULE_ARN },
    {
      service: 'lambda.alarms.cloudwatch.amazonaws.com',
      sourceArn: `arn:aws:cloudwatch:us-east-1:123456789012:alarm:${NAME}-backlog-*`,
    },
  ],
  reservedConcurrency: async () => DEPLOYMENT.reservedConcurrency,
  concurrency: async () => ({ limit: 1000, unreserved: 900 }),
  mappings: async () => [
    {
      sourceArn: `arn:aws:sqs:us-east-1:123456789012:${NAME}-actions.fifo`,
      state: 'Enabled',
      reportsItemFailures: true,
    },
  ],
  rules: async () => [{ name: 'tick', arn: RULE_ARN, isEnabled: true, expression: 'rate(1 minute)' }],
  alarms: async () => [ALARM],
  log: async () => [{ atMs: NOW - 20_000, text: '{"_aws":{}}' }],
  messages: async () => 0,
};

function examined(aws: Partial<DeploymentReader> = {}, changes: Partial<Examined> = {}): Examined {
  const clock = { nowMs: () => NOW };
  const token = fixedToken('a-token-of-a-test');
  return {
    clock,
    name: NAME,
    deployment: DEPLOYMENT,
    watchIntervalSeconds: 15,
    accountOf: () => ({
      token,
      client: createCloud66Client({ apiUrl: 'http://127.0.0.1:9', token, clock, budget: createBudget() }),
    }),
    overrides: { read: async () => ({ kind: 'ok', value: new Map(), observedAtMs: NOW }) },
    queue: { depths: async () => new Map(), histories: async () => new Map(), rates: async () => new Map() },
    aws: { ...ORDERLY, ...aws },
    probesScope: true,
    signal: new AbortController().signal,
    ...changes,
  };
}

async function all(checks: Checks): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of checks) results.push(result);
  return results;
}

const refused = async (): Promise<never> => {
  throw Object.assign(new Error('not authorized'), { name: 'AccessDeniedException' });
};

async function functionResults(aws: Partial<DeploymentReader>): Promise<readonly CheckResult[]> {
  const patient = examined(aws);
  const { result, scale } = await seeFunctions(patient);
  return [result, ...(await all(checkFunctions(patient, scale)))];
}

describe('the functions and what hangs on them', () => {
  it('in order: all ok', async () => {
    expect((await functionResults({})).filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  const lines = (...texts: readonly string[]) => texts.map((text, index) => ({ atMs: NOW - 60_000 + index, text }));
  const error = '{"timestamp":"t","level":"error","message":"Cloud 66 is down"}';
  const decision = '{"timestamp":"t","level":"info","message":"worker: hold","event":"decision"}';

  it.each<[string, Partial<DeploymentReader>, Partial<CheckResult>]>([
    ['no permission to look', { function: refused }, { id: 'functions', status: 'fail' }],
    ['not deployed', { function: async () => null }, { id: 'functions', status: 'fail' }],
    [
      'a failed update',
      {
        function: async (name, signal) => {
          const found = await ORDERLY.function(name, signal);
          return found && { ...found, lastUpdateStatus: 'Failed' };
        },
      },
      { id: 'functions', status: 'fail' },
    ],
    ['no rule', { rules: async () => [] }, { id: 'schedule', status: 'fail' }],
    [
      'a rule that may not invoke',
      { permissions: async () => [] },
      { id: 'schedule', status: 'fail', detail: 'rule tick may not invoke the function' },
    ],
    ['rules that may not be seen', { rules: refused }, { id: 'schedule', status: 'warn' }],
    ['no mapping', { mappings: async () => [] }, { id: 'mapping', status: 'fail' }],
    [
      'a mapping that brings back whole batches',
      {
        mappings: async (name, signal) =>
          (await ORDERLY.mappings(name, signal)).map((mapping) => ({ ...mapping, reportsItemFailures: false })),
      },
      { id: 'mapping', status: 'fail' },
    ],
    [
      'a mapping on its way',
      {
        mappings: async (name, signal) =>
          (await ORDERLY.mappings(name, signal)).map((mapping) => ({ ...mapping, state: 'Enabling' })),
      },
      { id: 'mapping', status: 'warn' },
    ],
    ['mappings that may not be seen', { mappings: refused }, { id: 'mapping', status: 'warn' }],
    [
      'an account too small to reserve anything',
      { concurrency: async () => ({ limit: 10, unreserved: 10 }), reservedConcurrency: async () => null },
      { id: 'concurrency', status: 'fail', advice: expect.stringContaining('RESERVED_CONCURRENCY=none') },
    ],
    [
      'an account with little left',
      { concurrency: async () => ({ limit: 100, unreserved: 50 }) },
      { id: 'concurrency', status: 'warn' },
    ],
    ['another reservation than here', { reservedConcurrency: async () => 5 }, { id: 'concurrency', status: 'warn' }],
    ['limits that may not be seen', { concurrency: refused }, { id: 'concurrency', status: 'warn' }],
    [
      'a silent log',
      { log: async () => [] },
      { id: 'heartbeat', status: 'fail', detail: 'its log is silent for 900 s at least' },
    ],
    [
      'an old last line',
      { log: async () => [{ atMs: NOW - 600_000, text: '{}' }] },
      { id: 'heartbeat', status: 'fail', detail: 'its log is silent for 600 s' },
    ],
    [
      'an error at the end',
      { log: async () => lines(decision, error) },
      { id: 'heartbeat', status: 'warn', detail: expect.stringContaining('last error: Cloud 66 is down') },
    ],
    ['a log that may not be seen', { log: refused }, { id: 'heartbeat', status: 'warn' }],
  ])('%s', async (_title, aws, expected) => {
    const unlike = (await functionResults(aws)).filter(({ status }) => status !== 'ok');
    expect(unlike[0]).toMatchObject(expected);
    expect(unlike[0]?.advice).not.toBe('');
    expect(unlike.slice(1).filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('an error that a good decision followed is over', async () => {
    const results = await functionResults({ log: async () => lines(error, 'START', '{"timestamp": broken', decision) });
    expect(results.at(-1)).toMatchObject({ status: 'ok', detail: expect.stringContaining('worker: hold') });
  });

  it('nothing to reserve is always possible', async () => {
    const deployment = parseDeployment({ ...SETTINGS, STAGE: 'test', RESERVED_CONCURRENCY: 'none' });
    const results = await all(checkFunctions(examined({}, { deployment }), null));
    expect(results.find(({ id }) => id === 'concurrency')).toMatchObject({ status: 'ok' });
  });
});

describe('the alarms', () => {
  it.each<[string, Partial<DeploymentReader>, Partial<CheckResult>]>([
    ['in order', {}, { status: 'ok', detail: 'it is OK for 3 h' }],
    ['one that is gone', { alarms: async () => [] }, { status: 'fail', detail: 'there is no such alarm' }],
    [
      'one that was switched off',
      { alarms: async () => [{ ...ALARM, actionsEnabled: false }] },
      { status: 'fail', advice: expect.stringContaining('enable-alarm-actions') },
    ],
    [
      'one that points elsewhere',
      { alarms: async () => [{ ...ALARM, alarmActions: ['arn:x'], okActions: [] }] },
      { status: 'fail', detail: 'nothing is called when it goes to ALARM and OK' },
    ],
    [
      'one on other settings',
      { alarms: async () => [{ ...ALARM, statistic: 'Sum', periodSeconds: 300 }] },
      { status: 'warn', detail: expect.stringContaining('statistic Sum there, Maximum here; period 300 there') },
    ],
    [
      'one that never saw a point',
      {
        alarms: async () => [{ ...ALARM, state: 'INSUFFICIENT_DATA', changedAtMs: NOW - 600_000, stateReason: 'new' }],
      },
      { status: 'warn', detail: 'it is INSUFFICIENT_DATA for 10 min: new' },
    ],
    ['ones that may not be seen', { alarms: refused }, { status: 'warn' }],
  ])('%s', async (_title, aws, expected) => {
    const [alarm, permission] = await all(checkAlarms(examined(aws), ARN));
    expect(alarm).toMatchObject({ id: 'alarm:worker', ...expected });
    expect(permission).toMatchObject({ id: 'alarm-permission', status: 'ok' });
  });

  it('may not invoke, or nobody can tell', async () => {
    const [, none] = await all(checkAlarms(examined({ permissions: async () => [] }), ARN));
    expect(none).toMatchObject({ status: 'fail', detail: expect.stringContaining('worker') });
    const [, unseen] = await all(checkAlarms(examined({ permissions: refused }), ARN));
    expect(unseen).toMatchObject({ status: 'warn' });
  });
});

describe('the letters', () => {
  it.each<[string, DeploymentReader['messages'], Partial<CheckResult>]>([
    ['some', async () => 3, { status: 'fail', detail: `${NAME}-actions-dead.fifo holds 3` }],
    ['no queue for them', async () => null, { status: 'warn' }],
    ['a queue that may not be read', refused, { status: 'warn' }],
  ])('%s', async (_title, messages, expected) => {
    const [deadLetters] = await all(checkLetters(examined({ messages })));
    expect(deadLetters).toMatchObject({ id: 'dead-letters', ...expected });
  });
});

describe('queue and metric', () => {
  const asleep = { kind: 'missing', why: 'asleep', detail: 'no point' } as const;
  const SQS = { kind: 'sqs_name', queueName: 'jobs' } as const;
  const metricOf = (stat: string) =>
    ({ kind: 'metric', namespace: 'Shop', name: 'Depth', dimensions: {}, stat }) as const;

  async function seen(
    target: ReturnType<typeof targetOf>,
    history: Reading<BacklogHistory>,
    depth: Reading<ReturnType<typeof depthOf>> = ok(depthOf(3)),
  ): Promise<readonly CheckResult[]> {
    const queue = {
      depths: async () => new Map([[target.id, depth]]),
      histories: async () => new Map([[target.id, history]]),
      rates: async () => new Map(),
    };
    return all(checkQueues(examined({}, { deployment: { ...DEPLOYMENT, targets: [target] }, queue })));
  }
  const fresh = ok(historyOf([1, 2, 3]));

  it('a queue that cannot be read', async () => {
    const [queue, metric] = await seen(targetOf('worker', { source: SQS }), fresh, unknown('failed'));
    expect(queue).toMatchObject({ id: 'queue:worker', status: 'fail' });
    expect(metric).toMatchObject({ id: 'metric:worker', status: 'ok' });
  });

  it('a queue that may not be read: advises the permission', async () => {
    const denied = { kind: 'failed', why: 'access_denied', detail: 'no' } as const;
    const [queue] = await seen(targetOf('worker'), fresh, denied);
    expect(queue).toMatchObject({ status: 'fail', advice: expect.stringContaining('sqs:GetQueueAttributes') });
  });

  it('a queue that sleeps: its metric is not blamed too', async () => {
    const [queue, metric] = await seen(targetOf('worker', { source: SQS }), asleep);
    expect([queue, metric]).toMatchObject([
      { status: 'fail' },
      { status: 'warn', detail: expect.stringContaining('sleeps') },
    ]);
  });

  it('a metric without points', async () => {
    const [metric, ...more] = await seen(targetOf('worker', { source: metricOf('Maximum') }), asleep);
    expect(metric).toMatchObject({ id: 'metric:worker', status: 'fail', advice: expect.stringContaining('publishes') });
    expect(more).toEqual([]);
  });

  it('a metric with old points', async () => {
    const old = ok(historyOf([1, 2]), NOW - 400_000);
    expect((await seen(targetOf('worker', { source: SQS }), old))[1]).toMatchObject({
      status: 'fail',
      detail: 'the newest point is 400 s old; METRIC_MAX_AGE_SECONDS is 180',
    });
  });

  it.each(['Sum', 'Minimum'])('a metric read by its %s', async (stat) => {
    const [metric] = await seen(targetOf('worker', { source: metricOf(stat) }), fresh);
    expect(metric).toMatchObject({ status: 'warn', detail: expect.stringContaining(`the statistic is ${stat}`) });
  });

  it('an alarm slower than the tick', async () => {
    const slow = targetOf('worker', { alarm: { threshold: 1, periodSeconds: 600 } });
    expect((await seen(slow, fresh))[1]).toMatchObject({ status: 'warn' });
  });
});

describe('process and servers', () => {
  const subject = { id: 'x', title: 'y' };
  const processOf = (changes: Partial<ProcessReply> = {}): ProcessReply => ({
    name: 'worker',
    counts: new Map([['lion', 2]]),
    pausedCounts: new Map(),
    ...changes,
  });
  const lion: ServerReply = { uid: 'a', name: 'lion', healthState: 3 };

  it('a paused process is left alone', () => {
    const paused = processOf({ pausedCounts: new Map([['lion', 2]]) });
    expect(processResult(subject, targetOf('worker'), [paused])).toMatchObject({ status: 'warn' });
  });

  it('a count outside the limits will be corrected', () => {
    const target = targetOf('worker', { policy: policyOf({ minWorkers: 3 }) });
    expect(processResult(subject, target, [processOf()]).detail).toContain('outside 3 to 10');
  });

  it('a server of the process that the server list lacks', () => {
    const result = serversResult(subject, targetOf('worker'), [processOf()], [{ ...lion, name: 'leo' }]);
    expect(result).toMatchObject({ status: 'fail', detail: expect.stringContaining('runs on lion') });
  });

  it('a failed server', () => {
    const result = serversResult(subject, targetOf('worker'), [processOf()], [{ ...lion, healthState: 4 }]);
    expect(result).toMatchObject({ status: 'warn', detail: 'lion failed' });
  });

  it('servers of a process that is not there', () => {
    expect(serversResult(subject, targetOf('worker'), [], [lion])).toMatchObject({ status: 'warn' });
  });
});

describe('the stop sequence', () => {
  it.each([
    [60, 90, 'warn', 'ok'],
    [80, 90, 'warn', 'warn'],
    [91, 90, 'warn', 'fail'],
    [91, 90, 'refuse', 'warn'],
    [91, 7200, 'warn', 'ok'],
    [null, 90, 'warn', 'ok'],
  ] as const)('a job of %s s, %s s to stop, LONG_JOBS=%s: %s', (maxJobSeconds, stopSeconds, longJobs, status) => {
    const target = targetOf('worker', { policy: policyOf({ maxJobSeconds, stopSeconds, longJobs }) });
    expect(stopSequenceResult(target)).toMatchObject({ id: 'stop-sequence:worker', status });
  });
});

describe('the policy of a function', () => {
  const statement = (changes: object) =>
    JSON.stringify({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'events.amazonaws.com' },
          Action: 'lambda:InvokeFunction',
          ...changes,
        },
      ],
    });

  it.each([
    ['any caller', statement({}), true],
    ['this caller', statement({ Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:events:*:rule/ti?k' } } }), true],
    ['another caller', statement({ Condition: { ArnLike: { 'AWS:SourceArn': 'arn:aws:events:*:rule/tac' } } }), false],
    ['a dot that is no wildcard', statement({ Condition: { ArnLike: { 'AWS:SourceArn': 'arn.*' } } }), false],
    ['a denial', statement({ Effect: 'Deny' }), false],
    ['another action', statement({ Action: 'lambda:GetFunction' }), false],
    ['another principal', statement({ Principal: '*' }), false],
    ['no policy', '', false],
  ])('%s', (_title, policy, expected) => {
    expect(allows(permissionsIn(policy), 'events.amazonaws.com', 'arn:aws:events:us-east-1:1:rule/tick')).toBe(
      expected,
    );
  });
});

describe('overrides', () => {
  const underway = (untilMs: number) =>
    ok(new Map([['*', { kind: 'pause', workers: null, untilMs, why: 'migration' } as const]]));
  it.each<[string, Awaited<ReturnType<Examined['overrides']['read']>>, Partial<CheckResult>]>([
    ['none', ok(new Map()), { status: 'ok' }],
    ['one that has ended', underway(NOW), { status: 'ok' }],
    [
      'one in force',
      underway(NOW + 60_000),
      { status: 'warn', detail: expect.stringContaining('all targets: no change until') },
    ],
    ['ones that cannot be read', unknown('failed'), { status: 'fail', advice: expect.stringContaining('delete it') }],
  ])('%s', async (_title, reading, expected) => {
    expect(await overridesResult(examined({}, { overrides: { read: async () => reading } }))).toMatchObject(expected);
  });
});
