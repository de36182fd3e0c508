import { describe, expect, it } from 'vitest';
import { hpa, rawReplicas, withBehavior, withoutBehavior } from '../../../lib/backtest/baselines/hpa.ts';
import { keda } from '../../../lib/backtest/baselines/keda.ts';
import { drive, workload } from './drive.ts';

const replicas = { nowSeconds: 0, target: 10, current: 10, minReplicas: 1, maxReplicas: 100 };

describe('HPA', () => {
  it('makes 3 pods of 30 messages at a target of 10, the published example', () => {
    expect(drive({ baseline: hpa }).look({ visible: 30 })).toBe(3);
  });

  it('stays inside the dead band of 10 %', () => {
    expect(rawReplicas({ ...replicas, usage: 109 }, 0.1)).toBe(10);
    expect(rawReplicas({ ...replicas, usage: 91 }, 0.1)).toBe(10);
    expect(rawReplicas({ ...replicas, usage: 111 }, 0.1)).toBe(12);
    expect(rawReplicas({ ...replicas, usage: 89 }, 0.1)).toBe(9);
  });

  it('recommends the bound when the count is outside of it', () => {
    expect(rawReplicas({ ...replicas, usage: 0, current: 200 }, 0.1)).toBe(100);
    expect(rawReplicas({ ...replicas, usage: 0, current: 1, minReplicas: 3 }, 0.1)).toBe(3);
  });

  it.each([
    ['4, 8, 16 and 32 without a behavior block', withoutBehavior(0.1), [4, 8, 16, 32]],
    // With the block, +4 pods is a policy of its own and adds to the one that is there.
    ['5, 10, 20 and 40 with one', withBehavior({ tolerance: 0.1, upSeconds: 0, downSeconds: 300 }), [5, 10, 20, 40]],
  ])('may go from 1 by %s, a step every 15 s', (_name, rule, expected) => {
    let current = 1;
    const counts = [0, 15, 30, 45].map((nowSeconds) => {
      current = rule({ ...replicas, nowSeconds, usage: 1000, current });
      return current;
    });
    expect(counts).toEqual(expected);
  });

  it('counts what it added in the last 15 s when it looks more often', () => {
    const rule = withBehavior({ tolerance: 0.1, upSeconds: 0, downSeconds: 60 });
    expect(rule({ ...replicas, nowSeconds: 0, usage: 1000, current: 1 })).toBe(5);
    expect(rule({ ...replicas, nowSeconds: 5, usage: 1000, current: 5 })).toBe(5);
    expect(rule({ ...replicas, nowSeconds: 15, usage: 1000, current: 5 })).toBe(10);
  });

  it('comes down to the highest recommendation of the last 300 s', () => {
    const driven = drive({ baseline: hpa, workers: 10 });
    driven.looks(4, { visible: 100 });
    driven.look({ visible: 50 });
    expect(driven.looks(18, { visible: 20 })).toEqual(Array.from({ length: 18 }, () => 10));
    expect(driven.look({ visible: 20 })).toBe(5);
    expect(driven.look({ visible: 20 })).toBe(2);
  });

  it('waits for the lowest recommendation of the window on the way up', () => {
    const driven = drive({ baseline: hpa, settings: { upWindowSeconds: 60 }, workers: 2 });
    driven.look({ visible: 20 });
    expect(driven.looks(3, { visible: 40 })).toEqual([2, 2, 2]);
    expect(driven.look({ visible: 40 })).toBe(4);
  });

  it('counts jobs in flight only when asked to, and never goes to zero', () => {
    expect(drive({ baseline: hpa, settings: { countInFlight: 1 } }).look({ visible: 20, inFlight: 10 })).toBe(3);
    expect(drive({ baseline: hpa }).look({ visible: 20, inFlight: 10 })).toBe(2);
    const driven = drive({ baseline: hpa, workload: { minWorkers: 0 } });
    expect(driven.look()).toBe(1);
    expect(driven.looks(40).at(-1)).toBe(1);
  });
});

describe('KEDA', () => {
  it('counts messages in flight, and not the delayed ones', () => {
    expect(drive({ baseline: keda }).look({ visible: 10, inFlight: 5, delayed: 50 })).toBe(3);
    expect(drive({ baseline: keda, settings: { scaleOnInFlight: 0 } }).look({ visible: 10, inFlight: 5 })).toBe(2);
    expect(drive({ baseline: keda, settings: { scaleOnDelayed: 1 } }).look({ visible: 5, delayed: 5 })).toBe(2);
  });

  it('goes from 0 to 1 when the queue is above the activation length, and no further in that step', () => {
    const driven = drive({ baseline: keda, settings: { activationQueueLength: 3 }, workload: { minWorkers: 0 } });
    expect(driven.look({ visible: 3 })).toBe(0);
    driven.look({ visible: 50 });
    expect(driven.look({ visible: 50 })).toBe(1);
    expect(driven.look({ visible: 50 })).toBe(4);
  });

  it('goes from 1 to 0 more than 300 s after the queue was last active', () => {
    const driven = drive({ baseline: keda, workload: { minWorkers: 0 }, workers: 0 });
    expect(driven.look({ visible: 1 })).toBe(1);
    const counts = driven.looks(22);
    expect(counts.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 1));
    expect(counts.at(-1)).toBe(0);
  });

  it('looks at the activation every 30 s only', () => {
    const driven = drive({ baseline: keda, workload: { minWorkers: 0 } });
    expect(driven.look()).toBe(0);
    expect(driven.look({ visible: 9 })).toBe(0);
    expect(driven.look({ visible: 9 })).toBe(1);
  });

  it('raises a count below the minimum when the queue is quiet', () => {
    expect(drive({ baseline: keda, workload: { minWorkers: 3 }, workers: 1 }).look()).toBe(3);
  });

  it('keeps the highest recommendation of 300 s unless another window is written', () => {
    const down = (settings: Record<string, number>) => {
      const driven = drive({ baseline: keda, settings });
      driven.looks(3, { visible: 50 });
      return driven.looks(5, { visible: 5 }).at(-1);
    };
    expect(down({})).toBe(10);
    expect(down({ downWindowSeconds: 0 })).toBe(1);
    expect(down({ downWindowSeconds: 60 })).toBe(1);
  });

  it('takes 1 + W/S messages per worker for a wait target', () => {
    expect(keda.byTheBook(workload)).toMatchObject({ queueLength: 11 });
  });
});
