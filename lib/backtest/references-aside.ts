/** The bounds of a backtest, computed beside its flights instead of after them. */
import { Worker } from 'node:worker_threads';
import type { CellOptions } from './cell.ts';
import type { ReferenceSolver } from './run.ts';

type Solved = Awaited<ReturnType<ReferenceSolver>>;

const NOT_SOLVED: Solved = { lpBound: null, oraclePlan: null };

/**
 * A solver in a thread of its own. It begins with the first seed at once, and with the next one when the last is asked
 * for, so one seed at a time is in work. When aborted, what is not solved stays null.
 */
export function referencesAside(
  cell: Omit<CellOptions, 'seed'>,
  seeds: readonly number[],
  signal: AbortSignal,
): ReferenceSolver {
  const started = new Map<number, Promise<Solved>>();
  const start = (seed: number | undefined): Promise<Solved> => {
    if (seed === undefined) return Promise.resolve(NOT_SOLVED);
    const solved = started.get(seed) ?? solveInThread({ ...cell, seed }, signal);
    started.set(seed, solved);
    // It may fail before anybody waits for it; whoever does is told then.
    solved.catch(() => {});
    return solved;
  };
  void start(seeds[0]);
  return async ({ options: { seed } }) => {
    const solved = await start(seed);
    void start(seeds[seeds.indexOf(seed) + 1]);
    return solved;
  };
}

function solveInThread(options: CellOptions, signal: AbortSignal): Promise<Solved> {
  if (signal.aborted) return Promise.resolve(NOT_SOLVED);
  return new Promise<Solved>((resolve, reject) => {
    const thread = new Worker(new URL('./reference-thread.ts', import.meta.url));
    const stop = (): void => {
      resolve(NOT_SOLVED);
      void thread.terminate();
    };
    signal.addEventListener('abort', stop, { once: true });
    const ended = (): void => signal.removeEventListener('abort', stop);
    thread.once('error', (error) => {
      ended();
      reject(error);
    });
    thread.once('message', (solved: Solved) => {
      ended();
      resolve(solved);
      void thread.terminate();
    });
    thread.postMessage(options);
  });
}
