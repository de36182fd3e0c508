import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCloudWatch, type MetricQuery } from '../../lib/queue/cloudwatch.ts';
import { type Answer, type AwsRequest, type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { localConnection } from '../support/sqs-server.ts';

const signal = new AbortController().signal;
const range = { startMs: 1_800_000_000_000, endMs: 1_800_000_600_000, periodSeconds: 60 };

interface QueryBody {
  readonly Id: string;
  readonly MetricStat: { readonly Metric: { readonly MetricName: string } };
}

const queriesOf = (request: AwsRequest) => request.body.MetricDataQueries as readonly QueryBody[];
const metric = (name: string): MetricQuery => ({ namespace: 'N', name, dimensions: { D: 'd' }, stat: 'Maximum' });
const result = (Id: string, points: readonly (readonly [number, number])[], more = {}) => ({
  Id,
  StatusCode: 'Complete',
  Timestamps: points.map(([seconds]) => 1_800_000_000 + seconds),
  Values: points.map(([, value]) => value),
  ...more,
});
/** Answers every metric with one point whose value is the number in its name; refuses the one called `bad`. */
const byName = (request: AwsRequest): Answer => {
  const queries = queriesOf(request);
  const names = queries.map((query) => query.MetricStat.Metric.MetricName);
  if (names.includes('bad')) return refusal(400, 'ValidationError', 'the stat is invalid');
  return ok({ MetricDataResults: queries.map(({ Id }, index) => result(Id, [[0, Number(names[index]?.slice(1))]])) });
};

describe('CloudWatch', () => {
  let server: AwsServer;
  let cloudwatch: ReturnType<typeof createCloudWatch>;

  const batchSizes = () => server.requests.map((request) => queriesOf(request).length).toSorted((a, b) => a - b);

  beforeAll(async () => {
    server = await startAwsServer();
    const limits = { requestTimeoutSeconds: 0.3, callLimitSeconds: 3, maxAttempts: 2 };
    cloudwatch = createCloudWatch({ ...localConnection(server.endpoint), limits });
  });
  afterEach(() => cloudwatch.destroy());
  afterAll(() => server.stop());

  it('asks for a metric by its name, dimensions and statistic, within the range', async () => {
    server.play(ok({ MetricDataResults: [result('m0', [[60, 5]])] }));
    const [series] = await cloudwatch.series([metric('depth')], range, signal);
    expect(series).toEqual({ kind: 'ok', points: [{ atMs: 1_800_000_060_000, value: 5 }] });
    expect(server.requests[0]).toMatchObject({
      operation: 'GetMetricData',
      service: 'monitoring',
      body: {
        StartTime: 1_800_000_000,
        EndTime: 1_800_000_600,
        MetricDataQueries: [
          {
            Id: 'm0',
            MetricStat: {
              Metric: { Namespace: 'N', MetricName: 'depth', Dimensions: [{ Name: 'D', Value: 'd' }] },
              Period: 60,
              Stat: 'Maximum',
            },
          },
        ],
      },
    });
  });

  it('reads 1,001 metrics in three calls and keeps their order', async () => {
    server.play(byName);
    const queries = Array.from({ length: 1001 }, (_, index) => metric(`m${index}`));
    const all = await cloudwatch.series(queries, range, signal);
    expect(all.map((series) => (series.kind === 'ok' ? series.points[0]?.value : series))).toEqual(
      queries.map((_, index) => index),
    );
    expect(batchSizes()).toEqual([1, 500, 500]);
  });

  it('asks for fewer metrics at once when their points would not fit into one answer', async () => {
    server.play(byName);
    const day = { ...range, endMs: range.startMs + 24 * 3_600_000 };
    await cloudwatch.series(
      Array.from({ length: 100 }, (_, index) => metric(`m${index}`)),
      day,
      signal,
    );
    expect(batchSizes()).toEqual([30, 70]);
  });

  it('follows pages and joins the points of a metric, oldest first', async () => {
    server.play(
      ok({ MetricDataResults: [result('m0', [[60, 1]], { StatusCode: 'PartialData' })], NextToken: 'more' }),
      ok({
        MetricDataResults: [
          result('m0', [
            [120, 2],
            [0, 0],
          ]),
        ],
      }),
    );
    const [series] = await cloudwatch.series([metric('depth')], range, signal);
    expect(series).toMatchObject({ kind: 'ok', points: [{ value: 0 }, { value: 1 }, { value: 2 }] });
    expect(server.requests[1]?.body).toMatchObject({ NextToken: 'more' });
  });

  it('stops following pages that never end', async () => {
    server.play(ok({ MetricDataResults: [], NextToken: 'again' }));
    const [series] = await cloudwatch.series([metric('depth')], range, signal);
    expect(series).toMatchObject({ kind: 'failed', why: 'unavailable', detail: expect.stringContaining('10 pages') });
    expect(server.requests).toHaveLength(10);
  });

  it('reads the others when CloudWatch refuses a call for one invalid metric', async () => {
    server.play(byName);
    const names = ['m0', 'm1', 'm2', 'bad', 'm4', 'm5', 'm6'];
    const all = await cloudwatch.series(names.map(metric), range, signal);
    expect(all.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'ok', 'failed', 'ok', 'ok', 'ok']);
    expect(all[3]).toMatchObject({ why: 'malformed', detail: expect.stringContaining('the stat is invalid') });
  });

  it('stops splitting after a written-down number of calls', async () => {
    server.play(refusal(400, 'ValidationError'));
    const all = await cloudwatch.series(
      Array.from({ length: 500 }, () => metric('bad')),
      range,
      signal,
    );
    expect(new Set(all.map((series) => (series.kind === 'ok' ? 'ok' : series.why)))).toEqual(
      new Set(['malformed', 'unavailable']),
    );
    expect(server.requests).toHaveLength(60);
  });

  it.each([
    ['a metric that may not be read', result('m0', [], { StatusCode: 'Forbidden' }), 'access_denied'],
    ['an internal error', result('m0', [], { StatusCode: 'InternalError' }), 'unavailable'],
    ['points that are only part of the truth', result('m0', [[0, 1]], { StatusCode: 'PartialData' }), 'unavailable'],
    ['a metric that the answer lacks', result('m9', []), 'malformed'],
    ['times without values', { Id: 'm0', Timestamps: [1_800_000_000], Values: [] }, 'malformed'],
    ['a value that is no number', result('m0', [[0, 'NaN' as never]]), 'malformed'],
  ])('names %s for what it is', async (_name, found, why) => {
    server.play(ok({ MetricDataResults: [found] }));
    expect(await cloudwatch.series([metric('depth')], range, signal)).toMatchObject([{ kind: 'failed', why }]);
  });

  it('repeats what CloudWatch says of a metric', async () => {
    const Messages = [{ Code: 'ArithmeticError', Value: 'one or more' }];
    server.play(ok({ MetricDataResults: [result('m0', [], { StatusCode: 'InternalError', Messages })] }));
    const [series] = await cloudwatch.series([metric('depth')], range, signal);
    expect(series).toMatchObject({ detail: 'GetMetricData: InternalError ArithmeticError one or more' });
  });

  it.each([
    ['a refusal', refusal(403, 'AccessDenied', 'not authorized to perform cloudwatch:GetMetricData'), 'access_denied'],
    ['throttling', refusal(400, 'Throttling'), 'throttled'],
    ['an outage', refusal(500, 'InternalServiceFault'), 'unavailable'],
    ['silence', 'hang', 'unavailable'],
    ['a cut body', 'cut', 'unavailable'],
    ['garbage', { status: 200, body: 'not json' }, 'malformed'],
  ] as const)('answers every metric with a failure after %s', async (_name, answer, why) => {
    server.play(answer);
    const all = await cloudwatch.series([metric('m1'), metric('m2')], range, signal);
    expect(all.map((series) => (series.kind === 'ok' ? 'ok' : series.why))).toEqual([why, why]);
    expect(server.requests.length).toBeLessThanOrEqual(2);
  });

  it('makes no call for no metrics, and none once the invocation is out of time', async () => {
    server.play(byName);
    expect(await cloudwatch.series([], range, signal)).toEqual([]);
    const all = await cloudwatch.series([metric('m1')], range, AbortSignal.abort());
    expect(all).toMatchObject([{ kind: 'failed', why: 'unavailable' }]);
    expect(server.requests).toHaveLength(0);
  });
});
