import { describe, expect, it } from 'vitest';
import type { InvocationReport } from '../../../lib/simulation/aws/cloud.ts';
import { arnOf, functionResources, liveFaster, startStack, until } from './small-stack.ts';

const FAILURES = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'failures' } };
const FAILING = 'export const handler = async () => { throw new Error("broken"); };';

function eventConfig(properties: object): object {
  return {
    Type: 'AWS::Lambda::EventInvokeConfig',
    Properties: {
      FunctionName: { Ref: 'Work' },
      Qualifier: '$LATEST',
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Failures', 'Arn'] } } },
      ...properties,
    },
  };
}

function stackWith(code: string, config: object, properties: object = {}): Record<string, object> {
  // The longest timeout, since a busy machine is slow and the clock is fast.
  const all = { Timeout: 900, ...properties };
  return {
    ...functionResources({ Work: { code, allow: { [arnOf('failures')]: ['sqs:SendMessage'] }, properties: all } }),
    Failures: FAILURES,
    Config: eventConfig(config),
  };
}

describe('an asynchronous event', () => {
  it('that succeeds is run once and leaves nothing behind', async () => {
    const cloud = await startStack(stackWith('export const handler = async () => "done";', {}));
    expect(await cloud.invokeAsynchronously('Work', {})).toBe('Success');
    expect(cloud.queues.bodies('failures')).toEqual([]);
  });

  it('that fails is retried after one and two minutes, then recorded at the destination', async () => {
    liveFaster(300);
    const reports: InvocationReport[] = [];
    const cloud = await startStack(stackWith(FAILING, {}), { onInvocation: (report) => reports.push(report) });
    expect(await cloud.invokeAsynchronously('Work', { job: 7 })).toBe('RetriesExhausted');
    const [first, second, third] = reports;
    expect(reports.length).toBe(3);
    // One real millisecond is 300 simulated ones: timers may be that much early.
    expect((second?.startedAtMs ?? 0) - (first?.endedAtMs ?? 0)).toBeGreaterThanOrEqual(59_000);
    expect((third?.startedAtMs ?? 0) - (second?.endedAtMs ?? 0)).toBeGreaterThanOrEqual(119_000);
    expect(cloud.queues.bodies('failures').map((body) => JSON.parse(body) as unknown)).toEqual([
      {
        version: '1.0',
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
        requestContext: {
          requestId: expect.any(String),
          functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:Work:$LATEST',
          condition: 'RetriesExhausted',
          approximateInvokeCount: 3,
        },
        requestPayload: { job: 7 },
        responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
        responsePayload: expect.objectContaining({ errorType: 'Error', errorMessage: 'broken' }),
      },
    ]);
  });

  it('is not retried when the settings say so', async () => {
    const reports: InvocationReport[] = [];
    const cloud = await startStack(stackWith(FAILING, { MaximumRetryAttempts: 0 }), {
      onInvocation: (report) => reports.push(report),
    });
    expect(await cloud.invokeAsynchronously('Work', {})).toBe('RetriesExhausted');
    expect(reports.length).toBe(1);
  });

  it('waits while the function is busy and is not counted as tried', async () => {
    liveFaster(100);
    const code = `let runs = 0; let now = 0; export const handler = async () => {
      runs += 1; now += 1; if (now > 1) throw new Error("two at once");
      await new Promise((resolve) => setTimeout(resolve, 5000)); now -= 1; return runs; };`;
    const reports: InvocationReport[] = [];
    const cloud = await startStack(stackWith(code, { MaximumRetryAttempts: 0 }, { ReservedConcurrentExecutions: 1 }), {
      onInvocation: (report) => reports.push(report),
    });
    const ends = await Promise.all([1, 2, 3].map((job) => cloud.invokeAsynchronously('Work', { job })));
    expect(ends).toEqual(['Success', 'Success', 'Success']);
    const ran = reports.filter(({ outcome }) => outcome.kind === 'succeeded');
    expect(ran.map(({ outcome }) => (outcome.kind === 'succeeded' ? outcome.payload : null))).toEqual([1, 2, 3]);
    expect(reports.some(({ outcome }) => outcome.kind === 'throttled')).toBe(true);
  });

  it('that grows too old is given up, with a record that tells that it never ran', async () => {
    liveFaster(300);
    const resources = stackWith(FAILING, { MaximumEventAgeInSeconds: 60 }, { ReservedConcurrentExecutions: 0 });
    const cloud = await startStack(resources);
    expect(await cloud.invokeAsynchronously('Work', { job: 1 })).toBe('EventAgeExceeded');
    const [record] = cloud.queues.bodies('failures').map((body) => JSON.parse(body) as Record<string, unknown>);
    expect(record).toMatchObject({
      requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 },
      requestPayload: { job: 1 },
    });
    expect(record).not.toHaveProperty('responsePayload');
  });

  it('is dropped when the local run ends', async () => {
    const cloud = await startStack(stackWith(FAILING, {}));
    const end = cloud.invokeAsynchronously('Work', {});
    await until(() => cloud.requests.length >= 0);
    await cloud.close();
    expect(await end).toBe('dropped');
  });

  it('needs a role that may send to the destination', async () => {
    const resources = {
      ...functionResources({ Work: { code: FAILING } }),
      Failures: FAILURES,
      Config: eventConfig({}),
    };
    await expect(startStack(resources)).rejects.toThrow(
      /assumed-role\/.*\/Work is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:failures/,
    );
  });
});

describe('an AWS service', () => {
  const alarmPermission = {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: { 'Fn::GetAtt': ['Work', 'Arn'] },
      Principal: 'lambda.alarms.cloudwatch.amazonaws.com',
      SourceAccount: { Ref: 'AWS::AccountId' },
      SourceArn: { 'Fn::Sub': `arn:aws:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:shop-*` },
    },
  };
  const alarm = {
    principal: 'lambda.alarms.cloudwatch.amazonaws.com',
    sourceArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:shop-jobs',
    sourceAccount: '000000000000',
  };

  it.each([
    ['another alarm name', { sourceArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:other' }],
    ['another account', { sourceAccount: '111111111111' }],
    ['another principal', { principal: 'events.amazonaws.com' }],
  ])('may invoke a function only as its permission says, not with %s', async (_name, difference) => {
    const reports: InvocationReport[] = [];
    const cloud = await startStack(
      { ...functionResources({ Work: { code: 'export const handler = async () => 1;' } }), alarmPermission },
      { onInvocation: (report) => reports.push(report) },
    );
    const arn = 'arn:aws:lambda:us-east-1:000000000000:function:Work';
    const refusal = cloud.invokeAs({ ...alarm, ...difference }, arn, {});
    expect(refusal).toMatchObject({ action: 'lambda:InvokeFunction', resource: arn });
    expect(cloud.refusals).toEqual([refusal]);
    expect(cloud.invokeAs(alarm, arn, {})).toBeNull();
    await until(() => reports.length >= 1);
    expect(reports[0]?.outcome).toEqual({ kind: 'succeeded', payload: 1 });
  });
});

describe('a schedule', () => {
  const rule = (properties: object) => ({
    Type: 'AWS::Events::Rule',
    Properties: {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [{ Arn: { 'Fn::GetAtt': ['Work', 'Arn'] }, Id: 'work' }],
      ...properties,
    },
  });
  const permission = {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: 'Work' },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': ['Tick', 'Arn'] },
    },
  };
  const code = 'export const handler = async (event) => event;';
  const echo = functionResources({ Work: { code, properties: { Timeout: 900 } } });

  it('invokes its function every minute with the event of EventBridge', async () => {
    liveFaster(300);
    const reports: InvocationReport[] = [];
    const startedAtMs = Date.now();
    await startStack(
      { ...echo, Tick: rule({ Name: 'tick' }), permission },
      { onInvocation: (report) => reports.push(report) },
    );
    await until(() => reports.length >= 3);
    // In the order of the ticks: on a busy machine a later one may find a warm process and end first.
    const times = reports.map(({ startedAtMs: atMs }) => atMs).toSorted((one, other) => one - other);
    expect((times[0] ?? 0) - startedAtMs).toBeGreaterThanOrEqual(59_000);
    expect((times[2] ?? 0) - startedAtMs).toBeGreaterThanOrEqual(179_000);
    expect(reports[0]?.outcome).toEqual({
      kind: 'succeeded',
      payload: {
        version: '0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        'detail-type': 'Scheduled Event',
        source: 'aws.events',
        account: '000000000000',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        region: 'us-east-1',
        resources: ['arn:aws:events:us-east-1:000000000000:rule/tick'],
        detail: {},
      },
    });
  });

  it('is refused without a permission, and does nothing while it is disabled', async () => {
    liveFaster(600);
    const cloud = await startStack({ ...echo, Tick: rule({}) });
    await until(() => cloud.refusals.length >= 1);
    expect(cloud.refusals[0]?.message).toMatch(
      /^User: events\.amazonaws\.com is not authorized to perform: lambda:Invoke/,
    );
    const idle = await startStack({ ...echo, Tick: rule({ State: 'DISABLED' }) });
    await until(() => cloud.refusals.length >= 3);
    expect(idle.refusals).toEqual([]);
  });

  it('gives its own input instead of the event, and understands rates only', async () => {
    liveFaster(200);
    const reports: InvocationReport[] = [];
    const target = { Arn: { 'Fn::GetAtt': ['Work', 'Arn'] }, Id: 'work', Input: '{"look":true}' };
    await startStack(
      { ...echo, Tick: rule({ Targets: [target] }), permission },
      { onInvocation: (report) => reports.push(report) },
    );
    await until(() => reports.some(({ outcome }) => outcome.kind === 'succeeded'));
    const done = reports.find(({ outcome }) => outcome.kind === 'succeeded');
    expect(done?.outcome).toEqual({ kind: 'succeeded', payload: { look: true } });
    const cron = rule({ ScheduleExpression: 'cron(* * * * ? *)' });
    await expect(startStack({ ...echo, Tick: cron })).rejects.toThrow(/found cron.*expected rate/);
  });
});
