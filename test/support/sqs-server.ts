/**
 * A real SQS over HTTP, in process: fauxqs on a free port of 127.0.0.1.
 *
 * Two of its habits are corrected here. Its counts stay as they were at the last receive, so every request first lets
 * visibility timeouts and delays pass; and it answers with host names that do not resolve everywhere, so queue URLs
 * are built on 127.0.0.1.
 */
import type { AddressInfo } from 'node:net';
import { buildApp } from 'fauxqs';
import { S3Store } from '../../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../../node_modules/fauxqs/dist/sns/snsStore.js';
import { SqsStore } from '../../node_modules/fauxqs/dist/sqs/sqsStore.js';

const REGION = 'us-east-1';
const ACCOUNT_ID = '000000000000';

/** Connection settings for a local server; the credentials are accepted by it and by nobody else. */
export function localConnection(endpoint: string) {
  return { region: REGION, endpoint, credentials: { accessKeyId: 'local', secretAccessKey: 'local-secret' } };
}

/** A message as it lies in a queue. */
interface StoredMessage {
  readonly messageId: string;
  readonly body: string;
  readonly groupId: string | undefined;
  readonly deduplicationId: string | undefined;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/** A message as `receive` hands it out. */
interface ReceivedMessage {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
}

/** The running server. */
export interface SqsServer {
  readonly endpoint: string;
  /** Creates a queue and returns its URL; a name that ends in `.fifo` makes a FIFO queue. */
  createQueue(name: string, attributes?: Readonly<Record<string, string>>): string;
  /** Puts a message into a standard queue. */
  put(queueName: string, body: string, delaySeconds?: number): void;
  /** Receives up to ten messages, as a worker would. */
  receive(queueName: string, visibilityTimeoutSeconds: number): readonly ReceivedMessage[];
  /** Messages that can be received now, in order. */
  ready(queueName: string): readonly StoredMessage[];
  stop(): Promise<void>;
}

/** Starts a server of its own for one test file. */
export async function startSqsServer(): Promise<SqsServer> {
  const sqsStore = new SqsStore();
  sqsStore.region = REGION;
  const stores = { sqsStore, snsStore: new SnsStore(), s3Store: new S3Store() };
  const app = buildApp({ logger: false, defaultRegion: REGION, stores });
  app.addHook('onRequest', async () => sqsStore.processAllTimers());
  await app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = app.server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;

  const queueOf = (name: string) => {
    const queue = sqsStore.getQueueByName(name);
    if (!queue) throw new Error(`no queue ${name}`);
    return queue;
  };

  return {
    endpoint,
    createQueue(name, attributes = {}) {
      const url = `${endpoint}/${ACCOUNT_ID}/${name}`;
      const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {};
      sqsStore.createQueue(name, url, `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`, { ...fifo, ...attributes });
      return url;
    },
    put(queueName, body, delaySeconds) {
      queueOf(queueName).enqueue(SqsStore.createMessage(body, {}, delaySeconds));
    },
    receive(queueName, visibilityTimeoutSeconds) {
      const messages = queueOf(queueName).dequeue(10, visibilityTimeoutSeconds);
      return messages.map(({ MessageId, ReceiptHandle, Body }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
      }));
    },
    ready(queueName) {
      return queueOf(queueName)
        .inspectMessages()
        .ready.map((message) => ({
          messageId: message.messageId,
          body: message.body,
          groupId: message.messageGroupId,
          deduplicationId: message.messageDeduplicationId,
          attributes: Object.fromEntries(
            Object.entries(message.messageAttributes).map(([name, value]) => [name, value.StringValue]),
          ),
        }));
    },
    stop: () => app.close(),
  };
}
