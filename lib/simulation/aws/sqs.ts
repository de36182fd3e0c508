/**
 * The queues of the local AWS, as its other parts and the simulated workers use them: without HTTP and without IAM.
 * Functions come through the gateway instead.
 */
import { createFauxqs, type QueueDepth } from './fauxqs.ts';
import { isRecord } from './intrinsics.ts';
import type { ServiceReply } from './protocol.ts';
import type { Place, Resource, Stack } from './template.ts';

/** A queue, as its clients name it. */
export interface Queue {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
}

/** One received message, with every system attribute. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  /** Null for a message without attributes. */
  readonly md5OfMessageAttributes: string | null;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
}

/** Options of a send, with SQS's rules. */
interface SendOptions {
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly delaySeconds?: number;
}

/** Options of a receive, with SQS's limits: up to 10 messages, up to 20 seconds. */
interface ReceiveOptions {
  readonly max?: number;
  readonly waitSeconds?: number;
  readonly visibilityTimeoutSeconds?: number;
}

/** The queues of this process. Every method but `close` throws an Error for a queue that does not exist. */
export interface LocalQueues {
  list(): readonly Queue[];
  queue(name: string): Queue;
  create(name: string, attributes?: Readonly<Record<string, string>>): Promise<Queue>;
  depth(name: string): QueueDepth;
  /** Bodies of everything the queue holds, oldest first, without receiving. */
  bodies(name: string): readonly string[];
  send(name: string, body: string, options?: SendOptions): Promise<string>;
  receive(name: string, options?: ReceiveOptions): Promise<readonly ReceivedMessage[]>;
  delete(name: string, receiptHandle: string): Promise<void>;
  /** A request in SQS's own shape, as it comes over the wire. */
  call(operation: string, body: unknown): Promise<ServiceReply>;
  /** Lets every long poll return now. */
  wake(): void;
  close(): Promise<void>;
}

/** Starts an empty SQS. Opens no port. */
export async function createLocalQueues(place: Place): Promise<LocalQueues> {
  const fauxqs = await createFauxqs(place);
  const queue = (name: string): Queue => {
    const { url, arn } = known(fauxqs.address(name), name);
    return { name, url, arn };
  };
  const ask = async (operation: string, body: object): Promise<Record<string, unknown>> => {
    const reply = await fauxqs.call(operation, body);
    if (reply.status !== 200 || !isRecord(reply.body)) {
      throw new Error(`SQS ${operation} ${JSON.stringify(body)}: HTTP ${reply.status} ${JSON.stringify(reply.body)}`);
    }
    return reply.body;
  };

  return {
    queue,
    call: fauxqs.call,
    list: () => fauxqs.names().map(queue),
    async create(name, attributes = {}) {
      await ask('CreateQueue', { QueueName: name, Attributes: attributes });
      return queue(name);
    },
    depth: (name) => known(fauxqs.depth(name), name),
    bodies: (name) => known(fauxqs.bodies(name), name),
    async send(name, body, options = {}) {
      const reply = await ask('SendMessage', {
        QueueUrl: queue(name).url,
        MessageBody: body,
        MessageGroupId: options.groupId,
        MessageDeduplicationId: options.deduplicationId,
        DelaySeconds: options.delaySeconds,
      });
      return String(reply.MessageId);
    },
    async receive(name, options = {}) {
      const reply = await ask('ReceiveMessage', {
        QueueUrl: queue(name).url,
        MaxNumberOfMessages: options.max ?? 10,
        WaitTimeSeconds: options.waitSeconds,
        VisibilityTimeout: options.visibilityTimeoutSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      });
      return (Array.isArray(reply.Messages) ? reply.Messages : []).map(receivedMessage);
    },
    async delete(name, receiptHandle) {
      await ask('DeleteMessage', { QueueUrl: queue(name).url, ReceiptHandle: receiptHandle });
    },
    wake: fauxqs.wake,
    close: fauxqs.close,
  };
}

function known<T>(value: T | null, name: string): T {
  if (value === null) {
    throw new Error(`SQS queue ${name} does not exist`);
  }
  return value;
}

/** Creates the queues of a stack. Dead-letter queues are found when the first message moves, so any order will do. */
export async function createStackQueues(stack: Stack, queues: LocalQueues): Promise<void> {
  const resources = stack.of('AWS::SQS::Queue');
  for (const resource of resources) {
    await queues.create(resource.name, queueAttributes(resource));
  }
}

/** Properties that are SQS attributes of the same name. */
const PASSED_ON = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'FifoThroughputLimit',
  'DelaySeconds',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'VisibilityTimeout',
] as const;

function queueAttributes({ properties }: Resource<'AWS::SQS::Queue'>): Record<string, string> {
  const { FifoQueue, RedrivePolicy } = properties;
  const attributes: Record<string, string> = {};
  for (const name of PASSED_ON) {
    if (properties[name] !== undefined) {
      attributes[name] = String(properties[name]);
    }
  }
  // SQS refuses the attribute for standard queues, even with the value false.
  return {
    ...attributes,
    ...(FifoQueue ? { FifoQueue: 'true' } : {}),
    ...(RedrivePolicy === undefined ? {} : { RedrivePolicy: JSON.stringify(RedrivePolicy) }),
  };
}

function receivedMessage(message: Record<string, unknown>): ReceivedMessage {
  return {
    messageId: String(message.MessageId),
    receiptHandle: String(message.ReceiptHandle),
    body: String(message.Body),
    md5OfBody: String(message.MD5OfBody),
    md5OfMessageAttributes: typeof message.MD5OfMessageAttributes === 'string' ? message.MD5OfMessageAttributes : null,
    attributes: isRecord(message.Attributes) ? (message.Attributes as Record<string, string>) : {},
    messageAttributes: isRecord(message.MessageAttributes) ? message.MessageAttributes : {},
  };
}
