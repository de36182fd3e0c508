/** What-if answers are checked against `decide` itself: at the turning point the count moves, one message beside it it does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecisionInput, Policy } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import { REASONS } from '../../lib/policy/reasons.ts';
import { holdOf, whatIf } from '../../lib/policy/what-if.ts';
import { actionOf, depthOf, historyOf, inputOf, NOW, observationOf, ok, unknown } from '../support/observations.ts';

describe('the turning points', () => {
  it('are where the recommendation leaves tolerance and count behind', () => {
    const input = inputOf(observationOf(3, 25));
    expect(whatIf(input)).toEqual({
      backlog: 25,
      scaleOut: { kind: 'at', backlog: 34, desiredCount: 4, reason: 'backlog_above_target' },
      scaleIn: { kind: 'never', ...holdAt('stabilizing_scale_in') },
    });
  });

  it('in: the largest backlog that fewer workers suffice for, when the window allows it', () => {
    const input = inputOf(observationOf(3, 25, { history: ok(historyOf(Array<number>(10).fill(0))) }));
    expect(whatIf(input).scaleIn).toEqual({
      kind: 'at',
      backlog: 20,
      desiredCount: 2,
      reason: 'backlog_below_target',
    });
  });

  it('follow the steps of strategy step', () => {
    const strategy = { kind: 'step', steps: [{ atLeast: 100, change: 2 }] } as const;
    const { scaleOut, scaleIn } = whatIf(inputOf(observationOf(3, 25), { strategy }));
    expect(scaleOut).toMatchObject({ kind: 'at', backlog: 100, desiredCount: 5 });
    expect(scaleIn).toMatchObject({ kind: 'never', reason: 'on_target' });
  });

  it('count messages in flight, and delayed ones where the policy does', () => {
    const backlog = ok(depthOf(5, 12, 9));
    expect(whatIf(inputOf(observationOf(3, 0, { backlog }))).backlog).toBe(17);
    expect(whatIf(inputOf(observationOf(3, 0, { backlog }), { countDelayed: true })).backlog).toBe(26);
    const calm = ok(historyOf(Array<number>(10).fill(0)));
    const allDelayed = inputOf(observationOf(3, 0, { backlog, history: calm }), { countDelayed: true });
    expect(whatIf(allDelayed).scaleIn).toMatchObject({ kind: 'at', backlog: 20 });
  });

  it('are told although the backlog itself is not known', () => {
    const unread = whatIf(inputOf(observationOf(3, 25, { backlog: unknown('failed') })));
    expect(unread.backlog).toBeNull();
    expect(unread.scaleOut).toMatchObject({ kind: 'at', backlog: 34 });
  });
});

describe('a direction without a turning point', () => {
  it('at the maximum: says what keeps the count even at the largest backlog', () => {
    const { scaleOut } = whatIf(inputOf(observationOf(10, 95)));
    expect(scaleOut).toMatchObject({ kind: 'never', reason: 'at_maximum', meaning: REASONS.at_maximum });
  });

  it('below the minimum: the count rises whatever the queue says', () => {
    const { scaleOut, scaleIn } = whatIf(inputOf(observationOf(1, 0), { minWorkers: 3 }));
    expect(scaleOut).toEqual({ kind: 'always', desiredCount: 3, reason: 'below_minimum' });
    expect(scaleIn).toMatchObject({ kind: 'never', reason: 'below_minimum' });
  });

  it('above the maximum: the count falls whatever the queue says', () => {
    const { scaleIn } = whatIf(inputOf(observationOf(14, 500)));
    expect(scaleIn).toEqual({ kind: 'always', desiredCount: 10, reason: 'above_maximum' });
  });

  it('cooling down: says for how long', () => {
    const actions = ok([actionOf({ finishedAtMs: NOW - 100_000, success: true })]);
    const calm = ok(historyOf(Array<number>(10).fill(0)));
    const { scaleIn } = whatIf(inputOf(observationOf(3, 0, { actions, history: calm })));
    expect(scaleIn).toMatchObject({ kind: 'never', reason: 'cooling_down' });
    expect(scaleIn.kind === 'never' && scaleIn.why).toContain('quiet for 200 s more');
  });

  it('deploying: nothing moves in either direction', () => {
    const stack = ok({ status: 'deploying', maintenanceMode: false } as const);
    const { scaleOut, scaleIn } = whatIf(inputOf(observationOf(3, 0, { stack })));
    expect([scaleOut, scaleIn]).toMatchObject([{ reason: 'stack_deploying' }, { reason: 'stack_deploying' }]);
  });

  it('unknown workers: nothing moves in either direction', () => {
    const { scaleOut } = whatIf(inputOf(observationOf(3, 0, { placement: unknown('failed') })));
    expect(scaleOut).toMatchObject({ kind: 'never', reason: 'workers_unknown' });
  });

  it('evidence that was not read is asked for', () => {
    const quiet = observationOf(3, 25, { stack: { kind: 'not_read' }, actions: { kind: 'not_read' } });
    expect(whatIf(inputOf(quiet)).scaleOut).toEqual({ kind: 'unread', evidence: ['stack', 'actions'] });
  });
});

describe('a hold', () => {
  it('is told with its meaning and the last line of its working', () => {
    const decision = decide(inputOf(observationOf(10, 500)));
    if (decision.kind !== 'decision') throw new Error('a decision expected');
    expect(holdOf(decision)).toEqual({
      reason: 'at_maximum',
      meaning: REASONS.at_maximum,
      why: 'MAX_WORKERS is 10, and that many run already.',
    });
  });

  it('is not made of a change', () => {
    const decision = decide(inputOf(observationOf(1, 45)));
    expect(decision.kind === 'decision' && holdOf(decision)).toBeNull();
  });
});

describe('any turning point', () => {
  const inputs = fc
    .record({
      workers: fc.integer({ min: 0, max: 14 }),
      visible: fc.integer({ min: 0, max: 200 }),
      inFlight: fc.integer({ min: 0, max: 40 }),
      past: fc.integer({ min: 0, max: 120 }),
      minWorkers: fc.integer({ min: 0, max: 3 }),
      perWorker: fc.integer({ min: 1, max: 30 }),
      tolerance: fc.constantFrom(0, 0.1, 0.5),
      window: fc.constantFrom(0, 120),
    })
    .map((drawn): DecisionInput => {
      const policy: Partial<Policy> = {
        minWorkers: drawn.minWorkers,
        strategy: { kind: 'backlog', backlogPerWorker: drawn.perWorker },
        tolerance: drawn.tolerance,
        scaleOutStabilizationSeconds: drawn.window,
      };
      const backlog = ok(depthOf(drawn.visible, drawn.inFlight));
      const history = ok(historyOf(Array<number>(10).fill(drawn.past)));
      return inputOf(observationOf(drawn.workers, 0, { backlog, history }), policy);
    });

  it('is one: the count moves there, and not one message beside it', () => {
    const actionAt = (input: DecisionInput, messages: number) => {
      const answer = decide({
        ...input,
        observation: { ...input.observation, backlog: ok(depthOf(messages)) },
      });
      return answer.kind === 'decision' ? answer.action : answer.kind;
    };
    fc.assert(
      fc.property(inputs, (input) => {
        const { scaleOut, scaleIn } = whatIf(input);
        if (scaleOut.kind === 'at') {
          expect(actionAt(input, scaleOut.backlog)).toBe('scale_out');
          expect(actionAt(input, scaleOut.backlog - 1)).not.toBe('scale_out');
        }
        if (scaleIn.kind === 'at') {
          expect(actionAt(input, scaleIn.backlog)).toBe('scale_in');
          expect(actionAt(input, scaleIn.backlog + 1)).not.toBe('scale_in');
        }
        if (scaleOut.kind === 'never') expect(actionAt(input, 1e9)).not.toBe('scale_out');
        if (scaleIn.kind === 'never') expect(actionAt(input, 0)).not.toBe('scale_in');
      }),
      { numRuns: 150 },
    );
  });
});

function holdAt(reason: 'stabilizing_scale_in') {
  return { reason, meaning: REASONS[reason], why: 'Over the last 300 s the queue called for up to 3 workers.' };
}
