/** A thread that lives through one seed after the other: a run replaces the clock and the timers of its whole thread. */
import { parentPort } from 'node:worker_threads';
import { runSeed } from './run.ts';

const port = parentPort;
if (port === null) throw new Error('thread.ts runs as a worker thread only.');

port.on('message', (seed: number) => {
  runSeed(seed).then(
    (result) => port.postMessage(result),
    // Thrown outside the promise, so that it reaches the other side as the thread's `error` event.
    (error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
  );
});
