import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Minutes, ShownColumn } from '../../lib/backtest/minutes.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const MINUTES = 200;

/** Every minute is written at its end, with its number and a half, which no other has. */
function writeUntil(minutes: Minutes, nowSeconds: number): void {
  while (minutes.count < MINUTES && (minutes.count + 1) * 60 <= nowSeconds) {
    const value = minutes.count + 0.5;
    const rest = { visible: 0, inFlight: 0, inFlightMean: 0, deleted: 0, oldestAgeSeconds: 0, runningWorkers: 0 };
    minutes.write({ sent: value, ...rest });
  }
}

describe('a column as CloudWatch shows it', () => {
  it('is at any time and over any window what each of its minutes is, late and missing ones included', () => {
    const look = fc.record({
      afterSeconds: fc.nat(900),
      back: fc.nat(MINUTES),
      length: fc.nat(MINUTES),
    });
    fc.assert(
      fc.property(fc.nat(), fc.array(look, { minLength: 1, maxLength: 40 }), (seed, looks) => {
        const settings = { lagMinSeconds: 20, lagMaxSeconds: 400, missingShare: 0.1 };
        const minutes = new Minutes(MINUTES, settings, createRandom(seed));
        const column = new ShownColumn(minutes, minutes.sent);
        let nowSeconds = 0;
        for (const { afterSeconds, back, length } of looks) {
          nowSeconds += afterSeconds;
          writeUntil(minutes, nowSeconds);
          const first = Math.max(0, Math.floor(nowSeconds / 60) - back);
          const each = Array.from({ length }, (_, at) =>
            minutes.isPublished(first + at, nowSeconds) ? first + at + 0.5 : null,
          );
          expect(column.window(first, first + length, nowSeconds)).toEqual(each);
        }
      }),
    );
  });
});
