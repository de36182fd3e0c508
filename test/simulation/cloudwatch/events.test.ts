import { describe, expect, it } from 'vitest';
import { type Transition, toEventBridgeEvent, toSnsEvent } from '../../../lib/simulation/cloudwatch/events.ts';
import { awsNumber } from '../../../lib/simulation/cloudwatch/reason.ts';
import { ALARM, createWorld } from './fixture.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function lastTransition(change: object, values: readonly (number | null)[]): Transition {
  const { alarms, transitions, pass } = createWorld();
  alarms.put({ ...ALARM, TreatMissingData: 'missing', ...change });
  pass(values);
  const last = transitions.at(-1);
  if (!last) throw new Error('the alarm did not change');
  return last;
}

const reasonAfter = (change: object, values: readonly (number | null)[]): string =>
  lastTransition(change, values).event.alarmData.state.reason;

describe('the Lambda event of an alarm', () => {
  it('has the documented form', () => {
    const { event } = lastTransition({ DatapointsToAlarm: 1 }, [3, 12]);
    expect(event).toEqual({
      source: 'aws.cloudwatch',
      alarmArn: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:mailer-high',
      accountId: '123456789012',
      time: '2026-11-23T10:02:15.000+0000',
      region: 'us-east-1',
      alarmData: {
        alarmName: 'mailer-high',
        state: {
          value: 'ALARM',
          reason:
            'Threshold Crossed: 1 out of the last 1 datapoints [12.0 (23/11/26 10:01:00)] was greater than or equal to the threshold (10.0) (minimum 1 datapoint for OK -> ALARM transition).',
          reasonData:
            '{"version":"1.0","queryDate":"2026-11-23T10:02:15.000+0000","startDate":"2026-11-23T10:01:00.000+0000","statistic":"Maximum","period":60,"recentDatapoints":[12.0],"threshold":10.0,"evaluatedDatapoints":[{"timestamp":"2026-11-23T10:01:00.000+0000","sampleCount":1.0,"value":12.0}]}',
          timestamp: '2026-11-23T10:02:15.000+0000',
        },
        previousState: {
          value: 'OK',
          reason:
            'Threshold Crossed: 1 out of the last 1 datapoints [3.0 (23/11/26 10:00:00)] was not greater than or equal to the threshold (10.0) (minimum 1 datapoint for ALARM -> OK transition).',
          reasonData: expect.stringContaining('"recentDatapoints":[3.0]'),
          timestamp: '2026-11-23T10:01:15.000+0000',
        },
        configuration: {
          description: 'Backlog of mailer',
          metrics: [
            {
              id: expect.stringMatching(UUID),
              metricStat: {
                metric: { namespace: 'Jobs', name: 'Depth', dimensions: { Queue: 'mailer' } },
                period: 60,
                stat: 'Maximum',
              },
              returnData: true,
            },
          ],
        },
      },
    });
  });

  it('shows the unknown datapoints of a previous INSUFFICIENT_DATA as AWS does', () => {
    const { previousState } = lastTransition({}, [null, 12]).event.alarmData;
    expect(previousState.reason).toBe('Insufficient Data: 5 datapoints were unknown.');
    const data: unknown = JSON.parse(previousState.reasonData ?? '');
    expect(data).toMatchObject({
      recentDatapoints: [],
      evaluatedDatapoints: [{ timestamp: '2026-11-23T09:59:00.000+0000' }, {}, {}, {}, {}],
    });
  });
});

describe('reasons, in the wording of recorded alarms', () => {
  it.each([
    [
      {},
      [12],
      'Threshold Crossed: 1 datapoint [12.0 (23/11/26 10:00:00)] was greater than or equal to the threshold (10.0).',
    ],
    [
      { EvaluationPeriods: 2 },
      [12, 13],
      'Threshold Crossed: 2 datapoints [13.0 (23/11/26 10:01:00), 12.0 (23/11/26 10:00:00)] were greater than or equal to the threshold (10.0).',
    ],
    [
      { TreatMissingData: 'breaching' },
      [null],
      'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].',
    ],
    [
      { TreatMissingData: 'notBreaching', EvaluationPeriods: 2 },
      [null],
      'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [NonBreaching].',
    ],
    [
      { TreatMissingData: 'breaching', EvaluationPeriods: 2 },
      [3],
      'Threshold Crossed: 1 datapoint [3.0 (23/11/26 10:00:00)] was not greater than or equal to the threshold (10.0) and 1 missing datapoint was treated as [Breaching].',
    ],
    [
      { TreatMissingData: 'breaching', EvaluationPeriods: 3, DatapointsToAlarm: 2 },
      [3, 3, null, null, null, null],
      'Threshold Crossed: 2 missing datapoints were treated as [Breaching] (minimum 2 datapoints for OK -> ALARM transition).',
    ],
    [
      { EvaluationPeriods: 3, DatapointsToAlarm: 2 },
      [12, 1, 12],
      'Threshold Crossed: 2 out of the last 3 datapoints [12.0 (23/11/26 10:02:00), 12.0 (23/11/26 10:00:00)] were greater than or equal to the threshold (10.0) (minimum 2 datapoints for OK -> ALARM transition).',
    ],
  ])('%o over %o', (change, values, expected) => {
    expect(reasonAfter(change, values)).toBe(expected);
  });

  it.each([
    [0, '0.0'],
    [50, '50.0'],
    [0.0666851903306472, '0.0666851903306472'],
    [10_000_000, '1.0E7'],
    [12_345_678.5, '1.23456785E7'],
    [0.00025, '2.5E-4'],
    [-3, '-3.0'],
  ])('writes %d as Java does', (value, expected) => {
    expect(awsNumber(value)).toBe(expected);
    expect(JSON.parse(expected)).toBe(value);
  });
});

describe('the other two ways to a function', () => {
  it('wraps the change as an EventBridge event', () => {
    const transition = lastTransition({}, [12]);
    expect(toEventBridgeEvent(transition)).toEqual({
      version: '0',
      id: expect.stringMatching(UUID),
      'detail-type': 'CloudWatch Alarm State Change',
      source: 'aws.cloudwatch',
      account: '123456789012',
      time: '2026-11-23T10:01:15Z',
      region: 'us-east-1',
      resources: [transition.event.alarmArn],
      detail: transition.event.alarmData,
    });
  });

  it('wraps the change as a message of an SNS topic', () => {
    const topic = 'arn:aws:sns:us-east-1:123456789012:alarms';
    const { Records } = toSnsEvent(lastTransition({}, [3, 12]), topic);
    expect(Records[0]).toMatchObject({ EventSource: 'aws:sns', EventVersion: '1.0' });
    const sns = Records[0]?.Sns;
    expect(sns).toMatchObject({
      Type: 'Notification',
      TopicArn: topic,
      Subject: 'ALARM: "mailer-high" in US East (N. Virginia)',
      Timestamp: '2026-11-23T10:02:15.000Z',
    });
    expect(JSON.parse(sns?.Message ?? '')).toMatchObject({
      AlarmName: 'mailer-high',
      AlarmArn: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:mailer-high',
      AWSAccountId: '123456789012',
      NewStateValue: 'ALARM',
      OldStateValue: 'OK',
      StateChangeTime: '2026-11-23T10:02:15.000+0000',
      Trigger: {
        MetricName: 'Depth',
        Namespace: 'Jobs',
        StatisticType: 'Statistic',
        Statistic: 'MAXIMUM',
        Unit: null,
        Dimensions: [{ value: 'mailer', name: 'Queue' }],
        Period: 60,
        EvaluationPeriods: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        Threshold: 10,
        TreatMissingData: 'missing',
      },
    });
  });

  it('lists the metrics of an expression in the event and in the SNS trigger', () => {
    const { alarms, transitions, pass } = createWorld();
    const Metric = { Namespace: 'Jobs', MetricName: 'Depth', Dimensions: [{ Name: 'Queue', Value: 'mailer' }] };
    alarms.put({
      AlarmName: 'math',
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: 'GreaterThanThreshold',
      Metrics: [
        { Id: 'e1', Expression: 'm1 * 2', Label: 'Twice' },
        { Id: 'm1', MetricStat: { Metric, Period: 60, Stat: 'Maximum', Unit: 'Count' }, ReturnData: false },
      ],
    });
    expect(pass([6], 'math')).toEqual(['ALARM']);
    const [transition] = transitions;
    if (!transition) throw new Error('the alarm did not change');
    expect(transition.event.alarmData.configuration).toEqual({
      metrics: [
        { id: 'e1', expression: 'm1 * 2', label: 'Twice', returnData: true },
        {
          id: 'm1',
          metricStat: {
            metric: { namespace: 'Jobs', name: 'Depth', dimensions: { Queue: 'mailer' } },
            period: 60,
            stat: 'Maximum',
            unit: 'Count',
          },
          returnData: false,
        },
      ],
    });
    expect(transition.event.alarmData.state.reasonData).not.toContain('statistic');
    const message: unknown = JSON.parse(
      toSnsEvent(transition, 'arn:aws:sns:us-east-1:1:t').Records[0]?.Sns.Message ?? '',
    );
    expect(message).toMatchObject({
      Trigger: {
        Metrics: [
          { Expression: 'm1 * 2', Id: 'e1', Label: 'Twice', ReturnData: true },
          { Id: 'm1', MetricStat: { Metric: { Dimensions: [{ value: 'mailer', name: 'Queue' }] } }, ReturnData: false },
        ],
      },
    });
  });
});
