import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision, Observation, Policy, ServerWorkers, StepRule } from '../../lib/domain.ts';
import { boundsOf } from '../../lib/policy/clamp.ts';
import { decide } from '../../lib/policy/decide.ts';
import { capacityOf, distribute, totalWorkers } from '../../lib/policy/distribute.ts';
import {
  actionOf,
  depthOf,
  historyOf,
  inputOf,
  NOW,
  ok,
  placementOf,
  policyOf,
  ratesOf,
  serverOf,
  unknown,
} from '../support/observations.ts';

const depth = fc.record({ visible: fc.nat(5000), inFlight: fc.nat(200), delayed: fc.nat(200) });

const steps = fc
  .uniqueArray(fc.record({ atLeast: fc.nat(1000), change: fc.integer({ min: -8, max: 8 }) }), {
    selector: ({ atLeast }) => atLeast,
    minLength: 1,
    maxLength: 5,
  })
  // A staircase that falls while the backlog rises would be refused by the configuration.
  .map((rules): StepRule[] => {
    const changes = rules.map(({ change }) => change).toSorted((a, b) => a - b);
    return rules
      .toSorted((a, b) => a.atLeast - b.atLeast)
      .map(({ atLeast }, index) => ({ atLeast, change: changes[index] ?? 0 }));
  });

const stepLimit = fc.option(
  fc.oneof(
    fc.record({ kind: fc.constant('workers' as const), workers: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('percent' as const), percent: fc.integer({ min: 1, max: 200 }) }),
  ),
);

const policy: fc.Arbitrary<Policy> = fc
  .record({
    minWorkers: fc.nat(5),
    room: fc.nat(30),
    strategy: fc.oneof(
      fc.record({ kind: fc.constant('backlog' as const), backlogPerWorker: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ kind: fc.constant('step' as const), steps }),
    ),
    countDelayed: fc.boolean(),
    tolerance: fc.double({ min: 0, max: 0.5, noNaN: true }),
    scaleOutStabilizationSeconds: fc.constantFrom(0, 60, 300),
    scaleInStabilizationSeconds: fc.constantFrom(0, 60, 300, 600),
    scaleOutMaxStep: stepLimit,
    scaleInMaxStep: stepLimit,
    scaleInCooldownSeconds: fc.constantFrom(0, 120, 300),
    maxWorkersPerServer: fc.option(fc.integer({ min: 1, max: 12 })),
  })
  .map(({ minWorkers, room, ...rest }) =>
    policyOf({ ...rest, minWorkers, maxWorkers: Math.max(1, minWorkers + room) }),
  );

const server = (uid: string): fc.Arbitrary<ServerWorkers> =>
  fc.record({
    uid: fc.constant(uid),
    name: fc.constant(`server-${uid}`),
    count: fc.nat(12),
    pausedCount: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3)),
    healthy: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
    listed: fc.boolean(),
    runsCode: fc.boolean(),
  });
const placement = fc
  .integer({ min: 1, max: 5 })
  .chain((size) => fc.tuple(...Array.from({ length: size }, (_, index) => server('abcde'[index] ?? 'z'))))
  .map((servers) => placementOf(...servers));

const reading = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof(
    { weight: 6, arbitrary: value.map((some) => ok(some, NOW - 1000)) },
    { weight: 1, arbitrary: fc.constantFrom(unknown('missing'), unknown('stale'), unknown('failed')) },
  );

const problem = fc.constantFrom('missing' as const, 'stale' as const, 'failed' as const);

const observation: fc.Arbitrary<Observation> = fc.record({
  backlog: reading(depth),
  placement: reading(placement),
  rates: fc.constant(ok(ratesOf([0]))),
  forecast: fc.constant({ kind: 'not_read' as const }),
  looks: fc.constant(ok([])),
  history: reading(fc.array(fc.nat(5000), { maxLength: 12 }).map((points) => historyOf(points))),
  stack: reading(
    fc.constantFrom(
      { status: 'deployed' as const, maintenanceMode: false },
      { status: 'deploying' as const, maintenanceMode: false },
    ),
  ),
  actions: reading(
    fc.array(
      fc.constantFrom(
        actionOf(),
        actionOf({ finishedAtMs: NOW - 30_000, success: true }),
        actionOf({ finishedAtMs: NOW - 4_000_000 }),
      ),
      { maxLength: 2 },
    ),
  ),
});

function decided(seen: Observation, wish: Policy): Decision {
  const answer = decide({ now: NOW, policy: wish, override: ok(null), windows: [], observation: seen });
  if (answer.kind !== 'decision') throw new Error('complete evidence must lead to a decision');
  return answer;
}

describe('for every policy and observation, a decision', () => {
  it('is a whole number within the limits, or holds, and a change never moves away from the limits', () => {
    fc.assert(
      fc.property(policy, observation, (wish, seen) => {
        const { action, currentCount, desiredCount } = decided(seen, wish);
        expect(action === 'hold').toBe(desiredCount === currentCount);
        if (action === 'hold' || seen.placement.kind !== 'ok') return;
        const { min, max } = boundsOf(wish, seen.placement.value, [], NOW);
        expect(Number.isInteger(desiredCount)).toBe(true);
        expect(desiredCount).toBeGreaterThanOrEqual(min);
        expect(desiredCount).toBeLessThanOrEqual(max);
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for the same input, also after a trip through JSON', () => {
    fc.assert(
      fc.property(policy, observation, (wish, seen) => {
        const input = { now: NOW, policy: wish, override: ok(null), windows: [], observation: seen };
        const copy = JSON.parse(JSON.stringify(input));
        expect(decide(copy)).toEqual(decide(input));
      }),
      { numRuns: 300 },
    );
  });

  it('never lowers the count when queue, workers, stack or action log are unknown', () => {
    const unread = fc.constantFrom('backlog', 'placement', 'stack', 'actions');
    fc.assert(
      fc.property(policy, observation, unread, problem, (wish, seen, name, why) => {
        expect(decided({ ...seen, [name]: unknown(why) }, wish).action).not.toBe('scale_in');
      }),
      { numRuns: 1000 },
    );
  });

  it('never lowers the count below MAX_WORKERS when the history is unknown', () => {
    fc.assert(
      fc.property(policy, observation, problem, (wish, seen, why) => {
        const { action, desiredCount } = decided({ ...seen, history: unknown(why) }, wish);
        if (action !== 'scale_in' || seen.placement.kind !== 'ok') return;
        expect(desiredCount).toBe(boundsOf(wish, seen.placement.value, [], NOW).max);
      }),
      { numRuns: 1000 },
    );
  });

  it('never wants fewer workers because more messages wait', () => {
    fc.assert(
      fc.property(policy, observation, depth, fc.nat(1000), (wish, seen, base, more) => {
        const at = (visible: number) =>
          decided({ ...seen, backlog: ok(depthOf(visible, base.inFlight, base.delayed), NOW) }, wish).desiredCount ?? 0;
        expect(at(base.visible + more)).toBeGreaterThanOrEqual(at(base.visible));
      }),
      { numRuns: 500 },
    );
  });

  it('never wants fewer workers because the first step was reached (kept from a run of the property above)', () => {
    const strategy = { kind: 'step', steps: [{ atLeast: 1, change: -1 }] } as const;
    const wish = policyOf({ minWorkers: 0, maxWorkers: 1, strategy, scaleInStabilizationSeconds: 0 });
    const at = (visible: number) =>
      decided(
        {
          backlog: ok(depthOf(visible)),
          placement: ok(placementOf(serverOf('a', 1))),
          history: ok(historyOf([1])),
          rates: { kind: 'not_read' },
          forecast: { kind: 'not_read' },
          looks: { kind: 'not_read' },
          stack: ok({ status: 'deployed', maintenanceMode: false }),
          actions: ok([]),
        },
        wish,
      ).desiredCount;
    expect([at(0), at(1)]).toEqual([0, 0]);
  });

  it('asks only for evidence that it was not given', () => {
    const notRead = { kind: 'not_read' } as const;
    fc.assert(
      fc.property(policy, observation, fc.subarray(['history', 'stack', 'actions'] as const), (wish, seen, hidden) => {
        const partial = { ...seen, ...Object.fromEntries(hidden.map((name) => [name, notRead])) };
        const answer = decide(inputOf(partial, wish));
        if (answer.kind === 'needs_evidence') {
          expect(answer.evidence.length).toBeGreaterThan(0);
          for (const name of answer.evidence) expect(hidden).toContain(name);
        } else {
          const complete = decided(seen, wish);
          // What was decided without evidence is a hold, or does not depend on it.
          if (answer.action !== 'hold') expect(answer).toEqual(complete);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('for every placement, a distribution', () => {
  const wished = fc.tuple(placement, policy).chain(([where, wish]) => {
    const { most, fewest } = capacityOf(where, wish);
    return fc.record({
      where: fc.constant(where),
      wish: fc.constant(wish),
      desired: fc.integer({ min: fewest, max: Math.max(fewest, Math.min(most, 60)) }),
    });
  });

  it('sums up to what was asked for, respects caps, and adds nothing where nothing may be added', () => {
    fc.assert(
      fc.property(wished, ({ where, wish, desired }) => {
        const counts = distribute(where, desired, wish);
        expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(desired);
        for (const { uid, count, healthy, pausedCount } of where.servers) {
          const placed = counts[uid] ?? 0;
          if (pausedCount > 0) expect(placed).toBe(count);
          else if (wish.maxWorkersPerServer !== null) expect(placed).toBeLessThanOrEqual(wish.maxWorkersPerServer);
          if (!healthy) expect(placed).toBeLessThanOrEqual(count);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('moves no more workers than the change asks for when no server is over its cap', () => {
    fc.assert(
      fc.property(wished, ({ where, wish, desired }) => {
        const free = { ...wish, maxWorkersPerServer: null };
        const reach = capacityOf(where, free);
        if (desired > reach.most) return;
        const counts = distribute(where, desired, free);
        const moved = where.servers.reduce((sum, { uid, count }) => sum + Math.abs((counts[uid] ?? 0) - count), 0);
        expect(moved).toBe(Math.abs(desired - totalWorkers(where)));
      }),
      { numRuns: 500 },
    );
  });

  it('names every server that runs the process', () => {
    fc.assert(
      fc.property(wished, ({ where, wish, desired }) => {
        const counts = distribute(where, desired, wish);
        for (const { uid, count } of where.servers) if (count > 0) expect(counts).toHaveProperty(uid);
      }),
      { numRuns: 300 },
    );
  });
});

describe('placement examples', () => {
  const wish = { servers: null, maxWorkersPerServer: null };
  it.each([
    ['adds to the least loaded', [3, 1, 2], 8, { a: 3, b: 3, c: 2 }],
    ['breaks ties by uid when adding', [1, 1, 1], 4, { a: 2, b: 1, c: 1 }],
    ['removes from the most loaded', [3, 1, 2], 4, { a: 2, b: 1, c: 1 }],
    ['breaks ties by uid from the other end when removing', [2, 2, 2], 5, { a: 2, b: 2, c: 1 }],
    ['goes to zero and names every server', [1, 0, 2], 0, { a: 0, b: 0, c: 0 }],
  ])('%s', (_title, [a = 0, b = 0, c = 0], desired, expected) => {
    const where = placementOf(serverOf('a', a), serverOf('b', b), serverOf('c', c));
    expect(distribute(where, desired, wish)).toEqual(expected);
  });

  it('leaves a paused server alone and out of the request', () => {
    const where = placementOf(serverOf('a', 1), serverOf('b', 0, { pausedCount: 2 }));
    expect(distribute(where, 4, wish)).toEqual({ a: 4 });
  });

  it('empties unhealthy and excluded servers first', () => {
    const where = placementOf(serverOf('a', 2), serverOf('b', 1, { healthy: false }), serverOf('c', 1));
    expect(distribute(where, 3, { ...wish, servers: ['server-a', 'server-c'] })).toEqual({ a: 2, b: 0, c: 1 });
  });

  it('starts a process that is listed nowhere on servers that carry the code', () => {
    const where = placementOf(
      serverOf('a', 0, { listed: false, runsCode: false }),
      serverOf('b', 0, { listed: false }),
    );
    expect(distribute(where, 1, wish)).toEqual({ b: 1 });
  });

  it('moves workers off a server that is over its cap', () => {
    const where = placementOf(serverOf('a', 5), serverOf('b', 0));
    expect(distribute(where, 5, { ...wish, maxWorkersPerServer: 3 })).toEqual({ a: 3, b: 2 });
  });

  it('refuses what cannot be placed', () => {
    const where = placementOf(serverOf('a', 1, { healthy: false }));
    expect(() => distribute(where, 2, wish)).toThrow(RangeError);
    expect(() => distribute(where, -1, wish)).toThrow(RangeError);
  });
});
