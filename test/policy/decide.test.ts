import { describe, expect, it } from 'vitest';
import type { Decision, Observation, Policy, Reason } from '../../lib/domain.ts';
import { userReferenceFor } from '../../lib/policy/actions.ts';
import { decide } from '../../lib/policy/decide.ts';
import {
  actionOf,
  depthOf,
  historyOf,
  inputOf,
  NOW,
  observationOf,
  ok,
  placementOf,
  serverOf,
  unknown,
} from '../support/observations.ts';

function decided(observation: Observation, policy: Partial<Policy> = {}): Decision {
  const answer = decide(inputOf(observation, policy));
  if (answer.kind !== 'decision') throw new Error(`needs ${answer.evidence.join(', ')}`);
  return answer;
}

describe('decide changes the count', () => {
  const cases: [string, Observation, Partial<Policy>, Decision['action'], number, Reason][] = [
    ['scales out to backlog / per worker', observationOf(1, 45), {}, 'scale_out', 5, 'backlog_above_target'],
    [
      'counts messages in flight',
      observationOf(1, 0, { backlog: ok(depthOf(0, 45)) }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'counts delayed messages when told to',
      observationOf(1, 0, { backlog: ok(depthOf(0, 0, 45)) }),
      { countDelayed: true },
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'scales in when live depth and the whole window agree',
      observationOf(6, 15),
      {},
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'scales in only to what the window needed',
      observationOf(6, 15, { history: ok(historyOf([15, 15, 35, 15, 15])) }),
      {},
      'scale_in',
      4,
      'backlog_below_target',
    ],
    ['leaves zero for a single message', observationOf(0, 1), { minWorkers: 0 }, 'scale_out', 1, 'from_zero'],
    [
      'leaves zero with strategy step although no step is reached',
      observationOf(0, 1),
      { minWorkers: 0, strategy: { kind: 'step', steps: [{ atLeast: 100, change: 1 }] } },
      'scale_out',
      1,
      'from_zero',
    ],
    [
      'goes to zero when nothing has been waiting',
      observationOf(3, 0),
      { minWorkers: 0 },
      'scale_in',
      0,
      'backlog_below_target',
    ],
    ['corrects a count below the minimum', observationOf(1, 0), { minWorkers: 3 }, 'scale_out', 3, 'below_minimum'],
    [
      'corrects a count above the maximum, against the cooldown',
      observationOf(14, 500, { actions: ok([actionOf({ finishedAtMs: NOW - 1000, success: true })]) }),
      {},
      'scale_in',
      10,
      'above_maximum',
    ],
    [
      'rises to the minimum even when the backlog is unknown',
      observationOf(1, 0, { backlog: unknown('failed') }),
      { minWorkers: 2 },
      'scale_out',
      2,
      'below_minimum',
    ],
    [
      'is limited by SCALE_OUT_MAX_STEP in workers',
      observationOf(2, 90),
      { scaleOutMaxStep: { kind: 'workers', workers: 3 } },
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'is limited by SCALE_IN_MAX_STEP in percent, at least one',
      observationOf(3, 0),
      { scaleInMaxStep: { kind: 'percent', percent: 10 } },
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'takes the highest step the backlog reaches',
      observationOf(2, 600),
      {
        strategy: {
          kind: 'step',
          steps: [
            { atLeast: 0, change: -1 },
            { atLeast: 100, change: 1 },
            { atLeast: 500, change: 5 },
          ],
        },
      },
      'scale_out',
      7,
      'backlog_above_target',
    ],
    [
      'steps down when the queue is empty',
      observationOf(3, 0),
      {
        strategy: {
          kind: 'step',
          steps: [
            { atLeast: 0, change: -1 },
            { atLeast: 100, change: 1 },
          ],
        },
      },
      'scale_in',
      2,
      'backlog_below_target',
    ],
    ['stays within the maximum', observationOf(4, 5000), {}, 'scale_out', 10, 'backlog_above_target'],
    [
      'stays within what the servers can take',
      observationOf(4, 5000, { placement: ok(placementOf(serverOf('a', 2), serverOf('b', 2))) }),
      { maxWorkersPerServer: 3 },
      'scale_out',
      6,
      'backlog_above_target',
    ],
    [
      'scales out when the scale-out window agrees',
      observationOf(1, 45),
      { scaleOutStabilizationSeconds: 120 },
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'scales although the last deployment failed: the one before still runs',
      observationOf(1, 45, { stack: ok({ status: 'failed', maintenanceMode: false }) }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'is not held by a running scale of another process',
      observationOf(1, 45, {
        actions: ok([
          actionOf({
            userReference: userReferenceFor({
              processName: 'mailer',
              decisionId: 'd1',
              previousCount: 1,
              desiredCount: 3,
            }),
          }),
        ]),
      }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'is not held for ever by an action that never ends',
      observationOf(1, 45, { actions: ok([actionOf({ startedAtMs: NOW - 901_000 })]) }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'ignores the cooldown of another process',
      observationOf(6, 15, {
        actions: ok([
          actionOf({
            finishedAtMs: NOW - 1000,
            userReference: userReferenceFor({
              processName: 'mailer',
              decisionId: 'd1',
              previousCount: 1,
              desiredCount: 3,
            }),
          }),
        ]),
      }),
      {},
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'scales in once the cooldown is over',
      observationOf(6, 15, { actions: ok([actionOf({ finishedAtMs: NOW - 300_000 })]) }),
      {},
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'scales in at once when there is no cooldown',
      observationOf(6, 15, { actions: ok([actionOf({ finishedAtMs: NOW - 1000 })]) }),
      { scaleInCooldownSeconds: 0 },
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'needs one agreeing minute even without a window',
      observationOf(6, 15, { history: ok(historyOf([15])) }),
      { scaleInStabilizationSeconds: 0 },
      'scale_in',
      2,
      'backlog_below_target',
    ],
    [
      'scales out during a partial pause',
      observationOf(1, 45, { placement: ok(placementOf(serverOf('a', 1), serverOf('b', 0, { pausedCount: 2 }))) }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'takes a step that is small beside the count, which no tolerance may swallow',
      observationOf(20, 600),
      {
        maxWorkers: 100,
        strategy: {
          kind: 'step',
          steps: [
            { atLeast: 0, change: -1 },
            { atLeast: 100, change: 1 },
          ],
        },
      },
      'scale_out',
      21,
      'backlog_above_target',
    ],
    [
      'steps down from many workers one at a time',
      observationOf(20, 0),
      {
        maxWorkers: 100,
        strategy: {
          kind: 'step',
          steps: [
            { atLeast: 0, change: -1 },
            { atLeast: 100, change: 1 },
          ],
        },
      },
      'scale_in',
      19,
      'backlog_below_target',
    ],
    [
      'is not held by something foreign whose age nobody can tell',
      observationOf(1, 45, { actions: ok([actionOf({ kind: 'stack_backup', startedAtMs: null })]) }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
    [
      'is not held by a scale without a start when newer actions show that it is old',
      observationOf(1, 45, {
        actions: ok([
          actionOf({ id: 9, kind: 'stack_redeploy', startedAtMs: NOW - 901_000, finishedAtMs: NOW - 800_000 }),
          actionOf({ id: 8, startedAtMs: null }),
        ]),
      }),
      {},
      'scale_out',
      5,
      'backlog_above_target',
    ],
  ];
  it.each(cases)('%s', (_title, observation, policy, action, desiredCount, reason) => {
    expect(decided(observation, policy)).toMatchObject({ action, desiredCount, reason });
  });
});

describe('decide holds', () => {
  const busyHistory = historyOf([15, 15, 15, 60, 15, 15]);
  const cases: [string, Observation, Partial<Policy>, Reason][] = [
    ['on target', observationOf(3, 30), {}, 'on_target'],
    ['within the tolerance', observationOf(10, 108), { maxWorkers: 20 }, 'within_tolerance'],
    ['at the tolerance exactly', observationOf(10, 110), { maxWorkers: 20 }, 'within_tolerance'],
    ['at the minimum', observationOf(2, 0), { minWorkers: 2 }, 'at_minimum'],
    [
      'below the minimum when no server can take a worker',
      observationOf(0, 0, { placement: ok(placementOf(serverOf('a', 0, { healthy: false }))) }),
      {},
      'no_capacity',
    ],
    [
      'below the minimum when SERVERS names none of the stack',
      observationOf(1, 0),
      { minWorkers: 2, servers: ['lino'] },
      'no_capacity',
    ],
    [
      'for a scale without a start, while nothing newer shows its age',
      observationOf(1, 45, { actions: ok([actionOf({ startedAtMs: null })]) }),
      {},
      'action_in_progress',
    ],
    ['at the maximum', observationOf(10, 5000), {}, 'at_maximum'],
    ['at what the servers can take', observationOf(6, 5000), { maxWorkersPerServer: 6 }, 'no_capacity'],
    [
      'while the scale-in window saw more work',
      observationOf(6, 15, { history: ok(busyHistory) }),
      {},
      'stabilizing_scale_in',
    ],
    [
      'while the scale-out window saw less work',
      observationOf(1, 45, { history: ok(historyOf([5, 5, 45])) }),
      { scaleOutStabilizationSeconds: 180 },
      'stabilizing_scale_out',
    ],
    [
      'a scale in while the history is missing',
      observationOf(6, 15, { history: unknown('missing') }),
      {},
      'history_unknown',
    ],
    [
      'a scale in while the history has gaps',
      observationOf(6, 15, { history: ok(historyOf([15, 15])) }),
      {},
      'history_unknown',
    ],
    [
      'a scale in while the history has no points',
      observationOf(6, 15, { history: ok(historyOf([])) }),
      {},
      'history_unknown',
    ],
    [
      'a scale in while the newest minute is old',
      observationOf(6, 15, { history: ok(historyOf([15, 15, 15, 15, 15], NOW - 181_000)) }),
      {},
      'history_unknown',
    ],
    [
      'a stabilized scale out while the history is missing',
      observationOf(1, 45, { history: unknown() }),
      { scaleOutStabilizationSeconds: 60 },
      'history_unknown',
    ],
    [
      'a stabilized scale out while the history has gaps',
      observationOf(1, 45, { history: ok(historyOf([45])) }),
      { scaleOutStabilizationSeconds: 300 },
      'history_unknown',
    ],
    [
      'during the cooldown of this process',
      observationOf(6, 15, {
        actions: ok([
          actionOf({
            finishedAtMs: NOW - 299_000,
            userReference: userReferenceFor({
              processName: 'worker',
              decisionId: 'd1',
              previousCount: 1,
              desiredCount: 3,
            }),
          }),
        ]),
      }),
      {},
      'cooling_down',
    ],
    [
      'during the cooldown of an action that nothing names',
      observationOf(6, 15, { actions: ok([actionOf({ finishedAtMs: NOW - 1000 })]) }),
      {},
      'cooling_down',
    ],
    [
      'while an action of the process runs',
      observationOf(1, 45, {
        actions: ok([
          actionOf({
            userReference: userReferenceFor({
              processName: 'worker',
              decisionId: 'd1',
              previousCount: 1,
              desiredCount: 3,
            }),
          }),
        ]),
      }),
      {},
      'action_in_progress',
    ],
    [
      'while a scale that nothing names runs',
      observationOf(1, 45, { actions: ok([actionOf({ startedAtMs: null })]) }),
      {},
      'action_in_progress',
    ],
    [
      'while something else of the stack runs',
      observationOf(1, 45, { actions: ok([actionOf({ kind: 'stack_redeploy' })]) }),
      {},
      'stack_busy',
    ],
    [
      'while the stack deploys',
      observationOf(1, 45, { stack: ok({ status: 'deploying', maintenanceMode: false }) }),
      {},
      'stack_deploying',
    ],
    [
      'a correction while the stack deploys',
      observationOf(1, 0, { stack: ok({ status: 'queued_for_deploying', maintenanceMode: false }) }),
      { minWorkers: 2 },
      'stack_deploying',
    ],
    [
      'on a stack that has failed for good',
      observationOf(1, 45, { stack: ok({ status: 'terminal_failure', maintenanceMode: false }) }),
      {},
      'stack_not_live',
    ],
    [
      'on a status it does not know',
      observationOf(1, 45, { stack: ok({ status: 'unknown', maintenanceMode: false }) }),
      {},
      'stack_unknown',
    ],
    [
      'in maintenance',
      observationOf(1, 45, { stack: ok({ status: 'deployed', maintenanceMode: true }) }),
      {},
      'stack_in_maintenance',
    ],
    ['when the stack cannot be read', observationOf(1, 45, { stack: unknown('failed') }), {}, 'stack_unknown'],
    ['when the action log cannot be read', observationOf(1, 45, { actions: unknown('failed') }), {}, 'actions_unknown'],
    ['when the workers cannot be read', observationOf(1, 45, { placement: unknown('failed') }), {}, 'workers_unknown'],
    ['when the backlog is missing', observationOf(5, 0, { backlog: unknown('missing') }), {}, 'backlog_unknown'],
    [
      'when the backlog was read too long ago',
      observationOf(5, 0, { backlog: ok(depthOf(0), NOW - 181_000) }),
      {},
      'backlog_unknown',
    ],
    [
      'above the maximum when the backlog is unknown',
      observationOf(14, 0, { backlog: unknown('failed') }),
      {},
      'backlog_unknown',
    ],
    [
      'for a process that somebody paused',
      observationOf(0, 45, { placement: ok(placementOf(serverOf('a', 0, { pausedCount: 2 }))) }),
      {},
      'process_paused',
    ],
    ['at zero when nothing waits', observationOf(0, 0), { minWorkers: 0 }, 'on_target'],
  ];
  it.each(cases)('%s', (_title, observation, policy, reason) => {
    const decision = decided(observation, policy);
    expect(decision).toMatchObject({ action: 'hold', reason });
    expect(decision.desiredCount).toBe(decision.currentCount);
    expect(decision.steps.length).toBeGreaterThan(0);
  });
});

describe('decide asks for no more than it needs', () => {
  const unread = { history: { kind: 'not_read' }, stack: { kind: 'not_read' }, actions: { kind: 'not_read' } } as const;

  it.each([
    ['on target', 3, 30],
    ['resting at the minimum', 1, 0],
    ['pinned at the maximum', 10, 5000],
  ])('nothing %s', (_title, workers, visible) => {
    expect(decided(observationOf(workers, visible, unread))).toMatchObject({ action: 'hold' });
  });

  it('the stack and its actions before a scale out', () => {
    const answer = decide(inputOf(observationOf(1, 45, unread)));
    expect(answer).toEqual({ kind: 'needs_evidence', evidence: ['stack', 'actions'] });
  });

  it('first the history, then the actions, then the stack before a scale in', () => {
    const first = observationOf(6, 15, unread);
    expect(decide(inputOf(first))).toEqual({ kind: 'needs_evidence', evidence: ['history'] });
    const second = observationOf(6, 15, {
      ...unread,
      history: first.history.kind === 'ok' ? first.history : ok(historyOf(Array<number>(6).fill(15))),
    });
    expect(decide(inputOf(second))).toEqual({ kind: 'needs_evidence', evidence: ['actions'] });
    const third = { ...second, actions: ok([]) };
    expect(decide(inputOf(third))).toEqual({ kind: 'needs_evidence', evidence: ['stack'] });
    expect(decided({ ...third, stack: ok({ status: 'deployed', maintenanceMode: false }) })).toMatchObject({
      action: 'scale_in',
    });
  });

  it('the stack and its actions before a correction', () => {
    const answer = decide(inputOf(observationOf(1, 0, unread), { minWorkers: 2 }));
    expect(answer).toEqual({ kind: 'needs_evidence', evidence: ['stack', 'actions'] });
  });
});

describe('a decision shows its working', () => {
  it('names each rule that moved the count, with the counts before and after', () => {
    const decision = decided(observationOf(2, 500), { scaleOutMaxStep: { kind: 'percent', percent: 100 } });
    expect(decision.steps.map(({ name, before, after }) => [name, before, after])).toEqual([
      ['recommend', 2, 50],
      ['clamp', 50, 10],
      ['limit', 10, 4],
    ]);
    expect(decision.recommendedCount).toBe(50);
  });

  it('says why a reading is unknown', () => {
    const decision = decided(
      observationOf(5, 0, { backlog: { kind: 'failed', why: 'access_denied', detail: 'no rights' } }),
    );
    expect(decision.steps[0]?.why).toContain('access_denied');
    expect(decision.steps[0]?.why).toContain('no rights');
  });
});
