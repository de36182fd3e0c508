import { describe, expect, it } from 'vitest';
import type { LatencyStrategy, Observation } from '../../lib/domain.ts';
import { attentionOf, isWatched } from '../../lib/policy/attention.ts';
import { decide } from '../../lib/policy/decide.ts';
import {
  actionOf,
  depthOf,
  inputOf,
  NOW,
  observationOf,
  ok,
  policyOf,
  ratesOf,
  unknown,
} from '../support/observations.ts';

const strategy: LatencyStrategy = {
  kind: 'latency',
  targetSeconds: 60,
  targetPercent: 95,
  jobSeconds: null,
  jobsPerWorker: 1,
  learnPatterns: false,
  drainShare: 0.5,
  headroom: null,
  keepIdleSeconds: 300,
  surgeFactor: 1.5,
};

/** Ten workers that finish a hundred jobs a minute, when a hundred come. */
function attention(
  visible: number,
  changes: Partial<Observation> = {},
  targetSeconds = 60,
  limits = { minWorkers: 1, maxWorkers: 10 },
) {
  const rates = ok(ratesOf(Array<number>(60).fill(90)));
  const seen = observationOf(10, visible, { backlog: ok(depthOf(visible, 9)), rates, ...changes });
  const wish = policyOf({ ...limits, strategy: { ...strategy, targetSeconds } });
  const answer = decide(inputOf(seen, wish));
  if (answer.kind !== 'decision') throw new Error('complete evidence leads to a decision');
  return attentionOf(answer, seen, wish, NOW);
}

describe('attention', () => {
  it('sleeps while all is quiet', () => {
    expect(attention(0)).toEqual({ awake: false });
    expect(attention(5)).toEqual({ awake: false });
  });

  it('wakes when more waits than is done in good time', () => {
    expect(attention(60)).toEqual({ awake: true, why: '60 wait; 29 are done in good time.' });
  });

  it('wakes when more comes than the workers finish', () => {
    const looks = ok([{ atMs: NOW - 60_000, visible: 0, inFlight: 10, workers: 10 }]);
    expect(attention(20, { looks })).toEqual({ awake: true, why: 'More comes than the workers finish.' });
  });

  it('is more patient where the target leaves time', () => {
    expect(attention(300, {}, 600)).toEqual({ awake: false });
  });

  it('is awake while a change is ordered, under way or just landed', () => {
    const idle = { rates: ok(ratesOf(Array<number>(60).fill(0))), backlog: ok(depthOf(0)) };
    expect(attention(0, idle)).toEqual({ awake: true, why: 'A change was ordered.' });
    expect(attention(0, { actions: ok([actionOf()]) })).toEqual({ awake: true, why: 'A change is under way.' });
    const landed = actionOf({ finishedAtMs: NOW - 30_000, success: true });
    expect(attention(0, { actions: ok([landed]) })).toEqual({ awake: true, why: 'A change has just landed.' });
    const old = actionOf({ finishedAtMs: NOW - 300_000, success: true });
    expect(attention(0, { actions: ok([old]) })).toEqual({ awake: false });
  });

  describe('after a burst', () => {
    /** An hour of `usual` minutes, with the `newest` ones at its end. */
    const past = (usual: number, ...newest: readonly number[]) => {
      return { rates: ok(ratesOf([...Array<number>(60 - newest.length).fill(usual), ...newest])) };
    };

    const attentive = (
      changes: Partial<Observation>,
      { visible = 0, targetSeconds = 60, minWorkers = 1, maxWorkers = 20 } = {},
    ) => attention(visible, changes, targetSeconds, { minWorkers, maxWorkers });
    const WATCHED = { awake: false, afterBurst: expect.any(String) };

    it('watches for the next one as long as the hour shows a sudden minute that the workers cannot finish in one', () => {
      const afterBurst = '220 came in a minute of the last hour; the workers finish 100 in one.';
      expect(attentive(past(90, 90, 220, ...Array<number>(58).fill(90)))).toEqual({ awake: false, afterBurst });
      expect(attentive(past(90, 220, ...Array<number>(59).fill(90)))).toEqual({ awake: false, afterBurst });
      expect(attentive(past(90))).toEqual({ awake: false });
    });

    it('watches at the minimum, too, while there is work', () => {
      const burst = past(30, 900, ...Array<number>(40).fill(30));
      expect(attentive(burst, { visible: 1, minWorkers: 10 })).toEqual(WATCHED);
    });

    it('goes by the largest burst, be it the first or the last', () => {
      const afterBurst = '400 came in a minute of the last hour; the workers finish 100 in one.';
      const quiet = Array<number>(20).fill(90);
      expect(attentive(past(90, 400, ...quiet, 250, ...quiet))).toEqual({ awake: false, afterBurst });
      expect(attentive(past(90, 250, ...quiet, 400, ...quiet))).toEqual({ awake: false, afterBurst });
    });

    it('sleeps after bursts that the workers keep up with, but for what is not worth a change', () => {
      expect(attentive(past(30, 112, 30, 30))).toEqual(WATCHED);
      expect(attentive(past(30, 105, 30, 30))).toEqual({ awake: false });
    });

    it('sleeps where the hour fell slowly from much more, or swings, or has gaps', () => {
      const slope = Array.from({ length: 60 }, (_, minute) => 385 - 5 * minute);
      const gaps = slope.map((count, minute) => (minute < 2 || (minute > 20 && minute < 25) ? null : count));
      for (const sent of [slope, gaps]) {
        expect(attentive({ rates: ok({ ...ratesOf(slope), sent }) })).toEqual({ awake: false });
      }
      expect(attentive(past(90, 160, 90, 90))).toEqual({ awake: false });
    });

    it('is awake rather than watched where there is something to do', () => {
      expect(attentive(past(90, 220, 90, 90), { visible: 60 })).toMatchObject({ awake: true });
    });

    it('leaves it to the tick where the target can wait for it, or no more workers are allowed', () => {
      const burst = past(90, 900, ...Array<number>(20).fill(90));
      expect(attentive(burst, { targetSeconds: 194 })).toEqual(WATCHED);
      expect(attentive(burst, { targetSeconds: 195 })).toEqual({ awake: false });
      expect(attentive(burst, { maxWorkers: 11 })).toEqual(WATCHED);
      expect(attentive(burst, { maxWorkers: 10 })).toEqual({ awake: false });
    });

    it('leaves it to the tick where something is not known, or another look would not help', () => {
      const burst = past(30, 900, ...Array<number>(40).fill(30));
      const deploying = ok({ status: 'deploying', maintenanceMode: false } as const);
      expect(attentive({ ...burst, stack: deploying })).toEqual({ awake: false });
      expect(attentive({ ...burst, placement: unknown('failed') })).toEqual({ awake: false });
      expect(attentive({ rates: unknown('failed') })).toEqual({ awake: false });
    });

    it('leaves a queue that rests to the tick: its record is not even asked for', () => {
      const seen = observationOf(1, 0, { rates: { kind: 'not_read' } });
      const wish = policyOf({ strategy });
      const answer = decide(inputOf(seen, wish));
      expect(answer).toMatchObject({ kind: 'decision', action: 'hold' });
      expect(answer.kind === 'decision' && attentionOf(answer, seen, wish, NOW)).toEqual({ awake: false });
    });
  });

  it('counts as watched when awake, or after a burst', () => {
    expect(isWatched({ awake: true, why: 'A change was ordered.' })).toBe(true);
    expect(isWatched({ awake: false, afterBurst: 'A burst.' })).toBe(true);
    expect(isWatched({ awake: false })).toBe(false);
  });

  it('sleeps when the depth is unknown, and for strategies without a wait to keep', () => {
    expect(attention(0, { backlog: unknown('failed') })).toEqual({ awake: false });
    const seen = observationOf(1, 500);
    const answer = decide(inputOf(seen));
    if (answer.kind !== 'decision') throw new Error('complete evidence leads to a decision');
    expect(attentionOf(answer, seen, policyOf(), NOW)).toEqual({ awake: false });
  });
});
