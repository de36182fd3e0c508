import { describe, expect, it } from 'vitest';
import type { Action, ActionRecord, OutcomeKind, Placement, Reading } from '../../lib/domain.ts';
import { confirm } from '../../lib/reconcile/confirm.ts';
import type { ActionLook } from '../../lib/reconcile/ports.ts';
import { actionOf, NOW, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { fakeWorld } from '../support/ports.ts';

const TIMEOUT_SECONDS = 900;

const record: ActionRecord = {
  version: 1,
  targetId: 'worker',
  stackUid: 'stack-1',
  processName: 'worker',
  actionId: 7,
  requestedCounts: { a: 3, b: 2 },
  desiredCount: 5,
  previousCount: 1,
  decisionId: 'd1',
  acceptedAtMs: NOW,
};
const asAsked = ok(placementOf(serverOf('a', 3), serverOf('b', 2)));

function found(changes: Partial<Action>): ActionLook {
  return { kind: 'found', action: actionOf({ startedAtMs: NOW, ...changes }) };
}
const ended = (atSeconds: number, changes: Partial<Action> = {}) =>
  found({ finishedAtMs: NOW + atSeconds * 1000, success: true, ...changes });

function lookAt(ageSeconds: number, action: ActionLook, placement: Reading<Placement> = asAsked) {
  const world = fakeWorld({ nowMs: NOW + ageSeconds * 1000, action, placements: { worker: placement } });
  return confirm(record, world.ports, TIMEOUT_SECONDS, new AbortController().signal);
}

describe('an action ends as', () => {
  const moved = ok(placementOf(serverOf('a', 3), serverOf('b', 1)));
  const extra = ok(placementOf(serverOf('a', 3), serverOf('b', 2), serverOf('c', 1)));
  const gone = ok(placementOf(serverOf('a', 3)));
  const cases: [string, number, ActionLook, Reading<Placement>, OutcomeKind, string][] = [
    ['finished, successful and seen', 70, ended(60), asAsked, 'confirmed', '5 workers'],
    ['successful with other counts', 130, ended(60), moved, 'mismatched', 'server-b runs 1 workers where 2 were'],
    ['successful with workers nobody asked for', 130, ended(60), extra, 'mismatched', 'server-c runs 1'],
    ['successful on a server that is gone', 130, ended(60), gone, 'mismatched', 'server b is gone'],
    ['failed with its message', 70, ended(60, { success: false, message: 'no disk' }), asAsked, 'failed', 'no disk'],
    ['failed without a message', 70, ended(60, { success: false }), asAsked, 'failed', 'without a message'],
    ['still running after the timeout', 900, found({}), asAsked, 'timed_out', 'still running'],
    ['unreadable to the end', 900, { kind: 'unreadable', why: '503' }, asAsked, 'timed_out', '503'],
    ['ended without a verdict', 900, ended(60, { success: null }), asAsked, 'timed_out', 'without saying'],
    ['successful with unreadable workers', 900, ended(60), unknown('failed'), 'timed_out', 'could not be read'],
    ['unknown to Cloud 66', 60, { kind: 'gone', detail: '404' }, asAsked, 'lost', '404'],
  ];
  it.each(cases)('%s', async (_title, age, action, placement, kind, why) => {
    const result = await lookAt(age, action, placement);
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind } });
    if (result.kind === 'ended') expect(result.outcome.why).toContain(why);
  });
});

describe('an action whose workers are not where it put them', () => {
  const other = ok(placementOf(serverOf('a', 5), serverOf('b', 3)));
  const OURS = 'cloud66-autoscaler:d2:1-3:worker';
  const lookWith = (ageSeconds: number, ...log: readonly Partial<Action>[]) => {
    const actions = ok(log.map((changes) => actionOf({ kind: 'process_scale', startedAtMs: null, ...changes })));
    const answers = { action: ended(60, { id: 7 }), placements: { worker: other }, actions };
    const world = fakeWorld({ nowMs: NOW + ageSeconds * 1000, ...answers });
    return confirm(record, world.ports, TIMEOUT_SECONDS, new AbortController().signal);
  };
  const superseded = { kind: 'mismatched', supersededBy: 8, observedCount: 8 };

  it('is superseded at once by our own next change of the process', async () => {
    const result = await lookWith(65, { id: 8, userReference: OURS }, { id: 7 });
    expect(result).toMatchObject({ kind: 'ended', outcome: superseded });
    if (result.kind === 'ended') expect(result.outcome.why).toMatch(/server-a runs 5 .*: superseded by action 8\.$/);
  });

  it('is superseded by a scale action of which nothing tells whose it is, but only when the workers are not just late', async () => {
    const unnamed = { id: 8, userReference: null };
    expect(await lookWith(119, unnamed)).toMatchObject({ kind: 'look_again' });
    expect(await lookWith(120, unnamed)).toMatchObject({ kind: 'ended', outcome: superseded });
  });

  it('is superseded by one that started after it had finished, whatever the numbers of the two are', async () => {
    const result = await lookWith(65, { id: 3, startedAtMs: NOW + 60_000, userReference: OURS });
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'mismatched', supersededBy: 3 } });
  });

  it.each<[string, Partial<Action>[]]>([
    ['nothing', []],
    ['itself', [{ id: 7, startedAtMs: NOW + 60_000, userReference: OURS }]],
    ['an earlier change', [{ id: 6, startedAtMs: NOW + 59_000, userReference: OURS }]],
    ['a change of another process', [{ id: 8, userReference: 'cloud66-autoscaler:d2:1-3:mailer' }]],
    ['an action that scales nothing', [{ id: 8, kind: 'stack_redeploy', userReference: OURS }]],
  ])('is not superseded by %s', async (_title, log) => {
    expect(await lookWith(119, ...log)).toMatchObject({ kind: 'look_again' });
    const result = await lookWith(120, ...log);
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'mismatched' } });
    if (result.kind === 'ended') expect(result.outcome.supersededBy).toBeUndefined();
  });

  it('is mismatched after a minute, too, when the log cannot be read', async () => {
    const answers = { action: ended(60), placements: { worker: other }, actions: unknown('failed') };
    const world = fakeWorld({ nowMs: NOW + 120_000, ...answers });
    const result = await confirm(record, world.ports, TIMEOUT_SECONDS, new AbortController().signal);
    expect(result).toMatchObject({ kind: 'ended', outcome: { kind: 'mismatched' } });
  });
});

describe('an action is looked at again', () => {
  const cases: [string, number, ActionLook, Reading<Placement>, boolean, string][] = [
    ['while it runs', 899, found({}), asAsked, false, 'still running'],
    ['while it cannot be read', 899, { kind: 'unreadable', why: '403' }, asAsked, true, 'could not be read: 403'],
    ['when it is not listed yet', 59, { kind: 'gone', detail: '404' }, asAsked, false, 'not listed yet'],
    ['when it ended without a verdict', 100, ended(60, { success: null }), asAsked, false, 'without saying'],
    ['when the workers cannot be read', 100, ended(60), unknown('failed'), true, 'workers could not be read'],
    ['when the workers are not there yet', 119, ended(60), ok(placementOf(serverOf('a', 1))), false, 'server-a runs 1'],
  ];
  it.each(cases)('%s', async (_title, age, action, placement, unreadable, why) => {
    const result = await lookAt(age, action, placement);
    expect(result).toMatchObject({ kind: 'look_again', unreadable });
    if (result.kind === 'look_again') expect(result.why).toContain(why);
  });
});
