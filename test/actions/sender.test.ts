import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeadLetter } from '../../lib/actions/dead-letter.ts';
import { parseActionRecord } from '../../lib/actions/record.ts';
import { createActionSender, RecordNotSentError } from '../../lib/actions/sender.ts';
import { createSqs, type Sqs } from '../../lib/queue/sqs.ts';
import { type AwsRequest, type AwsServer, ok, refusal, startAwsServer } from '../support/aws-server.ts';
import { localConnection, type SqsServer, startSqsServer } from '../support/sqs-server.ts';
import { actionRecord } from './action-record.ts';

/** The answer of SQS to a message that it stored. */
const stored = ({ body }: AwsRequest) =>
  ok({ MessageId: 'm1', MD5OfMessageBody: createHash('md5').update(String(body.MessageBody)).digest('hex') });

const signal = new AbortController().signal;
let server: SqsServer;
let troubled: AwsServer;
let sqs: Sqs;
let troubledSqs: Sqs;

beforeAll(async () => {
  [server, troubled] = await Promise.all([startSqsServer(), startAwsServer()]);
  sqs = createSqs(localConnection(server.endpoint));
  troubledSqs = createSqs({ ...localConnection(troubled.endpoint), limits: { maxAttempts: 1 } });
});
afterAll(async () => {
  sqs.destroy();
  troubledSqs.destroy();
  await Promise.all([server.stop(), troubled.stop()]);
});

describe('sending an action record', () => {
  it('stores it once, in the group of its target', async () => {
    const queueUrl = server.createQueue('records.fifo');
    const sender = createActionSender({ sendMessage: sqs.sendFifo, queueUrl });
    await sender.send(actionRecord(), signal);
    await sender.send(actionRecord(), signal);
    await sender.send(actionRecord({ actionId: 4712 }), signal);
    const messages = server.ready('records.fifo');
    expect(messages.map(({ body }) => parseActionRecord(body).actionId)).toEqual([4711, 4712]);
    expect(messages[0]).toMatchObject({
      groupId: 'mailer',
      deduplicationId: '5999b763474b0eafa5fafb64bff0ba80-4711',
    });
  });

  it('keeps trying through an outage', async () => {
    const outage = Array(5).fill(refusal(503, 'ServiceUnavailable'));
    troubled.play(...outage, 'reset', stored);
    const sendMessage = troubledSqs.sendFifo;
    const sender = createActionSender({ sendMessage, queueUrl: 'http://127.0.0.1/1/q', firstPauseMs: 1 });
    await sender.send(actionRecord(), signal);
    expect(troubled.requests).toHaveLength(7);
  });

  it('fails with the whole record when the time is up', async () => {
    const controller = new AbortController();
    troubled.play(refusal(400, 'AccessDenied', 'not allowed'), () => {
      setImmediate(() => controller.abort());
      return refusal(400, 'AccessDenied', 'not allowed');
    });
    const sendMessage = troubledSqs.sendFifo;
    const sender = createActionSender({ sendMessage, queueUrl: 'http://127.0.0.1/1/q', firstPauseMs: 50 });
    const error = await sender.send(actionRecord(), controller.signal).catch((caught: unknown) => caught);
    if (!(error instanceof RecordNotSentError)) throw error;
    expect(error.record).toEqual(actionRecord());
    const [, json = ''] = error.message.split('Record: ');
    expect(parseActionRecord(json)).toEqual(actionRecord());
    expect(error.message).toContain('accepted action 4711, but its record could not be stored (attempts: 2');
  });

  it('tries once when the time is up from the start', async () => {
    const sendMessage = troubledSqs.sendFifo;
    const sender = createActionSender({ sendMessage, queueUrl: 'http://127.0.0.1/1/q' });
    await expect(sender.send(actionRecord(), AbortSignal.abort())).rejects.toThrow('attempts: 1; last: SendMessage');
  });

  it('has a last attempt even when nothing ever stops it', async () => {
    let attempts = 0;
    const sendMessage = () => {
      attempts += 1;
      return Promise.reject('no');
    };
    const settings = { sendMessage, queueUrl: 'q', firstPauseMs: 0, maximumPauseMs: 0, maxAttempts: 9 };
    await expect(createActionSender(settings).send(actionRecord(), signal)).rejects.toThrow('attempts: 9; last: no');
    expect(attempts).toBe(9);
  });
});

describe('a message that is no record', () => {
  it('lies in the dead-letter queue with its reason, id and group, and only once', async () => {
    const queueUrl = server.createQueue('refused.fifo');
    const deadLetter = createDeadLetter({ sendMessage: sqs.sendFifo, queueUrl });
    const message = { messageId: 'id-1', groupId: 'mailer', body: 'hello\u00e9' };
    await deadLetter(message, 'action record: 1 problem\n  body: expected JSON', signal);
    await deadLetter(message, 'again', signal);
    expect(server.ready('refused.fifo')).toMatchObject([
      {
        body: 'hello\u00e9',
        groupId: 'mailer',
        deduplicationId: 'id-1',
        attributes: {
          reason: 'action record: 1 problem\n  body: expected JSON',
          originalMessageId: 'id-1',
          originalGroupId: 'mailer',
          originalBodyBytes: '7',
          bodyIsCut: 'false',
        },
      },
    ]);
  });

  it('is stored without a group, with control characters in the reason, and when too long', async () => {
    const queueUrl = server.createQueue('odd.fifo', { MaximumMessageSize: '262144' });
    const deadLetter = createDeadLetter({ sendMessage: sqs.sendFifo, queueUrl });
    const body = `x${'\u20ac'.repeat(87_000)}`;
    await deadLetter({ messageId: 'id-2', groupId: null, body }, `bad \u0000 ${'r'.repeat(5000)}`, signal);
    const [message] = server.ready('odd.fifo');
    expect(body.startsWith(message?.body ?? 'nothing')).toBe(true);
    expect(Buffer.byteLength(message?.body ?? '')).toBeGreaterThan(245_000);
    expect(message).toMatchObject({
      groupId: 'refused',
      attributes: { originalGroupId: '-', originalBodyBytes: '261001', bodyIsCut: 'true' },
    });
    expect(message?.attributes.reason).toMatch(/^bad \uFFFD r+$/);
  });

  it('is not lost when the dead-letter queue does not take it', async () => {
    const sendMessage = sqs.sendFifo;
    const deadLetter = createDeadLetter({ sendMessage, queueUrl: `${server.endpoint}/000000000000/gone.fifo` });
    await expect(deadLetter({ messageId: 'x', groupId: null, body: 'x' }, 'why', signal)).rejects.toThrow();
  });
});
