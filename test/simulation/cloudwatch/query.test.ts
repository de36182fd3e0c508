import { describe, expect, it } from 'vitest';
import { getMetricData } from '../../../lib/simulation/cloudwatch/query.ts';
import { GetMetricDataSchema, parseRequest } from '../../../lib/simulation/cloudwatch/shapes.ts';
import { createMetricStore, sampleOf } from '../../../lib/simulation/cloudwatch/store.ts';
import { ManualClock, MINUTE_MS, START_MS } from './fixture.ts';

const SERIES: Readonly<Record<string, readonly (number | null)[]>> = {
  a: [30, 20, 0, 0],
  b: [20, null, 20, null],
  empty: [],
};

function createStore() {
  const store = createMetricStore({ clock: new ManualClock() });
  for (const [name, values] of Object.entries(SERIES)) {
    values.forEach((value, minute) => {
      const atMs = START_MS + minute * MINUTE_MS;
      if (value !== null) store.add({ namespace: 'T', name, dimensions: {} }, sampleOf(value, atMs, START_MS, 'Count'));
    });
  }
  return store;
}

const stat = (MetricName: string, Period = 60) => ({ Metric: { Namespace: 'T', MetricName }, Period, Stat: 'Sum' });
const hidden = Object.keys(SERIES).map((name) => ({ Id: name, MetricStat: stat(name), ReturnData: false }));

function query(change: object) {
  const request = {
    StartTime: START_MS / 1000,
    EndTime: START_MS / 1000 + 240,
    ScanBy: 'TimestampAscending',
    ...change,
  };
  return getMetricData(createStore(), parseRequest(GetMetricDataSchema, request), START_MS + 10 * MINUTE_MS);
}

/** One sign per minute; '-' where there is no point. */
function compute(Expression: string): readonly (number | '-')[] {
  const [result] = query({ MetricDataQueries: [{ Id: 'e', Expression }, ...hidden] }).MetricDataResults;
  const values = new Map(result?.Timestamps.map((at, index) => [at, result.Values[index]]));
  return [0, 1, 2, 3].map((minute) => values.get(START_MS / 1000 + minute * 60) ?? '-');
}

describe('metric math', () => {
  it.each([
    ['a + b', [50, 20, 20, 0]],
    ['a - b', [10, 20, -20, 0]],
    ['b * 2 + 1', [41, '-', 41, '-']],
    ['2 + 3 * b', [62, '-', 62, '-']],
    ['(2 + 3) * b', [100, '-', 100, '-']],
    ['a / b', [1.5, '-', 0, '-']],
    ['-b ^ 2', [-400, '-', -400, '-']],
    ['10 - 4 - a * 0', [6, 6, 6, 6]],
    ['FILL(b, 0)', [20, 0, 20, 0]],
    ['FILL(b, REPEAT)', [20, 20, 20, 20]],
    ['FILL(b, a)', [20, 20, 20, 0]],
    ['FILL(empty, 7)', [7, 7, 7, 7]],
    ['MAX([a, b])', [30, 20, 20, 0]],
    ['MIN([a, b, 25])', [20, 20, 0, 0]],
    ['SUM(METRICS())', [50, 20, 20, 0]],
    ['SUM(METRICS("b"))', [20, '-', 20, '-']],
    ['AVG([a, b])', [25, 10, 10, 0]],
    ['a / MAX(a) * 30', [30, 20, 0, 0]],
    ['a - AVG(a)', [17.5, 7.5, -12.5, -12.5]],
    ['SUM([a, b] * 2)', [100, 40, 40, 0]],
    ['MAX([a, b] - [b, a])', [10, 20, 20, 0]],
    ['ABS(a - 25)', [5, 5, 25, 25]],
    ['CEIL(a / 7) + FLOOR(a / 7)', [9, 5, 0, 0]],
    ['a / PERIOD(a)', [0.5, 1 / 3, 0, 0]],
    // The three examples of the AWS page on comparison operators.
    ['a < b', [0, 0, 1, 0]],
    ['a >= 30', [1, 0, 0, 0]],
    ['a > 15 AND b > 15', [1, 0, 0, 0]],
    ['a == 0 || b != 0', [1, 0, 1, 1]],
    ['IF(a > 10, a, 5)', [30, 20, 5, 5]],
    ['IF(a > 10, b)', [20, '-', '-', '-']],
    ['IF(1, b, a)', [20, '-', 20, '-']],
  ] as const)('%s', (expression, expected) => {
    expect(compute(expression)).toEqual(expected);
  });

  it.each([
    ['a +', 'ends too early'],
    ['a b', "unexpected 'b'"],
    ['a $ b', "unexpected '$ b'"],
    ['(a', "expected ')', found 'the end'"],
    ['[a, b', "expected ']'"],
    ['nope + 1', "there is no metric or expression with the id 'nope'"],
    ['1 + 2', 'the result is a number'],
    ['[a, b]', 'several time series'],
    ['RATE(a)', 'the function RATE is not emulated'],
    ['FILL(a, LINEAR)', 'not emulated'],
    ['FILL(a)', 'FILL takes'],
    ['IF(a)', 'IF takes two or three'],
    ['IF([a, b], 1, 2)', 'IF over several'],
    ['SUM(a, b)', 'SUM takes one argument'],
    ['[a, b] + METRICS()', 'between arrays of 2 and 3'],
    ['"a" + 1', 'can only stand in METRICS'],
    ['METRICS(a)', 'METRICS takes a text'],
    ['('.repeat(60), 'nested deeper'],
    ['-'.repeat(60), 'nested deeper'],
    ['e + 1', 'refers to itself'],
  ])('refuses %s', (expression, message) => {
    expect(() => compute(expression)).toThrow(message);
  });
});

describe('GetMetricData', () => {
  it('answers newest first by default, with seconds, label and status', () => {
    const reply = query({ ScanBy: undefined, MetricDataQueries: [{ Id: 'm', MetricStat: stat('b') }] });
    expect(reply).toEqual({
      MetricDataResults: [
        {
          Id: 'm',
          Label: 'b',
          Timestamps: [START_MS / 1000 + 120, START_MS / 1000],
          Values: [20, 20],
          StatusCode: 'Complete',
        },
      ],
      Messages: [],
    });
  });

  it('rounds the start down to the minute, leaves the end out, and lets periods begin at the start', () => {
    const MetricDataQueries = [{ Id: 'm', MetricStat: stat('a', 120), Label: 'Two' }];
    const reply = query({ MetricDataQueries, StartTime: START_MS / 1000 - 0.5, EndTime: START_MS / 1000 + 180 });
    expect(reply.MetricDataResults[0]).toMatchObject({
      Label: 'Two',
      Timestamps: [START_MS / 1000 - 60, START_MS / 1000 + 60],
      Values: [30, 20],
    });
  });

  it('rounds older starts to five minutes and to the hour', () => {
    const at = (days: number) => {
      const StartTime = START_MS / 1000 - days * 86_400 + 419;
      const MetricDataQueries = [
        { Id: 'e', Expression: 'FILL(m, 0)' },
        { Id: 'm', MetricStat: stat('a', 3600), ReturnData: false },
      ];
      const reply = query({ MetricDataQueries, StartTime, EndTime: StartTime + 1 });
      return new Date((reply.MetricDataResults[0]?.Timestamps[0] ?? 0) * 1000).toISOString().slice(11, 16);
    };
    expect([at(1), at(20), at(70)]).toEqual(['10:06', '10:05', '10:00']);
  });

  it('pages through all points, each once, however small the pages', () => {
    const MetricDataQueries = [
      { Id: 'm1', MetricStat: stat('a') },
      { Id: 'm2', MetricStat: stat('b') },
      { Id: 'm3', MetricStat: stat('empty') },
    ];
    for (const MaxDatapoints of [1, 2, 3, 4, 5, 6, 7]) {
      const values: Record<string, number[]> = { m1: [], m2: [], m3: [] };
      let NextToken: string | undefined;
      let pages = 0;
      do {
        const reply = query({ MetricDataQueries, MaxDatapoints, NextToken });
        for (const result of reply.MetricDataResults) values[result.Id]?.push(...result.Values);
        const isPartial = reply.MetricDataResults.some((result) => result.StatusCode === 'PartialData');
        NextToken = reply.NextToken;
        expect(isPartial).toBe(NextToken !== undefined);
        pages += 1;
      } while (NextToken !== undefined && pages < 10);
      expect(values).toEqual({ m1: [30, 20, 0, 0], m2: [20, 20], m3: [] });
      expect(pages).toBe(Math.ceil(6 / MaxDatapoints));
    }
  });

  it.each([
    [{ StartTime: START_MS / 1000 + 300 }, 'StartTime must be less than'],
    [{ MetricDataQueries: [] }, 'MetricDataQueries'],
    [{ MetricDataQueries: Array.from({ length: 501 }, (_, n) => ({ Id: `m${n}`, MetricStat: stat('a') })) }, '<=500'],
    [
      {
        MetricDataQueries: [
          { Id: 'm', MetricStat: stat('a') },
          { Id: 'm', Expression: '1' },
        ],
      },
      "'m' is not unique",
    ],
    [{ MetricDataQueries: [{ Id: 'm', MetricStat: stat('a'), Expression: 'm' }] }, 'exactly one of'],
    [{ MetricDataQueries: [{ Id: 'M', MetricStat: stat('a') }] }, 'MetricDataQueries.0.Id'],
    [{ MetricDataQueries: [{ Id: 'm', MetricStat: stat('a', 61) }] }, 'multiple of 60'],
    [
      {
        MetricDataQueries: [
          { Id: 'e', Expression: 'a + b' },
          { Id: 'a', MetricStat: stat('a') },
          { Id: 'b', MetricStat: stat('b', 300) },
        ],
      },
      '2 different periods',
    ],
    [
      { MetricDataQueries: [{ Id: 'e', Expression: 'FILL(a, 0)', Period: 1 }, ...hidden], StartTime: 0 },
      'periods, expected at most',
    ],
    [{ NextToken: 'garbage' }, 'next token specified is invalid'],
  ])('refuses %#', (change, message) => {
    expect(() => query({ MetricDataQueries: [{ Id: 'm', MetricStat: stat('a') }], ...change })).toThrow(message);
  });
});
