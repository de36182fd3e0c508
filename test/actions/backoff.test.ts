import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAgainSeconds } from '../../lib/actions/backoff.ts';

describe('the pause before the next look', () => {
  it('grows from 15 seconds to 20', () => {
    expect([1, 2, 3, 40, 1000].map((looks) => lookAgainSeconds(looks))).toEqual([15, 20, 20, 20, 20]);
  });

  it('leaves room for more than 40 looks within an hour', () => {
    const looks = Array.from({ length: 45 }, (_, index) => lookAgainSeconds(index + 1));
    expect(looks.reduce((sum, seconds) => sum + seconds)).toBeLessThan(3600);
  });

  it('is a whole number that never shrinks and that SQS accepts, whatever the limits', () => {
    const limits = fc.record({
      firstSeconds: fc.double({ min: 0, max: 1000, noNaN: true }),
      growth: fc.double({ min: 1, max: 10, noNaN: true }),
      maximumSeconds: fc.integer({ min: 0, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(limits, fc.integer({ min: -1, max: 5000 }), (chosen, looks) => {
        const seconds = lookAgainSeconds(looks, chosen);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(0);
        expect(seconds).toBeLessThanOrEqual(Math.min(43_200, chosen.maximumSeconds));
        expect(lookAgainSeconds(looks + 1, chosen)).toBeGreaterThanOrEqual(seconds);
      }),
    );
  });
});
