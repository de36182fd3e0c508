/** Fetches the traffic that the options name: a file, a shape, or the recorded past of a queue. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { syntheticTrace } from '../backtest/shapes.ts';
import { leadingPart, parseTrace, type Trace, totalArrivals } from '../backtest/trace.ts';
import { AutoscalerError } from '../errors.ts';
import { createCloudWatch } from '../queue/cloudwatch.ts';
import { readSentHistory, type SentHistory } from '../queue/sent-history.ts';
import { awsConnection } from './connect.ts';
import type { TrafficOptions } from './traffic-options.ts';

/** A trace, and what a reader of the result must know about it. */
export interface Traffic {
  readonly trace: Trace;
  readonly notes: readonly string[];
}

const DAY_SECONDS = 86_400;
/** Twenty thousand points take CloudWatch longer than a reading of one minute. */
const HISTORY_LIMITS = { requestTimeoutSeconds: 20, callLimitSeconds: 60 };

/**
 * Reads or draws the traffic.
 *
 * @throws AutoscalerError when the file or the history cannot be read; InvalidInputError when its lines are wrong.
 */
export async function readTraffic(options: TrafficOptions, nowMs: number, signal: AbortSignal): Promise<Traffic> {
  const traffic = await fetchTraffic(options, nowMs, signal);
  if (totalArrivals(traffic.trace) > 0) return traffic;
  throw new AutoscalerError(`The traffic of "${traffic.trace.name}" holds no job in this time: nothing to replay.`);
}

async function fetchTraffic(options: TrafficOptions, nowMs: number, signal: AbortSignal): Promise<Traffic> {
  const { source, seeds } = options;
  if (source.kind === 'queue') return queueTraffic(source, nowMs, signal);
  if (source.kind === 'file') return fileTraffic(source);
  const { shape, days, busyWorkers } = source;
  const { jobSeconds, concurrency } = options.cell;
  const trace = syntheticTrace({
    shape,
    minutes: Math.max(1, Math.round(days * 1440)),
    meanPerMinute: (60 * busyWorkers * concurrency) / jobSeconds,
    seed: seeds[0] ?? 1,
  });
  return { trace, notes: [] };
}

async function fileTraffic({ path, days }: { readonly path: string; readonly days: number | null }): Promise<Traffic> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message;
    throw new AutoscalerError(`--arrivals ${path}: ${why}.`);
  });
  const trace = parseTrace(text, basename(path, '.csv'));
  return { trace: days === null ? trace : leadingPart(trace, days * DAY_SECONDS), notes: [] };
}

async function queueTraffic(
  source: { readonly queueName: string; readonly days: number; readonly region: string },
  nowMs: number,
  signal: AbortSignal,
): Promise<Traffic> {
  const { queueName, days, region } = source;
  const cloudwatch = createCloudWatch({ ...awsConnection(process.env, region), limits: HISTORY_LIMITS });
  try {
    const history = await readSentHistory(cloudwatch, { queueName, days, nowMs }, signal);
    const { binSeconds, startMs, sent } = history;
    const arrivals = Float64Array.from(sent);
    const trace: Trace = { name: queueName, binSeconds, startSeconds: startMs / 1000, arrivals };
    return { trace, notes: historyNotes(history, days) };
  } finally {
    cloudwatch.destroy();
  }
}

function historyNotes({ binSeconds, startMs, sent, asleepBins, filledBins }: SentHistory, days: number): string[] {
  const each = binSeconds === 60 ? 'minute' : `${binSeconds / 60} minutes`;
  const bins = binSeconds === 60 ? 'minutes' : `bins of ${binSeconds / 60} minutes`;
  const coveredDays = (sent.length * binSeconds) / DAY_SECONDS;
  const notes = [
    'Only the recorded counts of sent messages are replayed. The recorded depth is not: it was made by the workers you had ' +
      'then, and would teach any policy to repeat them.',
    `CloudWatch gave sent counts per ${each} from ${new Date(startMs).toISOString().slice(0, 16)}Z on.` +
      (binSeconds === 60 ? '' : ' Points per minute are kept for 15 days only; jobs are spread at random within each.'),
  ];
  if (coveredDays < days - 0.1)
    notes.push(`They cover ${coveredDays.toFixed(1)} of the ${days} days: before, there are none.`);
  if (asleepBins > 0) {
    notes.push(
      `${asleepBins} ${bins} without a point count as nothing sent: the queue had been empty and idle for six hours, and SQS ` +
        'publishes nothing for a sleeping queue. What was sent within the first 15 minutes after it woke may be missing.',
    );
  }
  if (filledBins > 0) {
    notes.push(
      `${filledBins} ${bins} without a point were filled with the mean of their neighbors: the queue was in use, so a ` +
        'missing point is not a zero.',
    );
  }
  return notes;
}
