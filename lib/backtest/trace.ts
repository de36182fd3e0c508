/**
 * Backtest: how a policy would have done on given traffic, measured with the code that runs in production.
 *
 * This folder holds the traffic (trace, shapes, jobs), the simulated plant (plant and its parts), the policies that are
 * replayed on it, the score and the comparison. It reads no files, environment or clock: texts, seeds and hooks come as
 * arguments. Nothing here is deployed.
 *
 * This file: arrivals per bin of time, as recorded.
 */
import { InvalidInputError, type Problem } from '../errors.ts';
import type { Random } from '../simulation/random.ts';

/** Arrivals in bins of equal width, without gaps. */
export interface Trace {
  readonly name: string;
  readonly binSeconds: number;
  /** Start of the first bin as it was written: seconds since the epoch, or since the beginning of the series. */
  readonly startSeconds: number;
  /** Jobs that arrived in each bin, whole numbers. */
  readonly arrivals: Float64Array;
}

const TRACE_HEADER = 'timestamp_seconds,arrivals';

/** A year of minutes fits four times; more is a slip of the hand, or should be binned more coarsely. */
const MAX_BINS = 2_000_000;
const MAX_TEXT_LENGTH = 64 * 1024 * 1024;
const MAX_ARRIVALS_PER_BIN = 1_000_000_000;
const MAX_PROBLEMS = 20;
const MINUTE = 60;

/** Seconds that the trace covers. */
export function durationSeconds(trace: Trace): number {
  return trace.arrivals.length * trace.binSeconds;
}

/** Jobs in the whole trace. */
export function totalArrivals(trace: Trace): number {
  return trace.arrivals.reduce((sum, arrivals) => sum + arrivals, 0);
}

/**
 * Reads a trace in the form `timestamp_seconds,arrivals`: one line per bin, ascending, evenly spaced, empty bins as 0.
 *
 * @throws InvalidInputError naming each bad line (the first 20 of them), or that the file is too large or too short.
 */
export function parseTrace(text: string, name: string): Trace {
  const subject = `Trace "${name}"`;
  if (text.length > MAX_TEXT_LENGTH) {
    throw new InvalidInputError(subject, [{ field: 'size', message: `at most ${MAX_TEXT_LENGTH} characters` }]);
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const problems: Problem[] = [];
  const header = lines[0]?.trim() ?? '';
  if (header !== TRACE_HEADER) {
    problems.push({ field: 'line 1', message: `found "${shortened(header)}", expected "${TRACE_HEADER}"` });
  }
  const rows = lines.slice(1);
  if (rows.length < 2 || rows.length > MAX_BINS) {
    problems.push({ field: 'rows', message: `found ${rows.length}, expected 2 to ${MAX_BINS}` });
    throw new InvalidInputError(subject, problems);
  }
  const { times, arrivals } = readRows(rows, problems);
  const binSeconds = checkSpacing(times, problems);
  if (problems.length === 0 && arrivals.every((count) => count === 0)) {
    problems.push({ field: 'arrivals', message: 'all are 0, expected at least one job' });
  }
  if (problems.length > 0) throw new InvalidInputError(subject, firstOf(problems));
  return { name, binSeconds, startSeconds: times[0] ?? 0, arrivals };
}

/** Bad rows become NaN, so that the spacing check can step over them. */
function readRows(rows: readonly string[], problems: Problem[]): { times: Float64Array; arrivals: Float64Array } {
  const times = new Float64Array(rows.length).fill(Number.NaN);
  const arrivals = new Float64Array(rows.length);
  for (const [index, row] of rows.entries()) {
    const match = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*,\s*(\d{1,12})(?:\.0+)?\s*$/.exec(row);
    const count = Number(match?.[2]);
    if (match === null || count > MAX_ARRIVALS_PER_BIN) {
      const expected = `expected seconds, a comma and a whole number up to ${MAX_ARRIVALS_PER_BIN}`;
      problems.push({ field: `line ${index + 2}`, message: `found "${shortened(row)}", ${expected}` });
      continue;
    }
    times[index] = Number(match[1]);
    arrivals[index] = count;
  }
  return { times, arrivals };
}

/** @returns the width of a bin: the distance between the first two good rows in succession, which all others must keep. */
function checkSpacing(times: Float64Array, problems: Problem[]): number {
  let binSeconds = Number.NaN;
  for (let index = 1; index < times.length; index += 1) {
    const before = times[index - 1] as number;
    const found = times[index] as number;
    const step = found - before;
    if (Number.isNaN(step)) continue; // a bad row, reported already
    if (Number.isNaN(binSeconds)) binSeconds = step;
    const line = `line ${index + 2}`;
    if (step <= 0) problems.push({ field: line, message: `found time ${found}, expected one later than ${before}` });
    // Times have at most six decimals.
    else if (Math.abs(step - binSeconds) >= 1e-6) {
      const rule = `bins of ${binSeconds} s without gaps, empty ones as 0`;
      problems.push({ field: line, message: `found time ${found}, expected ${before + binSeconds} (${rule})` });
    }
  }
  return binSeconds;
}

function firstOf(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  const more = { field: 'and more', message: `${problems.length - MAX_PROBLEMS} further problems` };
  return [...problems.slice(0, MAX_PROBLEMS), more];
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** Multiplies the traffic, keeping whole jobs: what rounding leaves over is carried to the next bin (error diffusion). */
export function scaleTrace(trace: Trace, factor: number): Trace {
  let wanted = 0;
  let emitted = 0;
  const arrivals = trace.arrivals.map((count) => {
    wanted += count * factor;
    // Sums of many floats end a hair below the whole number that they stand for.
    const jobs = Math.floor(wanted + 1e-6) - emitted;
    emitted += jobs;
    return jobs;
  });
  return { ...trace, arrivals };
}

/** Scales the traffic so that `load` workers are busy on average with jobs of `jobSeconds`, `concurrency` at once. */
export function scaleToLoad(trace: Trace, load: number, jobSeconds: number, concurrency: number): Trace {
  const jobs = (load * concurrency * durationSeconds(trace)) / jobSeconds;
  return scaleTrace(trace, jobs / totalArrivals(trace));
}

/**
 * Bins wider than a minute are divided into minutes, each job falling into any of them with equal chance (a multinomial
 * draw): interpolated counts would be smoother than any real traffic.
 */
export function splitIntoMinutes(trace: Trace, random: Random): Trace {
  const minutes = trace.binSeconds / MINUTE;
  if (minutes <= 1 || !Number.isInteger(minutes)) return trace;
  const arrivals = new Float64Array(trace.arrivals.length * minutes);
  for (const [bin, count] of trace.arrivals.entries()) {
    for (let job = 0; job < count; job += 1) {
      const index = bin * minutes + Math.floor(random.next() * minutes);
      arrivals[index] = (arrivals[index] as number) + 1;
    }
  }
  return { ...trace, binSeconds: MINUTE, arrivals };
}

/** The first `seconds` of a trace, rounded down to whole bins, at least one bin. */
export function leadingPart(trace: Trace, seconds: number): Trace {
  return { ...trace, arrivals: trace.arrivals.subarray(0, Math.max(1, Math.floor(seconds / trace.binSeconds))) };
}

/** Jobs of the busiest minute, for bins of a minute or less; wider bins count with their mean minute. */
export function peakMinuteArrivals({ binSeconds, arrivals }: Trace): number {
  const perMinute = Math.max(1, Math.round(MINUTE / binSeconds));
  const share = Math.min(1, MINUTE / binSeconds);
  let peak = 0;
  for (let first = 0; first < arrivals.length; first += perMinute) {
    let sum = 0;
    for (let index = first; index < Math.min(first + perMinute, arrivals.length); index += 1) {
      sum += (arrivals[index] as number) * share;
    }
    peak = Math.max(peak, sum);
  }
  return peak;
}
