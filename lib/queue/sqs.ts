/**
 * Amazon SQS: the few calls that this program makes, each with its limits. Nothing here knows of targets, decisions or
 * action records.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { AwsConnection } from './connection.ts';
import { createJsonCall, type JsonService } from './json-call.ts';
import { createSignedPost, type SignedPost } from './signed-post.ts';

const SERVICE: JsonService = { name: 'sqs', targetPrefix: 'AmazonSQS', endpointVariable: 'SQS' };

/** What is read of the answers. */
const anything = v.object({});
const attributesAnswer = v.object({ Attributes: v.optional(v.record(v.string(), v.string())) });
const urlAnswer = v.object({ QueueUrl: v.optional(v.string()) });
const sentAnswer = v.object({ MessageId: v.optional(v.string()), MD5OfMessageBody: v.optional(v.string()) });

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
 * SQS as this program uses it. All calls throw: `AwsAnswerError`, an error of the connection, or `OutOfTimeError` after
 * the limit of the call.
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
  const { signedPost, destroy } = createSignedPost(connection);
  // The host of a queue URL never decides where a request goes: the region does, or AWS_ENDPOINT_URL. Otherwise a run
  // against local servers would call AWS for every queue that is named by its real URL.
  const call = createJsonCall(signedPost, connection, SERVICE);
  // As many entries as there are queue names in the settings; a URL never changes.
  const urls = new Map<string, string>();

  return {
    async depthAttributes(queueUrl, signal) {
      const input = { QueueUrl: queueUrl, AttributeNames: DEPTH_ATTRIBUTES };
      return (await call('GetQueueAttributes', input, attributesAnswer, signal)).Attributes ?? {};
    },

    async queueUrl(queueName, signal) {
      const known = urls.get(queueName);
      if (known !== undefined) return known;
      const { QueueUrl: url } = await call('GetQueueUrl', { QueueName: queueName }, urlAnswer, signal);
      if (!url) throw new TypeError(`the answer for queue ${queueName} has no QueueUrl`);
      urls.set(queueName, url);
      return url;
    },

    async sendFifo(message, signal) {
      const input = {
        QueueUrl: message.queueUrl,
        MessageBody: message.body,
        MessageGroupId: message.groupId,
        MessageDeduplicationId: message.deduplicationId,
        MessageAttributes: attributesOf(message),
      };
      const answer = await call('SendMessage', input, sentAnswer, signal);
      // Of what SQS received, against what was sent.
      if (answer.MD5OfMessageBody !== createHash('md5').update(message.body).digest('hex')) {
        throw new TypeError('InvalidChecksum: the message may have been stored with another text');
      }
      if (!answer.MessageId) throw new TypeError('the answer has no MessageId, so the message may not be stored');
      return answer.MessageId;
    },

    async changeVisibility({ queueUrl, receiptHandle, visibilityTimeoutSeconds }, signal) {
      const input = { QueueUrl: queueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: visibilityTimeoutSeconds };
      await call('ChangeMessageVisibility', input, anything, signal);
    },

    signedPost,
    destroy,
  };
}

function attributesOf(message: FifoMessage) {
  const entries = Object.entries(message.attributes ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, { DataType: 'String', StringValue: value }]));
}
