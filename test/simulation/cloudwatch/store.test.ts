import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PutMetricDataSchema, parseRequest } from '../../../lib/simulation/cloudwatch/shapes.ts';
import { createMetricStore, type MetricStore, sampleOf } from '../../../lib/simulation/cloudwatch/store.ts';
import { ManualClock, METRIC, MINUTE_MS, START_MS } from './fixture.ts';

function createStore() {
  const clock = new ManualClock();
  return { clock, store: createMetricStore({ clock }) };
}

function put(store: MetricStore, datum: object, Namespace = 'Jobs'): void {
  const Dimensions = [{ Name: 'Queue', Value: 'mailer' }];
  const MetricData = [{ MetricName: 'Depth', Dimensions, ...datum }];
  store.put(parseRequest(PutMetricDataSchema, { Namespace, MetricData }));
}

function statisticAt(store: MetricStore, stat: string, metric = METRIC, unit?: string): number | undefined {
  const window = { startMs: START_MS, endMs: START_MS + MINUTE_MS, asOfMs: START_MS + 10 * MINUTE_MS };
  return store.points({ metric, stat, unit, periodSeconds: 60, ...window }).get(START_MS)?.value;
}

describe('the metric store', () => {
  it('gives every statistic of values, counts and summaries', () => {
    const { store } = createStore();
    put(store, { Value: 4 });
    put(store, { Values: [1, 10], Counts: [3, 1] });
    put(store, { StatisticValues: { SampleCount: 5, Sum: 50, Minimum: 10, Maximum: 10 } });
    const stats = ['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum', 'p0', 'p30', 'p50', 'p100'];
    expect(stats.map((stat) => statisticAt(store, stat))).toEqual([10, 67, 6.7, 1, 10, 1, 1, 10, 10]);
  });

  it('has no percentile of an unknown spread or of negative values, and refuses unknown statistics', () => {
    const { store } = createStore();
    put(store, { StatisticValues: { SampleCount: 2, Sum: 3, Minimum: 1, Maximum: 2 } });
    put(store, { Value: -1, MetricName: 'Negative' });
    expect(statisticAt(store, 'p50')).toBeUndefined();
    expect(statisticAt(store, 'p50', { ...METRIC, name: 'Negative' })).toBeUndefined();
    expect(() => statisticAt(store, 'TM(10%:90%)')).toThrow("found 'TM(10%:90%)'");
  });

  it('keeps metrics apart by namespace, name and dimensions, in whatever order dimensions come', () => {
    const { store } = createStore();
    const a = { Name: 'A', Value: '1' };
    const b = { Name: 'B', Value: '2' };
    put(store, { Dimensions: [a, b], Value: 1 });
    put(store, { Dimensions: [b, a], Value: 2 });
    put(store, { Dimensions: [a], Value: 100 });
    expect(statisticAt(store, 'Sum', { ...METRIC, dimensions: { B: '2', A: '1' } })).toBe(3);
    expect(statisticAt(store, 'Sum')).toBeUndefined();
  });

  it('filters by unit when one is asked for', () => {
    const { store } = createStore();
    put(store, { Value: 1, Unit: 'Count' });
    put(store, { Value: 2, Unit: 'Seconds' });
    expect([statisticAt(store, 'Sum'), statisticAt(store, 'Sum', METRIC, 'Seconds')]).toEqual([3, 2]);
  });

  it('rounds times down to the minute, or to the second in high resolution', () => {
    const { store } = createStore();
    put(store, { Value: 1, Timestamp: START_MS / 1000 + 59.9 });
    put(store, { Value: 2, Timestamp: START_MS / 1000 + 59.9, StorageResolution: 1, MetricName: 'Fine' });
    const window = { startMs: START_MS, endMs: START_MS + MINUTE_MS, asOfMs: START_MS + 10 * MINUTE_MS };
    const query = { stat: 'Sum', periodSeconds: 10, ...window };
    expect([...store.points({ metric: METRIC, ...query }).keys()]).toEqual([START_MS]);
    expect([...store.points({ metric: { ...METRIC, name: 'Fine' }, ...query }).keys()]).toEqual([START_MS + 50_000]);
  });

  it.each([
    [{ Value: 1, Timestamp: START_MS / 1000 - 14 * 86_400 - 1 }, 'within the past two weeks'],
    [{ Value: 1, Timestamp: START_MS / 1000 + 7201 }, 'no more than two hours in the future'],
    [{}, 'is required'],
    [{ Value: 1, Values: [1] }, 'only one of'],
    [{ Values: [1, 2], Counts: [1] }, 'same length'],
    [{ Values: [1], Counts: [0] }, 'found 0, expected more than 0'],
    [{ Value: 2 ** 361 }, 'expected -2^360 to 2^360'],
    [{ StatisticValues: { SampleCount: 0, Sum: 0, Minimum: 0, Maximum: 0 } }, 'SampleCount must be positive'],
    [{ Values: Array.from({ length: 151 }, () => 1) }, 'Values'],
    [{ Value: 1, StorageResolution: 30 }, 'StorageResolution'],
    [
      {
        Value: 1,
        Dimensions: [
          { Name: 'A', Value: '1' },
          { Name: 'A', Value: '2' },
        ],
      },
      'names must differ',
    ],
  ])('refuses %o', (datum, message) => {
    expect(() => put(createStore().store, datum)).toThrow(message);
  });

  it('refuses the namespaces of AWS, and takes the oldest and the newest time that is allowed', () => {
    const { store } = createStore();
    expect(() => put(store, { Value: 1 }, 'AWS/SQS')).toThrow('The value AWS/ for parameter Namespace is invalid.');
    put(store, { Value: 1, Timestamp: START_MS / 1000 - 14 * 86_400 });
    put(store, { Value: 1, Timestamp: START_MS / 1000 + 7200 });
  });

  it('stores nothing of a request with one bad datum', () => {
    const { store } = createStore();
    const MetricData = [
      { MetricName: 'Depth', Dimensions: [{ Name: 'Queue', Value: 'mailer' }], Value: 1 },
      { MetricName: 'Depth' },
    ];
    expect(() => store.put(parseRequest(PutMetricDataSchema, { Namespace: 'Jobs', MetricData }))).toThrow('member.2');
    expect(statisticAt(store, 'Sum')).toBeUndefined();
  });

  it('forgets after 15 days', () => {
    const { clock, store } = createStore();
    put(store, { Value: 1 });
    const window = { startMs: START_MS, endMs: START_MS + MINUTE_MS };
    const seenAfter = (days: number) =>
      store.points({ metric: METRIC, stat: 'Sum', periodSeconds: 60, ...window, asOfMs: START_MS + days * 86_400_000 });
    clock.moveTo(START_MS + 16 * 86_400_000);
    expect([seenAfter(15).size, seenAfter(15.001).size]).toEqual([1, 0]);
  });

  it('keeps sums, counts and extremes whatever the period, in any order of arrival', () => {
    const arrivals = fc.array(fc.tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: -50, max: 50 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(arrivals, fc.constantFrom(60, 120, 300, 3600), (list, periodSeconds) => {
        const { store } = createStore();
        for (const [minute, value] of list) {
          store.add(METRIC, sampleOf(value, START_MS + minute * MINUTE_MS, START_MS, 'Count'));
        }
        const window = { startMs: START_MS, endMs: START_MS + 60 * MINUTE_MS, asOfMs: START_MS };
        const points = (stat: string) => [...store.points({ metric: METRIC, stat, periodSeconds, ...window })];
        const values = (stat: string) => points(stat).map(([, point]) => point.value);
        const all = list.map(([, value]) => value);
        const starts = points('Sum').map(([start]) => start);
        expect(values('Sum').reduce((a, b) => a + b, 0)).toBe(all.reduce((a, b) => a + b, 0));
        expect(values('SampleCount').reduce((a, b) => a + b, 0)).toBe(all.length);
        expect(Math.max(...values('Maximum'))).toBe(Math.max(...all));
        expect(Math.min(...values('Minimum'))).toBe(Math.min(...all));
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        expect(starts.every((start) => (start - START_MS) % (periodSeconds * 1000) === 0)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
