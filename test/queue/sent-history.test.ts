import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCloudWatch } from '../../lib/queue/cloudwatch.ts';
import { readSentHistory } from '../../lib/queue/sent-history.ts';
import { type CloudWatchServer, startCloudWatchServer } from '../../lib/simulation/cloudwatch/server.ts';
import { createWorld, MINUTE_MS, START_MS, type World } from '../simulation/cloudwatch/fixture.ts';
import { minutes, type QueueMinute, recordQueue } from '../support/recorded-queue.ts';
import { localConnection } from '../support/sqs-server.ts';

const HOUR = 60;
const LAG_MS = 3 * MINUTE_MS;
const BUSY = { sent: 10, depth: 4 };
const IDLE = { sent: 0, depth: 0 };
const signal = new AbortController().signal;

let world: World;
let server: CloudWatchServer;
let cloudwatch: ReturnType<typeof createCloudWatch>;

beforeEach(async () => {
  world = createWorld();
  server = await startCloudWatchServer(world);
  cloudwatch = createCloudWatch(localConnection(server.url));
});
afterEach(async () => {
  cloudwatch.destroy();
  await server.close();
});

const read = (days: number, queueName = 'jobs') =>
  readSentHistory(cloudwatch, { queueName, days, nowMs: START_MS }, signal);
const record = (...parts: readonly (readonly QueueMinute[])[]) =>
  recordQueue(world.store, 'jobs', START_MS - LAG_MS, parts.flat());

describe('the sent counts of a queue', () => {
  it('are read per minute, from the first point to the last complete one', async () => {
    record(minutes(30, BUSY), minutes(30, { sent: 25, depth: 900 }));
    const history = await read(1);
    expect(history).toMatchObject({ binSeconds: 60, asleepBins: 0, filledBins: 0 });
    expect(history.startMs).toBe(START_MS - LAG_MS - 60 * MINUTE_MS);
    expect(history.sent).toEqual([...Array(30).fill(10), ...Array(30).fill(25)]);
  });

  it('are zero where the queue had been idle for six hours and SQS stopped publishing', async () => {
    record(minutes(HOUR, BUSY), minutes(6 * HOUR, IDLE), minutes(100, null), minutes(HOUR, BUSY));
    const history = await read(1);
    expect(history).toMatchObject({ asleepBins: 100, filledBins: 0 });
    expect(history.sent.slice(HOUR, 7 * HOUR + 100).every((count) => count === 0)).toBe(true);
  });

  it.each<[string, QueueMinute]>([
    ['was sent', { sent: 1, depth: 0 }],
    ['waited', { sent: 0, depth: 1 }],
  ])('are not zero where a point is missing and something %s within the six hours before', async (_name, minute) => {
    record(minutes(HOUR, BUSY), minutes(5 * HOUR, IDLE), [minute], minutes(55, IDLE), [null], minutes(HOUR, BUSY));
    const history = await read(1);
    expect(history).toMatchObject({ asleepBins: 0, filledBins: 1 });
    expect(history.sent[7 * HOUR - 4]).toBe(5);
  });

  it('are read per five minutes beyond 15 days', async () => {
    record(minutes(12 * HOUR, BUSY));
    const history = await read(20);
    expect(history.binSeconds).toBe(300);
    expect(history.startMs % 300_000).toBe(0);
    expect(history.sent.slice(1, -1).every((count) => count === 50)).toBe(true);
  });

  it('name the queue that has none', async () => {
    await expect(read(1, 'other')).rejects.toThrow('NumberOfMessagesSent of queue other');
  });

  it('are refused when more than a fifth of them would be invented', async () => {
    record(minutes(HOUR, BUSY), minutes(HOUR, null), minutes(HOUR, BUSY));
    await expect(read(1)).rejects.toThrow('33 % of the points of queue jobs are missing');
  });

  it('say what CloudWatch said when it fails', async () => {
    await server.close();
    const limits = { maxAttempts: 1, requestTimeoutSeconds: 1, callLimitSeconds: 2 };
    const cut = createCloudWatch({ ...localConnection(server.url), limits });
    await expect(readSentHistory(cut, { queueName: 'jobs', days: 1, nowMs: START_MS }, signal)).rejects.toThrow(
      'GetMetricData',
    );
    cut.destroy();
    server = await startCloudWatchServer(world);
  });
});
