import { describe, expect, it } from 'vitest';
import {
  createSqsMetrics,
  type QueueDepths,
  type SqsMetricsOptions,
} from '../../../lib/simulation/cloudwatch/sqs-metrics.ts';
import { createMetricStore } from '../../../lib/simulation/cloudwatch/store.ts';
import { ManualClock, MINUTE_MS, START_MS } from './fixture.ts';

const EMPTY: QueueDepths = {
  queueName: 'mailer',
  visible: 0,
  inFlight: 0,
  delayed: 0,
  sent: 0,
  received: 0,
  deleted: 0,
  requests: 0,
  oldestAgeSeconds: null,
};
const HOUR_MINUTES = 60;

function createQueue(options: Partial<SqsMetricsOptions> = {}) {
  const clock = new ManualClock();
  const store = createMetricStore({ clock });
  let queue = EMPTY;
  const metrics = createSqsMetrics({ store, clock, depths: () => [queue], newQueueSeconds: 0, ...options });
  const points = (name: string, asOfMs = Number.POSITIVE_INFINITY) => {
    const metric = { namespace: 'AWS/SQS', name, dimensions: { QueueName: 'mailer' } };
    const window = { startMs: START_MS, endMs: clock.nowMs() + 1, asOfMs: Math.min(asOfMs, clock.nowMs() + MINUTE_MS) };
    const found = store.points({ metric, stat: 'Maximum', periodSeconds: 60, ...window });
    return [...found].map(([atMs, { value }]) => [(atMs - START_MS) / MINUTE_MS, value]);
  };
  return {
    clock,
    metrics,
    points,
    set: (change: Partial<QueueDepths>) => {
      queue = { ...queue, ...change };
    },
    /** Lets whole minutes pass with a look at the end of each. */
    pass: (minutes: number) => {
      for (let minute = 0; minute < minutes; minute += 1) {
        clock.moveTo(clock.nowMs() + MINUTE_MS);
        metrics.advance();
      }
    },
  };
}

describe('the metrics of a queue', () => {
  it('publishes a point for each minute that has ended, at the start of that minute', () => {
    const { metrics, points, set, pass } = createQueue();
    set({ visible: 5, sent: 5, oldestAgeSeconds: 12 });
    metrics.advance();
    pass(1);
    set({ visible: 9, sent: 12, received: 3, deleted: 2 });
    pass(1);
    expect(points('ApproximateNumberOfMessagesVisible')).toEqual([
      [0, 5],
      [1, 9],
    ]);
    expect(points('NumberOfMessagesSent')).toEqual([
      [0, 5],
      [1, 7],
    ]);
    expect(points('NumberOfMessagesReceived')).toEqual([
      [0, 0],
      [1, 3],
    ]);
    expect(points('NumberOfMessagesDeleted').at(-1)).toEqual([1, 2]);
    expect(points('ApproximateAgeOfOldestMessage').at(-1)).toEqual([1, 12]);
  });

  it('tells of messages in flight and delayed only when there are some, and of zero visible ones', () => {
    const { points, set, pass } = createQueue();
    set({ requests: 1 });
    pass(1);
    set({ inFlight: 2, delayed: 3 });
    pass(1);
    set({ inFlight: 0, delayed: 0 });
    pass(1);
    expect(points('ApproximateNumberOfMessagesNotVisible')).toEqual([[1, 2]]);
    expect(points('ApproximateNumberOfMessagesDelayed')).toEqual([[1, 3]]);
    expect(points('ApproximateAgeOfOldestMessage')).toEqual([]);
    expect(points('ApproximateNumberOfMessagesVisible').map(([, value]) => value)).toEqual([0, 0, 0]);
  });

  it('shows a point only after the publication lag', () => {
    const { clock, metrics, points, set, pass } = createQueue({ publicationLagSeconds: 20 });
    set({ visible: 5 });
    pass(1);
    expect(points('ApproximateNumberOfMessagesVisible', START_MS + MINUTE_MS + 19_999)).toEqual([]);
    expect(points('ApproximateNumberOfMessagesVisible', START_MS + MINUTE_MS + 20_000)).toEqual([[0, 5]]);
    expect(metrics.nextPublicationAtMs()).toBe(clock.nowMs() + MINUTE_MS);
  });

  it('publishes nothing for a queue that was never used', () => {
    const { points, pass } = createQueue();
    pass(10);
    expect(points('ApproximateNumberOfMessagesVisible')).toEqual([]);
  });

  it('falls asleep six hours after the last call, and is late after it wakes', () => {
    const { points, set, pass } = createQueue({ wakeSeconds: 300 });
    set({ requests: 1 });
    pass(7 * HOUR_MINUTES);
    const count = points('ApproximateNumberOfMessagesVisible').length;
    // Used in minute 0, seen at its end, then awake for 360 minutes more.
    expect(count).toBe(361);
    set({ visible: 4, requests: 2, sent: 4 });
    pass(10);
    const after = points('ApproximateNumberOfMessagesVisible').slice(count);
    expect(after[0]).toEqual([7 * HOUR_MINUTES + 5, 4]);
    // What was sent while nothing was published belongs to no point.
    expect(points('NumberOfMessagesSent').slice(count)[0]).toEqual([7 * HOUR_MINUTES + 5, 0]);
  });

  it('stays awake while messages lie in it or while anybody asks for its attributes', () => {
    const { points, set, pass } = createQueue();
    set({ visible: 1 });
    pass(8 * HOUR_MINUTES);
    set({ visible: 0 });
    for (let hour = 1; hour <= 8; hour += 1) {
      set({ requests: hour });
      pass(HOUR_MINUTES);
    }
    expect(points('ApproximateNumberOfMessagesVisible')).toHaveLength(16 * HOUR_MINUTES);
  });

  it('makes a new queue wait like a woken one unless told otherwise', () => {
    const { points, set, pass } = createQueue({ newQueueSeconds: 120 });
    set({ visible: 1 });
    pass(4);
    expect(points('ApproximateNumberOfMessagesVisible')[0]).toEqual([2, 1]);
  });

  it('leaves a gap for minutes in which nobody looked', () => {
    const { clock, points, set, pass } = createQueue();
    set({ visible: 1 });
    pass(1);
    clock.moveTo(START_MS + 4 * MINUTE_MS);
    pass(1);
    expect(points('ApproximateNumberOfMessagesVisible')).toEqual([
      [0, 1],
      [4, 1],
    ]);
  });
});
