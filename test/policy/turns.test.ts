import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundMinutes, type StackTurn, stacksToCount } from '../../lib/policy/turns.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 5, 1, 12, 20);
const HOUR_END = Date.UTC(2026, 5, 1, 13);

const limits = (callsLeft: number, { overdueCallsLeft = callsLeft, isStrained = false } = {}) => {
  return { hourlyCalls: 2250, callsLeft, overdueCallsLeft, resetAtMs: HOUR_END, isStrained };
};
const stack = (stackUid: string, minutesAgo: number | null, state: StackTurn['state'] = 'quiet'): StackTurn => ({
  stackUid,
  countedAtMs: minutesAgo === null ? null : NOW - minutesAgo * MINUTE,
  state,
});

describe('a round of quiet stacks', () => {
  it.each([
    [1, 2250, 5],
    [20, 2250, 5],
    [70, 2250, 5],
    [100, 2250, 8],
    [200, 2250, 15],
    [1000, 2250, 72],
    [200, 60, 200],
    [3, 0, 5],
  ])('of %i with %i calls an hour takes %i minutes', (stacks, hourlyCalls, minutes) => {
    expect(roundMinutes(stacks, hourlyCalls)).toBe(minutes);
  });
});

describe('whose workers are counted', () => {
  it('those never counted at once, and no more than there are calls', () => {
    const stacks = [stack('a', null), stack('b', null), stack('c', null, 'breaching')];
    expect(stacksToCount(stacks, NOW, limits(1000))).toEqual(['c', 'a', 'b']);
    expect(stacksToCount(stacks, NOW, limits(2))).toEqual(['c', 'a']);
    expect(stacksToCount(stacks, NOW, limits(0))).toEqual([]);
  });

  it('a moving stack once in each tick, whatever its turn', () => {
    expect(stacksToCount([stack('a', 0.5, 'moving')], NOW, limits(1000))).toEqual([]);
    expect(stacksToCount([stack('a', 1, 'moving')], NOW, limits(1000))).toEqual(['a']);
  });

  it('a moving stack only in its turn when calls run short', () => {
    const stacks = [stack('a', 1, 'moving'), stack('b', 1, 'moving')];
    expect(stacksToCount(stacks, NOW, limits(1000, { isStrained: true }))).toEqual(['a']);
  });

  it('breaching before quiet, then the longest unseen', () => {
    const stacks = [stack('young', 20), stack('old', 40), stack('full', 30, 'breaching'), stack('moves', 2, 'moving')];
    expect(stacksToCount(stacks, NOW, limits(1000))).toEqual(['full', 'moves', 'old', 'young']);
  });

  it('those whose turn it is as quickly as the rest of the hour allows, and never more slowly than a round asks', () => {
    const stacks = Array.from({ length: 100 }, (_, index) => stack(`s${index}`, 60));
    expect(stacksToCount(stacks, NOW, limits(1000))).toHaveLength(25);
    expect(stacksToCount(stacks, NOW, limits(80))).toHaveLength(13);
    expect(stacksToCount(stacks, NOW, limits(2))).toHaveLength(2);
  });

  it('those that were not counted for a round also from what is kept, and no others', () => {
    const stacks = [stack('never', null), stack('late', 5), stack('in-turn', 4), stack('full', 4, 'breaching')];
    expect(stacksToCount(stacks, NOW, limits(100))).toEqual(['full', 'never', 'late', 'in-turn']);
    expect(stacksToCount(stacks, NOW, limits(0, { overdueCallsLeft: 10 }))).toEqual(['never']);
    expect(stacksToCount(stacks.slice(1), NOW, limits(0, { overdueCallsLeft: 10 }))).toEqual(['late']);
    expect(stacksToCount(stacks, NOW, limits(0))).toEqual([]);
    expect(stacksToCount(stacks, NOW, limits(1, { overdueCallsLeft: 2 }))).toEqual(['full', 'never']);
    // The answer to its last count came half a minute after its turn.
    expect(stacksToCount([stack('late', 4.5)], NOW, limits(0, { overdueCallsLeft: 1 }))).toEqual(['late']);
  });

  it('those never counted only in turn once nothing is left but what is kept', () => {
    const stacks = Array.from({ length: 200 }, (_, index) => stack(`s${index}`, null));
    expect(stacksToCount(stacks, NOW, limits(0, { overdueCallsLeft: 187 }))).toHaveLength(14);
    expect(stacksToCount(stacks, NOW, limits(1000))).toHaveLength(200);
  });

  it('each stack within a round, evenly over its minutes, whenever it was counted first', () => {
    const many = fc.record({
      stacks: fc.integer({ min: 1, max: 300 }),
      hourlyCalls: fc.integer({ min: 600, max: 5000 }),
      startMs: fc.integer({ min: 0, max: 600 * MINUTE }),
    });
    fc.assert(
      fc.property(many, ({ stacks, hourlyCalls, startMs }) => {
        const counted = Array.from({ length: stacks }, () => startMs);
        const round = roundMinutes(stacks, hourlyCalls);
        for (let minute = 1; minute <= 2 * round; minute += 1) {
          const nowMs = startMs + minute * MINUTE;
          const turns = counted.map((countedAtMs, index) => {
            return { stackUid: String(index), countedAtMs, state: 'quiet' as const };
          });
          const chosen = stacksToCount(turns, nowMs, {
            hourlyCalls,
            callsLeft: hourlyCalls,
            overdueCallsLeft: hourlyCalls,
            resetAtMs: nowMs + MINUTE,
            isStrained: false,
          });
          expect(chosen.length).toBeLessThanOrEqual(Math.ceil(stacks / round));
          for (const index of chosen) counted[Number(index)] = nowMs;
          expect(nowMs - Math.min(...counted)).toBeLessThanOrEqual(round * MINUTE);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('nobody is passed over for ever when the calls carry fewer stacks than there are turns', () => {
    const stacks = 40;
    const counted = Array.from({ length: stacks }, () => NOW);
    let longest = 0;
    for (let minute = 1; minute <= 120; minute += 1) {
      const nowMs = NOW + minute * MINUTE;
      const turns = counted.map((countedAtMs, index) => {
        return { stackUid: String(index), countedAtMs, state: 'quiet' as const };
      });
      // Two calls a minute, where eight have their turn.
      for (const index of stacksToCount(turns, nowMs, {
        hourlyCalls: 2250,
        callsLeft: 2,
        overdueCallsLeft: 2,
        resetAtMs: nowMs + MINUTE,
        isStrained: false,
      })) {
        counted[Number(index)] = nowMs;
      }
      longest = Math.max(longest, nowMs - Math.min(...counted));
    }
    expect(longest).toBeLessThanOrEqual((stacks / 2) * MINUTE);
  });
});
