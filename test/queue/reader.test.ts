import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QueueSource } from '../../lib/domain.ts';
import { createCloudWatch } from '../../lib/queue/cloudwatch.ts';
import { createQueueReader } from '../../lib/queue/reader.ts';
import { createSqs, type DepthAttributes, type Sqs } from '../../lib/queue/sqs.ts';
import { type Answer, type AwsRequest, type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { localConnection, type SqsServer, startSqsServer } from '../support/sqs-server.ts';

const signal = new AbortController().signal;
/** Twenty seconds into a minute. */
const NOW_MS = 1_800_000_020_000;
const MINUTE_SECONDS = 1_800_000_000;
const clock = { nowMs: () => NOW_MS };

const sidekiq: QueueSource = { kind: 'metric', namespace: 'Sidekiq', name: 'Depth', dimensions: {}, stat: 'Maximum' };
const query = (targetId: string, source: QueueSource) => ({ targetId, source, maxAgeSeconds: 180 });
const sqsUrl = (queueUrl: string): QueueSource => ({ kind: 'sqs', queueUrl });

/** Points as `[minutes ago, value]`, where 0 is the minute that is not over yet. */
type Points = readonly (readonly [minutesAgo: number, value: number])[];

interface QueryBody {
  readonly Id: string;
  readonly MetricStat: {
    readonly Metric: { readonly MetricName: string; readonly Dimensions: readonly { readonly Value: string }[] };
  };
}

/** Answers each metric with the points that stand under its name. */
function metrics(points: Readonly<Record<string, Points>>): (request: AwsRequest) => Answer {
  return (request) => {
    const queries = request.body.MetricDataQueries as readonly QueryBody[];
    const results = queries.map(({ Id, MetricStat }) => {
      const found = points[MetricStat.Metric.MetricName] ?? [];
      const Timestamps = found.map(([minutesAgo]) => MINUTE_SECONDS - minutesAgo * 60);
      return { Id, StatusCode: 'Complete', Timestamps, Values: found.map(([, value]) => value) };
    });
    return ok({ MetricDataResults: results });
  };
}

let sqsServer: SqsServer;
let awsServer: AwsServer;
let sqs: Sqs;
let cloudwatch: ReturnType<typeof createCloudWatch>;

beforeAll(async () => {
  [sqsServer, awsServer] = await Promise.all([startSqsServer(), startAwsServer()]);
  sqs = createSqs(localConnection(sqsServer.endpoint));
  cloudwatch = createCloudWatch(localConnection(awsServer.endpoint));
});
afterAll(async () => {
  sqs.destroy();
  cloudwatch.destroy();
  await Promise.all([sqsServer.stop(), awsServer.stop()]);
});

const reader = () => createQueueReader({ sqs, cloudwatch, clock });

describe('the depth of an SQS queue', () => {
  it('is read live, by URL and by name, and zero is a value', async () => {
    const busy = sqsServer.createQueue('busy');
    const empty = sqsServer.createQueue('empty');
    for (const body of ['a', 'b']) sqsServer.put('busy', body);
    sqsServer.receive('busy', 60);
    for (const body of ['c', 'd', 'e']) sqsServer.put('busy', body);
    sqsServer.put('busy', 'later', 90);
    const readings = await reader().depths(
      [
        query('by-url', sqsUrl(busy)),
        query('by-name', { kind: 'sqs_name', queueName: 'busy' }),
        query('none', sqsUrl(empty)),
      ],
      signal,
    );
    const value = { visible: 3, inFlight: 2, delayed: 1 };
    expect(readings.get('by-url')).toEqual({ kind: 'ok', value, observedAtMs: NOW_MS });
    expect(readings.get('by-name')).toEqual({ kind: 'ok', value, observedAtMs: NOW_MS });
    expect(readings.get('none')).toMatchObject({ kind: 'ok', value: { visible: 0, inFlight: 0, delayed: 0 } });
  });

  it('is unknown for a queue that does not exist, and known for the others', async () => {
    const url = sqsServer.createQueue('there');
    const gone = `${sqsServer.endpoint}/000000000000/gone`;
    const readings = await reader().depths(
      [
        query('there', sqsUrl(url)),
        query('gone', sqsUrl(gone)),
        query('unnamed', { kind: 'sqs_name', queueName: 'gone' }),
      ],
      signal,
    );
    expect(readings.get('there')?.kind).toBe('ok');
    expect(readings.get('gone')).toMatchObject({ kind: 'failed', why: 'not_found' });
    expect(readings.get('unnamed')).toMatchObject({ kind: 'failed', why: 'not_found' });
  });

  it.each<[string, DepthAttributes, string, string]>([
    ['is missing without the count', {}, 'missing', 'no_points'],
    ['is malformed when negative', counts('-1'), 'failed', 'malformed'],
    ['is malformed when no number', counts('many'), 'failed', 'malformed'],
    ['is malformed when beyond counting', counts('9'.repeat(30)), 'failed', 'malformed'],
    ['is malformed when empty', counts(''), 'failed', 'malformed'],
  ])('%s', async (_name, attributes, kind, why) => {
    const queue = { depthAttributes: async () => attributes, queueUrl: async () => 'unused' };
    const readings = await createQueueReader({ sqs: queue, cloudwatch, clock }).depths(
      [query('q', sqsUrl('http://127.0.0.1/1/q'))],
      signal,
    );
    expect(readings.get('q')).toMatchObject({ kind, why });
  });

  it('is read for many queues with a limited number of calls at once', async () => {
    let running = 0;
    let most = 0;
    const queue = {
      queueUrl: async () => 'unused',
      async depthAttributes() {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return counts('4');
      },
    };
    const queries = Array.from({ length: 100 }, (_, index) => query(`t${index}`, sqsUrl('http://127.0.0.1/1/q')));
    const limited = createQueueReader({ sqs: queue, cloudwatch, clock, concurrency: 7 });
    const readings = await limited.depths(queries, signal);
    expect([readings.size, most]).toEqual([100, 7]);
    expect([...readings.values()].every((reading) => reading.kind === 'ok')).toBe(true);
  });

  it('is unknown, not an exception, once the invocation is out of time', async () => {
    const url = sqsServer.createQueue('late');
    const readings = await reader().depths([query('late', sqsUrl(url)), query('m', sidekiq)], AbortSignal.abort());
    expect(readings.get('late')).toMatchObject({ kind: 'failed', why: 'unavailable' });
    expect(readings.get('m')).toMatchObject({ kind: 'failed', why: 'unavailable' });
  });
});

describe('the depth that a metric shows', () => {
  const depth = async () => (await reader().depths([query('m', sidekiq)], signal)).get('m');

  it('is its newest complete minute', async () => {
    awsServer.play(
      metrics({
        Depth: [
          [2, 7],
          [1, 12],
        ],
      }),
    );
    expect(await depth()).toEqual({
      kind: 'ok',
      value: { visible: 12, inFlight: 0, delayed: 0 },
      observedAtMs: MINUTE_SECONDS * 1000,
    });
  });

  it('is the minute that still fills only when that already shows more', async () => {
    awsServer.play(
      metrics({
        Depth: [
          [1, 12],
          [0, 3],
        ],
      }),
    );
    expect(await depth()).toMatchObject({ value: { visible: 12 } });
    awsServer.play(
      metrics({
        Depth: [
          [1, 12],
          [0, 40],
        ],
      }),
    );
    expect(await depth()).toMatchObject({ value: { visible: 40 }, observedAtMs: NOW_MS });
    awsServer.play(metrics({ Depth: [[0, 5]] }));
    expect(await depth()).toMatchObject({ value: { visible: 5 } });
  });

  it('tells zero, too old, asleep, refused and negative apart', async () => {
    awsServer.play(metrics({ Depth: [[1, 0]] }));
    expect(await depth()).toMatchObject({ kind: 'ok', value: { visible: 0 } });
    awsServer.play(metrics({ Depth: [[5, 9]] }));
    expect(await depth()).toMatchObject({ kind: 'stale', why: 'too_old', detail: expect.stringContaining('260 s') });
    awsServer.play(metrics({}));
    expect(await depth()).toMatchObject({ kind: 'missing', why: 'asleep' });
    awsServer.play(refusal(403, 'AccessDenied'));
    expect(await depth()).toMatchObject({ kind: 'failed', why: 'access_denied' });
    awsServer.play(metrics({ Depth: [[1, -4]] }));
    expect(await depth()).toMatchObject({ kind: 'failed', why: 'malformed' });
  });
});

describe('the history of a queue', () => {
  const VISIBLE = 'ApproximateNumberOfMessagesVisible';
  const IN_FLIGHT = 'ApproximateNumberOfMessagesNotVisible';
  const DELAYED = 'ApproximateNumberOfMessagesDelayed';
  const history = async (source: QueueSource = sqsUrl('https://sqs.us-east-1.amazonaws.com/1/mail'), more = {}) =>
    (await reader().histories([{ ...query('t', source), windowSeconds: 300, ...more }], signal)).get('t');

  it('joins the three metrics of SQS; no point of the other two beside a visible one is zero', async () => {
    awsServer.play(
      metrics({
        [VISIBLE]: [
          [3, 30],
          [2, 0],
          [1, 10],
        ],
        [IN_FLIGHT]: [
          [3, 4],
          [2, 1],
        ],
        [DELAYED]: [[1, 2]],
      }),
    );
    expect(await history()).toEqual({
      kind: 'ok',
      value: {
        periodSeconds: 60,
        points: [
          { atMs: (MINUTE_SECONDS - 180) * 1000, visible: 30, inFlight: 4, delayed: 0 },
          { atMs: (MINUTE_SECONDS - 120) * 1000, visible: 0, inFlight: 1, delayed: 0 },
          { atMs: (MINUTE_SECONDS - 60) * 1000, visible: 10, inFlight: 0, delayed: 2 },
        ],
      },
      observedAtMs: MINUTE_SECONDS * 1000,
    });
    const queries = awsServer.requests[0]?.body.MetricDataQueries as readonly QueryBody[];
    expect(queries.map(({ MetricStat }) => MetricStat.Metric.MetricName)).toEqual([VISIBLE, IN_FLIGHT, DELAYED]);
    expect(queries[0]?.MetricStat).toMatchObject({
      Metric: { Namespace: 'AWS/SQS', Dimensions: [{ Name: 'QueueName', Value: 'mail' }] },
      Stat: 'Maximum',
    });
  });

  it('leaves out minutes without a visible count, the minute that still fills, and what is before the window', async () => {
    awsServer.play(
      metrics({
        [VISIBLE]: [
          [30, 99],
          [4, 3],
          [2, 5],
          [0, 1],
        ],
        [IN_FLIGHT]: [
          [4, 1],
          [3, 8],
          [2, 1],
        ],
      }),
    );
    expect(await history()).toMatchObject({ value: { points: [{ visible: 3 }, { visible: 5 }] } });
  });

  it('tells a gap from a queue that sleeps', async () => {
    awsServer.play(metrics({ [VISIBLE]: [[40, 9]] }));
    expect(await history()).toMatchObject({
      kind: 'missing',
      why: 'no_points',
      detail: expect.stringContaining('2360 s'),
    });
    awsServer.play(metrics({ [IN_FLIGHT]: [[2, 9]] }));
    expect(await history()).toMatchObject({ kind: 'missing', why: 'asleep' });
  });

  it('reads a queue by name, and a metric as it is', async () => {
    awsServer.play(metrics({ [VISIBLE]: [[1, 6]], Depth: [[1, 8]] }));
    expect(await history({ kind: 'sqs_name', queueName: 'mail' })).toMatchObject({
      value: { points: [{ visible: 6 }] },
    });
    expect(await history(sidekiq)).toMatchObject({ value: { points: [{ visible: 8, inFlight: 0, delayed: 0 }] } });
  });

  it('is unknown when one of its metrics is, and the histories of other queues are not', async () => {
    awsServer.play((request) => {
      const queries = request.body.MetricDataQueries as readonly QueryBody[];
      const results = queries.map(({ Id, MetricStat }) => ({
        Id,
        StatusCode:
          MetricStat.Metric.MetricName === DELAYED && MetricStat.Metric.Dimensions[0]?.Value === 'secret'
            ? 'Forbidden'
            : 'Complete',
        Timestamps: [MINUTE_SECONDS - 60],
        Values: [2],
      }));
      return ok({ MetricDataResults: results });
    });
    const readings = await reader().histories(
      ['open', 'secret', 'third'].map((queueName) => ({
        ...query(queueName, { kind: 'sqs_name', queueName }),
        windowSeconds: 60,
      })),
      signal,
    );
    expect(readings.get('open')?.kind).toBe('ok');
    expect(readings.get('secret')).toMatchObject({ kind: 'failed', why: 'access_denied' });
    expect(readings.get('third')?.kind).toBe('ok');
  });

  it.each(['not a url', 'https://sqs.us-east-1.amazonaws.com/'])('is malformed for the queue URL "%s"', async (url) => {
    awsServer.play(metrics({}));
    expect(await history(sqsUrl(url))).toMatchObject({ kind: 'failed', why: 'malformed' });
    expect(awsServer.requests).toHaveLength(0);
  });

  it('is malformed with a negative depth', async () => {
    awsServer.play(metrics({ [VISIBLE]: [[1, 6]], [IN_FLIGHT]: [[1, -6]] }));
    expect(await history()).toMatchObject({ kind: 'failed', why: 'malformed' });
  });

  it('reaches back as far as the longest window', async () => {
    awsServer.play(
      metrics({
        [VISIBLE]: [
          [100, 6],
          [1, 1],
        ],
      }),
    );
    expect(await history(undefined, { windowSeconds: 7200 })).toMatchObject({
      value: { points: [{ visible: 6 }, { visible: 1 }] },
    });
    expect(awsServer.requests[0]?.body.StartTime).toBeLessThanOrEqual(MINUTE_SECONDS - 7200);
  });
});

function counts(text: string): DepthAttributes {
  return {
    ApproximateNumberOfMessages: text,
    ApproximateNumberOfMessagesNotVisible: '0',
    ApproximateNumberOfMessagesDelayed: '0',
  };
}
