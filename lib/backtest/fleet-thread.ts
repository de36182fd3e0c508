/** A thread of the fleet: policies are functions and cannot be sent, so it finds them by name in its own registry. */
import { parentPort } from 'node:worker_threads';
import { REPLAY_POLICIES } from './contenders.ts';
import { flyOrder, type ThreadOrder, type ThreadReport } from './fleet.ts';

const port = parentPort;
if (port === null) throw new Error('fleet-thread.ts runs as a worker thread only.');

const say = (report: ThreadReport): void => port.postMessage(report);

port.on('message', (order: ThreadOrder) => {
  flyOrder(order, REPLAY_POLICIES, () => say({ kind: 'flown' })).then(
    (outcomes) => say({ kind: 'done', outcomes }),
    // Thrown outside the promise, so that it reaches the other side as the thread's `error` event.
    (error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
  );
});
