/**
 * The three forms in which a state change reaches a function: as the event of a Lambda alarm action, as a message of an
 * SNS topic, and as an EventBridge event.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
 */
import { createHash } from 'node:crypto';
import { type Alarm, type AlarmState, isSingleMetric } from './alarm.ts';
import { awsTime } from './reason.ts';
import type { MetricDataQuery, StateValue } from './shapes.ts';
import { dimensionsOf } from './store.ts';

/** A state as events show it; `reasonData` is a JSON text and may be absent. */
interface EventState {
  readonly value: StateValue;
  readonly reason: string;
  readonly reasonData?: string;
  readonly timestamp: string;
}

interface EventMetric {
  readonly id: string;
  readonly expression?: string;
  readonly label?: string;
  readonly metricStat?: {
    readonly metric: {
      readonly namespace: string;
      readonly name: string;
      readonly dimensions: Readonly<Record<string, string>>;
    };
    readonly period: number;
    readonly stat: string;
    readonly unit?: string;
  };
  readonly returnData: boolean;
}

/** What a Lambda function receives from an alarm action. */
export interface AlarmEvent {
  readonly source: 'aws.cloudwatch';
  readonly alarmArn: string;
  readonly accountId: string;
  readonly time: string;
  readonly region: string;
  readonly alarmData: {
    readonly alarmName: string;
    readonly state: EventState;
    readonly previousState: EventState;
    readonly configuration: { readonly description?: string; readonly metrics: readonly EventMetric[] };
  };
}

/** One change of one alarm's state. `actionArns` is empty when its actions are off or none are set for the new state. */
export interface Transition {
  readonly alarm: Alarm;
  readonly actionArns: readonly string[];
  readonly event: AlarmEvent;
}

/** The Lambda event of a change from `previous` to the alarm's present state. */
export function alarmEvent(alarm: Alarm, previous: AlarmState): AlarmEvent {
  const { request, queries } = alarm.definition;
  const [, , , region = '', accountId = ''] = alarm.arn.split(':');
  return {
    source: 'aws.cloudwatch',
    alarmArn: alarm.arn,
    accountId,
    time: awsTime(alarm.state.updatedAtMs),
    region,
    alarmData: {
      alarmName: request.AlarmName,
      state: stateOf(alarm.state),
      previousState: stateOf(previous),
      configuration: {
        ...(request.AlarmDescription === undefined ? {} : { description: request.AlarmDescription }),
        metrics: queries.map((query) => metricOf(query, isSingleMetric(alarm.definition) ? uuid(alarm.arn) : query.Id)),
      },
    },
  };
}

function stateOf(state: AlarmState): EventState {
  return {
    value: state.value,
    reason: state.reason,
    ...(state.reasonData === undefined ? {} : { reasonData: state.reasonData }),
    timestamp: awsTime(state.updatedAtMs),
  };
}

function metricOf(query: MetricDataQuery, id: string): EventMetric {
  const label = query.Label === undefined ? {} : { label: query.Label };
  const returnData = query.ReturnData !== false;
  if (!query.MetricStat) return { id, expression: query.Expression ?? '', ...label, returnData };
  const { Metric, Period, Stat, Unit } = query.MetricStat;
  const metric = { namespace: Metric.Namespace, name: Metric.MetricName, dimensions: dimensionsOf(Metric.Dimensions) };
  const unit = Unit === undefined ? {} : { unit: Unit };
  return { id, metricStat: { metric, period: Period, stat: Stat, ...unit }, ...label, returnData };
}

/** The same text gives the same UUID, so that a run can be repeated exactly. */
function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/** The EventBridge form of a change: `detail-type` is `CloudWatch Alarm State Change`. */
export function toEventBridgeEvent({ event }: Transition) {
  return {
    version: '0',
    id: uuid(`${event.alarmArn} ${event.time}`),
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: event.accountId,
    // The envelope, unlike the detail, has whole seconds and a Z.
    time: `${event.time.slice(0, 19)}Z`,
    region: event.region,
    resources: [event.alarmArn],
    detail: event.alarmData,
  };
}

/** The event of a Lambda function that is subscribed to an alarm's SNS topic. */
export function toSnsEvent(transition: Transition, topicArn: string) {
  const { event } = transition;
  const state = event.alarmData.state.value;
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: `${topicArn}:${uuid(topicArn)}`,
        Sns: {
          Type: 'Notification',
          MessageId: uuid(`${event.alarmArn} ${event.time}`),
          TopicArn: topicArn,
          Subject: `${state}: "${event.alarmData.alarmName}" in ${regionName(event.region)}`.slice(0, 100),
          Message: JSON.stringify(snsMessage(transition)),
          Timestamp: event.time.replace('+0000', 'Z'),
          SignatureVersion: '1',
          Signature: 'EXAMPLE',
          SigningCertUrl: 'EXAMPLE',
          UnsubscribeUrl: 'EXAMPLE',
          MessageAttributes: {},
        },
      },
    ],
  };
}

function snsMessage({ alarm, event }: Transition) {
  const { request } = alarm.definition;
  return {
    AlarmName: request.AlarmName,
    AlarmDescription: request.AlarmDescription ?? null,
    AWSAccountId: event.accountId,
    AlarmConfigurationUpdatedTimestamp: awsTime(alarm.configuredAtMs),
    NewStateValue: event.alarmData.state.value,
    NewStateReason: event.alarmData.state.reason,
    StateChangeTime: event.alarmData.state.timestamp,
    Region: regionName(event.region),
    AlarmArn: event.alarmArn,
    OldStateValue: event.alarmData.previousState.value,
    OKActions: request.OKActions,
    AlarmActions: request.AlarmActions,
    InsufficientDataActions: request.InsufficientDataActions,
    Trigger: triggerOf(alarm),
  };
}

function triggerOf({ definition }: Alarm) {
  const { request } = definition;
  const rule = {
    Period: definition.periodSeconds,
    EvaluationPeriods: request.EvaluationPeriods,
    ...(request.DatapointsToAlarm === undefined ? {} : { DatapointsToAlarm: request.DatapointsToAlarm }),
    ComparisonOperator: request.ComparisonOperator,
    Threshold: request.Threshold,
    TreatMissingData: request.TreatMissingData,
    EvaluateLowSampleCountPercentile: request.EvaluateLowSampleCountPercentile ?? '',
  };
  if (!isSingleMetric(definition)) return { ...rule, Metrics: definition.queries.map(snsMetric) };
  return {
    MetricName: request.MetricName,
    Namespace: request.Namespace,
    ...(request.Statistic === undefined
      ? { StatisticType: 'ExtendedStatistic', ExtendedStatistic: request.ExtendedStatistic }
      : { StatisticType: 'Statistic', Statistic: SNS_STATISTICS[request.Statistic] }),
    Unit: request.Unit ?? null,
    Dimensions: snsDimensions(request.Dimensions),
    ...rule,
  };
}

const SNS_STATISTICS = {
  SampleCount: 'SAMPLE_COUNT',
  Average: 'AVERAGE',
  Sum: 'SUM',
  Minimum: 'MINIMUM',
  Maximum: 'MAXIMUM',
} as const;

function snsDimensions(list: readonly { readonly Name: string; readonly Value: string }[]) {
  // Lower-case keys: SNS messages alone write dimensions so.
  return list.map((one) => ({ value: one.Value, name: one.Name }));
}

function snsMetric(query: MetricDataQuery) {
  const label = query.Label === undefined ? {} : { Label: query.Label };
  const ReturnData = query.ReturnData !== false;
  if (!query.MetricStat) return { Expression: query.Expression, Id: query.Id, ...label, ReturnData };
  const { Metric, Period, Stat } = query.MetricStat;
  const shown = { ...Metric, Dimensions: snsDimensions(Metric.Dimensions) };
  return { Id: query.Id, MetricStat: { Metric: shown, Period, Stat }, ...label, ReturnData };
}

/** SNS messages carry the region's long name; regions that nobody asked for here keep their code. */
function regionName(region: string): string {
  const names: Readonly<Record<string, string>> = {
    'us-east-1': 'US East (N. Virginia)',
    'us-west-2': 'US West (Oregon)',
    'eu-west-1': 'EU (Ireland)',
    'eu-central-1': 'EU (Frankfurt)',
  };
  return names[region] ?? region;
}
