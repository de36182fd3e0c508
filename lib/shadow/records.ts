/**
 * The records that a dry run leaves in its log, read back. This folder compares what would have been with what was; it knows
 * neither the log's place nor the terminal.
 */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.finite(), v.minValue(0));
const record = v.object({
  event: v.literal('shadow'),
  timestamp: v.pipe(
    v.string(),
    v.transform((text) => Date.parse(text)),
    v.number(),
    v.finite(),
  ),
  targetId: v.string(),
  virtualCount: count,
  actualCount: count,
  visible: count,
  inFlight: count,
  jobSeconds: v.nullable(v.pipe(v.number(), v.finite(), v.gtValue(0))),
  jobsPerWorker: v.pipe(count, v.minValue(1)),
  ordered: v.nullable(count),
});

/** One look of a dry run at one target. `timestamp` is in milliseconds. */
export type ShadowRecord = v.InferOutput<typeof record>;

/** What a log holds. */
export interface ShadowLog {
  /** By target id, oldest first. */
  readonly targets: ReadonlyMap<string, readonly ShadowRecord[]>;
  /** Lines that call themselves shadow records and are none. */
  readonly unreadable: number;
}

/** Finds the records among other lines, which may stand behind a time and the name of a log stream. */
export function parseShadowLog(lines: Iterable<string>): ShadowLog {
  const records: ShadowRecord[] = [];
  let unreadable = 0;
  for (const line of lines) {
    if (!line.includes('"event":"shadow"')) continue;
    const parsed = v.safeParse(record, jsonIn(line));
    if (parsed.success) records.push(parsed.output);
    else unreadable += 1;
  }
  const sorted = records.toSorted((a, b) => a.timestamp - b.timestamp);
  return { targets: Map.groupBy(sorted, ({ targetId }) => targetId), unreadable };
}

function jsonIn(line: string): unknown {
  try {
    return JSON.parse(line.slice(line.indexOf('{')));
  } catch {
    return null;
  }
}
