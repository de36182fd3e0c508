/** Strategy `backlog`: as many workers as the backlog divided by what one worker may have waiting or in hand. */

/** @returns the exact, unrounded number of workers for `backlog` messages at `backlogPerWorker` (> 0) each. */
export function workersForBacklog(backlog: number, backlogPerWorker: number): number {
  return backlog / backlogPerWorker;
}
