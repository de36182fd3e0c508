/** `npm run load`, small. */
import { describe, expect, it } from 'vitest';
import { runBurst, runSoak } from '../bench/load-run.ts';

const quiet = () => {};

describe('a burst of alarm events and action records', () => {
  it('loses nothing while Cloud 66 throttles, keeps to the budget, and is the same again', {
    timeout: 60_000,
  }, async () => {
    const plan = { events: 300, records: 2000, targets: 10, seed: 1 };
    const burst = await runBurst(plan, quiet);
    expect(burst).toMatchObject({ violations: [], lost: 0, expired: 0, foreign: 2, deadLettered: 2 });
    expect(burst.outcomes).toEqual({ confirmed: 2000 });
    expect(burst.looked).toBe(300);
    // Until the next hour, because all calls of this one were used up.
    expect(burst.calmAfterMinutes).toBeGreaterThan(27);
    expect(burst.busiestHourCalls).toBeLessThan(0.9 * burst.callsPerHour);
    expect(await runBurst(plan, quiet)).toEqual({ ...burst, peakBytes: expect.any(Number) as number });
  });
});

describe('a soak', () => {
  it('keeps every promise for days, and forgets what is over', { timeout: 120_000 }, async () => {
    const soak = await runSoak({ days: 2, targets: 2, seed: 1 }, quiet);
    expect(soak.violations).toEqual([]);
    expect(soak.heapBytesByDay).toHaveLength(2);
    const ended = Object.values(soak.outcomes).reduce((sum, count) => sum + count, 0);
    expect(ended).toBeGreaterThan(0.9 * soak.accepted);
    expect(soak.faults.token_rotated).toBeGreaterThan(0);
  });
});
