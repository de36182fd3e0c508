/** A thread that computes the bounds of one cell: the solver does not let go of its thread until it is done. */
import { parentPort } from 'node:worker_threads';
import { referenceSolver } from './bounds/references.ts';
import { buildCell, type CellOptions } from './cell.ts';

const port = parentPort;
if (port === null) throw new Error('reference-thread.ts runs as a worker thread only.');

port.once('message', (options: CellOptions) => {
  referenceSolver()(buildCell(options)).then(
    (references) => port.postMessage(references),
    // Thrown outside the promise, so that it reaches the other side as the thread's `error` event.
    (error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
  );
});
