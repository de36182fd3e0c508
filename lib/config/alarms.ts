/** The CloudWatch alarm of a target: what the template creates, what the local CloudWatch evaluates, and its name. */
import type { Target } from '../domain.ts';
import { queueUrlParts } from './values.ts';

/** An alarm on the depth of a queue, in CloudWatch's terms (PutMetricAlarm). */
export interface AlarmDefinition {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Readonly<Record<string, string>>;
  /** `Maximum`, or the statistic that a METRIC setting names; `p99` and the like are extended statistics. */
  readonly statistic: string;
  readonly periodSeconds: number;
  readonly evaluationPeriods: 1;
  readonly threshold: number;
  readonly comparison: 'GreaterThanOrEqualToThreshold';
  /** A sleeping queue publishes nothing; that is no reason to hurry. */
  readonly missingData: 'notBreaching';
}

/** The name of a target's alarm. */
export function alarmName(prefix: string, targetId: string): string {
  return `${prefix}${targetId}`;
}

/** The alarm that makes the autoscaler look at a target as soon as its backlog calls for more than the minimum. */
export function alarmDefinition(target: Target, prefix: string): AlarmDefinition {
  return {
    name: alarmName(prefix, target.id),
    description: `Backlog of ${target.processName} (target ${target.id}): makes the worker autoscaler look sooner.`,
    ...depthMetric(target),
    periodSeconds: target.alarm.periodSeconds,
    evaluationPeriods: 1,
    threshold: target.alarm.threshold,
    comparison: 'GreaterThanOrEqualToThreshold',
    missingData: 'notBreaching',
  };
}

type Metric = Pick<AlarmDefinition, 'namespace' | 'metricName' | 'dimensions' | 'statistic'>;

/** The metric of the depth. SQS depth needs Maximum: its points come irregularly, so that a sum counts some twice. */
function depthMetric({ source }: Target): Metric {
  switch (source.kind) {
    case 'metric':
      return {
        namespace: source.namespace,
        metricName: source.name,
        dimensions: source.dimensions,
        statistic: source.stat,
      };
    case 'sqs':
      return sqsMetric(queueUrlParts(source.queueUrl)?.queueName ?? '');
    case 'sqs_name':
      return sqsMetric(source.queueName);
  }
}

function sqsMetric(queueName: string): Metric {
  return {
    namespace: 'AWS/SQS',
    metricName: 'ApproximateNumberOfMessagesVisible',
    dimensions: { QueueName: queueName },
    statistic: 'Maximum',
  };
}
