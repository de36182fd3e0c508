import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLocalQueues, type LocalQueues } from '../../../lib/simulation/aws/sqs.ts';
import { type Consumers, startConsumers } from '../../../lib/simulation/local/consumers.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { installScaledTime, type ScaledTime, wall } from '../../../lib/simulation/time.ts';

const QUEUE = 'jobs';
const PLACE = {
  stackName: 'local',
  accountId: '000000000000',
  region: 'us-east-1',
  partition: 'aws',
  endpoint: 'http://127.0.0.1:1',
};

let time: ScaledTime;
let queues: LocalQueues;
let crew: Consumers;

beforeAll(() => {
  const nowMs = Date.now();
  time = installScaledTime({ speed: 50, originRealMs: nowMs, originMs: nowMs });
});
afterAll(() => time.uninstall());
beforeEach(async () => {
  queues = await createLocalQueues(PLACE);
  await queues.create(QUEUE, { VisibilityTimeout: '300' });
  crew = crewOf(queues);
});
afterEach(async () => {
  await crew.close();
  await queues.close();
});

function crewOf(from: Pick<LocalQueues, 'receive' | 'delete'>): Consumers {
  return startConsumers({
    queues: from,
    queueName: QUEUE,
    jobSeconds: 2,
    random: createRandom(1),
    nowMs: () => Date.now(),
  });
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise<void>((resolve) => {
      wall.after(5, resolve);
    });
  }
}

async function send(count: number): Promise<void> {
  for (let job = 0; job < count; job += 1) await queues.send(QUEUE, `${job}`);
}

describe('workers', () => {
  it('receive messages, keep them for the time of a job, and delete them', async () => {
    await send(6);
    crew.setCount(2);
    await until(() => queues.depth(QUEUE).inFlight === 2);
    await until(() => crew.done() === 6);
    expect(queues.depth(QUEUE)).toMatchObject({ visible: 0, inFlight: 0, deleted: 6 });
    expect(crew.waitSeconds).toHaveLength(6);
    for (const seconds of crew.waitSeconds) expect(seconds).toBeGreaterThanOrEqual(0);
    expect(crew.workerSeconds()).toBeGreaterThan(0);
  });

  it('are never more than wanted', async () => {
    await send(8);
    crew.setCount(4);
    await until(() => queues.depth(QUEUE).inFlight === 4);
    crew.setCount(1);
    await until(() => crew.done() === 4);
    await until(() => queues.depth(QUEUE).inFlight === 1);
    expect(queues.depth(QUEUE).visible).toBeGreaterThan(0);
  });

  it('that are stopped finish their job first, and lose none', async () => {
    await send(3);
    crew.setCount(3);
    await until(() => queues.depth(QUEUE).inFlight === 3);
    await crew.close();
    expect(crew.done()).toBe(3);
    expect(queues.bodies(QUEUE)).toEqual([]);
  });

  it('cost nothing while there are none', async () => {
    await send(1);
    await until(() => queues.depth(QUEUE).visible === 1);
    expect(crew.workerSeconds()).toBe(0);
    expect(crew.done()).toBe(0);
  });

  it('that meet an error tell it at the end', async () => {
    const broken = crewOf({ ...queues, receive: () => Promise.reject(new Error('no such queue')) });
    broken.setCount(2);
    await expect(broken.close()).rejects.toThrow('no such queue');
  });
});
