import {
  CloudWatchClient,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  type DescribeAlarmsCommandInput,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  GetMetricDataCommand,
  ListDashboardsCommand,
  PutMetricAlarmCommand,
  PutMetricDataCommand,
  paginateDescribeAlarms,
  paginateGetMetricData,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CloudWatchServer, startCloudWatchServer } from '../../../lib/simulation/cloudwatch/server.ts';
import { ALARM, createWorld, MINUTE_MS, START_MS, type World } from './fixture.ts';

let world: World;
let server: CloudWatchServer;
let client: CloudWatchClient;

beforeEach(async () => {
  world = createWorld();
  server = await startCloudWatchServer(world);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new CloudWatchClient({ endpoint: server.url, region: 'us-east-1', credentials, maxAttempts: 1 });
});

afterEach(async () => {
  client.destroy();
  await server.close();
});

const Dimensions = [{ Name: 'Queue', Value: 'mailer' }];
const alarm = (change: object = {}) =>
  new PutMetricAlarmCommand({ ...ALARM, Dimensions, AlarmActions: [...ALARM.AlarmActions], OKActions: [], ...change });
const window = { StartTime: new Date(START_MS), EndTime: new Date(START_MS + 10 * MINUTE_MS) };
const metric = {
  Id: 'm1',
  MetricStat: { Metric: { Namespace: 'Jobs', MetricName: 'Depth', Dimensions }, Period: 60, Stat: 'Sum' },
};

async function putDepths(values: readonly number[]): Promise<void> {
  const MetricData = values.map((Value, minute) => ({
    MetricName: 'Depth',
    Dimensions,
    Value,
    Timestamp: new Date(START_MS + minute * MINUTE_MS),
  }));
  await client.send(new PutMetricDataCommand({ Namespace: 'Jobs', MetricData }));
}

describe('the local CloudWatch, asked by the AWS SDK', () => {
  it('stores metrics and gives them back, with math', async () => {
    await putDepths([3, 4]);
    const MetricDataQueries = [metric, { Id: 'e1', Expression: 'm1 * 10', Label: 'Ten' }];
    const reply = await client.send(new GetMetricDataCommand({ ...window, MetricDataQueries }));
    const Timestamps = [new Date(START_MS + MINUTE_MS), new Date(START_MS)];
    expect(reply.MetricDataResults).toEqual([
      { Id: 'm1', Label: 'Depth', Timestamps, Values: [4, 3], StatusCode: 'Complete' },
      { Id: 'e1', Label: 'Ten', Timestamps, Values: [40, 30], StatusCode: 'Complete' },
    ]);
  });

  it('reads large requests, which the SDK compresses', async () => {
    const Values = Array.from({ length: 150 }, (_, index) => index);
    const MetricData = Array.from({ length: 50 }, () => ({
      MetricName: 'Depth',
      Dimensions,
      Values,
      Timestamp: new Date(START_MS),
    }));
    await client.send(new PutMetricDataCommand({ Namespace: 'Jobs', MetricData }));
    const reply = await client.send(new GetMetricDataCommand({ ...window, MetricDataQueries: [metric] }));
    expect(reply.MetricDataResults?.[0]?.Values).toEqual([(50 * (149 * 150)) / 2]);
  });

  it("feeds the SDK's paginators", async () => {
    await putDepths([1, 2, 3, 4, 5]);
    const values: number[] = [];
    for await (const page of paginateGetMetricData(
      { client },
      { ...window, MetricDataQueries: [metric], MaxDatapoints: 2 },
    )) {
      values.push(...(page.MetricDataResults?.[0]?.Values ?? []));
    }
    expect(values).toEqual([5, 4, 3, 2, 1]);
    for (const name of ['c', 'a', 'b']) await client.send(alarm({ AlarmName: name }));
    const names: (string | undefined)[] = [];
    for await (const page of paginateDescribeAlarms({ client, pageSize: 2 }, {})) {
      names.push(...(page.MetricAlarms ?? []).map((one) => one.AlarmName));
    }
    expect(names).toEqual(['a', 'b', 'c']);
  });

  it('puts, evaluates, describes and deletes an alarm', async () => {
    await client.send(alarm({ Tags: [{ Key: 'team', Value: 'mail' }] }));
    await putDepths([12]);
    world.clock.moveTo(START_MS + MINUTE_MS + 30_000);
    const { MetricAlarms } = await client.send(new DescribeAlarmsCommand({ AlarmNames: ['mailer-high'] }));
    expect(MetricAlarms).toHaveLength(1);
    expect(MetricAlarms?.[0]).toMatchObject({
      AlarmName: 'mailer-high',
      AlarmArn: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:mailer-high',
      ActionsEnabled: true,
      StateValue: 'ALARM',
      StateReason: expect.stringContaining('1 datapoint [12.0'),
      StateUpdatedTimestamp: new Date(START_MS + MINUTE_MS + 15_000),
      StateTransitionedTimestamp: new Date(START_MS + MINUTE_MS + 15_000),
      AlarmConfigurationUpdatedTimestamp: new Date(START_MS),
      Statistic: 'Maximum',
      Period: 60,
      Threshold: 10,
      TreatMissingData: 'notBreaching',
      Dimensions,
    });
    await client.send(new DeleteAlarmsCommand({ AlarmNames: ['mailer-high'] }));
    expect((await client.send(new DescribeAlarmsCommand({}))).MetricAlarms).toEqual([]);
  });

  it('finds alarms by prefix, state, action and type', async () => {
    await client.send(alarm({ AlarmName: 'app-mailer' }));
    await client.send(alarm({ AlarmName: 'app-images' }));
    await client.send(alarm({ AlarmName: 'other' }));
    await client.send(new SetAlarmStateCommand({ AlarmName: 'app-images', StateValue: 'ALARM', StateReason: 'test' }));
    const names = async (filter: DescribeAlarmsCommandInput) =>
      (await client.send(new DescribeAlarmsCommand(filter))).MetricAlarms?.map((one) => one.AlarmName);
    expect(await names({ AlarmNamePrefix: 'app-' })).toEqual(['app-images', 'app-mailer']);
    expect(await names({ StateValue: 'ALARM' })).toEqual(['app-images']);
    expect(await names({ ActionPrefix: 'arn:aws:lambda' })).toEqual(['app-images']);
    expect(await names({ AlarmNames: ['other', 'absent'] })).toEqual(['other']);
    expect(await names({ AlarmTypes: ['CompositeAlarm'] })).toEqual([]);
  });

  it('sets a state by hand and switches actions off and on', async () => {
    await client.send(alarm());
    await client.send(new DisableAlarmActionsCommand({ AlarmNames: ['mailer-high'] }));
    const set = (StateValue: 'ALARM' | 'OK') =>
      client.send(
        new SetAlarmStateCommand({
          AlarmName: 'mailer-high',
          StateValue,
          StateReason: 'by hand',
          StateReasonData: '{"by":"hand"}',
        }),
      );
    await set('ALARM');
    await client.send(new EnableAlarmActionsCommand({ AlarmNames: ['mailer-high'] }));
    await set('OK');
    await set('ALARM');
    expect(world.transitions.map((one) => one.actionArns)).toEqual([[], [], ALARM.AlarmActions]);
    expect(world.transitions[2]?.event.alarmData.state.reasonData).toBe('{"by":"hand"}');
  });
});

describe('refusals, as the SDK shows them', () => {
  it.each([
    [
      'an unknown alarm',
      () => new SetAlarmStateCommand({ AlarmName: 'x', StateValue: 'OK', StateReason: '' }),
      'ResourceNotFound',
      404,
    ],
    ['a missing field', () => alarm({ Threshold: undefined }), 'ValidationException', 400],
    ['half a metric', () => alarm({ Period: undefined }), 'MissingRequiredParameterException', 400],
    ['two statistics', () => alarm({ ExtendedStatistic: 'p95' }), 'InvalidParameterCombinationException', 400],
    ['a bad token', () => new DescribeAlarmsCommand({ NextToken: 'x' }), 'InvalidNextToken', 400],
    [
      'names and prefix',
      () => new DescribeAlarmsCommand({ AlarmNames: ['x'], AlarmNamePrefix: 'y' }),
      'ValidationException',
      400,
    ],
    [
      'an AWS namespace',
      () => new PutMetricDataCommand({ Namespace: 'AWS/SQS', MetricData: [{ MetricName: 'x', Value: 1 }] }),
      'InvalidParameterValueException',
      400,
    ],
    ['an operation that is not there', () => new ListDashboardsCommand({}), 'UnknownOperationException', 404],
  ])('%s', async (_what, command, name, httpStatusCode) => {
    // The union of commands has no common type that `send` takes; each is sent as it is.
    const sent = client.send(command() as PutMetricAlarmCommand);
    await expect(sent).rejects.toMatchObject({ name, $metadata: { httpStatusCode } });
  });

  it('refuses reasonData that is not JSON', async () => {
    await client.send(alarm());
    const command = new SetAlarmStateCommand({
      AlarmName: 'mailer-high',
      StateValue: 'OK',
      StateReason: '',
      StateReasonData: '{',
    });
    await expect(client.send(command)).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  });

  it('names every problem of a request at once', () => {
    const { status, headers, body } = server.handle('PutMetricAlarm', { AlarmName: '', EvaluationPeriods: 0 });
    expect(status).toBe(400);
    expect(headers['x-amzn-query-error']).toBe('ValidationError;Sender');
    for (const field of ['AlarmName', 'EvaluationPeriods', 'Threshold', 'ComparisonOperator'])
      expect(JSON.stringify(body)).toContain(field);
  });

  it('says which operations there are', () => {
    const { status, body } = server.handle('PutDashboard', {});
    expect(status).toBe(404);
    expect(JSON.stringify(body)).toContain("'PutDashboard' is not emulated");
    expect(JSON.stringify(body)).toContain('GetMetricData');
  });

  it.each([
    [{ 'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms' }, '{', 'The body is not JSON'],
    [
      { 'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms', 'content-encoding': 'gzip' },
      'x',
      'The body is not JSON',
    ],
    [{ 'x-amz-target': 'GraniteServiceVersion20100801.DescribeAlarms' }, ' '.repeat(2_100_000), 'larger than'],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 'Action=DescribeAlarms', 'x-amz-target: found'],
  ])('answers a broken request %#', async (headers, body, message) => {
    const response = await fetch(server.url, { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(message);
  });
});
