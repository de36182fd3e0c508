/** The three queues: actions, the records among them that could not be understood, and failed asynchronous events. */
import { arnOf, type Plan, type Resource, ref, type TemplatePart, type Value } from './cloudformation.ts';

/** Logical ids of the queues. */
export const QUEUE_IDS = {
  actions: 'ActionsQueue',
  deadLetters: 'ActionsDeadLetterQueue',
  failures: 'FailedEventsQueue',
} as const;

/** Timeout of the poller in serverless.yml; the queue keeps a record hidden six times as long, as AWS recommends for event sources. */
const POLLER_TIMEOUT_SECONDS = 60;
const VISIBILITY_TIMEOUT_SECONDS = 6 * POLLER_TIMEOUT_SECONDS;
const DAY_SECONDS = 86_400;
/**
 * SQS's largest. Looking at a running action is a receive, so this must never be what ends it: the poller itself sends
 * what it cannot understand to the dead-letter queue, and gives an action up by its age.
 */
const MAX_RECEIVE_COUNT = 1000;

export function queues({ name, deployment }: Plan): TemplatePart {
  return {
    Resources: {
      [QUEUE_IDS.actions]: queue({
        QueueName: `${name}-actions.fifo`,
        FifoQueue: true,
        ContentBasedDeduplication: false,
        DelaySeconds: deployment.actionFirstLookSeconds,
        VisibilityTimeout: VISIBILITY_TIMEOUT_SECONDS,
        // Longer than the largest number of receives can take, so that no record expires on its way to the dead letters.
        MessageRetentionPeriod: 14 * DAY_SECONDS,
        RedrivePolicy: { deadLetterTargetArn: arnOf(QUEUE_IDS.deadLetters), maxReceiveCount: MAX_RECEIVE_COUNT },
      }),
      // The dead-letter queue of a FIFO queue must be FIFO, too.
      [QUEUE_IDS.deadLetters]: queue({
        QueueName: `${name}-actions-dead.fifo`,
        FifoQueue: true,
        ContentBasedDeduplication: false,
        MessageRetentionPeriod: 14 * DAY_SECONDS,
      }),
      // Lambda does not accept a FIFO queue as the destination of failed asynchronous events.
      [QUEUE_IDS.failures]: queue({ QueueName: `${name}-failed-events`, MessageRetentionPeriod: 14 * DAY_SECONDS }),
      ...Object.fromEntries(Object.values(QUEUE_IDS).map((id) => [`${id}Policy`, encryptedTransportOnly(id)])),
    },
    Outputs: {
      ActionsQueueUrl: { Description: 'Records of actions that are being followed.', Value: ref(QUEUE_IDS.actions) },
      ActionsDeadLetterQueueUrl: {
        Description: 'Records that could not be understood.',
        Value: ref(QUEUE_IDS.deadLetters),
      },
      FailedEventsQueueUrl: { Description: 'Events whose handling failed for good.', Value: ref(QUEUE_IDS.failures) },
    },
  };
}

function queue(properties: Readonly<Record<string, Value>>): Resource {
  return { Type: 'AWS::SQS::Queue', Properties: { ...properties, SqsManagedSseEnabled: true } };
}

function encryptedTransportOnly(queueId: string): Resource {
  const statement = {
    Sid: 'EncryptedTransportOnly',
    Effect: 'Deny',
    Principal: '*',
    Action: 'sqs:*',
    Resource: arnOf(queueId),
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: { Queues: [ref(queueId)], PolicyDocument: { Version: '2012-10-17', Statement: [statement] } },
  };
}
