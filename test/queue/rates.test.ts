import { describe, expect, it } from 'vitest';
import type { Series } from '../../lib/queue/cloudwatch.ts';
import { rateMetricsOf, ratesOf } from '../../lib/queue/rates.ts';

const NOW = Date.UTC(2026, 5, 1, 12, 0, 30);
const minute = (ago: number): number => Date.UTC(2026, 5, 1, 12) - ago * 60_000;
const series = (...points: readonly (readonly [number, number])[]): Series => ({
  kind: 'ok',
  points: points.map(([ago, value]) => ({ atMs: minute(ago), value })),
});

describe('rates of a queue', () => {
  it('are sums of sent and deleted, and the mean in flight', () => {
    const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs';
    const metrics = rateMetricsOf({ kind: 'sqs', queueUrl }, 'all');
    expect(metrics?.map(({ name, stat }) => `${name} ${stat}`)).toEqual([
      'NumberOfMessagesSent Sum',
      'NumberOfMessagesDeleted Sum',
      'ApproximateNumberOfMessagesNotVisible Average',
    ]);
    expect(metrics?.every(({ dimensions }) => dimensions['QueueName'] === 'jobs')).toBe(true);
    expect(rateMetricsOf({ kind: 'sqs_name', queueName: 'jobs' }, 'all')).toEqual(metrics);
    expect(rateMetricsOf({ kind: 'sqs_name', queueName: 'jobs' }, 'sent')).toEqual(metrics?.slice(0, 1));
  });

  it('are not there for a metric, nor for a URL without a name', () => {
    expect(
      rateMetricsOf({ kind: 'metric', namespace: 'A', name: 'B', dimensions: {}, stat: 'Maximum' }, 'all'),
    ).toBeNull();
    expect(rateMetricsOf({ kind: 'sqs', queueUrl: 'nonsense' }, 'sent')).toBeNull();
    expect(ratesOf([], NOW, 3600)).toMatchObject({ kind: 'missing', why: 'no_points' });
  });

  it('are columns up to the newest minute that is out, gaps null', () => {
    const sent = series([4, 10], [2, 30], [1, 40]);
    const reading = ratesOf([sent, series([4, 9], [1, 39]), series([2, 3.5])], NOW, 3600);
    expect(reading).toEqual({
      kind: 'ok',
      value: {
        startMs: minute(4),
        periodSeconds: 60,
        sent: [10, null, 30, 40],
        deleted: [9, null, null, 39],
        inFlight: [null, null, 3.5, null],
      },
      observedAtMs: minute(0),
    });
  });

  it('have empty columns for what was not asked for', () => {
    const reading = ratesOf([series([2, 10], [1, 40])], NOW, 3600);
    expect(reading).toMatchObject({ value: { sent: [10, 40], deleted: [], inFlight: [] } });
  });

  it('leave out a minute that is not over and what lies before the window', () => {
    const reading = ratesOf([series([90, 1], [2, 2], [0, 3]), series(), series()], NOW, 600);
    expect(reading.kind === 'ok' && [reading.value.sent.length, reading.value.sent.at(-1)]).toEqual([13, 2]);
  });

  it('are missing while the queue sleeps, and fail with any of the metrics', () => {
    expect(ratesOf([series(), series(), series()], NOW, 600)).toMatchObject({ kind: 'missing', why: 'asleep' });
    const failed: Series = { kind: 'failed', why: 'access_denied', detail: 'no' };
    expect(ratesOf([series([1, 1]), failed, series()], NOW, 600)).toEqual(failed);
  });
});
