import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadOf } from '../../../lib/simulation/local/load.ts';
import { createRandom } from '../../../lib/simulation/random.ts';

const traceOf = (arrivals: readonly number[], binSeconds = 60) => ({
  name: 't',
  binSeconds,
  startSeconds: 0,
  arrivals: Float64Array.from(arrivals),
});
const load = (arrivals: readonly number[], binSeconds = 60, pieceSeconds = 120, messages = 100) =>
  loadOf({ trace: traceOf(arrivals, binSeconds), pieceSeconds, messages, random: createRandom(1) });

describe('the load of a run', () => {
  it('is the busiest piece of the trace, scaled, with its shape', () => {
    const { sendAtSeconds, durationSeconds, piece } = load([9, 0, 10, 30, 0, 35]);
    expect(durationSeconds).toBe(120);
    expect(piece).toContain('2 bins from minute 2');
    expect(sendAtSeconds).toHaveLength(100);
    expect(sendAtSeconds.filter((at) => at < 60)).toHaveLength(25);
  });

  it('plays bins longer than a minute in a minute, so that a piece of them has a shape, too', () => {
    const { durationSeconds, piece } = load([0, 0, 1, 3], 300);
    expect(durationSeconds).toBe(120);
    expect(piece).toContain('2 bins from minute 10');
  });

  it('is the whole trace where that is shorter than the piece', () => {
    expect(load([5], 10)).toMatchObject({ durationSeconds: 10 });
  });

  it('is refused for a trace in which nothing arrives', () => {
    expect(() => load([0, 0, 0])).toThrow('Trace "t": nothing arrives in it');
  });

  it('never sends before the start, after the end, or out of order; the same seed sends the same', () => {
    const arrivals = fc.array(fc.nat(50), { minLength: 1, maxLength: 30 }).filter((bins) => bins.some((n) => n > 0));
    fc.assert(
      fc.property(
        arrivals,
        fc.constantFrom(1, 60, 300),
        fc.integer({ min: 1, max: 600 }),
        (bins, binSeconds, piece) => {
          const { sendAtSeconds, durationSeconds } = load(bins, binSeconds, piece);
          expect(sendAtSeconds).toEqual([...sendAtSeconds].sort((a, b) => a - b));
          for (const at of sendAtSeconds) expect(at >= 0 && at < durationSeconds).toBe(true);
          expect(load(bins, binSeconds, piece).sendAtSeconds).toEqual(sendAtSeconds);
        },
      ),
      { numRuns: 50 },
    );
  });
});
