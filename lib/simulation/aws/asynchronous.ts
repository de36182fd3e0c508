/**
 * Lambda's queue for asynchronous events, one per function: retries after errors, patience with throttling, an age
 * limit, and a record to the destination at the end. Source: "How Lambda handles errors and retries with asynchronous
 * invocation" and "Capturing records of Lambda asynchronous invocations" of the Lambda developer guide.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InvocationResult } from './environment.ts';
import type { LocalFunction } from './lambda.ts';

/** From `AWS::Lambda::EventInvokeConfig`, or Lambda's defaults. */
export interface AsynchronousSettings {
  readonly retriesMax: number;
  readonly eventAgeMaxSeconds: number;
  /** Where records go; null for nowhere. */
  readonly onSuccess: SendRecord | null;
  readonly onFailure: SendRecord | null;
}

/** Puts a record where the destination points. */
export type SendRecord = (record: InvocationRecord) => Promise<void>;

/** How an event left the queue. `dropped` when the local run ended first or the queue is full. */
export type EventEnd = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded' | 'dropped';

/** What Lambda sends to a destination. */
interface InvocationRecord {
  readonly version: '1.0';
  readonly timestamp: string;
  readonly requestContext: {
    readonly requestId: string;
    readonly functionArn: string;
    readonly condition: Exclude<EventEnd, 'dropped'>;
    readonly approximateInvokeCount: number;
  };
  readonly requestPayload: unknown;
  /** Absent when the event never ran. */
  readonly responseContext?: {
    readonly statusCode: 200;
    readonly executedVersion: '$LATEST';
    readonly functionError?: 'Unhandled';
  };
  readonly responsePayload?: unknown;
}

/** The queue of one function. */
export interface AsynchronousQueue {
  /** Takes an event; resolves when it has left the queue. Never rejects. */
  accept(event: unknown): Promise<EventEnd>;
  /** Events that have not left yet. */
  readonly length: number;
  /** Drops what waits and lets go of what runs. */
  close(): Promise<void>;
}

/** Lambda waits one minute before the first retry and two before the second. */
const RETRY_DELAY_SECONDS = 60;
/** A throttled event is tried again after one second, then twice as long each time, up to five minutes. */
const THROTTLED_DELAY_SECONDS = 1;
const THROTTLED_DELAY_MAX_SECONDS = 300;
const QUEUE_MAX_EVENTS = 10_000;

interface Progress {
  readonly requestId: string;
  readonly acceptedAtMs: number;
  invokeCount: number;
  throttledCount: number;
  last: InvocationResult | null;
}

/** `onEnd` hears of every event that left the queue, and of a record that could not be sent. */
export function createAsynchronousQueue(
  target: LocalFunction,
  settings: AsynchronousSettings,
  onEnd: (end: EventEnd, problem: string | null) => void,
): AsynchronousQueue {
  const closing = new AbortController();
  const underWay = new Set<Promise<EventEnd>>();

  const run = async (event: unknown): Promise<EventEnd> => {
    const progress: Progress = {
      requestId: randomUUID(),
      acceptedAtMs: Date.now(),
      invokeCount: 0,
      throttledCount: 0,
      last: null,
    };
    const end = await deliver(target, settings, event, progress, closing.signal);
    const problem = end === 'dropped' ? null : await sendRecord(target, settings, event, progress, end);
    onEnd(end, problem);
    return end;
  };

  return {
    get length() {
      return underWay.size;
    },
    accept(event) {
      if (underWay.size >= QUEUE_MAX_EVENTS) {
        onEnd('dropped', `more than ${QUEUE_MAX_EVENTS} events wait`);
        return Promise.resolve('dropped');
      }
      const running = run(event).finally(() => underWay.delete(running));
      underWay.add(running);
      return running;
    },
    async close() {
      closing.abort();
      await Promise.allSettled(underWay);
    },
  };
}

/** Tries until the event succeeded, was retried often enough, or is too old. */
async function deliver(
  target: LocalFunction,
  settings: AsynchronousSettings,
  event: unknown,
  progress: Progress,
  closing: AbortSignal,
): Promise<EventEnd> {
  // Ends: each turn either leaves, uses up a retry, or waits while the event grows older.
  for (;;) {
    const ageSeconds = (Date.now() - progress.acceptedAtMs) / 1000;
    if (ageSeconds > settings.eventAgeMaxSeconds) {
      return 'EventAgeExceeded';
    }
    const outcome = closing.aborted ? null : await target.invoke(event, progress.requestId);
    if (outcome === null || closing.aborted) {
      return 'dropped';
    }
    if (outcome.kind === 'throttled') {
      progress.throttledCount += 1;
    } else {
      progress.invokeCount += 1;
      progress.throttledCount = 0;
      progress.last = outcome;
      if (outcome.kind === 'succeeded') {
        return 'Success';
      }
      if (progress.invokeCount > settings.retriesMax) {
        return 'RetriesExhausted';
      }
    }
    await pause(waitSeconds(progress), closing);
  }
}

function waitSeconds({ throttledCount, invokeCount }: Progress): number {
  return throttledCount > 0
    ? Math.min(THROTTLED_DELAY_SECONDS * 2 ** (throttledCount - 1), THROTTLED_DELAY_MAX_SECONDS)
    : RETRY_DELAY_SECONDS * invokeCount;
}

/** The sleep of `node:timers/promises`, cut short without an error when the local run ends. */
async function pause(seconds: number, closing: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal: closing }).catch(() => {});
}

/** Null when the record arrived or there is no destination; otherwise what went wrong. */
async function sendRecord(
  target: LocalFunction,
  settings: AsynchronousSettings,
  event: unknown,
  progress: Progress,
  condition: Exclude<EventEnd, 'dropped'>,
): Promise<string | null> {
  const send = condition === 'Success' ? settings.onSuccess : settings.onFailure;
  const record = invocationRecord(target, event, progress, condition);
  return (await send?.(record).then(() => null, String)) ?? null;
}

function invocationRecord(
  target: LocalFunction,
  event: unknown,
  progress: Progress,
  condition: Exclude<EventEnd, 'dropped'>,
): InvocationRecord {
  const error = progress.last?.kind === 'failed' ? { functionError: 'Unhandled' as const } : {};
  return {
    version: '1.0',
    timestamp: new Date().toISOString(),
    requestContext: {
      requestId: progress.requestId,
      functionArn: `${target.arn}:$LATEST`,
      condition,
      approximateInvokeCount: progress.invokeCount,
    },
    requestPayload: event,
    ...(progress.last === null
      ? {}
      : {
          responseContext: { statusCode: 200, executedVersion: '$LATEST', ...error },
          responsePayload: progress.last.payload,
        }),
  };
}
