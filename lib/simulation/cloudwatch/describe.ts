/**
 * DescribeAlarms: which alarms are asked for, and how one looks on the wire.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
 */
import { type Alarm, actionsOf } from './alarm.ts';
import { CloudWatchFault, invalid } from './faults.ts';
import type { DescribeAlarmsRequest } from './shapes.ts';

/**
 * One page of the alarms that match, by name.
 * @throws CloudWatchFault
 */
export function describePage(
  alarms: readonly Alarm[],
  request: DescribeAlarmsRequest,
): Readonly<Record<string, unknown>> {
  const { AlarmNames: names, AlarmNamePrefix: prefix = '', ActionPrefix: action, StateValue: state } = request;
  if (names && request.AlarmNamePrefix !== undefined) throw invalid('AlarmNames excludes AlarmNamePrefix');
  if (request.AlarmTypes && !request.AlarmTypes.includes('MetricAlarm'))
    return { MetricAlarms: [], CompositeAlarms: [] };
  const after = request.NextToken === undefined ? '' : readToken(request.NextToken);
  const matching = alarms
    .filter((alarm) => (names ? names.includes(nameOf(alarm)) : nameOf(alarm).startsWith(prefix)))
    .filter((alarm) => state === undefined || alarm.state.value === state)
    .filter((alarm) => action === undefined || actionsOf(alarm).some((arn) => arn.startsWith(action)))
    .filter((alarm) => nameOf(alarm) > after)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const page = matching.slice(0, request.MaxRecords);
  const last = page.at(-1);
  const hasMore = last !== undefined && matching.length > page.length;
  const token = hasMore ? { NextToken: tokenOf(nameOf(last)) } : {};
  return { MetricAlarms: page.map(describeAlarm), CompositeAlarms: [], ...token };
}

const tokenOf = (name: string): string => Buffer.from(`after:${name}`).toString('base64url');

function readToken(token: string): string {
  const name = /^after:(.+)$/s.exec(Buffer.from(token, 'base64url').toString('utf8'))?.[1];
  if (name === undefined) throw new CloudWatchFault('InvalidNextToken', 'The next token specified is invalid.');
  return name;
}

const nameOf = (alarm: Alarm): string => alarm.definition.request.AlarmName;

/** The `MetricAlarm` of the wire; times in seconds since the epoch. */
function describeAlarm(alarm: Alarm): Readonly<Record<string, unknown>> {
  const { request } = alarm.definition;
  const { Tags: _, ...shown } = request;
  return {
    ...shown,
    AlarmArn: alarm.arn,
    AlarmConfigurationUpdatedTimestamp: alarm.configuredAtMs / 1000,
    StateValue: alarm.state.value,
    StateReason: alarm.state.reason,
    StateReasonData: alarm.state.reasonData,
    StateUpdatedTimestamp: alarm.state.updatedAtMs / 1000,
    StateTransitionedTimestamp: alarm.state.changedAtMs / 1000,
  };
}
