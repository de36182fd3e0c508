import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  durationSeconds,
  leadingPart,
  parseTrace,
  peakMinuteArrivals,
  scaleToLoad,
  scaleTrace,
  splitIntoMinutes,
  type Trace,
  totalArrivals,
} from '../../lib/backtest/trace.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const csv = (...rows: string[]) => ['timestamp_seconds,arrivals', ...rows].join('\n');
const traceOf = (arrivals: readonly number[], binSeconds = 60): Trace => ({
  name: 't',
  binSeconds,
  startSeconds: 0,
  arrivals: Float64Array.from(arrivals),
});

describe('parseTrace', () => {
  it('reads bins of any size, with or without a trailing line end, CRLF or a byte order mark', () => {
    const expected = { name: 't', binSeconds: 300, startSeconds: 600, arrivals: Float64Array.from([3, 0, 2]) };
    expect(parseTrace(csv('600,3', '900,0', '1200,2'), 't')).toEqual(expected);
    expect(parseTrace(`\uFEFF${csv('600, 3', '900,0.0', '1200,2', '').replaceAll('\n', '\r\n')}`, 't')).toEqual(
      expected,
    );
    expect(parseTrace(csv('0,1', '0.5,1', '1,1'), 't').binSeconds).toBe(0.5);
  });

  it('names every bad line at once', () => {
    const text = csv('0,1', '60,-2', 'abc', '180,1.5', '240,2', '300,1', '420,1').replace('arrivals', 'count');
    expect(() => parseTrace(text, 'mine.csv')).toThrow(
      [
        'Trace "mine.csv": 5 problems',
        '  line 1: found "timestamp_seconds,count", expected "timestamp_seconds,arrivals"',
        '  line 3: found "60,-2", expected seconds, a comma and a whole number up to 1000000000',
        '  line 4: found "abc", expected seconds, a comma and a whole number up to 1000000000',
        '  line 5: found "180,1.5", expected seconds, a comma and a whole number up to 1000000000',
        '  line 8: found time 420, expected 360 (bins of 60 s without gaps, empty ones as 0)',
      ].join('\n'),
    );
  });

  it('names gaps and times that go back', () => {
    expect(() => parseTrace(csv('0,1', '60,1', '180,1', '240,1', '180,1'), 't')).toThrow(
      [
        'Trace "t": 2 problems',
        '  line 4: found time 180, expected 120 (bins of 60 s without gaps, empty ones as 0)',
        '  line 6: found time 180, expected one later than 240',
      ].join('\n'),
    );
    expect(() => parseTrace(csv('60,1', '60,1'), 't')).toThrow('line 3: found time 60, expected one later than 60');
  });

  it('lists the first twenty problems and counts the others', () => {
    const text = csv('0,1', '60,1', ...Array.from({ length: 30 }, () => 'x'.repeat(100)));
    expect(() => parseTrace(text, 't')).toThrow('and more: 10 further problems');
    expect(() => parseTrace(text, 't')).toThrow(`found "${'x'.repeat(60)}…"`);
  });

  it('refuses too few rows, too much text and traffic without a job', () => {
    expect(() => parseTrace(csv('0,1'), 't')).toThrow('rows: found 1, expected 2 to 2000000');
    expect(() => parseTrace(csv('0,0', '60,0'), 't')).toThrow('all are 0, expected at least one job');
    expect(() => parseTrace(' '.repeat(64 * 1024 * 1024 + 1), 't')).toThrow('at most 67108864 characters');
  });

  const folder = join(import.meta.dirname, '../fixtures/traces');
  it.each(readdirSync(folder).filter((name) => name.endsWith('.csv')))('reads the shipped trace %s', (name) => {
    const trace = parseTrace(readFileSync(join(folder, name), 'utf8'), name);
    const seconds = { '1s.csv': 1, '1m.csv': 60, '5m.csv': 300 }[name.slice(-6)];
    expect(trace.binSeconds).toBe(seconds);
  });
});

describe('scaling', () => {
  it('keeps whole jobs and loses at most one over the whole trace', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0.001, max: 50, noNaN: true }),
        (arrivals, factor) => {
          const scaled = scaleTrace(traceOf(arrivals), factor);
          expect(scaled.arrivals.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
          const wanted = arrivals.reduce((sum, count) => sum + count, 0) * factor;
          expect(Math.abs(totalArrivals(scaled) - wanted)).toBeLessThan(1 + 1e-5);
        },
      ),
    );
  });

  it('carries what rounding leaves over to the next bin', () => {
    expect([...scaleTrace(traceOf([1, 1, 1, 1, 0, 3]), 0.5).arrivals]).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it('brings the mean number of busy workers to the load', () => {
    const trace = scaleToLoad(traceOf([10, 30, 20]), 4, 6, 2);
    expect((totalArrivals(trace) * 6) / (2 * durationSeconds(trace))).toBeCloseTo(4, 10);
  });
});

describe('bins', () => {
  it('splits wide bins into minutes by chance, not by interpolation, and keeps their sums', () => {
    const trace = traceOf([1000, 0, 50], 300);
    const split = splitIntoMinutes(trace, createRandom(1));
    expect(split).toMatchObject({ binSeconds: 60, name: 't' });
    const sums = [0, 1, 2].map((bin) =>
      totalArrivals({ ...split, arrivals: split.arrivals.subarray(5 * bin, 5 * bin + 5) }),
    );
    expect(sums).toEqual([1000, 0, 50]);
    const firstBin = [...split.arrivals.subarray(0, 5)];
    expect(new Set(firstBin).size).toBeGreaterThan(1);
    expect(firstBin.every((count) => count > 140 && count < 260)).toBe(true);
  });

  it('leaves bins of a minute or less, and those that are no whole minutes, as they are', () => {
    for (const binSeconds of [1, 60, 90]) {
      const trace = traceOf([1, 2], binSeconds);
      expect(splitIntoMinutes(trace, createRandom(1))).toBe(trace);
    }
  });

  it('finds the busiest minute', () => {
    expect(peakMinuteArrivals(traceOf([3, 9, 2]))).toBe(9);
    expect(
      peakMinuteArrivals(
        traceOf(
          new Array(180).fill(0).map((_, second) => (second < 60 ? 1 : 2)),
          1,
        ),
      ),
    ).toBe(120);
    expect(peakMinuteArrivals(traceOf([30, 10], 90))).toBe(20);
  });

  it('takes the leading part', () => {
    expect([...leadingPart(traceOf([1, 2, 3]), 150).arrivals]).toEqual([1, 2]);
    expect([...leadingPart(traceOf([1, 2, 3]), 1).arrivals]).toEqual([1]);
  });
});
