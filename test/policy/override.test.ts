import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DecisionInput, Observation, Override, Policy } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import { actionOf, inputOf, NOW, observationOf, ok, unknown } from '../support/observations.ts';

const overrideOf = (changes: Partial<Override> = {}): Override => ({
  kind: 'pause',
  workers: null,
  untilMs: NOW + 3_600_000,
  why: 'import',
  ...changes,
});
const pinned = (workers: number) => overrideOf({ kind: 'count', workers });

/** Decides on a world in which somebody set an override. */
function decided(observation: Observation, override: DecisionInput['override'], policy: Partial<Policy> = {}) {
  const answer = decide({ ...inputOf(observation, policy), override });
  if (answer.kind !== 'decision') throw new Error(`asks for ${answer.evidence.join()}`);
  return answer;
}

describe('an override', () => {
  it.each<[string, number, number, Override, object]>([
    ['pins a count upwards', 2, 0, pinned(8), { action: 'scale_out', desiredCount: 8, reason: 'overridden' }],
    ['pins a count downwards', 8, 500, pinned(2), { action: 'scale_in', desiredCount: 2, reason: 'overridden' }],
    ['holds on the pinned count', 3, 500, pinned(3), { action: 'hold', desiredCount: 3, reason: 'overridden' }],
    ['stays within the limits', 2, 0, pinned(50), { action: 'scale_out', desiredCount: 10, reason: 'overridden' }],
    ['pauses a scale out', 1, 500, overrideOf(), { action: 'hold', reason: 'paused_by_override' }],
    ['pauses a scale in', 9, 0, overrideOf(), { action: 'hold', reason: 'paused_by_override' }],
    ['pauses corrections', 0, 0, overrideOf(), { action: 'hold', reason: 'paused_by_override' }],
    ['pauses scale in alone: in', 9, 0, overrideOf({ kind: 'pause_scale_in' }), { reason: 'scale_in_paused' }],
    ['pauses scale in alone: out', 1, 50, overrideOf({ kind: 'pause_scale_in' }), { desiredCount: 5 }],
    ['pauses scale in: corrections', 12, 0, overrideOf({ kind: 'pause_scale_in' }), { reason: 'scale_in_paused' }],
    ['has ended', 1, 50, overrideOf({ untilMs: NOW }), { desiredCount: 5, reason: 'backlog_above_target' }],
  ])('%s', (_title, workers, visible, override, expected) => {
    expect(decided(observationOf(workers, visible), ok(override))).toMatchObject(expected);
  });

  it('stands in the working with its reason and its end', () => {
    const { steps } = decided(observationOf(2, 0), ok(pinned(8)));
    expect(steps[0]?.why).toBe('Overridden: 8 workers until 2026-06-01T13:00:00.000Z: import');
  });

  it('pins without the queue, which may be the very trouble', () => {
    const observation = observationOf(2, 0, { backlog: unknown('failed'), history: unknown(), rates: unknown() });
    expect(decided(observation, ok(pinned(4)))).toMatchObject({ desiredCount: 4, reason: 'overridden' });
  });

  it('waits like everybody else while the stack deploys', () => {
    const observation = observationOf(2, 0, { stack: ok({ status: 'deploying', maintenanceMode: false }) });
    expect(decided(observation, ok(pinned(4)))).toMatchObject({ action: 'hold', reason: 'stack_deploying' });
  });

  it('that cannot be read is not "none": nothing is changed', () => {
    for (const [workers, visible] of [
      [1, 500],
      [9, 0],
      [0, 5],
      [12, 0],
    ] as const) {
      const decision = decided(observationOf(workers, visible), unknown('failed'));
      expect(decision).toMatchObject({ action: 'hold', reason: 'override_unknown' });
    }
  });

  it('never leads outside the limits, whatever it says', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.nat(12), fc.nat(12), (workers, current, min, more) => {
        const policy = { minWorkers: min, maxWorkers: min + more };
        const { desiredCount, action } = decided(observationOf(current, 30), ok(pinned(workers)), policy);
        if (action === 'hold') expect(desiredCount).toBe(current);
        else {
          expect(desiredCount).toBeGreaterThanOrEqual(min);
          expect(desiredCount).toBeLessThanOrEqual(min + more);
        }
      }),
    );
  });
});

describe('after a deployment', () => {
  const deployed = (secondsAgo: number) =>
    actionOf({ kind: 'stack_redeploy', finishedAtMs: NOW - secondsAgo * 1000, success: true });
  it.each<[string, number, number, object]>([
    ['a backlog is no demand', 30, 50, { action: 'hold', reason: 'deploy_grace' }],
    ['until the grace is over', 120, 50, { desiredCount: 5 }],
  ])('%s', (_title, secondsAgo, visible, expected) => {
    const observation = observationOf(1, visible, { actions: ok([deployed(secondsAgo)]) });
    expect(decided(observation, ok(null))).toMatchObject(expected);
  });

  it('the minimum is restored at once, and no cooldown begins', () => {
    const actions = ok([deployed(30)]);
    expect(decided(observationOf(0, 0, { actions }), ok(null))).toMatchObject({ reason: 'below_minimum' });
    expect(decided(observationOf(9, 0, { actions }), ok(null))).toMatchObject({ action: 'scale_in' });
  });

  it('0 seconds switch the grace off', () => {
    const observation = observationOf(1, 50, { actions: ok([deployed(1)]) });
    expect(decided(observation, ok(null), { deployGraceSeconds: 0 })).toMatchObject({ desiredCount: 5 });
  });
});

describe('a count that was changed by hand', () => {
  const NOTE = 'cloud66-autoscaler:d1:1-3:worker';
  const byHand = (secondsAgo: number, changes = {}) =>
    actionOf({
      id: 9,
      startedAtMs: NOW - (secondsAgo + 60) * 1000,
      finishedAtMs: NOW - secondsAgo * 1000,
      success: true,
      ...changes,
    });
  const ours = actionOf({ id: 3, finishedAtMs: NOW - 3_000_000, success: true, userReference: NOTE });
  const looksAt = (secondsAgo: number, workers: number) =>
    ok([{ atMs: NOW - secondsAgo * 1000, visible: 0, inFlight: 0, workers }]);

  it.each<[string, Partial<Observation>, string]>([
    ['is left alone', { actions: ok([byHand(30), ours]) }, 'changed_by_hand'],
    ['until its time is over', { actions: ok([byHand(300), ours]) }, 'backlog_above_target'],
    ['by whoever left a note', { actions: ok([byHand(30, { userReference: 'deploy-bot' })]) }, 'changed_by_hand'],
    ['unless nothing proves that it was not us', { actions: ok([byHand(30)]) }, 'backlog_above_target'],
    [
      'nor does one of ours that runs, which may be known from its call alone',
      { actions: ok([actionOf({ id: 12, userReference: NOTE.replace('worker', 'mailer') }), byHand(30)]) },
      'backlog_above_target',
    ],
    ['unless the change failed', { actions: ok([byHand(30, { success: false }), ours]) }, 'backlog_above_target'],
    [
      'unless ours has the note of another process',
      { actions: ok([byHand(30, { userReference: NOTE.replace('worker', 'mailer') }), ours]) },
      'backlog_above_target',
    ],
    [
      'when we saw another count before it',
      { actions: ok([byHand(30), ours]), looks: looksAt(120, 4) },
      'changed_by_hand',
    ],
    [
      'unless we saw the same count before it',
      { actions: ok([byHand(30), ours]), looks: looksAt(120, 1) },
      'backlog_above_target',
    ],
  ])('%s', (_title, changes, reason) => {
    expect(decided(observationOf(1, 50, changes), ok(null))).toMatchObject({ reason });
  });

  it('is put right when it is outside the limits', () => {
    const observation = observationOf(0, 0, { actions: ok([byHand(30), ours]) });
    expect(decided(observation, ok(null))).toMatchObject({ reason: 'below_minimum' });
  });
});
