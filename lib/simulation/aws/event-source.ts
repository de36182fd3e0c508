/**
 * An event source mapping: takes messages from a queue, hands them to a function in batches, and deletes those that the
 * function dealt with. Source: "Using Lambda with Amazon SQS" and "Implementing partial batch responses" of the Lambda
 * developer guide.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isRecord } from './intrinsics.ts';
import type { InvokeOutcome, LocalFunction } from './lambda.ts';
import type { LocalQueues, Queue, ReceivedMessage } from './sqs.ts';

/** What a mapping joins. */
export interface EventSourceOptions {
  readonly queue: Queue;
  readonly region: string;
  readonly queues: LocalQueues;
  readonly target: LocalFunction;
  readonly batchSize: number;
  /** Batches that may run at the same time. */
  readonly concurrency: number;
  readonly reportsItemFailures: boolean;
  /** Why the mapping may not do this now (no permission, a fault), or null. Asked before each call of SQS. */
  readonly obstacle: (operation: 'ReceiveMessage' | 'DeleteMessage') => string | null;
  readonly onProblem: (problem: string) => void;
}

/** A running mapping. */
export interface EventSource {
  close(): Promise<void>;
}

/** The longest long poll of SQS. */
const POLL_SECONDS = 20;
/** Time until the next try after SQS could not be used. */
const OBSTACLE_DELAY_SECONDS = 1;

/** Starts polling. `close` waits for the batches under way, so the function must have been stopped before or be quick. */
export function startEventSource(options: EventSourceOptions): EventSource {
  const closing = new AbortController();
  const pollers = Array.from({ length: options.concurrency }, () => poll(options, closing.signal));
  return {
    async close() {
      closing.abort();
      await Promise.all(pollers);
    },
  };
}

async function poll(options: EventSourceOptions, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    try {
      const obstacle = options.obstacle('ReceiveMessage');
      if (obstacle !== null) {
        throw new Error(obstacle);
      }
      const batch = await options.queues.receive(options.queue.name, {
        max: options.batchSize,
        waitSeconds: POLL_SECONDS,
      });
      if (batch.length > 0 && !closing.aborted) {
        await process(options, batch);
      }
    } catch (error) {
      if (!closing.aborted) {
        options.onProblem(`event source ${options.queue.name}: ${String(error)}`);
      }
      await sleep(OBSTACLE_DELAY_SECONDS * 1000, undefined, { signal: closing }).catch(() => {});
    }
  }
}

/** What is not deleted comes back when its visibility timeout ends; nothing shortens it. */
async function process(options: EventSourceOptions, batch: readonly ReceivedMessage[]): Promise<void> {
  const records = batch.map((message) => eventRecord(message, options.queue.arn, options.region));
  const outcome = await options.target.invoke({ Records: records });
  for (const message of handledMessages(batch, outcome, options.reportsItemFailures)) {
    const obstacle = options.obstacle('DeleteMessage');
    if (obstacle !== null) {
      throw new Error(obstacle);
    }
    await options.queues.delete(options.queue.name, message.receiptHandle);
  }
}

/**
 * The messages that count as dealt with. With item failures reported: nothing, null or an empty list means all; the
 * named ones failed; a reply of another shape, or one that names an unknown message, fails the whole batch.
 */
export function handledMessages(
  batch: readonly ReceivedMessage[],
  outcome: InvokeOutcome,
  reportsItemFailures: boolean,
): readonly ReceivedMessage[] {
  if (outcome.kind !== 'succeeded') {
    return [];
  }
  if (!reportsItemFailures || outcome.payload === null) {
    return batch;
  }
  const failures = isRecord(outcome.payload) ? (outcome.payload.batchItemFailures ?? []) : undefined;
  if (!Array.isArray(failures)) {
    return [];
  }
  const failed = new Set(failures.map((failure) => (isRecord(failure) ? failure.itemIdentifier : undefined)));
  const known = new Set<unknown>(batch.map((message) => message.messageId));
  return [...failed].every((id) => known.has(id)) ? batch.filter(({ messageId }) => !failed.has(messageId)) : [];
}

/** One record of the event that Lambda makes of a message. */
function eventRecord(message: ReceivedMessage, queueArn: string, region: string): object {
  return {
    messageId: message.messageId,
    receiptHandle: message.receiptHandle,
    body: message.body,
    attributes: message.attributes,
    messageAttributes: Object.fromEntries(
      Object.entries(message.messageAttributes).map(([name, value]) => [name, eventAttribute(value)]),
    ),
    md5OfBody: message.md5OfBody,
    ...(message.md5OfMessageAttributes === null ? {} : { md5OfMessageAttributes: message.md5OfMessageAttributes }),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}

/** Lambda writes attributes with small first letters and adds the two lists, which SQS does not have. */
function eventAttribute(value: unknown): object {
  const { StringValue, BinaryValue, DataType } = isRecord(value) ? value : {};
  return {
    ...(StringValue === undefined ? {} : { stringValue: StringValue }),
    ...(BinaryValue === undefined ? {} : { binaryValue: BinaryValue }),
    stringListValues: [],
    binaryListValues: [],
    dataType: DataType,
  };
}
