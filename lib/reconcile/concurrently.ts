/** Side by side, within a limit. */

/** Stacks that are looked at side by side: enough to hide latency, few enough to be polite to the API. */
const CONCURRENT_STACKS = 8;

/** Does the work for every item, in their order, some at a time. */
export async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_STACKS, items.length) }, worker));
}
