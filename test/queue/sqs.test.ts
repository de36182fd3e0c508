import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endpointOf, OutOfTimeError } from '../../lib/queue/connection.ts';
import { problemOf } from '../../lib/queue/problems.ts';
import { createSqs, type Sqs } from '../../lib/queue/sqs.ts';
import { type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { localConnection, type SqsServer, startSqsServer } from '../support/sqs-server.ts';

const signal = new AbortController().signal;

describe('SQS', () => {
  let server: SqsServer;
  let sqs: Sqs;

  beforeAll(async () => {
    server = await startSqsServer();
    sqs = createSqs(localConnection(server.endpoint));
  });
  afterAll(async () => {
    sqs.destroy();
    await server.stop();
  });

  it('counts messages that wait, that are being worked on, and that are delayed', async () => {
    const url = server.createQueue('depths');
    for (const body of ['a', 'b', 'c']) server.put('depths', body);
    server.put('depths', 'later', 60);
    const url2 = await sqs.queueUrl('depths', signal);
    expect(url2).toBe(url);
    expect(await sqs.depthAttributes(url, signal)).toEqual({
      ApproximateNumberOfMessages: '3',
      ApproximateNumberOfMessagesNotVisible: '0',
      ApproximateNumberOfMessagesDelayed: '1',
    });
    server.receive('depths', 60);
    expect(await sqs.depthAttributes(url, signal)).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '3',
    });
  });

  it('stores a FIFO message with its group and attributes, and only once per deduplication id', async () => {
    const queueUrl = server.createQueue('actions.fifo');
    const message = {
      queueUrl,
      body: '{"a":1}',
      groupId: 'mailer',
      deduplicationId: 'x-1',
      attributes: { why: 'test' },
    };
    const first = await sqs.sendFifo(message, signal);
    const second = await sqs.sendFifo(message, signal);
    expect(second).toBe(first);
    expect(server.ready('actions.fifo')).toEqual([
      {
        messageId: first,
        body: '{"a":1}',
        groupId: 'mailer',
        deduplicationId: 'x-1',
        attributes: { why: 'test' },
      },
    ]);
  });

  it('makes a received message visible again when its visibility changes to zero', async () => {
    const queueUrl = server.createQueue('looked-at');
    server.put('looked-at', 'again');
    const [message] = server.receive('looked-at', 600);
    const receiptHandle = message?.receiptHandle ?? '';
    await sqs.changeVisibility({ queueUrl, receiptHandle, visibilityTimeoutSeconds: 0 }, signal);
    expect(server.receive('looked-at', 600).map(({ body }) => body)).toEqual(['again']);
  });

  it('says that a queue does not exist', async () => {
    await expect(sqs.queueUrl('nowhere', signal)).rejects.toSatisfy((error) => problemOf(error) === 'not_found');
    const url = `${server.endpoint}/000000000000/nowhere`;
    await expect(sqs.depthAttributes(url, signal)).rejects.toSatisfy((error) => problemOf(error) === 'not_found');
  });
});

describe('SQS in trouble', () => {
  let server: AwsServer;
  let sqs: Sqs;
  /** Without retries, where only the name of the trouble matters. */
  let once: Sqs;
  const url = 'http://127.0.0.1/000000000000/q';

  beforeAll(async () => {
    server = await startAwsServer();
    const limits = { requestTimeoutSeconds: 0.15, callLimitSeconds: 3, connectTimeoutSeconds: 0.5 };
    sqs = createSqs({ ...localConnection(server.endpoint), limits });
    once = createSqs({ ...localConnection(server.endpoint), limits: { ...limits, maxAttempts: 1 } });
  });
  afterAll(async () => {
    sqs.destroy();
    once.destroy();
    await server.stop();
  });

  it('tries again after a server error and after a reset connection', async () => {
    server.play(refusal(500, 'InternalFailure'), 'reset', ok({ Attributes: { ApproximateNumberOfMessages: '7' } }));
    expect(await sqs.depthAttributes(url, signal)).toEqual({ ApproximateNumberOfMessages: '7' });
    expect(server.requests.map(({ operation, service }) => `${service} ${operation}`)).toEqual(
      Array(3).fill('sqs GetQueueAttributes'),
    );
  });

  it('asks for the URL of a queue once per name, and again after a failure', async () => {
    server.play(refusal(403, 'AccessDenied'), ok({ QueueUrl: url }));
    await expect(sqs.queueUrl('jobs', signal)).rejects.toSatisfy((error) => problemOf(error) === 'access_denied');
    expect(await sqs.queueUrl('jobs', signal)).toBe(url);
    expect(await sqs.queueUrl('jobs', signal)).toBe(url);
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    ['a server that never answers', 'hang', 'unavailable'],
    ['a body that stops in the middle', 'stall', 'unavailable'],
    ['a body that is cut off', 'cut', 'unavailable'],
    ['a connection that is reset', 'reset', 'unavailable'],
    ['throttling', refusal(400, 'RequestThrottled'), 'throttled'],
    ['too many requests', refusal(429, 'Whatever'), 'throttled'],
    ['an outage', refusal(503, 'ServiceUnavailable'), 'unavailable'],
    ['a refusal', refusal(403, 'AccessDeniedException'), 'access_denied'],
    ['an expired token', refusal(403, 'ExpiredTokenException'), 'access_denied'],
    ['a page of HTML', { status: 200, body: '<html>' }, 'malformed'],
    ['an invalid request', refusal(400, 'InvalidParameterValue'), 'malformed'],
  ] as const)('names %s for what it is', async (_name, answer, problem) => {
    server.play(answer);
    const error = await once.depthAttributes(url, signal).catch((caught: unknown) => caught);
    expect([problemOf(error), error]).toEqual([problem, error]);
  });

  it.each([['AWS_ENDPOINT_URL'], ['AWS_ENDPOINT_URL_SQS']])(
    'goes where %s points, with the key of the environment, whatever the host of the queue URL',
    async (variable) => {
      server.play(ok({ Attributes: {} }));
      const key = { AWS_ACCESS_KEY_ID: 'AKIALOCAL', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 'of-the-role' };
      const local = createSqs({ region: 'eu-west-1', environment: { ...key, [variable]: server.endpoint } });
      await local.depthAttributes('https://sqs.us-east-1.amazonaws.com/123456789012/real', signal);
      local.destroy();
      expect(server.requests.map(({ headers }) => [headers.host, headers['x-amz-security-token']])).toEqual([
        [new URL(server.endpoint).host, 'of-the-role'],
      ]);
      expect(server.requests[0]?.headers.authorization).toMatch(/Credential=AKIALOCAL\/\d{8}\/eu-west-1\/sqs\//);
    },
  );

  it('says that there is no key', async () => {
    const keyless = createSqs({ region: 'eu-west-1', environment: { AWS_ENDPOINT_URL: server.endpoint } });
    const error = await keyless.depthAttributes(url, signal).catch((caught: unknown) => caught);
    expect([problemOf(error), String(error)]).toEqual([
      'access_denied',
      'CredentialsProviderError: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment',
    ]);
    keyless.destroy();
  });

  it.each([
    ['eu-west-1', 'https://sqs.eu-west-1.amazonaws.com'],
    ['cn-north-1', 'https://sqs.cn-north-1.amazonaws.com.cn'],
  ])('is found in %s at %s', (region, endpoint) => {
    expect(endpointOf({ region }, 'sqs', 'SQS')).toBe(endpoint);
  });

  it('tries three times what may pass, and a refusal once', async () => {
    server.play(refusal(403, 'AccessDenied'));
    await expect(sqs.depthAttributes(url, signal)).rejects.toThrow('because');
    expect(server.requests).toHaveLength(1);
    server.play(refusal(503, 'ServiceUnavailable'));
    await expect(sqs.depthAttributes(url, signal)).rejects.toMatchObject({ $metadata: { httpStatusCode: 503 } });
    expect(server.requests).toHaveLength(3);
  });

  it('says which part of an answer has the wrong form', async () => {
    server.play(ok({ Attributes: { ApproximateNumberOfMessages: 7 } }));
    const answer = sqs.depthAttributes(url, signal);
    await expect(answer).rejects.toThrow("the answer's Attributes.ApproximateNumberOfMessages is wrong");
  });

  it('does not take an answer without an id for a stored message', async () => {
    server.play(ok({}));
    const message = { queueUrl: url, body: 'x', groupId: 'g', deduplicationId: 'd' };
    await expect(sqs.sendFifo(message, signal)).rejects.toThrow('InvalidChecksum');
    server.play(ok({ MD5OfMessageBody: createHash('md5').update('x').digest('hex') }));
    await expect(sqs.sendFifo(message, signal)).rejects.toThrow('has no MessageId');
    server.play(ok({}));
    await expect(sqs.queueUrl('empty', signal)).rejects.toThrow(/no QueueUrl/);
  });

  it('has no attributes where the answer has none', async () => {
    server.play(ok({}));
    expect(await sqs.depthAttributes(url, signal)).toEqual({});
  });

  it('gives up when the invocation is out of time, and does not start after that', async () => {
    const controller = new AbortController();
    server.play(() => {
      setImmediate(() => controller.abort());
      return 'hang';
    });
    const call = sqs.depthAttributes(url, controller.signal);
    await expect(call).rejects.toThrow('GetQueueAttributes: stopped, the invocation is out of time');
    await expect(sqs.queueUrl('late', controller.signal)).rejects.toThrow(OutOfTimeError);
    expect(server.requests).toHaveLength(1);
  });

  it('ends a call with all its retries within one limit', async () => {
    const hurried = createSqs({ ...localConnection(server.endpoint), limits: { callLimitSeconds: 0.2 } });
    server.play('hang');
    await expect(hurried.depthAttributes(url, signal)).rejects.toThrow('no answer within 0.2 s');
    hurried.destroy();
  });

  it('says that nothing listens', async () => {
    const lost = createSqs({ ...localConnection('http://127.0.0.1:1'), limits: { callLimitSeconds: 2 } });
    const error = await lost.depthAttributes(url, signal).catch((caught: unknown) => caught);
    expect(problemOf(error)).toBe('unavailable');
    lost.destroy();
  });
});
