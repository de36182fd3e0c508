import { describe, expect, it } from 'vitest';
import { sharingHosts } from '../../lib/lambda/shared-reads.ts';
import { confirm } from '../../lib/reconcile/confirm.ts';
import type { ProcessHost } from '../../lib/reconcile/ports.ts';
import { actionRecord } from '../actions/action-record.ts';
import { actionOf, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { fakeWorld, type WorldAnswers } from '../support/ports.ts';

const signal = new AbortController().signal;
const one = actionRecord({ actionId: 7, processName: 'one', requestedCounts: { a: 3 } });
const two = actionRecord({ actionId: 8, processName: 'two', requestedCounts: { a: 3 } });
const finished = (id: number) => actionOf({ id, finishedAtMs: one.acceptedAtMs + 60_000, success: true });

/** Confirms the records side by side, as a batch; the calls in the order in which they were made. */
async function confirmed(records: readonly (typeof one)[], answers: Partial<WorldAnswers> = {}) {
  const world = fakeWorld({
    nowMs: one.acceptedAtMs + 70_000,
    action: { kind: 'found', action: finished(7) },
    actions: ok([finished(8), finished(7)]),
    placements: { one: ok(placementOf(serverOf('a', 3))), two: ok(placementOf(serverOf('a', 3))) },
    ...answers,
  });
  const host: ProcessHost = {
    ...world.ports.host,
    action: async (stackUid, id) => {
      world.calls.push(`action ${stackUid}`);
      const { action } = world.answers;
      return action.kind === 'found' ? { kind: 'found', action: { ...action.action, id } } : action;
    },
  };
  const hostOf = sharingHosts(records, () => host, signal);
  const { clock } = world.ports;
  const results = await Promise.all(
    records.map((record) => confirm(record, { clock, host: hostOf(record) }, 900, signal)),
  );
  return {
    kinds: results.map((result) => (result.kind === 'ended' ? result.outcome.kind : result.kind)),
    calls: world.calls,
  };
}

describe('records of one batch', () => {
  it('on one stack share the action log and the process list', async () => {
    const { kinds, calls } = await confirmed([one, two]);
    expect(kinds).toEqual(['confirmed', 'confirmed']);
    expect(calls).toEqual([`actions ${one.stackUid}`, `placements ${one.stackUid}`]);
  });

  it('alone on their stacks are looked at as ever', async () => {
    const elsewhere = { ...two, stackUid: 'other' };
    const { kinds, calls } = await confirmed([one, elsewhere]);
    expect(kinds).toEqual(['confirmed', 'confirmed']);
    expect(calls.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      [`action ${one.stackUid}`, 'action other', `placements ${one.stackUid}`, 'placements other'].toSorted((a, b) =>
        a < b ? -1 : 1,
      ),
    );
  });

  it.each<[string, Partial<WorldAnswers>]>([
    ['is not on the first page of the log', { actions: ok([finished(8)]) }],
    ['cannot be seen because the log cannot be read', { actions: unknown('failed') }],
  ])('are asked for one by one where an action %s', async (_name, answers) => {
    const { kinds, calls } = await confirmed([one, two], answers);
    expect(kinds).toEqual(['confirmed', 'confirmed']);
    expect(calls).toContain(`action ${one.stackUid}`);
    expect(calls.filter((call) => call.startsWith('placements'))).toHaveLength(1);
  });
});
