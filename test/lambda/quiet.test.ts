/** What a quiet tick costs: the wired function over real SDKs and HTTP, its calls counted by the servers that answer them. */
import { createHash } from 'node:crypto';
import type { Context } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { wireScale } from '../../lib/lambda/wire.ts';
import { createRealClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { type Cloud66Server, startCloud66Server } from '../../lib/simulation/cloud66/server.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { type Answer, type AwsRequest, type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';

const TOKEN = 'local-token-0123456789abcdef';
const CONTEXT = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 } as Context;
const STACKS = 20;
const TARGETS = 100;
/** A quarter past: an hour's calls have begun to flow. */
const START_MS = Date.UTC(2026, 5, 1, 12, 15, 3);

let aws: AwsServer;
let cloud66: Cloud66Server;
let account: Cloud66Account;
/** Messages that wait, by queue name; none where nothing is said. */
let waiting: Record<string, number>;
/** A queue has had no message in two weeks. */
let isUnused: boolean;

beforeAll(async () => {
  aws = await startAwsServer();
});
afterAll(async () => {
  await aws.stop();
});

beforeEach(async () => {
  vi.useFakeTimers({ now: START_MS, toFake: ['Date'] });
  waiting = {};
  isUnused = false;
  account = new Cloud66Account({
    clock: createRealClock(),
    random: createRandom(1),
    stacks: Array.from({ length: STACKS }, (_, stack) => ({
      uid: `stack${stack}`,
      servers: [{ uid: `uid-${stack}`, name: 'lion' }],
      processes: Array.from({ length: TARGETS / STACKS }, (__, process) => {
        return { name: `worker${process}`, counts: { [`uid-${stack}`]: 1 } };
      }),
    })),
    tokens: [{ value: TOKEN, user: 'robot@example.com', scopes: ['public', 'admin'] }],
    settings: { callsPerHour: 3000 },
  });
  cloud66 = await startCloud66Server({ account, random: createRandom(1), replyForm: 'documented' });
  aws.play(answer);
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  account.close();
  await cloud66.close();
});

/** Queues, metrics and parameters of an account in which hardly anything happens. */
function answer({ operation, body }: AwsRequest): Answer {
  if (operation === 'GetQueueAttributes') {
    const visible = waiting[String(body.QueueUrl).split('/').at(-1) ?? ''] ?? 0;
    const names = ['', 'NotVisible', 'Delayed'].map((name) => `ApproximateNumberOfMessages${name}`);
    return ok({ Attributes: Object.fromEntries(names.map((name, at) => [name, at === 0 ? String(visible) : '0'])) });
  }
  if (operation === 'SendMessage') {
    const MD5OfMessageBody = createHash('md5').update(String(body.MessageBody)).digest('hex');
    return ok({ MessageId: 'm', MD5OfMessageBody });
  }
  if (operation !== 'GetMetricData') return refusal(400, 'ParameterNotFound');
  const minute = Math.floor(Date.now() / 60_000) * 60;
  const newest = Array.from({ length: 10 }, (_, ago) => minute - (ago + 1) * 60);
  const queries = body.MetricDataQueries as readonly { readonly Id: string }[];
  return ok({
    MetricDataResults: queries.map(({ Id }) => {
      const Timestamps = isUnused ? [] : newest;
      return { Id, StatusCode: 'Complete', Timestamps, Values: Timestamps.map(() => 0) };
    }),
  });
}

function handlerWith(changes: Record<string, string>) {
  const ids = Array.from({ length: TARGETS }, (_, target) => `t${target}`);
  const own = ids.map((id, target) => ({
    [`${id.toUpperCase()}_STACK_UID`]: `stack${target % STACKS}`,
    [`${id.toUpperCase()}_PROCESS_NAME`]: `worker${Math.floor(target / STACKS)}`,
    [`${id.toUpperCase()}_QUEUE_URL`]: `${aws.endpoint}/000000000000/${id}`,
  }));
  return wireScale({
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    CLOUD66_API_URL: cloud66.url,
    CLOUD66_TOKEN: TOKEN,
    ACTIONS_QUEUE_URL: `${aws.endpoint}/000000000000/actions.fifo`,
    ACTIONS_DEAD_LETTER_QUEUE_URL: `${aws.endpoint}/000000000000/dead.fifo`,
    STAGE: 'local',
    TARGETS: ids.join(),
    AWS_ENDPOINT_URL_SSM: aws.endpoint,
    ...changes,
    ...Object.assign({}, ...own),
  });
}

/** Calls of one tick each minute, as the servers saw them. */
async function ticks(handler: ReturnType<typeof wireScale>, minutes: number) {
  const counted: { sqs: number; cloudwatch: number; metrics: number; cloud66: number }[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const [before, asked] = [aws.requests.length, account.calls.all().length];
    await handler({ 'detail-type': 'Scheduled Event', time: new Date().toISOString() }, CONTEXT);
    const seen = aws.requests.slice(before);
    const reads = seen.filter(({ operation }) => operation === 'GetMetricData');
    counted.push({
      sqs: seen.filter(({ operation }) => operation === 'GetQueueAttributes').length,
      cloudwatch: reads.length,
      metrics: reads.reduce((sum, { body }) => sum + (body.MetricDataQueries as readonly unknown[]).length, 0),
      cloud66: account.calls.all().length - asked,
    });
    vi.setSystemTime(Date.now() + 60_000);
  }
  return counted;
}

describe('a quiet tick for 100 targets on 20 stacks', () => {
  it.each([
    ['backlog', { STRATEGY: 'backlog' }],
    ['latency without patterns', { STRATEGY: 'latency', LEARN_PATTERNS: 'false' }],
  ])('with strategy %s reads 100 depths, no metric, and each process list every five minutes', async (_name, more) => {
    const counted = await ticks(handlerWith(more), 12);
    expect(counted.map(({ sqs }) => sqs)).toEqual(Array(12).fill(100));
    expect(counted.map(({ cloudwatch }) => cloudwatch)).toEqual(Array(12).fill(0));
    const [first, ...later] = counted.map((tick) => tick.cloud66);
    expect(first).toBe(20);
    expect(later).toEqual(Array(11).fill(4));
    const paths = new Set(account.calls.all().map(({ path }) => path.split('/').at(-1)));
    expect([...paths]).toEqual(['processes.json']);
  });

  it('with learned patterns reads no metric at first, and then of queues without a message once in six hours', async () => {
    isUnused = true;
    const counted = await ticks(handlerWith({}), 20);
    expect(counted[0]).toMatchObject({ sqs: 100, cloudwatch: 0, cloud66: 20 });
    expect(Math.max(...counted.slice(1).map((tick) => tick.cloud66))).toBe(4);
    // A fifteenth of the targets learns in a minute: two weeks of minutes, five queues to a call.
    expect(Math.max(...counted.map(({ cloudwatch }) => cloudwatch))).toBe(2);
    expect(counted.reduce((sum, { metrics }) => sum + metrics, 0)).toBe(100);
    expect(counted.slice(16).map(({ cloudwatch }) => cloudwatch)).toEqual([0, 0, 0, 0]);
  });

  it('becomes a change at once, on workers that are counted for it', async () => {
    const handler = handlerWith({ STRATEGY: 'backlog' });
    await ticks(handler, 2);
    waiting = { t0: 45 };
    const before = account.calls.all().length;
    const [tick] = await ticks(handler, 1);
    expect(account.calls.writes()).toBe(1);
    expect(tick?.cloudwatch).toBe(0);
    const calls = account.calls.all().slice(before);
    const made = calls.map(
      ({ method, path }) => `${method} ${path.replace('/api/3/stacks/', '').replace('.json', '')}`,
    );
    const ofStack = made.filter((call) => / stack0(\/|$)/.test(call));
    expect(ofStack.toSorted()).toEqual([
      'GET stack0',
      'GET stack0/actions',
      'GET stack0/processes',
      'GET stack0/servers',
      'POST stack0/processes',
    ]);
  });

  it('asks for the history of all targets that want to scale in by one call', async () => {
    for (let stack = 0; stack < STACKS; stack += 1) {
      account.stack(`stack${stack}`).changeByHand('worker0', { [`uid-${stack}`]: 5 });
    }
    vi.setSystemTime(Date.now() + 600_000);
    const [tick] = await ticks(handlerWith({ STRATEGY: 'backlog', DRY_RUN: 'true' }), 1);
    expect(tick).toMatchObject({ cloudwatch: 1, metrics: 60 });
  });
});
