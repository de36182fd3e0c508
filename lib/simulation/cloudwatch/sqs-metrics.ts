/**
 * Publishes the metrics of queues in `AWS/SQS` as AWS does: one-minute points, only for queues that are awake, late after
 * a queue wakes, and some metrics only when there is something to count.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
 */
import type { Clock } from '../../reconcile/ports.ts';
import { type MetricStore, sampleOf } from './store.ts';

const MINUTE_MS = 60_000;

/** One queue now. Counters are running totals since the queue was created; they never fall. */
export interface QueueDepths {
  readonly queueName: string;
  readonly visible: number;
  readonly inFlight: number;
  readonly delayed: number;
  readonly sent: number;
  readonly received: number;
  readonly deleted: number;
  /** API calls of any kind on the queue, GetQueueAttributes included: each keeps the queue awake. */
  readonly requests: number;
  /** Null when no message is there. */
  readonly oldestAgeSeconds: number | null;
}

export interface SqsMetricsOptions {
  readonly store: MetricStore;
  readonly clock: Clock;
  /** All queues now. */
  readonly depths: () => readonly QueueDepths[];
  /** Time after the end of a minute until its point can be queried. Default 5. */
  readonly publicationLagSeconds?: number;
  /** A queue without messages and calls for this long falls asleep. Default six hours, as AWS. */
  readonly activeSeconds?: number;
  /** Time that a woken queue needs until it publishes again: AWS says up to 15 minutes. Default 300. */
  readonly wakeSeconds?: number;
  /** The same for a queue that is seen for the first time. Default `wakeSeconds`. */
  readonly newQueueSeconds?: number;
}

export interface SqsMetrics {
  /** Looks at the queues, and publishes the minute that has ended since the last call, if any. */
  advance(): void;
  /** When the next minute ends. */
  nextPublicationAtMs(): number;
}

interface Watch {
  /** As of the last publication: NumberOf… metrics are what was added since. */
  published: QueueDepths;
  requests: number;
  /** Null until the first sign of life. */
  lastActiveAtMs: number | null;
  publishesFromMs: number;
}

/**
 * Begins to watch. Call `advance` at least once a minute: minutes that pass without a look leave gaps, never guesses.
 */
export function createSqsMetrics(options: SqsMetricsOptions): SqsMetrics {
  const { store, clock, depths, publicationLagSeconds = 5, activeSeconds = 21_600, wakeSeconds = 300 } = options;
  const { newQueueSeconds = wakeSeconds } = options;
  const watches = new Map<string, Watch>();
  let minuteMs = minuteOf(clock.nowMs());

  const isAwake = (watch: Watch, atMs: number): boolean =>
    watch.lastActiveAtMs !== null && atMs - watch.lastActiveAtMs <= activeSeconds * 1000;

  const look = (queue: QueueDepths, nowMs: number): Watch => {
    const known = watches.get(queue.queueName);
    // The totals of a queue that is new here belong to nobody's minute yet, except those it has just been born with.
    const born = { ...queue, sent: 0, received: 0, deleted: 0 };
    const watch = known ?? { published: born, requests: 0, lastActiveAtMs: null, publishesFromMs: 0 };
    watches.set(queue.queueName, watch);
    const isUsed = queue.requests !== watch.requests || queue.visible + queue.inFlight + queue.delayed > 0;
    watch.requests = queue.requests;
    if (!isUsed) return watch;
    if (!isAwake(watch, nowMs)) watch.publishesFromMs = nowMs + (known ? wakeSeconds : newQueueSeconds) * 1000;
    watch.lastActiveAtMs = nowMs;
    return watch;
  };

  const publish = (queue: QueueDepths, watch: Watch, endMs: number): void => {
    const before = watch.published;
    watch.published = queue;
    if (!isAwake(watch, endMs) || endMs < watch.publishesFromMs) return;
    const visibleAtMs = endMs + publicationLagSeconds * 1000;
    for (const [name, value, unit] of metricsOf(queue, before)) {
      const metric = { namespace: 'AWS/SQS', name, dimensions: { QueueName: queue.queueName } };
      store.add(metric, sampleOf(value, endMs - MINUTE_MS, visibleAtMs, unit));
    }
  };

  return {
    nextPublicationAtMs: () => minuteMs + MINUTE_MS,
    advance: () => {
      const nowMs = clock.nowMs();
      const endMs = minuteOf(nowMs);
      const hasEnded = endMs > minuteMs;
      minuteMs = endMs;
      for (const queue of depths()) {
        const watch = look(queue, nowMs);
        if (hasEnded) publish(queue, watch, endMs);
      }
    },
  };
}

const minuteOf = (atMs: number): number => Math.floor(atMs / MINUTE_MS) * MINUTE_MS;

type NamedValue = readonly [name: string, value: number, unit: 'Count' | 'Seconds'];

function metricsOf(queue: QueueDepths, before: QueueDepths): readonly NamedValue[] {
  const metrics: NamedValue[] = [
    ['ApproximateNumberOfMessagesVisible', queue.visible, 'Count'],
    ['NumberOfMessagesSent', queue.sent - before.sent, 'Count'],
    ['NumberOfMessagesReceived', queue.received - before.received, 'Count'],
    ['NumberOfMessagesDeleted', queue.deleted - before.deleted, 'Count'],
  ];
  // These are published only when there is something to count: their absence is a zero, that of Visible is not.
  if (queue.inFlight > 0) metrics.push(['ApproximateNumberOfMessagesNotVisible', queue.inFlight, 'Count']);
  if (queue.delayed > 0) metrics.push(['ApproximateNumberOfMessagesDelayed', queue.delayed, 'Count']);
  if (queue.oldestAgeSeconds !== null)
    metrics.push(['ApproximateAgeOfOldestMessage', queue.oldestAgeSeconds, 'Seconds']);
  return metrics;
}
