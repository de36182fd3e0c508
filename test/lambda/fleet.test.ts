/** The fleet benchmark, small: what must hold at 1,000 targets holds here, and it gives the same result each time. */
import { describe, expect, it } from 'vitest';
import { fleetText, growthText } from '../bench/fleet.ts';
import { runFleet } from '../bench/fleet-run.ts';

const SMALL = { targets: 50, stacks: 10, minutes: 90, callsPerHour: 3000, othersPerHour: 300 };

describe('a fleet in virtual time', () => {
  it('is decided in every tick, counted in turn and never throttled, with the same result each time', async () => {
    const first = await runFleet(SMALL);
    expect(first).toMatchObject({ throttled: 0, breachTicks: 1, spentHolds: 0, failures: 0, decisions: 50 * 90 });
    expect(first.changes).toBeGreaterThan(5);
    expect(first.oldestCountMinutes).toBeLessThanOrEqual(5);
    const second = await runFleet(SMALL);
    expect(second.hash).toBe(first.hash);
    expect(fleetText(first)).toContain(first.hash);
    expect(growthText([first])).toContain('50 targets');
  });

  // Nine hours, because the calls run short in the eighth: the whole day is `npm run bench:fleet`.
  it('of 1,000 targets on 200 stacks looks at every stack in a quarter of an hour, also when calls run short', async () => {
    const plan = { targets: 1000, stacks: 200, minutes: 540, callsPerHour: 3000, othersPerHour: 300 };
    const fleet = await runFleet(plan);
    expect(fleet).toMatchObject({ throttled: 0, breachTicks: 1, spentHolds: 0, failures: 0 });
    expect(fleet.oldestCountMinutes).toBeLessThanOrEqual(15);
    // What is planned for is 2,250 less those of others; beyond that begins what is kept for people.
    expect(Math.max(...fleet.calls)).toBeGreaterThan(1950);
    expect(fleet.changes).toBeGreaterThan(500);
  }, 300_000);

  it('with too few calls is throttled by nobody, changes nothing without a count, and goes on', async () => {
    const poor = await runFleet({ ...SMALL, callsPerHour: 24, othersPerHour: 0 });
    expect(poor).toMatchObject({ throttled: 0, failures: 0 });
    expect(poor.spentHolds).toBeGreaterThan(0);
    expect(Math.max(...poor.calls)).toBeLessThanOrEqual(24);
    expect(poor.changes).toBeGreaterThan(0);
  });
});
