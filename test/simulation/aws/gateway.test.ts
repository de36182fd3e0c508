import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../../../lib/simulation/aws/cloud.ts';
import type { Fault } from '../../../lib/simulation/aws/gateway.ts';
import { arnOf, functionResources, startStack } from './small-stack.ts';

/** Makes one signed call of an AWS service, as a function without an SDK would; answers with status and body. */
const CALLING = `export const handler = async ({ service, operation, body, query }) => {
  const credential = process.env.AWS_ACCESS_KEY_ID + '/20260101/' + process.env.AWS_REGION + '/' + service + '/aws4_request';
  const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=' + credential + ', SignedHeaders=host, Signature=0',
    'content-type': query ? 'application/x-www-form-urlencoded' : 'application/x-amz-json-1.1' };
  if (!query) headers['x-amz-target'] = 'Any.' + operation;
  const response = await fetch(process.env.AWS_ENDPOINT_URL, { method: 'POST', headers, body: query ?? JSON.stringify(body) });
  return { status: response.status, body: await response.text() };
};`;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function callFrom(cloud: Cloud, event: object): Promise<Answer> {
  const outcome = await cloud.invoke('Work', event);
  if (outcome.kind !== 'succeeded') {
    throw new Error(JSON.stringify(outcome));
  }
  return outcome.payload as Answer;
}

function sdk(cloud: Cloud, accessKeyId = cloud.operatorAccessKeyId) {
  return { endpoint: cloud.endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey: 'local' } };
}

const PARAMETER = 'arn:aws:ssm:us-east-1:000000000000:parameter';
const SECRET = { type: 'SecureString', value: 'hush' } as const;

describe('a function that calls AWS', () => {
  it('may do what its role allows, and is told which action on which resource it lacks', async () => {
    const cloud = await startStack(
      functionResources({ Work: { code: CALLING, allow: { [arnOf('jobs')]: ['sqs:SendMessage'] } } }),
      { queues: { jobs: {}, other: {} } },
    );
    const send = { service: 'sqs', operation: 'SendMessage' };
    const body = { QueueUrl: cloud.queues.queue('jobs').url, MessageBody: 'hello' };
    expect((await callFrom(cloud, { ...send, body })).status).toBe(200);
    expect(cloud.queues.bodies('jobs')).toEqual(['hello']);

    const elsewhere = { ...body, QueueUrl: cloud.queues.queue('other').url };
    const refused = await callFrom(cloud, { ...send, body: elsewhere });
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toEqual({
      __type: 'AccessDeniedException',
      message: expect.stringMatching(
        /^User: arn:aws:sts::000000000000:assumed-role\/local-WorkRole-\w+\/Work is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:us-east-1:000000000000:other because no identity-based policy allows/,
      ),
    });
    expect(cloud.queues.bodies('other')).toEqual([]);
    expect(cloud.refusals).toMatchObject([{ action: 'sqs:SendMessage', resource: arnOf('other') }]);
    expect(cloud.requests.map(({ functionName, outcome }) => `${functionName} ${outcome}`)).toEqual([
      'Work answered',
      'Work denied',
    ]);
  });

  it('is judged by the queue policy too: it may allow, and its Deny wins', async () => {
    const policy = (queueName: string, statement: object) => ({
      Type: 'AWS::SQS::QueuePolicy',
      Properties: {
        Queues: [{ Ref: queueName }],
        PolicyDocument: { Statement: [{ Action: 'sqs:SendMessage', Resource: '*', ...statement }] },
      },
    });
    const role = { 'Fn::GetAtt': ['WorkRole', 'Arn'] };
    const cloud = await startStack({
      ...functionResources({ Work: { code: CALLING, allow: { [arnOf('closed')]: ['sqs:*'] } } }),
      Open: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'open' } },
      Closed: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'closed' } },
      OpenPolicy: policy('Open', { Effect: 'Allow', Principal: { AWS: role } }),
      ClosedPolicy: policy('Closed', {
        Effect: 'Deny',
        Principal: { AWS: { 'Fn::Sub': `arn:aws:iam::\${AWS::AccountId}:root` } },
      }),
    });
    const send = async (name: string) => {
      const body = { QueueUrl: cloud.queues.queue(name).url, MessageBody: 'x' };
      return (await callFrom(cloud, { service: 'sqs', operation: 'SendMessage', body })).status;
    };
    expect(await send('open')).toBe(200);
    expect(await send('closed')).toBe(403);
    expect(cloud.refusals[0]?.message).toMatch(/with an explicit deny/);
  });

  it.each<[string, Record<string, readonly string[]>, object, object, number, RegExp]>([
    ['decrypted', { [`${PARAMETER}/token`]: ['ssm:GetParameter'] }, SECRET, { WithDecryption: true }, 200, /"hush"/],
    ['encrypted', { [`${PARAMETER}/token`]: ['ssm:GetParameter'] }, SECRET, {}, 200, /^((?!hush).)*$/],
    ['not without permission', {}, SECRET, {}, 403, /ssm:GetParameter on resource: .*parameter\/token/],
    [
      'not with a key of its own that the role may not use',
      { [`${PARAMETER}/token`]: ['ssm:GetParameter'] },
      { ...SECRET, keyArn: 'arn:aws:kms:us-east-1:000000000000:key/own' },
      { WithDecryption: true },
      403,
      /kms:Decrypt on resource: .*key\/own/,
    ],
    [
      'with a key of its own that the role may use',
      { [`${PARAMETER}/token`]: ['ssm:GetParameter'], 'arn:aws:kms:*:*:key/own': ['kms:Decrypt'] },
      { ...SECRET, keyArn: 'arn:aws:kms:us-east-1:000000000000:key/own' },
      { WithDecryption: true },
      200,
      /"hush"/,
    ],
    ['not when it is not there', { '*': ['ssm:*'] }, SECRET, { Name: '/missing' }, 400, /ParameterNotFound/],
  ])('reads an SSM SecureString: %s', async (_name, allow, parameter, body, status, text) => {
    const cloud = await startStack(functionResources({ Work: { code: CALLING, allow } }), {
      parameters: { '/token': parameter as typeof SECRET },
    });
    const answer = await callFrom(cloud, {
      service: 'ssm',
      operation: 'GetParameter',
      body: { Name: '/token', ...body },
    });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatch(text);
  });

  it('learns from STS who it is', async () => {
    const cloud = await startStack(functionResources({ Work: { code: CALLING } }));
    const answer = await callFrom(cloud, { service: 'sts', query: 'Action=GetCallerIdentity&Version=2011-06-15' });
    expect(answer.body).toMatch(/<Arn>arn:aws:sts::000000000000:assumed-role\/local-WorkRole-\w+\/Work<\/Arn>/);
  });

  it('gets a clear error for a service that is not there', async () => {
    const cloud = await startStack(functionResources({ Work: { code: CALLING } }));
    const answer = await callFrom(cloud, { service: 'dynamodb', operation: 'GetItem', body: {} });
    expect(answer).toMatchObject({ status: 400, body: expect.stringMatching(/no service dynamodb/) });
  });
});

describe("AWS's own SDK at the gateway", () => {
  it('sends, receives and deletes, with queue URLs that lead back to the gateway', async () => {
    const cloud = await startStack({}, { queues: { jobs: { DelaySeconds: '0' } } });
    const client = new SQSClient(sdk(cloud));
    const { url: QueueUrl } = cloud.queues.queue('jobs');
    expect(QueueUrl).toBe(`${cloud.endpoint}/000000000000/jobs`);
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'mail' } };
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a', MessageAttributes }));
    const Entries = ['b', 'c'].map((Id) => ({ Id, MessageBody: Id, DelaySeconds: Id === 'c' ? 900 : 0 }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 1 }));
    expect(Messages[0]?.Body).toBe('a');
    expect(cloud.queues.depth('jobs')).toMatchObject({ visible: 1, inFlight: 1, delayed: 1, sent: 3, received: 1 });
    const AttributeNames = ['All' as const];
    const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames }));
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '1',
      ApproximateNumberOfMessagesNotVisible: '1',
      ApproximateNumberOfMessagesDelayed: '1',
      QueueArn: arnOf('jobs'),
    });
    const ReceiptHandle = Messages[0]?.ReceiptHandle ?? '';
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    expect(cloud.queues.depth('jobs')).toMatchObject({ visible: 1, inFlight: 0, delayed: 1, deleted: 1 });
    client.destroy();
  });

  it('shows counts that are current, although nobody has received since', async () => {
    const cloud = await startStack({}, { queues: { jobs: { VisibilityTimeout: '1' } } });
    const client = new SQSClient(sdk(cloud));
    const { url: QueueUrl } = cloud.queues.queue('jobs');
    await cloud.queues.send('jobs', 'a');
    const { Messages = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
    const ReceiptHandle = Messages[0]?.ReceiptHandle ?? '';
    await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    expect(cloud.queues.depth('jobs')).toMatchObject({ visible: 1, inFlight: 0 });
    expect(cloud.queues.depth('jobs').oldestAgeSeconds).toBeGreaterThanOrEqual(0);
    client.destroy();
  });

  it('is answered by the CloudWatch that was passed in', async () => {
    const calls: unknown[] = [];
    const cloud = await startStack(
      {},
      {
        cloudwatchHandler: (operation, body) => {
          calls.push([operation, body]);
          return { status: 200, body: { MetricDataResults: [{ Id: 'm', Values: [4], Timestamps: [60] }] } };
        },
      },
    );
    const client = new CloudWatchClient(sdk(cloud));
    const query = { MetricDataQueries: [], StartTime: new Date(0), EndTime: new Date(60_000) };
    const reply = await client.send(new GetMetricDataCommand(query));
    expect(reply.MetricDataResults).toEqual([{ Id: 'm', Values: [4], Timestamps: [new Date(60_000)] }]);
    expect(calls).toEqual([['GetMetricData', { MetricDataQueries: [], StartTime: 0, EndTime: 60 }]]);
    client.destroy();
  });

  it('is turned away without a signature and with an unknown key', async () => {
    const cloud = await startStack({}, { queues: { jobs: {} } });
    expect((await fetch(cloud.endpoint, { method: 'POST' })).status).toBe(403);
    const client = new SQSClient(sdk(cloud, 'AKIASOMEBODYELSE0000'));
    const QueueUrl = cloud.queues.queue('jobs').url;
    await expect(client.send(new ReceiveMessageCommand({ QueueUrl }))).rejects.toThrow(/security token.*invalid/);
    client.destroy();
  });

  it('meets the faults that a test asks for, and nothing else', async () => {
    let fault: Fault | null = null;
    const cloud = await startStack({}, { queues: { jobs: {} }, faults: () => fault });
    const client = new SQSClient({ ...sdk(cloud), maxAttempts: 1 });
    const send = (abortSignal?: AbortSignal) =>
      client.send(
        new SendMessageCommand({ QueueUrl: cloud.queues.queue('jobs').url, MessageBody: 'x' }),
        abortSignal ? { abortSignal } : {},
      );
    fault = { kind: 'error', status: 503, code: 'ServiceUnavailable', message: 'down' };
    await expect(send()).rejects.toMatchObject({ name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } });
    fault = { kind: 'reset' };
    await expect(send()).rejects.toMatchObject({ code: 'ECONNRESET' });
    fault = { kind: 'hang' };
    const patience = new AbortController();
    const hanging = send(patience.signal);
    setTimeout(() => patience.abort(), 50);
    await expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    fault = null;
    await send();
    expect(cloud.queues.bodies('jobs')).toEqual(['x']);
    expect(cloud.requests.map(({ outcome, status }) => [outcome, status])).toEqual([
      ['fault', 503],
      ['fault', 0],
      ['fault', 0],
      ['answered', 200],
    ]);
    client.destroy();
  });
});
