/**
 * `npm run doctor` against the packaged deployment in the local AWS and the simulated Cloud 66: healthy, and with one
 * fault at a time, of which exactly the right check tells.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoctorOptions, diagnose } from '../../lib/cli/doctor.ts';
import type { CheckResult } from '../../lib/doctor/check.ts';
import { isRecord } from '../../lib/simulation/aws/intrinsics.ts';
import { createRealClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import type { AccountSettings, Scope, StackSeed } from '../../lib/simulation/cloud66/model.ts';
import { type Cloud66Server, startCloud66Server } from '../../lib/simulation/cloud66/server.ts';
import { sampleOf } from '../../lib/simulation/cloudwatch/store.ts';
import { LOCAL_TOKEN, startWorld, TOKEN_PARAMETER, type World } from '../../lib/simulation/local/world.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { runCommand } from '../cli/run-command.ts';
import { type PackagedCopy, packagedCopy } from '../e2e/packaged.ts';
import { ALARM_PREFIX, DEAD_LETTERS, FAILED_EVENTS, LION, SCALE, TIGER, tick } from '../e2e/scene.ts';

const UID = '5999b763474b0eafa5fafb64bff0ba80';
/** Two targets: one with an SQS queue and named servers, one with a metric. */
const SETTINGS = {
  TARGETS: 'worker,mailer',
  STACK_UID: UID,
  WORKER_PROCESS_NAME: 'worker',
  WORKER_QUEUE_NAME: 'jobs',
  WORKER_SERVERS: 'lion,tiger',
  MAILER_PROCESS_NAME: 'mailer',
  MAILER_METRIC: 'Shop/Depth?queue=mail&stat=Maximum',
  CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER,
};
/** A name that no process should have. */
const PROBE = 'cloud66-autoscaler-scope-probe';
const OPTIONS: DoctorOptions = { json: true, scopeCheck: true, stage: 'local' };

function stackSeed(changes: Partial<StackSeed> = {}): StackSeed {
  return {
    uid: UID,
    servers: [
      { uid: LION, name: 'lion' },
      { uid: TIGER, name: 'tiger' },
    ],
    processes: [
      { name: 'worker', counts: { [LION]: 1, [TIGER]: 0 } },
      { name: 'mailer', counts: { [LION]: 1 } },
    ],
    ...changes,
  };
}

let packaged: PackagedCopy;
let world: World;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  packaged = await packagedCopy(SETTINGS);
  closing.push(() => packaged.remove());
  world = await startedWorld();
}, 120_000);
afterAll(async () => {
  const [last, ...worlds] = closing;
  await Promise.all(worlds.map((close) => close()));
  await last?.();
}, 60_000);

interface WorldChanges {
  readonly template?: unknown;
  /** False for a world in which no metric has a point. */
  readonly publishes?: boolean;
  /** False for a world in which no function has run yet. */
  readonly runs?: boolean;
}

/** A world that has been running for a while; its queues have no metrics but those that a test writes. */
async function startedWorld({ template, publishes = true, runs = true }: WorldChanges = {}): Promise<World> {
  const started = await startWorld({
    packaged: { template: template ?? packaged.template, artifactsFolder: packaged.artifactsFolder },
    stacks: [stackSeed()],
    queueOf: { worker: 'idle', mailer: 'idle' },
    jobSeconds: 1,
    seed: 1,
    newQueueSeconds: 3600,
    cloud: { queues: { jobs: {} } },
  });
  closing.push(() => started.close());
  const names = ['worker', 'mailer'].map((id) => `${ALARM_PREFIX}${id}`);
  // Without its actions, the state comes about without a call.
  started.alarms.setActionsEnabled(names, false);
  for (const AlarmName of names) started.alarms.setState({ AlarmName, StateValue: 'OK', StateReason: 'for a test' });
  started.alarms.setActionsEnabled(names, true);
  if (publishes) {
    publishQueue(started, 60);
    publishMail(started, 60);
  }
  if (runs) expect(await started.cloud.invoke(SCALE, tick())).toMatchObject({ kind: 'succeeded' });
  return started;
}

const MINUTE_MS = 60_000;

/** A minute's point that ended about so long ago. */
function pointAt(agoSeconds: number) {
  const atMs = Math.floor((Date.now() - agoSeconds * 1000) / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  return sampleOf(0, atMs, atMs, 'Count');
}

function publishQueue({ metrics }: World, agoSeconds: number): void {
  const dimensions = { QueueName: 'jobs' };
  metrics.add({ namespace: 'AWS/SQS', name: 'ApproximateNumberOfMessagesVisible', dimensions }, pointAt(agoSeconds));
}

function publishMail({ metrics }: World, agoSeconds: number): void {
  metrics.add({ namespace: 'Shop', name: 'Depth', dimensions: { queue: 'mail' } }, pointAt(agoSeconds));
}

function environmentOf({ cloud, cloud66 }: World, changes: Readonly<Record<string, string>> = {}) {
  return {
    ...SETTINGS,
    CLOUD66_API_URL: cloud66.url,
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_ACCESS_KEY_ID: cloud.operatorAccessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_REGION: 'us-east-1',
    ...changes,
  };
}

async function diagnosed(
  environment: Readonly<Record<string, string>>,
  options: Partial<DoctorOptions> = {},
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for await (const result of diagnose({ environment, file: null }, { ...OPTIONS, ...options })) results.push(result);
  return results;
}

/** The only check that fails; it says what was found and what to do. */
function onlyFailure(results: readonly CheckResult[]): CheckResult {
  const [failure, ...more] = results.filter(({ status }) => status === 'fail');
  if (failure === undefined || more.length > 0) throw new Error(JSON.stringify(results, null, 1));
  expect(failure.advice).not.toBe('');
  return failure;
}

/** Another Cloud 66 than the world's own, with something wrong. */
async function otherCloud66(
  stack: StackSeed,
  changes: { readonly settings?: Partial<AccountSettings>; readonly scopes?: readonly Scope[] } = {},
): Promise<{ readonly url: string; readonly account: Cloud66Account; readonly server: Cloud66Server }> {
  const { settings = {}, scopes = ['public', 'admin'] } = changes;
  const account = new Cloud66Account({
    clock: createRealClock(),
    random: createRandom(1),
    stacks: [stack],
    tokens: [{ value: LOCAL_TOKEN, user: 'operator@example.com', scopes }],
    settings,
  });
  const server = await startCloud66Server({ account, random: createRandom(2), replyForm: 'mixed' });
  closing.push(async () => {
    await server.close();
    account.close();
  });
  return { url: server.url, account, server };
}

async function withCloud66(
  stack: StackSeed,
  changes: Parameters<typeof otherCloud66>[1] = {},
): Promise<readonly CheckResult[]> {
  const { url } = await otherCloud66(stack, changes);
  return diagnosed(environmentOf(world, { CLOUD66_API_URL: url }));
}

/** The template with a change to the properties of all resources of one type. */
function templateWith(type: string, changes: Readonly<Record<string, unknown>>): unknown {
  const template: unknown = structuredClone(packaged.template);
  const resources = isRecord(template) && isRecord(template.Resources) ? Object.values(template.Resources) : [];
  for (const resource of resources) {
    if (isRecord(resource) && resource.Type === type && isRecord(resource.Properties)) {
      Object.assign(resource.Properties, changes);
    }
  }
  return template;
}

describe('a healthy deployment', () => {
  it('is all ok', async () => {
    const results = await diagnosed(environmentOf(world));
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(results.map(({ id }) => id)).toEqual([
      'configuration',
      'token',
      `stack:${UID}`,
      `scope:${UID}`,
      'process:worker',
      'servers:worker',
      'process:mailer',
      'servers:mailer',
      'budget',
      'queue:worker',
      'metric:worker',
      'metric:mailer',
      'functions',
      'schedule',
      'mapping',
      'concurrency',
      'heartbeat',
      'alarm:worker',
      'alarm:mailer',
      'alarm-permission',
      'dead-letters',
      'failed-events',
      'overrides',
      'stop-sequence:worker',
      'stop-sequence:mailer',
    ]);
  });

  it('is left as it is: the one call that is no read is refused, and can be left out', async () => {
    const before = world.account.calls.writes();
    await diagnosed(environmentOf(world));
    const [probe, ...more] = world.account.calls
      .all()
      .filter(({ method }) => method !== 'GET')
      .slice(before);
    expect(probe).toMatchObject({ method: 'POST', status: 404 });
    expect(more).toEqual([]);
    expect(world.account.stack(UID).actions()).toEqual([]);
    const results = await diagnosed(environmentOf(world), { scopeCheck: false });
    expect(world.account.calls.writes()).toBe(before + 1);
    expect(results.find(({ id }) => id === `scope:${UID}`)).toMatchObject({ status: 'warn' });
    const asked = world.cloud.requests.filter(({ functionName }) => functionName === null);
    expect(asked.filter(({ operation }) => !/^(Get|List|Describe|Filter)/.test(operation))).toEqual([]);
  });

  it('as JSON: all checks, ok, exit code 0', async () => {
    const { stdout, code } = await runCommand(['doctor', '--stage', 'local', '--json'], environmentOf(world));
    const { checks, ok } = JSON.parse(stdout) as { checks: CheckResult[]; ok: boolean };
    expect(checks.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(checks.length).toBeGreaterThan(20);
    expect({ ok, code }).toEqual({ ok: true, code: 0 });
  });

  it('keeps the token to itself', async () => {
    const changed = { CLOUD66_TOKEN: LOCAL_TOKEN, CLOUD66_TOKEN_PARAMETER: '', CLOUD66_API_URL: 'http://127.0.0.1:9' };
    expect(JSON.stringify(await diagnosed(environmentOf(world, changed)))).not.toContain(LOCAL_TOKEN);
  });
});

describe('one fault, one failing check:', () => {
  it('a wrong token', async () => {
    const failure = onlyFailure(await diagnosed(environmentOf(world, { CLOUD66_TOKEN: 'some-other-token' })));
    expect(failure).toMatchObject({ id: 'token', detail: expect.stringContaining('not accepted') });
  });

  it('a token that is not where it should be', async () => {
    const failure = onlyFailure(await diagnosed(environmentOf(world, { CLOUD66_TOKEN_PARAMETER: '/nowhere' })));
    expect(failure).toMatchObject({ id: 'token', detail: expect.stringContaining('/nowhere') });
  });

  it('a missing scope', async () => {
    const failure = onlyFailure(await withCloud66(stackSeed(), { scopes: ['public', 'redeploy'] }));
    expect(failure).toMatchObject({ id: `scope:${UID}`, detail: expect.stringContaining('"admin"') });
  });

  it('a missing process', async () => {
    const [worker] = stackSeed().processes;
    const failure = onlyFailure(await withCloud66(stackSeed({ processes: worker ? [worker] : [] })));
    expect(failure).toMatchObject({ id: 'process:mailer', detail: expect.stringContaining('it has worker') });
  });

  it('a renamed server', async () => {
    const servers = [
      { uid: LION, name: 'leo' },
      { uid: TIGER, name: 'tiger' },
    ];
    const failure = onlyFailure(await withCloud66(stackSeed({ servers })));
    expect(failure).toMatchObject({ id: 'servers:worker', detail: 'SERVERS names lion; the stack has leo, tiger' });
  });

  it('a stack that does not exist', async () => {
    const failure = onlyFailure(await withCloud66(stackSeed({ uid: 'f'.repeat(32) })));
    expect(failure).toMatchObject({ id: `stack:${UID}` });
  });

  it('an exhausted budget', async () => {
    const failure = onlyFailure(await withCloud66(stackSeed(), { settings: { callsPerHour: 0 } }));
    expect(failure).toMatchObject({ id: 'budget', detail: expect.stringContaining('throttles until') });
  });

  it('a budget that ends in the middle', async () => {
    const failure = onlyFailure(await withCloud66(stackSeed(), { settings: { callsPerHour: 3 } }));
    expect(failure).toMatchObject({ id: 'budget' });
  });

  it.each([
    ['OK', 'OKActions'],
    ['ALARM', 'AlarmActions'],
  ])('an alarm without an action for %s', async (state, property) => {
    const [alarm] = world.cloud.stack.of('AWS::CloudWatch::Alarm').filter(({ name }) => name.endsWith('worker'));
    world.alarms.put({ ...alarm?.properties, [property]: [] });
    const failure = onlyFailure(await diagnosed(environmentOf(world)));
    world.alarms.put(alarm?.properties);
    expect(failure).toMatchObject({ id: 'alarm:worker', detail: `nothing is called when it goes to ${state}` });
  });

  it('a disabled schedule', async () => {
    const other = await startedWorld({ template: templateWith('AWS::Events::Rule', { State: 'DISABLED' }) });
    const failure = onlyFailure(await diagnosed(environmentOf(other)));
    expect(failure).toMatchObject({ id: 'schedule', advice: expect.stringContaining('enable-rule') });
  });

  it('a disabled mapping', async () => {
    const other = await startedWorld({ template: templateWith('AWS::Lambda::EventSourceMapping', { Enabled: false }) });
    const failure = onlyFailure(await diagnosed(environmentOf(other)));
    expect(failure).toMatchObject({ id: 'mapping', detail: 'it is Disabled' });
  });

  it.each([
    ['a metric that nobody publishes any more', 'metric:mailer', publishQueue],
    ['metrics of the queue that stopped', 'metric:worker', publishMail],
  ])('%s', async (_title, id, publishOther) => {
    const other = await startedWorld({ publishes: false });
    publishOther(other, 60);
    publishMail(other, 480);
    publishQueue(other, 480);
    expect(onlyFailure(await diagnosed(environmentOf(other)))).toMatchObject({ id });
  });

  it('a sleeping queue', async () => {
    const other = await startedWorld({ publishes: false });
    publishMail(other, 60);
    const failure = onlyFailure(await diagnosed(environmentOf(other)));
    expect(failure).toMatchObject({ id: 'queue:worker', detail: expect.stringContaining('blind') });
  });

  it.each([
    ['dead-letters', DEAD_LETTERS, { groupId: 'a', deduplicationId: 'a' }],
    ['failed-events', FAILED_EVENTS, {}],
  ])('%s that are not empty', async (id, queueName, options) => {
    const { queues } = world.cloud;
    await queues.send(queueName, 'a letter', options);
    const failure = onlyFailure(await diagnosed(environmentOf(world)));
    const [letter] = await queues.receive(queueName);
    await queues.delete(queueName, letter?.receiptHandle ?? '');
    expect(failure).toMatchObject({ id, detail: `${queueName} holds 1` });
  });

  it('a stop sequence that is too short', async () => {
    const failure = onlyFailure(await diagnosed(environmentOf(world, { WORKER_MAX_JOB_SECONDS: '600' })));
    expect(failure).toMatchObject({
      id: 'stop-sequence:worker',
      detail: expect.stringContaining('600 s is killed after 90 s'),
    });
  });

  it('a function that never ran', async () => {
    const other = await startedWorld({ runs: false });
    const results = await diagnosed(environmentOf(other));
    // It has just been deployed: that is no failure yet.
    expect(results.filter(({ status }) => status !== 'ok')).toMatchObject([{ id: 'heartbeat', status: 'warn' }]);
  });

  it('alarms that may not call', async () => {
    const permission = { Principal: 'somebody.else.amazonaws.com' };
    const other = await startedWorld({ template: templateWith('AWS::Lambda::Permission', permission) });
    const failures = (await diagnosed(environmentOf(other))).filter(({ status }) => status === 'fail');
    expect(failures.map(({ id }) => id)).toEqual(['schedule', 'alarm-permission']);
  });
});

describe('what Cloud 66 says of a stack and of the token:', () => {
  const [worker, mailer] = stackSeed().processes;
  it.each<[string, Partial<StackSeed>, string, CheckResult['status']]>([
    ['it is being deployed', { status: 'deploying' }, `stack:${UID}`, 'warn'],
    ['the last deployment failed, the one before runs', { status: 'failed' }, `stack:${UID}`, 'ok'],
    ['it has failed for good', { status: 'terminal_failure' }, `stack:${UID}`, 'fail'],
    ['it is in maintenance', { maintenanceMode: true }, `stack:${UID}`, 'warn'],
    [
      'it has a process with the name of the probe',
      {
        processes: [worker, mailer].flatMap((one) => (one ? [one] : [])).concat({ name: PROBE, counts: { [LION]: 1 } }),
      },
      `scope:${UID}`,
      'warn',
    ],
  ])('%s', async (_title, changes, id, status) => {
    const results = await withCloud66(stackSeed(changes));
    expect(results.find((result) => result.id === id)).toMatchObject({ status });
    expect(results.filter((result) => result.id !== id && result.status !== 'ok')).toMatchObject([
      { id: 'functions', detail: 'set differently there: CLOUD66_API_URL' },
    ]);
  });

  it('a process with the name of the probe is not touched', async () => {
    const { url, account } = await otherCloud66(stackSeed({ processes: [{ name: PROBE, counts: { [LION]: 1 } }] }));
    await diagnosed(environmentOf(world, { CLOUD66_API_URL: url }));
    expect(account.calls.writes()).toBe(0);
  });

  it.each<[string, Parameters<typeof otherCloud66>[1], RegExp]>([
    ['the trial is over', { settings: { trialExpired: true } }, /trial/],
    ['it may not even read', { scopes: [] }, /scope public/],
  ])('%s', async (_title, changes, advice) => {
    const failure = onlyFailure(await withCloud66(stackSeed(), changes));
    expect(failure).toMatchObject({ id: 'token', advice: expect.stringMatching(advice) });
  });

  it('nobody is there', async () => {
    const failure = onlyFailure(await diagnosed(environmentOf(world, { CLOUD66_API_URL: 'http://127.0.0.1:9' })));
    expect(failure).toMatchObject({ id: 'token', advice: expect.stringContaining('CLOUD66_API_URL') });
  });
});

describe('what is not there', () => {
  it('a deployment: says so once, and checks the rest', async () => {
    const results = await diagnosed(environmentOf(world), { stage: 'nowhere' });
    const failure = onlyFailure(results);
    expect(failure).toMatchObject({ id: 'functions', detail: expect.stringContaining('nowhere-scale') });
    expect(results.find(({ id }) => id === 'process:worker')).toMatchObject({ status: 'ok' });
    expect(results.find(({ id }) => id === 'alarm:worker')).toMatchObject({ status: 'warn' });
  });

  it('settings: lists every problem and looks no further', async () => {
    const results = await diagnosed(environmentOf(world, { WORKER_MIN_WORKERS: 'many', WORKER_QUEUE_NAME: '' }));
    expect(results).toMatchObject([{ id: 'configuration', status: 'fail' }]);
    expect(results[0]?.detail).toMatch(/WORKER_QUEUE_URL.*WORKER_MIN_WORKERS|WORKER_MIN_WORKERS.*WORKER_QUEUE_URL/);
  });

  it('agreement between the settings here and there: says which differ', async () => {
    const results = await diagnosed(environmentOf(world, { WORKER_MAX_WORKERS: '9', WORKER_ALARM_THRESHOLD: '99' }));
    const unlike = results.filter(({ status }) => status !== 'ok');
    expect(unlike).toMatchObject([
      { id: 'functions', detail: expect.stringContaining('WORKER_MAX_WORKERS, WORKER_ALARM_THRESHOLD') },
      { id: 'alarm:worker', detail: expect.stringMatching(/threshold \d+ there, 99 here/) },
    ]);
  });

  it('exits with 1 and prints what to do', async () => {
    const { stdout, code } = await runCommand(
      ['doctor', '--stage', 'local'],
      environmentOf(world, { CLOUD66_TOKEN: 'some-other-token' }),
    );
    expect(stdout).toContain('FAIL  Cloud 66 accepts the token');
    expect(stdout).toContain('-> Create a personal token');
    expect(stdout).toMatch(/ok, \d+ to look at, 1 failed/);
    expect(code).toBe(1);
  });
});
