/** How old a count a decision may rest on, and what happens when no call is left to count. */
import { describe, expect, it } from 'vitest';
import type { Observation, Policy } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import { inputOf, NOW, observationOf, ok, placementOf, serverOf } from '../support/observations.ts';

const AGES = { fresh: 60, old: 61 } as const;
const agedBy = (seconds: number, workers = 1) => ok(placementOf(serverOf('a', workers)), NOW - seconds * 1000);
const spent = { kind: 'missing', why: 'over_budget', detail: 'not asked: made by a test' } as const;
const earlier = (reading: Observation['placement']) => ({ placement: reading, actions: ok([], NOW - 3_600_000) });

describe('a change', () => {
  it('rests on workers that were counted within a minute', () => {
    expect(decide(inputOf(observationOf(1, 45, earlier(agedBy(AGES.fresh)))))).toMatchObject({ desiredCount: 5 });
    const answer = decide(inputOf(observationOf(1, 45, earlier(agedBy(AGES.old)))));
    expect(answer).toEqual({ kind: 'needs_evidence', evidence: ['placement'] });
  });

  it('rests on workers that were counted after the action log was read', () => {
    const torn = { placement: agedBy(2), actions: ok([], NOW - 1000) };
    expect(decide(inputOf(observationOf(1, 45, torn)))).toEqual({ kind: 'needs_evidence', evidence: ['placement'] });
  });

  it('rests on known servers', () => {
    const placement = ok({ ...placementOf(serverOf('a', 1)), countsOnly: true as const });
    expect(decide(inputOf(observationOf(1, 45, { placement })))).toEqual({
      kind: 'needs_evidence',
      evidence: ['placement'],
    });
  });

  it.each<[string, Partial<Policy>, Partial<Observation>]>([
    ['below the minimum', { minWorkers: 3 }, {}],
    ['above the maximum', { maxWorkers: 1 }, { placement: agedBy(AGES.old, 4) }],
    ['by strategy', {}, {}],
  ])('%s asks for the stack first, and for the workers last', (_name, policy, changes) => {
    const observation = observationOf(1, 45, { ...earlier(agedBy(AGES.old)), stack: { kind: 'not_read' }, ...changes });
    expect(decide(inputOf(observation, policy))).toMatchObject({ kind: 'needs_evidence', evidence: ['stack'] });
  });
});

describe('a hold', () => {
  it('may rest on an older count, and says so', () => {
    const firstStepAt = (seconds: number) => {
      const answer = decide(inputOf(observationOf(1, 5, { placement: agedBy(seconds) })));
      expect(answer).toMatchObject({ action: 'hold', reason: 'on_target' });
      return answer.kind === 'decision' ? answer.steps[0] : null;
    };
    expect(firstStepAt(240)).toMatchObject({ name: 'workers', why: expect.stringContaining('240 s ago') });
    expect(firstStepAt(60)).toMatchObject({ name: 'recommend' });
  });

  it('may rest on counts alone, unless the policy limits servers', () => {
    const placement = ok({ ...placementOf(serverOf('a', 1)), countsOnly: true as const });
    const observation = observationOf(1, 5, { placement });
    expect(decide(inputOf(observation))).toMatchObject({ action: 'hold', reason: 'on_target' });
    for (const policy of [{ servers: ['server-a'] }, { maxWorkersPerServer: 4 }]) {
      expect(decide(inputOf(observation, policy))).toEqual({ kind: 'needs_evidence', evidence: ['placement'] });
    }
  });
});

describe('without a call left for it, the count is kept', () => {
  it.each<[string, Partial<Observation>, number | null]>([
    ['workers', { placement: spent }, null],
    ['stack', { stack: spent }, 1],
    ['actions', { actions: spent }, 1],
  ])('where the %s could not be asked for', (_name, changes, currentCount) => {
    expect(decide(inputOf(observationOf(1, 45, changes)))).toMatchObject({
      action: 'hold',
      reason: 'api_budget_spent',
      currentCount,
    });
  });
});
