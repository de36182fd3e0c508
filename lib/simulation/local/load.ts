/** The load of a local run: the busiest piece of a recorded trace, as times at which messages are sent. */
import { scaleTrace, type Trace } from '../../backtest/trace.ts';
import { AutoscalerError } from '../../errors.ts';
import type { Random } from '../random.ts';

/** When each message is sent, in seconds from the start of the load, ascending. */
export interface Load {
  readonly sendAtSeconds: readonly number[];
  readonly durationSeconds: number;
  /** Which part of the trace is played, for the first line of the run. */
  readonly piece: string;
}

/** What to take from a trace. */
export interface LoadOptions {
  readonly trace: Trace;
  /** Length of the piece, in seconds; at least one bin is played. */
  readonly pieceSeconds: number;
  /** Messages in the piece; the trace is scaled to it, keeping its shape. */
  readonly messages: number;
  readonly random: Random;
}

/**
 * The piece with the most arrivals, scaled to `messages`, each message at a random moment of its bin. Bins longer than
 * the piece are played in the piece's time, so that traces of five-minute bins have a shape too.
 *
 * @throws AutoscalerError for a trace without arrivals.
 */
export function loadOf({ trace, pieceSeconds, messages, random }: LoadOptions): Load {
  const binSeconds = Math.min(trace.binSeconds, 60);
  const bins = Math.min(trace.arrivals.length, Math.max(1, Math.round(pieceSeconds / binSeconds)));
  const first = busiestWindow(trace.arrivals, bins);
  const piece = trace.arrivals.slice(first, first + bins);
  const total = piece.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new AutoscalerError(`Trace "${trace.name}": nothing arrives in it, so there is no load`);
  const scaled = scaleTrace({ ...trace, arrivals: piece }, messages / total).arrivals;
  const sendAtSeconds = [...scaled].flatMap((count, bin) =>
    Array.from({ length: count }, () => (bin + random.next()) * binSeconds),
  );
  const minutes = Math.round((first * trace.binSeconds) / 60);
  return {
    sendAtSeconds: sendAtSeconds.toSorted((a, b) => a - b),
    durationSeconds: bins * binSeconds,
    piece: `${trace.name}, ${bins} bins from minute ${minutes}, scaled to ${sendAtSeconds.length} messages`,
  };
}

function busiestWindow(arrivals: Float64Array, bins: number): number {
  let sum = arrivals.slice(0, bins).reduce((total, count) => total + count, 0);
  let best = { first: 0, sum };
  for (let first = 1; first + bins <= arrivals.length; first += 1) {
    sum += (arrivals[first + bins - 1] ?? 0) - (arrivals[first - 1] ?? 0);
    if (sum > best.sum) best = { first, sum };
  }
  return best.first;
}
