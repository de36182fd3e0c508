import { describe, expect, it } from 'vitest';
import type { DecisionInput, Policy } from '../../lib/domain.ts';
import { conditionsOf } from '../../lib/policy/conditions.ts';
import { decide } from '../../lib/policy/decide.ts';
import { depthOf, inputOf, LATENCY, NOW, observationOf, ok, ratesOf, unknown } from '../support/observations.ts';

function conditions(input: DecisionInput) {
  const answer = decide(input);
  if (answer.kind !== 'decision') throw new Error(`asks for ${answer.evidence.join()}`);
  return conditionsOf(answer, input);
}
const pinned = (strategy: Policy['strategy']) =>
  conditions(inputOf(observationOf(10, 500, { rates: ok(ratesOf(Array<number>(30).fill(90))) }), { strategy }));

describe('what a person should be told of a decision', () => {
  it('pinned at the maximum: how many would do, and how long the backlog takes without them', () => {
    const [condition] = pinned(LATENCY);
    expect(condition?.kind).toBe('at_maximum');
    expect(condition?.text).toMatch(
      /^10 workers run, MAX_WORKERS\. \d+ would be needed\. 500 messages wait; these workers need about [56] min for them/,
    );
  });

  it('pinned with a strategy that knows no times', () => {
    const [condition] = pinned({ kind: 'backlog', backlogPerWorker: 10 });
    expect(condition?.text).toBe('10 workers run, MAX_WORKERS. 50 would be needed. 500 messages wait.');
  });

  it('blind: which reading is missing', () => {
    const [condition] = conditions(inputOf(observationOf(2, 0, { backlog: unknown('failed') })));
    expect(condition).toMatchObject({ kind: 'blind', text: expect.stringContaining('made by a test') });
  });

  it('an override that ends within ten minutes, and none that lasts longer', () => {
    const input = inputOf(observationOf(2, 0));
    const under = (seconds: number) => ({
      ...input,
      override: ok({ kind: 'pause', workers: null, untilMs: NOW + seconds * 1000, why: 'import' } as const),
    });
    expect(conditions(under(599)).map(({ kind }) => kind)).toEqual(['override_ending']);
    expect(conditions(under(601))).toEqual([]);
  });

  it('nothing of the daily business', () => {
    expect(conditions(inputOf(observationOf(2, 15)))).toEqual([]);
    expect(conditions(inputOf(observationOf(2, 50, { backlog: ok(depthOf(50)) })))).toEqual([]);
  });
});
