import { describe, expect, it } from 'vitest';
import type { Action } from '../../lib/domain.ts';
import { userReferenceFor } from '../../lib/policy/actions.ts';
import { decide } from '../../lib/policy/decide.ts';
import { actionOf, inputOf, NOW, observationOf, ok } from '../support/observations.ts';

/** 30 messages and one worker, counted at `NOW`; the action log was read a moment later. */
function decideWith(action: Partial<Action>) {
  return decide(inputOf(observationOf(1, 30, { actions: ok([actionOf({ success: true, ...action })], NOW + 400) })));
}

describe('an action that ends during a pass, between the count of the workers and the look at the action log,', () => {
  it.each([
    ['a moment after the count', 200],
    ['a moment before it, as whole seconds show it', -900],
    ['long after it, as far as a clock that goes fast says', 30_000],
  ])('holds, because the count may be the one from before (%s)', (_title, sinceCountMs) => {
    expect(decideWith({ finishedAtMs: NOW + sinceCountMs })).toMatchObject({
      action: 'hold',
      reason: 'action_in_progress',
      steps: expect.arrayContaining([expect.objectContaining({ name: 'gate', why: expect.stringContaining('ended') })]),
    });
  });

  it.each<[string, Partial<Action>]>([
    ['it ended well before the count', { finishedAtMs: NOW - 1000 }],
    ['it is of another process', { finishedAtMs: NOW + 200, userReference: userReferenceFor('mailer', 'd1') }],
    ['it was no change of workers', { finishedAtMs: NOW + 200, kind: 'stack_redeploy' }],
    ['the clock of Cloud 66 is minutes ahead', { finishedAtMs: NOW + 300_000 }],
  ])('does not hold when %s', (_title, action) => {
    expect(decideWith(action)).toMatchObject({ action: 'scale_out', desiredCount: 3 });
  });
});
