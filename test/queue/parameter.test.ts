import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AutoscalerError } from '../../lib/errors.ts';
import { createParameterReader } from '../../lib/queue/parameter.ts';
import { createSqs, type Sqs } from '../../lib/queue/sqs.ts';
import { type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { localConnection } from '../support/sqs-server.ts';

const signal = new AbortController().signal;
const NAME = '/autoscaler/cloud66-token';
const SECRET = 's3cr3t-value-of-the-token';

describe('reading a parameter', () => {
  let server: AwsServer;
  let sqs: Sqs;
  const reader = (more = {}) =>
    createParameterReader({
      signedPost: sqs.signedPost,
      region: 'us-east-1',
      endpoint: server.endpoint,
      pauseMs: 1,
      ...more,
    });

  beforeAll(async () => {
    server = await startAwsServer();
    sqs = createSqs({ ...localConnection(server.endpoint), limits: { requestTimeoutSeconds: 0.2 } });
  });
  afterAll(async () => {
    sqs.destroy();
    await server.stop();
  });

  it('asks SSM for the decrypted value in one signed request', async () => {
    server.play(ok({ Parameter: { Name: NAME, Type: 'SecureString', Value: `${SECRET}\n` } }));
    expect(await reader().read(NAME, signal)).toBe(SECRET);
    expect(server.requests).toMatchObject([
      { operation: 'GetParameter', service: 'ssm', body: { Name: NAME, WithDecryption: true } },
    ]);
    expect(server.requests[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=local\/.*Signature=/);
  });

  it('leaves the SQS client signing for SQS', async () => {
    server.play(ok({ Parameter: { Value: SECRET } }), ok({ QueueUrl: 'http://127.0.0.1/1/q' }));
    await reader().read(NAME, signal);
    await sqs.queueUrl('q', signal);
    expect(server.requests.map(({ service }) => service)).toEqual(['ssm', 'sqs']);
  });

  it('tries again after throttling, an outage and a reset', async () => {
    server.play(refusal(400, 'ThrottlingException'), 'reset', ok({ Parameter: { Value: SECRET } }));
    expect(await reader().read(NAME, signal)).toBe(SECRET);
  });

  it.each([
    ['a parameter that does not exist', refusal(400, 'ParameterNotFound'), 'ParameterNotFound (HTTP 400)', 1],
    ['a refusal', refusal(400, 'AccessDeniedException', 'not authorized'), 'the function needs ssm:GetParameter', 1],
    ['an outage', refusal(500, 'InternalServerError'), 'InternalServerError (HTTP 500)', 3],
    ['a page of HTML', { status: 502, body: '<html>' }, 'UnexpectedAnswer (HTTP 502)', 3],
    ['silence', 'hang', 'exceeded the configured 200 ms', 3],
    ['a body that stops', 'stall', 'timed out', 3],
    ['a cut body', 'cut', 'ECONNRESET', 3],
    ['an answer without a value', ok({ Parameter: { Name: NAME } }), 'holds no Parameter.Value', 1],
    ['an answer without a parameter', ok('7'), 'holds no Parameter.Value', 1],
    ['an empty value', ok({ Parameter: { Value: ' ' } }), 'the value is empty', 1],
    ['an endless answer', ok('x'.repeat(100_000)), 'larger than', 1],
  ] as const)('names the parameter and the problem after %s', async (_name, answer, message, requests) => {
    server.play(answer);
    const error = await reader()
      .read(NAME, signal)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AutoscalerError);
    expect(String(error)).toContain(`SSM parameter ${NAME}`);
    expect(String(error)).toContain(message);
    expect(server.requests).toHaveLength(requests);
  });

  it('never repeats what may be the value', async () => {
    server.play({ status: 200, body: `{"Parameter":{"Value":"${SECRET}"` });
    const error = await reader()
      .read(NAME, signal)
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AutoscalerError);
    const { message, stack, cause } = error as Error;
    expect(`${message} ${stack} ${String(cause)}`).not.toContain(SECRET);
  });

  it('never repeats the signed request, which holds the session token', async () => {
    const echo = 'The Canonical String should have been x-amz-security-token:SESSION-TOKEN';
    server.play(refusal(403, 'InvalidSignatureException', echo));
    await expect(reader().read(NAME, signal)).rejects.toThrow(/InvalidSignatureException \(HTTP 403\) \(the function/);
  });

  it('ends within its limit', async () => {
    server.play(refusal(500, 'InternalServerError'));
    await expect(reader({ limitSeconds: 0.1, pauseMs: 60_000 }).read(NAME, signal)).rejects.toThrow(/0\.1 s|HTTP 500/);
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ['eu-west-1', 'https://ssm.eu-west-1.amazonaws.com'],
    ['cn-north-1', 'https://ssm.cn-north-1.amazonaws.com.cn'],
  ])('goes to the endpoint of %s when none is given', async (region, endpoint) => {
    const asked: string[] = [];
    const signedPost = async (request: { readonly endpoint: string }) => {
      asked.push(request.endpoint);
      return { status: 200, text: '{"Parameter":{"Value":"x"}}' };
    };
    expect(await createParameterReader({ signedPost, region }).read(NAME, signal)).toBe('x');
    expect(asked).toEqual([endpoint]);
  });
});
