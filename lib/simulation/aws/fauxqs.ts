/**
 * fauxqs, the SQS server that runs in this process: requests in SQS's own shape, and what its queues hold. The only file
 * that knows fauxqs.
 */
import { buildApp } from 'fauxqs';
import { S3Store } from '../../../node_modules/fauxqs/dist/s3/s3Store.js';
import { SnsStore } from '../../../node_modules/fauxqs/dist/sns/snsStore.js';
// Its stores are not exported, and only they can bring the counts up to date and show what a queue holds; hence deep
// imports and an exactly pinned version.
import { type SqsQueue, SqsStore } from '../../../node_modules/fauxqs/dist/sqs/sqsStore.js';
import { isRecord } from './intrinsics.ts';
import type { ServiceReply } from './protocol.ts';
import type { Place } from './template.ts';

/** What a queue holds now, and what went through it since it was created. */
export interface QueueDepth {
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  /** As AWS counts it: without messages received three times or more; null when there are none. */
  readonly oldestAgeSeconds: number | null;
  /** Messages since creation. Moves to a dead-letter queue are not sends. */
  readonly sent: number;
  readonly received: number;
  readonly deleted: number;
  readonly emptyReceives: number;
}

/** A running fauxqs. */
export interface Fauxqs {
  /** A request as it comes over the wire. */
  call(operation: string, body: unknown): Promise<ServiceReply>;
  names(): readonly string[];
  /** Null for a queue that does not exist; likewise below. */
  address(name: string): { readonly url: string; readonly arn: string } | null;
  depth(name: string): QueueDepth | null;
  /** Bodies of everything the queue holds. */
  bodies(name: string): readonly string[] | null;
  /** Lets every long poll return now. */
  wake(): void;
  close(): Promise<void>;
}

/** AWS leaves a message out of the age of the oldest one from its third receive on. */
const AGE_IGNORED_FROM_RECEIVES = 3;

type Counters = { sent: number; received: number; deleted: number; emptyReceives: number };

/** Starts it without a port. */
export async function createFauxqs(place: Place): Promise<Fauxqs> {
  const store = new SqsStore();
  // Without a host, queue URLs take the host of the request: no `*.localhost`, which does not resolve everywhere.
  store.host = '';
  const stores = { sqsStore: store, snsStore: new SnsStore(), s3Store: new S3Store() };
  const app = buildApp({ logger: false, defaultRegion: place.region, stores });
  await app.ready();
  const counters = new Map<string, Counters>();
  const queue = (name: string): SqsQueue | null => store.getQueueByName(name) ?? null;

  return {
    async call(operation, body) {
      // fauxqs looks at its timers only when it receives; without this, counts would be those of the last receive.
      store.processAllTimers();
      const response = await app.inject({
        method: 'POST',
        url: '/',
        headers: {
          host: new URL(place.endpoint).host,
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `AmazonSQS.${operation}`,
          authorization: `AWS4-HMAC-SHA256 Credential=LOCAL/20000101/${place.region}/sqs/aws4_request`,
        },
        payload: JSON.stringify(body),
      });
      const reply: unknown = JSON.parse(response.body === '' ? '{}' : response.body);
      if (response.statusCode === 200) {
        count(counters, operation, body, reply);
      }
      // The SDK takes SQS's old error codes from this header.
      const queryError = response.headers['x-amzn-query-error'];
      const headers = typeof queryError === 'string' ? { 'x-amzn-query-error': queryError } : {};
      return { status: response.statusCode, body: reply, headers };
    },
    names: () => [...store.allQueues()].map(({ name }) => name),
    address: queue,
    depth: (name) => {
      const found = queue(name);
      return found === null ? null : { ...depthOf(found), ...countersOf(counters, name) };
    },
    bodies: (name) => {
      const found = queue(name);
      return found === null ? null : contents(found).map(({ body }) => body);
    },
    wake: () => store.shutdown(),
    async close() {
      store.shutdown();
      await app.close();
    },
  };
}

function depthOf(queue: SqsQueue): Pick<QueueDepth, 'visible' | 'inFlight' | 'delayed' | 'oldestAgeSeconds'> {
  queue.processTimers();
  const oldestSentAtMs = contents(queue)
    .filter((message) => message.approximateReceiveCount < AGE_IGNORED_FROM_RECEIVES)
    .reduce((oldest, message) => Math.min(oldest, message.sentTimestamp), Number.POSITIVE_INFINITY);
  return {
    visible: Number(queue.getAttribute('ApproximateNumberOfMessages')),
    inFlight: Number(queue.getAttribute('ApproximateNumberOfMessagesNotVisible')),
    delayed: Number(queue.getAttribute('ApproximateNumberOfMessagesDelayed')),
    oldestAgeSeconds: Number.isFinite(oldestSentAtMs) ? Math.max(0, (Date.now() - oldestSentAtMs) / 1000) : null,
  };
}

function contents(queue: SqsQueue) {
  const { ready, delayed, inflight } = queue.inspectMessages();
  return [...ready, ...inflight.map((entry) => entry.message), ...delayed];
}

function countersOf(counters: Map<string, Counters>, name: string): Counters {
  const known = counters.get(name) ?? { sent: 0, received: 0, deleted: 0, emptyReceives: 0 };
  counters.set(name, known);
  return known;
}

function count(counters: Map<string, Counters>, operation: string, body: unknown, reply: unknown): void {
  const url = isRecord(body) ? String(body.QueueUrl) : '';
  const counter = countersOf(counters, url.slice(url.lastIndexOf('/') + 1));
  const listed = (key: string): number => {
    const list = isRecord(reply) ? reply[key] : undefined;
    return Array.isArray(list) ? list.length : 0;
  };
  switch (operation) {
    case 'SendMessage':
      counter.sent += 1;
      break;
    case 'SendMessageBatch':
      counter.sent += listed('Successful');
      break;
    case 'DeleteMessage':
      counter.deleted += 1;
      break;
    case 'DeleteMessageBatch':
      counter.deleted += listed('Successful');
      break;
    case 'ReceiveMessage':
      counter.received += listed('Messages');
      counter.emptyReceives += listed('Messages') === 0 ? 1 : 0;
      break;
    default:
  }
}
