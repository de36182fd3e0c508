import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRealClock, createVirtualClock } from '../../lib/simulation/clock.ts';

describe('the virtual clock', () => {
  it('runs what is due in order of time, then of scheduling, and shows each its own time', () => {
    const clock = createVirtualClock(1000);
    const seen: string[] = [];
    const note = (name: string) => () => seen.push(`${name}@${clock.nowMs()}`);
    clock.schedule(3000, note('c'));
    clock.schedule(2000, note('a'));
    clock.schedule(2000, note('b'));
    clock.schedule(3001, note('later'));
    clock.advanceTo(3000);
    expect(seen).toEqual(['a@2000', 'b@2000', 'c@3000']);
    expect(clock.nowMs()).toBe(3000);
    expect(clock.nextAtMs()).toBe(3001);
  });

  it('keeps the order of many functions that come in any order', () => {
    const clock = createVirtualClock(0);
    const seen: number[] = [];
    const times = Array.from({ length: 500 }, (_, index) => (index * 7919) % 503);
    for (const atMs of times) clock.schedule(atMs, () => seen.push(atMs));
    clock.advanceTo(503);
    expect(seen).toEqual([...times].sort((left, right) => left - right));
  });

  it('runs what a function schedules within the same advance', () => {
    const clock = createVirtualClock(0);
    const seen: number[] = [];
    clock.schedule(10, () => clock.schedule(20, () => seen.push(clock.nowMs())));
    clock.advanceBySeconds(1);
    expect(seen).toEqual([20]);
  });

  it('runs what is scheduled for the past at once, without going back', () => {
    const clock = createVirtualClock(500);
    const seen: number[] = [];
    clock.schedule(100, () => seen.push(clock.nowMs()));
    clock.advanceTo(500);
    expect(seen).toEqual([500]);
  });

  it('does not run what was cancelled', () => {
    const clock = createVirtualClock(0);
    const seen: string[] = [];
    const cancel = clock.schedule(10, () => seen.push('cancelled'));
    clock.schedule(20, () => seen.push('kept'));
    cancel();
    expect(clock.nextAtMs()).toBe(20);
    clock.advanceTo(30);
    expect(seen).toEqual(['kept']);
    expect(clock.nextAtMs()).toBeNull();
  });

  it('refuses to go back, to nest and to schedule at no time', () => {
    const clock = createVirtualClock(100);
    expect(() => clock.advanceTo(99)).toThrow('the clock is at 100 and cannot go back');
    expect(() => clock.schedule(Number.NaN, () => {})).toThrow('schedule(NaN)');
    clock.schedule(110, () => clock.advanceTo(120));
    expect(() => clock.advanceTo(130)).toThrow('advanceTo() was called from a scheduled function');
    clock.advanceTo(140);
    expect(clock.nowMs()).toBe(140);
  });
});

describe('the real clock', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('uses the Date and setTimeout of the moment, so that replaced ones count', () => {
    const clock = createRealClock();
    vi.useFakeTimers({ now: 5000 });
    const seen: number[] = [];
    clock.schedule(6000, () => seen.push(clock.nowMs()));
    const cancel = clock.schedule(6500, () => seen.push(clock.nowMs()));
    cancel();
    vi.advanceTimersByTime(2000);
    expect(seen).toEqual([6000]);
  });

  it('waits longer than setTimeout can', () => {
    vi.useFakeTimers({ now: 0 });
    const clock = createRealClock();
    const fortyDaysMs = 40 * 86_400_000;
    const seen: number[] = [];
    clock.schedule(fortyDaysMs, () => seen.push(clock.nowMs()));
    vi.advanceTimersByTime(fortyDaysMs - 1);
    expect(seen).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(seen).toEqual([fortyDaysMs]);
  });
});
