/** The composition root with real adapters: real SDKs and HTTP, to local servers. More of it is in test/e2e. */

import type { Context } from 'aws-lambda';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { InvalidInputError } from '../../lib/errors.ts';
import { wirePoller, wireScale } from '../../lib/lambda/wire.ts';
import { createRealClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { type Cloud66Server, startCloud66Server } from '../../lib/simulation/cloud66/server.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { type ScriptedReply, startScriptedServer } from '../support/http-server.ts';
import { type SqsServer, startSqsServer } from '../support/sqs-server.ts';

const TOKEN = 'local-token-0123456789abcdef';
const CONTEXT = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 } as Context;
const tick = () => ({ 'detail-type': 'Scheduled Event', time: new Date().toISOString() });

let sqs: SqsServer;
let aws: AwsServer;
let cloud66: Cloud66Server;
let account: Cloud66Account;
let printed: string[];
let environment: Record<string, string>;

beforeAll(async () => {
  sqs = await startSqsServer();
  aws = await startAwsServer();
});
afterAll(async () => {
  await sqs.stop();
  await aws.stop();
});

beforeEach(async () => {
  account = new Cloud66Account({
    clock: createRealClock(),
    random: createRandom(1),
    stacks: [
      {
        uid: 'shop',
        servers: [{ uid: 'uid-a', name: 'lion' }],
        processes: [{ name: 'worker', counts: { 'uid-a': 1 } }],
      },
    ],
    tokens: [{ value: TOKEN, user: 'robot@example.com', scopes: ['public', 'admin'] }],
    settings: { scaleLatencySeconds: () => 0, startUpSeconds: () => 0, warning: 'this version ends soon' },
  });
  cloud66 = await startCloud66Server({ account, random: createRandom(1), replyForm: 'mixed' });
  printed = [];
  // Nobody has set an override.
  aws.play(refusal(400, 'ParameterNotFound'));
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  const queueName = `jobs-${Math.random().toString(36).slice(2)}`;
  environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: sqs.endpoint,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    CLOUD66_API_URL: cloud66.url,
    CLOUD66_TOKEN: TOKEN,
    STACK_UID: 'shop',
    PROCESS_NAME: 'worker',
    STRATEGY: 'backlog',
    QUEUE_URL: sqs.createQueue(queueName),
    ACTIONS_QUEUE_URL: sqs.createQueue(`${queueName}-actions.fifo`),
    ACTIONS_DEAD_LETTER_QUEUE_URL: sqs.createQueue(`${queueName}-dead.fifo`),
    STAGE: 'local',
    AWS_ENDPOINT_URL_SSM: aws.endpoint,
  };
  for (let job = 0; job < 30; job += 1) sqs.put(queueName, `{"job":${job}}`);
});
afterEach(async () => {
  vi.restoreAllMocks();
  account.close();
  await cloud66.close();
});

/** A stack with one server and the process `worker`, and whatever else is among its processes. */
function stackWith(process: unknown, headers: Record<string, string> = {}) {
  return ({ path }: { readonly path: string }) => {
    if (path.includes('/processes'))
      return { headers, body: { response: [{ name: 'worker', servers: { lion: 1 } }, process] } };
    if (path.includes('/servers')) return { headers, body: { response: [{ uid: 'uid-a', name: 'lion' }] } };
    return { headers, body: { response: path.includes('/actions') ? [] : { status: 1 } } };
  };
}

function nameOf(url: string | undefined): string {
  return url?.split('/').at(-1) ?? '';
}

describe('the wired scale function', () => {
  it('scales, and what it records is what the wired poller confirms', async () => {
    expect(await wireScale(environment)(tick(), CONTEXT)).toEqual({ worker: 'scaled' });
    expect(account.stack('shop').workers('worker')).toBe(3);
    const [stored] = sqs.ready(nameOf(environment.ACTIONS_QUEUE_URL));
    expect(stored).toMatchObject({ groupId: 'worker', deduplicationId: 'shop-1001' });
    const attributes = { ApproximateReceiveCount: '1', MessageGroupId: 'worker' };
    const message = { messageId: '1', receiptHandle: 'h', body: stored?.body, attributes };
    expect(await wirePoller(environment)({ Records: [message] }, CONTEXT)).toEqual({ batchItemFailures: [] });
    expect(printed.join('')).toContain('action 1001 confirmed');
    const outcome = printed.find((line) => line.includes('"event":"outcome"'));
    expect(JSON.parse(outcome ?? '')).toMatchObject({ requestId: 'r' });
    expect(printed.join('')).not.toContain(TOKEN);
  });

  it('scales and confirms each stack with the token of its own account', async () => {
    const stack = (uid: string) => {
      return {
        uid,
        servers: [{ uid: `${uid}1`, name: 'bear' }],
        processes: [{ name: 'worker', counts: { [`${uid}1`]: 1 } }],
      };
    };
    const both = new Cloud66Account({
      clock: createRealClock(),
      random: createRandom(2),
      stacks: [stack('shop'), stack('blog')],
      tokens: [
        { value: TOKEN, user: 'shop@example.com', scopes: ['public', 'admin'] },
        { value: 'other-token-0123456789', user: 'blog@example.com', scopes: ['public', 'admin'] },
      ],
      settings: { scaleLatencySeconds: () => 0, startUpSeconds: () => 0 },
    });
    const server = await startCloud66Server({ account: both, random: createRandom(2), replyForm: 'go' });
    aws.play((request) =>
      request.body.Name === '/other/token'
        ? ok({ Parameter: { Value: 'other-token-0123456789' } })
        : refusal(400, 'ParameterNotFound'),
    );
    const two = {
      ...environment,
      CLOUD66_API_URL: server.url,
      TARGETS: 'shop,blog',
      BLOG_STACK_UID: 'blog',
      BLOG_CLOUD66_TOKEN_PARAMETER: '/other/token',
    };
    expect(await wireScale(two)(tick(), CONTEXT)).toEqual({ shop: 'scaled', blog: 'scaled' });
    const bodies = sqs.ready(nameOf(environment.ACTIONS_QUEUE_URL)).map(({ body }) => JSON.parse(body));
    const named = Object.fromEntries(bodies.map(({ stackUid, tokenParameter }) => [stackUid, tokenParameter]));
    expect(named).toEqual({ blog: '/other/token', shop: undefined });
    const Records = bodies.map((record, at) => {
      const attributes = { ApproximateReceiveCount: '1', MessageGroupId: 'g' };
      return { messageId: String(at), receiptHandle: 'h', body: JSON.stringify(record), attributes };
    });
    expect(await wirePoller(two)({ Records }, CONTEXT)).toEqual({ batchItemFailures: [] });
    const callers = both.calls.all().map(({ path, user }) => `${/stacks\/(\w+)/.exec(path)?.[1]} ${user}`);
    expect([...new Set(callers)].toSorted()).toEqual(['blog blog@example.com', 'shop shop@example.com']);
    expect(printed.join('')).not.toContain('other-token-0123456789');
    both.close();
    await server.close();
  });

  it('names the parameter of a token that is not accepted, and not the token', async () => {
    aws.play((request) =>
      request.body.Name === '/other/token'
        ? ok({ Parameter: { Value: 'revoked-token-0123456789' } })
        : refusal(400, 'ParameterNotFound'),
    );
    const { CLOUD66_TOKEN: _, ...rest } = environment;
    const handler = wireScale({ ...rest, CLOUD66_TOKEN_PARAMETER: '/other/token' });
    await expect(handler(tick(), CONTEXT)).rejects.toThrow(/the API token in \/other\/token is not accepted/);
    expect(printed.join('')).not.toContain('revoked-token');
  });

  it('decides and reports, and never scales, in a dry run', async () => {
    expect(await wireScale({ ...environment, DRY_RUN: 'true' })(tick(), CONTEXT)).toEqual({ worker: 'dry_run' });
    expect(account.calls.writes()).toBe(0);
  });

  it('tells a warning of Cloud 66 once, however often it is repeated', async () => {
    const handler = wireScale({ ...environment, DRY_RUN: 'true' });
    await handler(tick(), CONTEXT);
    await handler(tick(), CONTEXT);
    expect(printed.filter((line) => line.includes('this version ends soon'))).toHaveLength(1);
  });

  it('writes records with the id of their request, and metrics under the name of the function', async () => {
    const handler = wireScale({ ...environment, DRY_RUN: 'true', AWS_LAMBDA_FUNCTION_NAME: 'scaler-prod-scale' });
    await handler(tick(), { ...CONTEXT, awsRequestId: 'first' });
    await handler(tick(), { ...CONTEXT, awsRequestId: 'second' });
    const lines = printed.map((line) => JSON.parse(line));
    const decisions = lines.filter(({ event }) => event === 'decision');
    expect(decisions.map(({ requestId }) => requestId)).toEqual(['first', 'second']);
    const metrics = lines.filter((line) => '_aws' in line);
    expect(metrics.map(({ Service }) => Service)).toEqual(['scaler-prod-scale', 'scaler-prod-scale']);
  });

  it('names its metrics after itself where there is no Lambda', async () => {
    await wireScale({ ...environment, DRY_RUN: 'true' })(tick(), CONTEXT);
    expect(printed.map((line) => JSON.parse(line)).find((line) => '_aws' in line)).toMatchObject({ Service: 'scale' });
  });

  it('measures the calls that are left, once per invocation, and tells when they are few', async () => {
    const busy = await startScriptedServer();
    busy.answer(
      stackWith({ name: 'mailer', servers: {} }, { 'X-RateLimit-Limit': '3600', 'X-RateLimit-Remaining': '800' }),
    );
    const handler = wireScale({ ...environment, DRY_RUN: 'true', CLOUD66_API_URL: busy.url });
    await handler(tick(), CONTEXT);
    await handler(tick(), CONTEXT);
    await busy.close();
    const lines = printed.map((line) => JSON.parse(line));
    expect(lines.flatMap((line) => line.ApiCallsRemaining ?? [])).toEqual([800, 800]);
    const told = lines.filter(({ event }) => event === 'api_calls');
    expect(told).toMatchObject([{ level: 'warn', requestId: 'r', remaining: 800, limit: 3600 }]);
  });

  it('tells once what it had to leave out of a reply', async () => {
    const odd = await startScriptedServer();
    odd.answer(stackWith({ name: 'mailer', servers: null }));
    const handler = wireScale({ ...environment, DRY_RUN: 'true', CLOUD66_API_URL: odd.url });
    expect(await handler(tick(), CONTEXT)).toEqual({ worker: 'dry_run' });
    await handler(tick(), CONTEXT);
    await odd.close();
    const told = printed.filter((line) => line.includes('is incomplete'));
    expect(told).toEqual([expect.stringContaining('process \\"mailer\\" could not be read: servers: expected')]);
  });

  it('warns of a token in the environment of a production stage', () => {
    wireScale({ ...environment, STAGE: 'production' });
    expect(printed).toEqual([expect.stringContaining('"level":"warn"')]);
    expect(printed[0]).toContain('CLOUD66_TOKEN');
  });
});

describe('a wrong configuration stops', () => {
  it.each([
    ['the scale function', wireScale, ['STACK_UID', 'PROCESS_NAME', 'CLOUD66_TOKEN_PARAMETER', 'ACTIONS_QUEUE_URL']],
    ['the poller', wirePoller, ['CLOUD66_TOKEN_PARAMETER', 'ACTIONS_QUEUE_URL', 'ACTIONS_DEAD_LETTER_QUEUE_URL']],
  ])('%s at its start, with every problem by name', (_title, wire, names) => {
    try {
      wire({});
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      for (const name of names) expect((error as InvalidInputError).message).toContain(name);
    }
  });
});

describe('an override that cannot be read', () => {
  it('changes nothing and makes the invocation fail', async () => {
    aws.play(ok({ Parameter: { Value: 'not a document' } }));
    await expect(wireScale(environment)(tick(), CONTEXT)).rejects.toThrow(/override_unknown.*malformed/s);
    expect(account.stack('shop').workers('worker')).toBe(1);
  });
});

describe('notifications', () => {
  const TOPIC = 'arn:aws:sns:us-east-1:000000000000:alerts';
  /** A pass with a topic, whose SNS answers so. */
  async function told(answer: ScriptedReply) {
    const sns = await startScriptedServer();
    sns.script(answer);
    const handler = wireScale({ ...environment, NOTIFY_TOPIC_ARN: TOPIC, AWS_ENDPOINT_URL_SNS: sns.url });
    const result = await handler(tick(), CONTEXT);
    const forms = sns.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)));
    await sns.close();
    return { result, forms };
  }

  it('tells a change in one signed message, and in the log', async () => {
    const { result, forms } = await told({ body: {} });
    expect(result).toEqual({ worker: 'scaled' });
    expect(forms).toMatchObject([
      {
        Action: 'Publish',
        TopicArn: TOPIC,
        Subject: '[local] worker: scaled',
        'MessageAttributes.entry.1.Name': 'kinds',
      },
    ]);
    expect(forms[0]?.Message).toMatch(/^worker \(scaled\): 1 -> 3 workers \(backlog_above_target\): .+/);
    expect(printed.join('')).toContain('"event":"notice"');
  });

  it('that are refused stop nothing: a warning and a metric', async () => {
    const { result } = await told({
      status: 403,
      body: '<ErrorResponse><Error><Code>AuthorizationError</Code></Error></ErrorResponse>',
    });
    expect(result).toEqual({ worker: 'scaled' });
    expect(printed.join('')).toMatch(/"level":"warn".*AuthorizationError/);
    expect(printed.join('')).toContain('"NotificationsFailed"');
  });

  it('are written down where no topic is configured', async () => {
    await wireScale(environment)(tick(), CONTEXT);
    expect(printed.join('')).toContain('"event":"notice"');
  });
});
