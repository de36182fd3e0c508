/** Where people are told: the topic, theirs or one that is made here, and the alarms on the program's own health. */
import { FUNCTION_IDS, type Plan, type Resource, ref, sub, type TemplatePart, type Value } from './cloudformation.ts';
import { QUEUE_IDS } from './queues.ts';

const TOPIC_ID = 'NotificationsTopic';
/** Minutes that a failing function may have before somebody is told: one failed call is over with the next tick. */
const FAILING_MINUTES = 3;
/** Minutes that alarms look back. */
const WINDOW_MINUTES = 5;

/** The ARN of the topic; null when nobody wants to be told. */
export function topicArn({ deployment: { notifications } }: Pick<Plan, 'deployment'>): Value | null {
  return notifications.topicArn ?? (notifications.email === null ? null : ref(TOPIC_ID));
}

/** Topic, subscription and health alarms. */
export function notifications(plan: Plan): TemplatePart {
  const { email } = plan.deployment.notifications;
  const topic = topicArn(plan);
  return {
    Resources: {
      ...(email === null ? {} : ownTopic(plan.name, email)),
      ScaleErrorsAlarm: failing(plan, 'scale', topic),
      PollerErrorsAlarm: failing(plan, 'poller', topic),
      NoTickAlarm: alarm(topic, {
        AlarmName: `${plan.name}-health-no-tick`,
        AlarmDescription: `The scale function has not run for ${WINDOW_MINUTES} minutes: nothing is looked at. Is its schedule enabled?`,
        ...functionMetric('Invocations', 'scale'),
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
        EvaluationPeriods: WINDOW_MINUTES,
        // A function that does not run publishes nothing.
        TreatMissingData: 'breaching',
      }),
      // No alarm on the failed events: each of them was an error of the function, and the next tick has looked again.
      DeadLettersAlarm: alarm(topic, {
        AlarmName: `${plan.name}-health-dead-letters`,
        AlarmDescription:
          'A message in the actions queue was no action record. Its reason is an attribute of the message.',
        Namespace: 'AWS/SQS',
        MetricName: 'ApproximateNumberOfMessagesVisible',
        Dimensions: [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [QUEUE_IDS.deadLetters, 'QueueName'] } }],
        Statistic: 'Maximum',
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        EvaluationPeriods: 1,
        TreatMissingData: 'notBreaching',
      }),
    },
  };
}

/** A topic that CloudWatch alarms and the functions of this account may publish to, and one mail address. */
function ownTopic(name: string, email: string): Readonly<Record<string, Resource>> {
  return {
    [TOPIC_ID]: { Type: 'AWS::SNS::Topic', Properties: { TopicName: `${name}-notifications` } },
    NotificationsByMail: {
      Type: 'AWS::SNS::Subscription',
      Properties: { TopicArn: ref(TOPIC_ID), Protocol: 'email', Endpoint: email },
    },
    // A policy of one's own replaces the default one, which lets the account publish: so both are said.
    NotificationsPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [ref(TOPIC_ID)],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            publishing('Functions', { AWS: sub(`arn:\${AWS::Partition}:iam::\${AWS::AccountId}:root`) }),
            {
              ...publishing('HealthAlarms', { Service: 'cloudwatch.amazonaws.com' }),
              Condition: { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } },
            },
          ],
        },
      },
    },
  };
}

function publishing(sid: string, principal: Value) {
  return { Sid: sid, Effect: 'Allow', Principal: principal, Action: 'sns:Publish', Resource: ref(TOPIC_ID) };
}

function failing(plan: Plan, functionName: keyof typeof FUNCTION_IDS, topic: Value | null): Resource {
  return alarm(topic, {
    AlarmName: `${plan.name}-health-${functionName}-errors`,
    AlarmDescription: `The ${functionName} function fails. Its log says why, most often a token or a queue that cannot be read.`,
    ...functionMetric('Errors', functionName),
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    EvaluationPeriods: WINDOW_MINUTES,
    DatapointsToAlarm: FAILING_MINUTES,
    TreatMissingData: 'notBreaching',
  });
}

function functionMetric(metricName: string, functionName: keyof typeof FUNCTION_IDS) {
  return {
    Namespace: 'AWS/Lambda',
    MetricName: metricName,
    Dimensions: [{ Name: 'FunctionName', Value: ref(FUNCTION_IDS[functionName]) }],
    Statistic: 'Sum',
  };
}

/** An alarm that tells of trouble and of its end; without a topic it is seen on the dashboard and in the console alone. */
function alarm(topic: Value | null, properties: Readonly<Record<string, Value>>): Resource {
  const actions = topic === null ? {} : { AlarmActions: [topic], OKActions: [topic] };
  return { Type: 'AWS::CloudWatch::Alarm', Properties: { ...properties, Period: 60, ...actions } };
}
