/** One alarm per target on the depth of its queue, and the one permission that lets all of them call the function. */
import { type AlarmDefinition, alarmDefinition } from '../lib/config/alarms.ts';
import { arnOf, FUNCTION_IDS, type Plan, type Resource, ref, sub, type TemplatePart } from './cloudformation.ts';

const PERMISSION_ID = 'AlarmPermission';
/**
 * Targets with an alarm of their own, the first ones: CloudFormation takes 500 resources, some 40 are the program's own, and
 * there must be room for what comes. The others are left to the tick.
 */
export const MAX_ALARMS = 400;

export function alarms({ alarmNamePrefix, deployment }: Plan): TemplatePart {
  const resources: Record<string, Resource> = { [PERMISSION_ID]: permission(alarmNamePrefix) };
  for (const target of deployment.targets.slice(0, MAX_ALARMS)) {
    resources[`${logicalName(target.id)}BacklogAlarm`] = alarm(alarmDefinition(target, alarmNamePrefix));
  }
  return { Resources: resources };
}

/** Says which targets are left to the tick. */
export function alarmWarnings({ deployment: { targets } }: Plan): readonly string[] {
  const rest = targets.slice(MAX_ALARMS);
  if (rest.length === 0) return [];
  const first = rest[0]?.id;
  return [
    `${rest.length} targets, from ${first} on, have no alarm: CloudFormation takes 500 resources. They are looked at by the ` +
      'minute tick like all others, and only that',
  ];
}

/**
 * `night-reports` becomes `NightDashreports`: logical ids have letters and digits only, and two targets must never
 * share one, which a plain change of casing does not guarantee (`a-1`, `a1`).
 */
function logicalName(targetId: string): string {
  const name = targetId.replaceAll('-', 'Dash');
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

/** OK matters as much as ALARM: CloudWatch calls on changes of state only, and each of them is worth a look. */
function alarm(definition: AlarmDefinition): Resource {
  const { statistic } = definition;
  const dimensions = Object.entries(definition.dimensions).map(([Name, Value]) => ({ Name, Value }));
  return {
    Type: 'AWS::CloudWatch::Alarm',
    // Before there is the permission, the first change of state would be lost.
    DependsOn: PERMISSION_ID,
    Properties: {
      AlarmName: definition.name,
      AlarmDescription: definition.description,
      Namespace: definition.namespace,
      MetricName: definition.metricName,
      Dimensions: dimensions,
      ...(statistic.startsWith('p') ? { ExtendedStatistic: statistic } : { Statistic: statistic }),
      Period: definition.periodSeconds,
      EvaluationPeriods: definition.evaluationPeriods,
      Threshold: definition.threshold,
      ComparisonOperator: definition.comparison,
      TreatMissingData: definition.missingData,
      AlarmActions: [arnOf(FUNCTION_IDS.scale)],
      OKActions: [arnOf(FUNCTION_IDS.scale)],
    },
  };
}

/** One for all alarms: a function's policy ends at 20 KB, which one permission per alarm would fill with some 60. */
function permission(alarmNamePrefix: string): Resource {
  return {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      FunctionName: arnOf(FUNCTION_IDS.scale),
      Action: 'lambda:InvokeFunction',
      Principal: 'lambda.alarms.cloudwatch.amazonaws.com',
      SourceAccount: ref('AWS::AccountId'),
      // Not an account's own partition in the text: the same template works in AWS's Chinese and government regions.
      SourceArn: sub(`arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:${alarmNamePrefix}*`),
    },
  };
}
