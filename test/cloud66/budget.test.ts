import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget, nextHourMs } from '../../lib/cloud66/budget.ts';

const HOUR = 3_600_000;
const headers = { limit: null, remaining: null, resetAtMs: null };

describe('the API budget', () => {
  it('starts with the documented 3,000 calls per hour and counts its own calls', () => {
    const budget = createBudget();
    expect(budget.remaining(0)).toBe(3000);
    budget.called(1);
    budget.called(2);
    expect(budget.remaining(3)).toBe(2998);
    expect(budget.calls()).toBe(2);
  });

  it('is full again in the next hourly interval', () => {
    const budget = createBudget({ defaultLimit: 10 });
    for (let call = 0; call < 12; call += 1) budget.called(HOUR - 1);
    expect(budget.remaining(HOUR - 1)).toBe(0);
    expect(budget.remaining(HOUR)).toBe(10);
    expect(budget.calls()).toBe(12);
  });

  it('believes the headers, which also know what people and CI have used', () => {
    const budget = createBudget();
    budget.called(0);
    budget.seen({ ...headers, limit: 3600, remaining: 120, observedAtMs: 1 });
    budget.called(2);
    expect(budget.remaining(3)).toBe(119);
    expect(budget.remaining(HOUR)).toBe(3600);
    expect(budget.limit()).toBe(3600);
  });

  it('moves what is left when only the limit is told', () => {
    const budget = createBudget({ defaultLimit: 100 });
    budget.called(0);
    budget.seen({ ...headers, limit: 50, observedAtMs: 1 });
    expect(budget.remaining(2)).toBe(49);
  });

  it('is full again at the reset that the headers tell', () => {
    const budget = createBudget({ defaultLimit: 100 });
    budget.seen({ ...headers, remaining: 1, resetAtMs: 5000, observedAtMs: 0 });
    expect(budget.remaining(4999)).toBe(1);
    expect(budget.remaining(5000)).toBe(100);
  });

  it('has nothing left while throttled, and the latest word counts', () => {
    const budget = createBudget();
    expect(budget.throttledUntilMs(0)).toBeNull();
    budget.throttled(2000);
    budget.throttled(1000);
    expect(budget.throttledUntilMs(1999)).toBe(2000);
    expect(budget.remaining(1999)).toBe(0);
    expect(budget.throttledUntilMs(2000)).toBeNull();
    expect(budget.remaining(2000)).toBe(3000);
  });

  it('is never negative and never above its limit, whatever happens in whatever order', () => {
    const event = fc.tuple(fc.nat(2 * HOUR), fc.option(fc.nat(100)));
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const budget = createBudget({ defaultLimit: 100 });
        for (const [atMs, remaining] of events) {
          if (remaining === null) budget.called(atMs);
          else budget.seen({ ...headers, remaining, observedAtMs: atMs });
          expect(budget.remaining(atMs)).toBeGreaterThanOrEqual(0);
          expect(budget.remaining(atMs)).toBeLessThanOrEqual(100);
        }
      }),
    );
  });

  it('lets changes reach further into what is kept for people than confirmations and counts', () => {
    const budget = createBudget({ defaultLimit: 1000 });
    const allowedAt = (remaining: number) => {
      budget.seen({ ...headers, remaining, observedAtMs: 1 });
      return (['count', 'confirm', 'change'] as const).filter((purpose) => budget.allows(purpose, 1));
    };
    expect(allowedAt(188)).toEqual(['count', 'confirm', 'change']);
    expect(allowedAt(187)).toEqual(['change']);
    expect(allowedAt(126)).toEqual(['change']);
    expect(allowedAt(125)).toEqual([]);
    expect(budget.allows('count', HOUR)).toBe(true);
  });

  it('plans for none of what is kept for people, and has a quarter of it for what is overdue', () => {
    const budget = createBudget({ defaultLimit: 1000 });
    const leftAt = (remaining: number) => {
      budget.seen({ ...headers, remaining, observedAtMs: 1 });
      const { callsLeft, overdueCallsLeft } = budget.allowance(1);
      return [callsLeft, overdueCallsLeft];
    };
    expect([1000, 251, 250, 189, 187, 0].map(leftAt)).toEqual([
      [750, 812],
      [1, 63],
      [0, 62],
      [0, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  it('allows nothing while throttled, and all without a reserve', () => {
    const budget = createBudget({ reserveShare: 0, defaultLimit: 10 });
    for (let call = 0; call < 9; call += 1) budget.called(1);
    expect(budget.allows('count', 1)).toBe(true);
    budget.throttled(HOUR / 2);
    expect(budget.allows('change', 1)).toBe(false);
    expect(budget.allowance(1)).toEqual({
      hourlyCalls: 10,
      callsLeft: 0,
      overdueCallsLeft: 0,
      resetAtMs: HOUR,
      isStrained: true,
    });
  });

  it('is strained when more is spent than the hour allows so far', () => {
    const budget = createBudget({ defaultLimit: 1000 });
    const strainedAt = (remaining: number, nowMs: number) => {
      budget.seen({ ...headers, remaining, observedAtMs: nowMs });
      return budget.allowance(nowMs).isStrained;
    };
    expect(budget.allowance(0)).toMatchObject({ hourlyCalls: 750, callsLeft: 750, isStrained: false });
    expect(strainedAt(900, 1)).toBe(true);
    expect(strainedAt(988, 2)).toBe(false);
    expect(strainedAt(987, 2)).toBe(true);
    expect(strainedAt(613, HOUR / 2)).toBe(false);
    expect(strainedAt(612, HOUR / 2)).toBe(true);
    expect(strainedAt(251, HOUR - 1)).toBe(false);
    expect(strainedAt(250, HOUR - 1)).toBe(true);
  });

  it('knows the start of the next hour', () => {
    expect(nextHourMs(0)).toBe(HOUR);
    expect(nextHourMs(HOUR - 1)).toBe(HOUR);
    expect(nextHourMs(HOUR)).toBe(2 * HOUR);
  });
});
