/** Metrics of a queue in the local CloudWatch, as SQS would have published them. */
import { type MetricStore, sampleOf } from '../../lib/simulation/cloudwatch/store.ts';

const MINUTE_MS = 60_000;

/** Sent count and depth of a minute; null = SQS published nothing. */
export type QueueMinute = { readonly sent: number; readonly depth: number } | null;

/** Writes one minute after another, the last of them ending at `endMs`. */
export function recordQueue(
  store: MetricStore,
  queueName: string,
  endMs: number,
  minutes: readonly QueueMinute[],
): void {
  const startMs = Math.floor(endMs / MINUTE_MS - minutes.length) * MINUTE_MS;
  for (const [index, minute] of minutes.entries()) {
    if (minute === null) continue;
    const atMs = startMs + index * MINUTE_MS;
    const add = (name: string, value: number): void =>
      store.add(
        { namespace: 'AWS/SQS', name, dimensions: { QueueName: queueName } },
        sampleOf(value, atMs, atMs, 'Count'),
      );
    add('NumberOfMessagesSent', minute.sent);
    add('ApproximateNumberOfMessagesVisible', minute.depth);
  }
}

/** The same minute many times. */
export function minutes(count: number, minute: QueueMinute): readonly QueueMinute[] {
  return Array.from({ length: count }, () => minute);
}
