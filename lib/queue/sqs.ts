/**
 * Amazon SQS: the few calls that this program makes, each with its limits. The only folder that imports `@aws-sdk/*`;
 * nothing here knows of targets, decisions or action records.
 */
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type AwsConnection, clientSettings, limitsOf, withTimeLimit } from './connection.ts';
import { createSignedPost, type SignedPost } from './signed-post.ts';

/** A message for a FIFO queue. */
interface FifoMessage {
  readonly queueUrl: string;
  readonly body: string;
  /** Messages of one group are delivered in order. */
  readonly groupId: string;
  /** A second message with the same id within five minutes is accepted and dropped. */
  readonly deduplicationId: string;
  /** Message attributes, all of type String; at most ten. */
  readonly attributes?: Readonly<Record<string, string>>;
}

/** When a received message may be received again. */
interface VisibilityChange {
  readonly queueUrl: string;
  readonly receiptHandle: string;
  /** 0 to 43,200 (12 hours). */
  readonly visibilityTimeoutSeconds: number;
}

/** The three attributes that make up the depth of a queue, as text, each perhaps absent. */
export type DepthAttributes = Readonly<Partial<Record<DepthAttribute, string>>>;
export type DepthAttribute = (typeof DEPTH_ATTRIBUTES)[number];

const DEPTH_ATTRIBUTES = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/**
 * SQS as this program uses it. All calls throw: the SDK's own error, or `OutOfTimeError` after the limit of the call.
 * Source: Amazon SQS API Reference.
 */
export interface Sqs {
  depthAttributes(queueUrl: string, signal: AbortSignal): Promise<DepthAttributes>;
  /** The URL of a queue of this account and region; asked once per name. */
  queueUrl(queueName: string, signal: AbortSignal): Promise<string>;
  /** Resolves to the message id once SQS has stored the message. */
  sendFifo(message: FifoMessage, signal: AbortSignal): Promise<string>;
  changeVisibility(change: VisibilityChange, signal: AbortSignal): Promise<void>;
  /** A signed request to another AWS service, over this client's credentials and connections. */
  readonly signedPost: SignedPost;
  /** Closes the connections that were kept open. */
  destroy(): void;
}

/** A connection to SQS. Makes no call by itself. */
export function createSqs(connection: AwsConnection): Sqs {
  // The host of a queue URL never decides where a request goes: the region does, or AWS_ENDPOINT_URL. Otherwise a run
  // against local servers would call AWS for every queue that is named by its real URL.
  const client = new SQSClient({ ...clientSettings(connection), useQueueUrlAsEndpoint: false });
  const { callLimitSeconds } = limitsOf(connection);
  // As many entries as there are queue names in the settings; a URL never changes.
  const urls = new Map<string, string>();

  return {
    async depthAttributes(queueUrl, signal) {
      const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: [...DEPTH_ATTRIBUTES] });
      const answer = await withTimeLimit('GetQueueAttributes', callLimitSeconds, signal, (abortSignal) =>
        client.send(command, { abortSignal }),
      );
      return answer.Attributes ?? {};
    },

    async queueUrl(queueName, signal) {
      const known = urls.get(queueName);
      if (known !== undefined) return known;
      const command = new GetQueueUrlCommand({ QueueName: queueName });
      const answer = await withTimeLimit('GetQueueUrl', callLimitSeconds, signal, (abortSignal) =>
        client.send(command, { abortSignal }),
      );
      if (!answer.QueueUrl) throw new TypeError(`the answer for queue ${queueName} has no QueueUrl`);
      urls.set(queueName, answer.QueueUrl);
      return answer.QueueUrl;
    },

    async sendFifo(message, signal) {
      const command = new SendMessageCommand({
        QueueUrl: message.queueUrl,
        MessageBody: message.body,
        MessageGroupId: message.groupId,
        MessageDeduplicationId: message.deduplicationId,
        MessageAttributes: attributesOf(message),
      });
      const answer = await withTimeLimit('SendMessage', callLimitSeconds, signal, (abortSignal) =>
        client.send(command, { abortSignal }),
      );
      if (!answer.MessageId) throw new TypeError('the answer has no MessageId, so the message may not be stored');
      return answer.MessageId;
    },

    async changeVisibility(change, signal) {
      const command = new ChangeMessageVisibilityCommand({
        QueueUrl: change.queueUrl,
        ReceiptHandle: change.receiptHandle,
        VisibilityTimeout: change.visibilityTimeoutSeconds,
      });
      await withTimeLimit('ChangeMessageVisibility', callLimitSeconds, signal, (abortSignal) =>
        client.send(command, { abortSignal }),
      );
    },

    signedPost: createSignedPost(client),
    destroy: () => client.destroy(),
  };
}

function attributesOf(message: FifoMessage) {
  const entries = Object.entries(message.attributes ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]));
}
