/**
 * The workers that the autoscaler scales: each one really receives messages from the queue, keeps them for the time of a
 * job, and deletes them. A worker that is stopped finishes its job first, as a graceful stop lets it.
 */
import type { LocalQueues } from '../aws/sqs.ts';
import type { Random } from '../random.ts';

/** How the workers work. */
export interface ConsumersOptions {
  readonly queues: Pick<LocalQueues, 'receive' | 'delete'>;
  readonly queueName: string;
  readonly jobSeconds: number;
  readonly random: Random;
  readonly nowMs: () => number;
}

/** A crew of workers, and what it has done so far. */
export interface Consumers {
  /** Starts or stops workers until this many run. */
  setCount(count: number): void;
  /** Wait of each job from being sent to being received, in seconds, in the order of receipt. */
  readonly waitSeconds: readonly number[];
  /** Jobs that were finished and deleted. */
  done(): number;
  /** Paid time of all workers so far, in seconds, those that finish their last job included. */
  workerSeconds(): number;
  /** Stops all workers; resolves when the last has left. Rejects with the first error a worker met. */
  close(): Promise<void>;
}

/** Long polling, as consumers of SQS should do; also the time after which a stopped idle worker is gone. */
const RECEIVE_WAIT_SECONDS = 5;

/** Starts with no worker. */
export function startConsumers(options: ConsumersOptions): Consumers {
  const { queues, queueName, nowMs } = options;
  const waitSeconds: number[] = [];
  const working = new Set<Promise<void>>();
  const errors: unknown[] = [];
  let wanted = 0;
  let running = 0;
  let done = 0;
  const paid = { seconds: 0, sinceMs: nowMs() };

  const bookTime = () => {
    const atMs = nowMs();
    paid.seconds += (working.size * (atMs - paid.sinceMs)) / 1000;
    paid.sinceMs = atMs;
  };

  /** Asked before each job; answering "leave" books the worker out at once, so that no two leave for one place. */
  const mayStay = () => {
    if (running <= wanted) return true;
    running -= 1;
    return false;
  };

  const work = async (random: Random) => {
    while (mayStay()) {
      const messages = await queues.receive(queueName, { max: 1, waitSeconds: RECEIVE_WAIT_SECONDS });
      for (const { receiptHandle, attributes } of messages) {
        waitSeconds.push((nowMs() - Number(attributes['SentTimestamp'])) / 1000);
        await sleepSeconds(random.lognormal(options.jobSeconds, 1));
        await queues.delete(queueName, receiptHandle);
        done += 1;
      }
    }
  };

  const hire = (name: number) => {
    bookTime();
    running += 1;
    const life = work(options.random.fork(`worker/${name}`))
      .catch((error: unknown) => {
        errors.push(error);
        running -= 1;
      })
      .then(() => {
        bookTime();
        working.delete(life);
      });
    working.add(life);
  };

  let hired = 0;
  return {
    setCount(count) {
      wanted = count;
      while (running < wanted) hire(hired++);
    },
    waitSeconds,
    done: () => done,
    workerSeconds() {
      bookTime();
      return paid.seconds;
    },
    async close() {
      wanted = 0;
      await Promise.all(working);
      if (errors.length > 0) throw errors[0];
    },
  };
}

async function sleepSeconds(seconds: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
  });
}
