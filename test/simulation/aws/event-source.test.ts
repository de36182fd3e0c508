import { describe, expect, it } from 'vitest';
import { handledMessages } from '../../../lib/simulation/aws/event-source.ts';
import type { ReceivedMessage } from '../../../lib/simulation/aws/sqs.ts';
import { arnOf, functionResources, liveFaster, POLLER_ACTIONS, startStack, until } from './small-stack.ts';

function message(messageId: string): ReceivedMessage {
  const empty = { body: '', md5OfBody: '', md5OfMessageAttributes: null, attributes: {}, messageAttributes: {} };
  return { messageId, receiptHandle: `r${messageId}`, ...empty };
}

const BATCH = ['1', '2', '3'].map(message);

describe('which messages of a batch are dealt with', () => {
  const failures = (...ids: unknown[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
  it.each<[string, unknown, string[]]>([
    ['null', null, ['1', '2', '3']],
    ['an empty object', {}, ['1', '2', '3']],
    ['an empty list', failures(), ['1', '2', '3']],
    ['a null list', { batchItemFailures: null }, ['1', '2', '3']],
    ['one failure', failures('2'), ['1', '3']],
    ['all failures', failures('1', '2', '3'), []],
    ['an unknown id', failures('2', '9'), []],
    ['an empty id', failures(''), []],
    ['a null id', failures(null), []],
    ['a wrong key', { batchItemFailures: [{ id: '2' }] }, []],
    ['a list that is none', { batchItemFailures: 'all' }, []],
    ['a text', 'ok', []],
  ])('reported as %s', (_name, payload, handled) => {
    const outcome = { kind: 'succeeded', payload } as const;
    expect(handledMessages(BATCH, outcome, true).map(({ messageId }) => messageId)).toEqual(handled);
    expect(handledMessages(BATCH, outcome, false)).toEqual(BATCH);
  });

  it('none after an error or when throttled', () => {
    const payload = { errorType: 'Error', errorMessage: '' };
    expect(handledMessages(BATCH, { kind: 'failed', payload }, true)).toEqual([]);
    expect(handledMessages(BATCH, { kind: 'throttled' }, false)).toEqual([]);
  });
});

const FAST_JOBS = { QueueName: 'jobs', VisibilityTimeout: 60 };
const FIFO_JOBS = { QueueName: 'jobs.fifo', FifoQueue: true, VisibilityTimeout: 60 };
/** Prints each record; fails those whose body begins with `fail`. */
const PRINTING = `export const handler = async ({ Records }) => {
  console.log(JSON.stringify(Records));
  return { batchItemFailures: Records.filter((r) => r.body.startsWith('fail')).map((r) => ({ itemIdentifier: r.messageId })) };
};`;

function jobsStack(queue: object, code: string, mapping: object = {}, allow: readonly string[] = POLLER_ACTIONS) {
  const name = (queue as { QueueName: string }).QueueName;
  return {
    Jobs: { Type: 'AWS::SQS::Queue', Properties: queue },
    ...functionResources({ Work: { code, allow: { [arnOf(name)]: allow } } }),
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: {
        EventSourceArn: { 'Fn::GetAtt': ['Jobs', 'Arn'] },
        FunctionName: { 'Fn::GetAtt': ['Work', 'Arn'] },
        BatchSize: 10,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 2 },
        ...mapping,
      },
    },
  };
}

interface Printed {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A stack whose function prints its records and is warm already, and what was printed so far. */
async function startPrinting(resources: Record<string, object>) {
  const records: Printed[] = [];
  const cloud = await startStack(resources, {
    onLog: ({ from, line }) => {
      if (from === 'function') {
        records.push(...(JSON.parse(line) as Printed[]));
      }
    },
  });
  // Starting a process takes real time, in which messages become visible again when the clock is fast.
  await cloud.invoke('Work', { Records: [] });
  return { cloud, records };
}

describe('an event source mapping', () => {
  it('hands over messages in the shape of Lambda and deletes them', async () => {
    const { cloud, records } = await startPrinting(jobsStack(FIFO_JOBS, PRINTING));
    await cloud.queues.call('SendMessage', {
      QueueUrl: cloud.queues.queue('jobs.fifo').url,
      MessageBody: 'one',
      MessageGroupId: 'g',
      MessageDeduplicationId: 'd',
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'mail' } },
    });
    await until(() => cloud.queues.depth('jobs.fifo').deleted === 1);
    await until(() => records.length >= 1);
    expect(records).toEqual([
      {
        messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        receiptHandle: expect.any(String),
        body: 'one',
        md5OfBody: 'f97c5d29941bfb1b2fdab0874906ab82',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          SenderId: expect.any(String),
          ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          SequenceNumber: expect.stringMatching(/^\d{20}$/),
          MessageGroupId: 'g',
          MessageDeduplicationId: 'd',
        },
        messageAttributes: {
          kind: { stringValue: 'mail', stringListValues: [], binaryListValues: [], dataType: 'String' },
        },
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: arnOf('jobs.fifo'),
        awsRegion: 'us-east-1',
      },
    ]);
  });

  it('keeps only the failed messages of a batch, until their visibility timeout ends', async () => {
    liveFaster(100);
    const { cloud, records } = await startPrinting(jobsStack(FAST_JOBS, PRINTING));
    await cloud.queues.send('jobs', 'good');
    await cloud.queues.send('jobs', 'fail');
    await until(() => cloud.queues.depth('jobs').deleted === 1 && records.length >= 2);
    expect(cloud.queues.depth('jobs')).toMatchObject({ visible: 0, inFlight: 1, delayed: 0 });
    await until(() => records.filter(({ body }) => body === 'fail').length >= 2);
    const [first, second] = records.filter(({ body }) => body === 'fail').map(({ attributes }) => attributes);
    expect(second?.ApproximateReceiveCount).toBe('2');
    expect(second?.ApproximateFirstReceiveTimestamp).toBe(first?.ApproximateFirstReceiveTimestamp);
    expect(records.filter(({ body }) => body === 'good').length).toBe(1);
  });

  it('lets a whole batch wait after an error, and moves it to the dead-letter queue in the end', async () => {
    liveFaster(60);
    const failing = `export const handler = async ({ Records }) => { console.log(JSON.stringify(Records)); throw new Error('no'); };`;
    const queue = {
      ...FAST_JOBS,
      RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] }, maxReceiveCount: 2 },
    };
    const { cloud, records } = await startPrinting({
      ...jobsStack(queue, failing),
      Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
    });
    await cloud.queues.send('jobs', 'poison');
    await until(() => cloud.queues.depth('dead').visible === 1);
    expect(cloud.queues.bodies('dead')).toEqual(['poison']);
    expect(records.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1', '2']);
    expect(cloud.queues.depth('jobs')).toMatchObject({ visible: 0, inFlight: 0, deleted: 0 });
  });

  it('brings a message back when the function said, if that is sooner than the visibility timeout', async () => {
    liveFaster(30);
    const code = `export const handler = async ({ Records }) => {
      console.log(JSON.stringify(Records));
      const [record] = Records;
      if (record === undefined || record.attributes.ApproximateReceiveCount === '3') return;
      const credential = process.env.AWS_ACCESS_KEY_ID + '/20260101/us-east-1/sqs/aws4_request';
      const QueueUrl = process.env.AWS_ENDPOINT_URL + '/000000000000/jobs.fifo';
      await fetch(process.env.AWS_ENDPOINT_URL, {
        method: 'POST',
        headers: { authorization: 'Credential=' + credential, 'x-amz-target': 'AmazonSQS.ChangeMessageVisibility' },
        body: JSON.stringify({ QueueUrl, ReceiptHandle: record.receiptHandle, VisibilityTimeout: 20 }),
      });
      return { batchItemFailures: [{ itemIdentifier: record.messageId }] };
    };`;
    const queue = { ...FIFO_JOBS, VisibilityTimeout: 600 };
    const { cloud, records } = await startPrinting(
      jobsStack(queue, code, {}, [...POLLER_ACTIONS, 'sqs:ChangeMessageVisibility']),
    );
    await cloud.queues.send('jobs.fifo', 'look again', { groupId: 'g', deduplicationId: 'd' });
    const sentAtMs = Date.now();
    await until(() => cloud.queues.depth('jobs.fifo').deleted === 1);
    expect(records.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1', '2', '3']);
    expect(Date.now() - sentAtMs).toBeGreaterThanOrEqual(39_000);
    expect(Date.now() - sentAtMs).toBeLessThan(600_000);
  });

  it('keeps the order within a FIFO group while other groups go on', async () => {
    liveFaster(100);
    const code = PRINTING.replace(
      "r.body.startsWith('fail')",
      "r.body === 'a1' && r.attributes.ApproximateReceiveCount === '1'",
    );
    const { cloud, records } = await startPrinting(jobsStack(FIFO_JOBS, code));
    for (const body of ['a1', 'a2', 'b1', 'b2']) {
      await cloud.queues.send('jobs.fifo', body, { groupId: body.slice(0, 1), deduplicationId: body });
    }
    await until(() => cloud.queues.depth('jobs.fifo').deleted === 4);
    const order = (group: string) => records.map(({ body }) => body).filter((body) => body.startsWith(group));
    expect(order('a')).toEqual(['a1', 'a1', 'a2']);
    expect(order('b')).toEqual(['b1', 'b2']);
    expect(records.findIndex(({ body }) => body === 'b2')).toBeLessThan(records.findIndex(({ body }) => body === 'a2'));
  });

  it('never runs more batches at a time than its maximum concurrency', async () => {
    liveFaster(20);
    const code = `export const handler = async ({ Records }) => { console.log(JSON.stringify(Records));
      await new Promise((resolve) => setTimeout(resolve, 4000)); };`;
    const reports: { startedAtMs: number; endedAtMs: number }[] = [];
    const cloud = await startStack(jobsStack(FAST_JOBS, code, { BatchSize: 1 }), {
      onInvocation: (report) => reports.push(report),
    });
    for (const body of ['1', '2', '3', '4', '5']) {
      await cloud.queues.send('jobs', body);
    }
    await until(() => cloud.queues.depth('jobs').deleted === 5);
    const atOnce = reports.map(
      ({ startedAtMs }) =>
        reports.filter((one) => one.startedAtMs <= startedAtMs && one.endedAtMs > startedAtMs).length,
    );
    expect(Math.max(...atOnce)).toBe(2);
  });

  it('does not start without the permissions that the poller needs', async () => {
    const resources = jobsStack(FAST_JOBS, PRINTING, {}, ['sqs:ReceiveMessage']);
    await expect(startStack(resources)).rejects.toThrow(
      /2 problems[\s\S]*sqs:DeleteMessage on resource: arn:aws:sqs:us-east-1:000000000000:jobs because[\s\S]*sqs:GetQueueAttributes/,
    );
  });

  it('does not start when the function may run longer than a message stays invisible', async () => {
    const resources = jobsStack({ QueueName: 'jobs', VisibilityTimeout: 29 }, PRINTING);
    await expect(startStack(resources)).rejects.toThrow(
      /visibility timeout \(29 s\) is less than the function's \(30 s\)/,
    );
  });

  it('does nothing while it is disabled, and goes on after SQS was out of reach', async () => {
    liveFaster(50);
    let down = true;
    const lines: string[] = [];
    const cloud = await startStack(jobsStack(FAST_JOBS, PRINTING), {
      faults: () => (down ? { kind: 'hang' } : null),
      onLog: ({ line }) => lines.push(line),
    });
    await cloud.queues.send('jobs', 'late');
    await until(() => lines.some((line) => line.includes('SQS ReceiveMessage cannot be reached')));
    expect(cloud.queues.depth('jobs').received).toBe(0);
    down = false;
    await until(() => cloud.queues.depth('jobs').deleted === 1);
    const idle = await startStack(jobsStack(FAST_JOBS, PRINTING, { Enabled: false }));
    await idle.queues.send('jobs', 'unread');
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(idle.queues.depth('jobs')).toMatchObject({ visible: 1, received: 0, emptyReceives: 0 });
  });
});
