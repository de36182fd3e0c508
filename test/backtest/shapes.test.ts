import { describe, expect, it } from 'vitest';
import { SHAPE_NAMES, type ShapeName, syntheticTrace } from '../../lib/backtest/shapes.ts';
import { totalArrivals } from '../../lib/backtest/trace.ts';

const draw = (shape: ShapeName, meanPerMinute = 50, minutes = 1440, seed = 1) =>
  syntheticTrace({ shape, minutes, meanPerMinute, seed });

describe('synthetic shapes', () => {
  it.each(SHAPE_NAMES)('%s has the mean that was asked for and repeats from its seed', (shape) => {
    const trace = draw(shape);
    expect(totalArrivals(trace) / 1440 / 50).toBeGreaterThan(0.97);
    expect(totalArrivals(trace) / 1440 / 50).toBeLessThan(1.03);
    expect(draw(shape)).toEqual(trace);
    expect(draw(shape, 50, 1440, 2)).not.toEqual(trace);
  });

  const meanOf = (shape: ShapeName, from: number, to: number) => {
    const part = draw(shape).arrivals.subarray(from, to);
    return part.reduce((sum, count) => sum + count, 0) / part.length;
  };

  it.each<[ShapeName, string, number, number]>([
    ['step', 'goes up four times', meanOf('step', 600, 1440) / meanOf('step', 0, 400), 4],
    ['ramp', 'ends about eight times as high', meanOf('ramp', 1380, 1440) / meanOf('ramp', 0, 60), 6.4],
    ['spike', 'is 20 times as high in a spike', meanOf('spike', 720, 725) / meanOf('spike', 0, 300), 20],
    ['sine', 'is 19 times as high at noon as at midnight', meanOf('sine', 700, 740) / meanOf('sine', 0, 20), 18],
    ['flash', 'is 15 times as high at its height', meanOf('flash', 585, 590) / meanOf('flash', 0, 500), 15],
    ['sawtooth', 'rises within the hour', meanOf('sawtooth', 54, 60) / meanOf('sawtooth', 60, 66), 7],
    ['bursts', 'is on for a third of the time', meanOf('bursts', 0, 10) / meanOf('bursts', 0, 1440), 3],
    [
      'cron-batch',
      'comes all in one minute of thirty',
      meanOf('cron-batch', 30, 31) / meanOf('cron-batch', 0, 1440),
      30,
    ],
    ['outage-dump', 'delivers what was held back', meanOf('outage-dump', 696, 701) / meanOf('outage-dump', 0, 500), 25],
    ['trickle', 'stays as it is', meanOf('trickle', 720, 1440) / meanOf('trickle', 0, 720), 1],
  ])('%s %s', (_shape, _what, found, expected) => {
    expect(found / expected).toBeGreaterThan(0.8);
    expect(found / expected).toBeLessThan(1.25);
  });

  it('scatters counts as Poisson does', () => {
    const { arrivals } = draw('trickle', 700);
    const mean = totalArrivals(draw('trickle', 700)) / arrivals.length;
    const variance = arrivals.reduce((sum, count) => sum + (count - mean) ** 2, 0) / arrivals.length;
    expect(variance / mean).toBeGreaterThan(0.85);
    expect(variance / mean).toBeLessThan(1.15);
  });

  it('refuses lengths and rates out of range', () => {
    expect(() => draw('step', 0)).toThrow('0 jobs per minute: expected a number above 0');
    expect(() => draw('step', 1, 0)).toThrow('0 minutes: expected a whole number from 1 to 525600');
  });
});
