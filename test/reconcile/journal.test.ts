/**
 * The journal: everything that forty passes ask, order, store and tell, in worlds whose answers are drawn from a seed, pass by
 * pass. A pass that does anything else than before changes its line; what changed on purpose is read, then written by
 * `vitest -u`. So does the look at a recorded action.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Action, ActionRecord } from '../../lib/domain.ts';
import { confirm } from '../../lib/reconcile/confirm.ts';
import { OUTCOMES } from '../../lib/reconcile/outcomes.ts';
import type { ActionLook, ProcessHost } from '../../lib/reconcile/ports.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { createRandom, type Random } from '../../lib/simulation/random.ts';
import { actionOf, NOW, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { JOURNAL_TARGETS, journalWorld } from './journal-world.ts';

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 10);

describe('the journal of passes', () => {
  it.each([
    ['real', 14],
    ['dry', 5],
  ] as const)('is the same in %s worlds', async (kind, worlds) => {
    const pages: string[] = [];
    for (let world = 0; world < worlds; world += 1) {
      const { ports, signals, next, take } = journalWorld(`journal/${kind}/${world}`, kind === 'dry');
      const { memory, clock } = ports;
      for (let pass = 0; pass < 40; pass += 1) {
        const results = await reconcile(JOURNAL_TARGETS, ports, signals);
        const words = [...results].map(([id, result]) => `${id[0]}:${result.kind}(${result.decision?.reason ?? '-'})`);
        const nowMs = clock.nowMs();
        const kept = JOURNAL_TARGETS.map((target) => [
          memory.looks(target.id, nowMs),
          memory.attention(target.id),
          memory.isExpecting(target, nowMs),
          memory.owed(target.id),
          memory.isSearched(target.id),
          memory.placement(target),
          memory.rates(target.id, nowMs),
        ]);
        const errors = [...results.values()].flatMap((one) => (one.kind === 'failed' ? [one.error.message] : []));
        const all = [...take(), JSON.stringify(kept), ...errors].join('\n');
        pages.push(`${world}.${pass} ${words.join(' ')} ${digest(all)}`);
        next();
      }
    }
    await expect(`${pages.join('\n')}\n`).toMatchFileSnapshot(`journal-${kind}.txt`);
  });
});

const OURS = 'cloud66-autoscaler:d:1-2:worker';

function lookOf(random: Random): ActionLook {
  const kind = random.pick(['found', 'found', 'found', 'found', 'gone', 'unreadable', 'not_asked'] as const);
  if (kind === 'gone') return { kind, detail: 'HTTP 404' };
  if (kind === 'unreadable' || kind === 'not_asked') return { kind, why: 'drawn' };
  const finishedAtMs = random.chance(0.8) ? NOW - random.pick([0, 30, 59, 60, 61, 200]) * 1000 : null;
  const success = random.pick([true, true, true, true, null, false]);
  const message = random.pick([null, 'no room']);
  return { kind, action: actionOf({ id: 50, finishedAtMs, success, message, userReference: OURS }) };
}

function hostOf(random: Random): Pick<ProcessHost, 'action' | 'placements' | 'actions'> {
  const servers = [
    serverOf('a', random.pick([2, 2, 2, 3])),
    ...(random.chance(0.8) ? [serverOf('b', random.pick([1, 1, 0]))] : []),
    ...(random.chance(0.2) ? [serverOf('c', random.pick([0, 1]))] : []),
  ];
  const spent = { kind: 'missing', why: 'over_budget', detail: 'kept for people' } as const;
  const later: readonly Action[] = [
    actionOf({ id: 51, userReference: OURS, startedAtMs: NOW - 10_000 }),
    actionOf({ id: 52, userReference: null }),
    actionOf({ id: 49, userReference: null, startedAtMs: NOW - random.pick([0, 60, 300]) * 1000 }),
    actionOf({ id: 53, userReference: 'cloud66-autoscaler:d:1-2:mailer' }),
    actionOf({ id: 48, userReference: OURS, startedAtMs: null }),
    actionOf({ id: 54, kind: 'stack_redeploy' }),
  ];
  const log = later.filter(() => random.chance(0.3));
  return {
    action: async () => lookOf(random),
    placements: async () => {
      const reading = random.pick(['ok', 'ok', 'ok', 'ok', 'ok', 'unknown', 'spent', 'none'] as const);
      if (reading === 'none') return new Map();
      const placement = ok(placementOf(...servers));
      return new Map([['worker', { ok: placement, unknown: unknown('failed'), spent }[reading]]]);
    },
    actions: async () => (random.chance(0.9) ? ok(log) : unknown('failed')),
  };
}

describe('the journal of looks at actions', () => {
  it('is the same', async () => {
    const signal = new AbortController().signal;
    const lines: string[] = [];
    for (let index = 0; index < 350; index += 1) {
      const random = createRandom(`look/${index}`);
      const requestedCounts = random.pick([{ a: 2, b: 1 }, { a: 2, b: 1 }, { a: 2, b: 0 }, { a: 3 }, null]);
      const record: ActionRecord = {
        version: 1,
        targetId: 'worker',
        stackUid: 'stack-1',
        processName: 'worker',
        actionId: 50,
        requestedCounts,
        desiredCount: Object.values(requestedCounts ?? { a: 3 }).reduce((sum, count) => sum + count, 0),
        previousCount: 1,
        decisionId: 'd',
        acceptedAtMs: NOW - random.pick([0, 59, 60, 61, 899, 900, 901]) * 1000,
      };
      const ports = { clock: { nowMs: () => NOW }, host: hostOf(random) as ProcessHost };
      lines.push(`${index}: ${JSON.stringify(await confirm(record, ports, 900, signal))}`);
    }
    const outcomes = Object.entries(OUTCOMES).map(([kind, sentence]) => `${kind}: ${sentence}`);
    await expect(`${[...outcomes, ...lines].join('\n')}\n`).toMatchFileSnapshot('journal-looks.txt');
  });
});
