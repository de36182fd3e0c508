/** How counts are told in the sentences of decisions and outcomes. */

/** A count of workers with the form of the verb that fits it: `1 worker is`, `2 workers are`. */
export function workersThat(count: number, one: string, many: string): string {
  return count === 1 ? `1 worker ${one}` : `${count} workers ${many}`;
}
