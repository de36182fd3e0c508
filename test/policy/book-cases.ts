/**
 * The cases of the decision book: every rule a little below, at and above the value that makes a difference, and some hundred
 * situations drawn from a seed.
 */
import type {
  Action,
  DecisionInput,
  LatencyStrategy,
  Look,
  Observation,
  Policy,
  RateHistory,
  StackStatus,
} from '../../lib/domain.ts';
import { createRandom, type Random } from '../../lib/simulation/random.ts';
import {
  actionOf,
  depthOf,
  historyOf,
  inputOf,
  LATENCY,
  NOW,
  observationOf,
  ok,
  placementOf,
  ratesOf,
  serverOf,
  unknown,
} from '../support/observations.ts';

/** One situation and its name. */
export interface BookCase {
  readonly name: string;
  readonly input: DecisionInput;
}

type Changes = Partial<Omit<DecisionInput, 'observation' | 'policy'>>;

function at(name: string, seen: Observation, policy: Partial<Policy> = {}, changes: Changes = {}): BookCase {
  return { name, input: { ...inputOf(seen, policy), ...changes } };
}

const secondsAgo = (seconds: number) => NOW - seconds * 1000;
const lookAt = (agoSeconds: number, visible: number, inFlight: number, workers: number): Look => ({
  atMs: secondsAgo(agoSeconds),
  visible,
  inFlight,
  workers,
});
const STEPS: Partial<Policy> = {
  strategy: {
    kind: 'step',
    steps: [
      { atLeast: 0, change: -1 },
      { atLeast: 10, change: 0 },
      { atLeast: 50, change: 2 },
    ],
  },
};
const NO_WINDOW: Partial<Policy> = { scaleInStabilizationSeconds: 0, scaleInCooldownSeconds: 0 };
/** Ours, so that the log is known to show notes. */
const OURS = 'cloud66-autoscaler:d:1-2:worker';
const ended = (agoSeconds: number, changes: Partial<Action> = {}): Action =>
  actionOf({ finishedAtMs: secondsAgo(agoSeconds), success: true, userReference: OURS, ...changes });

function depths(): readonly BookCase[] {
  const cases = [0, 1, 4].flatMap((workers) =>
    [0, 1, 9, 10, 11, 36, 40, 44, 45, 99, 100, 101].map((visible) =>
      at(`backlog ${visible} on ${workers}`, observationOf(workers, visible), { minWorkers: 0 }),
    ),
  );
  const steps = [0, 1, 4].flatMap((workers) =>
    [0, 1, 9, 10, 49, 50].map((visible) =>
      at(`step ${visible} on ${workers}`, observationOf(workers, visible), { ...STEPS, minWorkers: 0 }),
    ),
  );
  const parts = observationOf(2, 0, { backlog: ok(depthOf(10, 20, 30)) });
  return [
    ...cases,
    ...steps,
    at('in flight', parts),
    at('delayed are counted', parts, { countDelayed: true }),
    at('delayed are counted by steps', parts, { ...STEPS, countDelayed: true }),
    at('depth as old as allowed', observationOf(1, 50, { backlog: ok(depthOf(50), secondsAgo(180)) })),
    at('depth too old', observationOf(1, 50, { backlog: ok(depthOf(50), secondsAgo(181)) })),
  ];
}

function readings(): readonly BookCase[] {
  const kinds = ['missing', 'stale', 'failed'] as const;
  const names = ['backlog', 'placement', 'history', 'stack', 'actions'] as const;
  const spent = { kind: 'missing', why: 'over_budget', detail: 'no call is left' } as const;
  return [
    ...kinds.flatMap((kind) =>
      names.flatMap((name) => [
        at(`${name} ${kind}, more wanted`, observationOf(1, 50, { [name]: unknown(kind) })),
        at(`${name} ${kind}, fewer wanted`, observationOf(9, 10, { [name]: unknown(kind) })),
      ]),
    ),
    ...names.map((name) => at(`${name} not paid for`, observationOf(9, 10, { [name]: spent }))),
    ...(['history', 'stack', 'actions', 'rates', 'forecast'] as const).flatMap((name) => [
      at(`${name} not read, more wanted`, observationOf(1, 50, { [name]: { kind: 'not_read' } })),
      at(`${name} not read, fewer wanted`, observationOf(9, 10, { [name]: { kind: 'not_read' } })),
      at(`${name} not read, latency`, observationOf(9, 10, { [name]: { kind: 'not_read' } }), {
        strategy: { ...LATENCY, learnPatterns: true },
      }),
    ]),
    ...[59, 60, 61, 300].map((age) =>
      at(
        `workers counted ${age} s ago`,
        observationOf(1, 50, {
          placement: ok(placementOf(serverOf('a', 1)), secondsAgo(age)),
          actions: ok([], secondsAgo(age + 1)),
        }),
      ),
    ),
    at('hold on an old count', observationOf(1, 10, { placement: ok(placementOf(serverOf('a', 1)), secondsAgo(61)) })),
    at(
      'counted before the log was read',
      observationOf(1, 50, {
        placement: ok(placementOf(serverOf('a', 1)), secondsAgo(10)),
        actions: ok([], secondsAgo(9)),
      }),
    ),
    at(
      'counted with names only',
      observationOf(1, 50, {
        placement: ok({ ...placementOf(serverOf('a', 1)), countsOnly: true }),
      }),
    ),
    at(
      'counted with names only, a limit per server',
      observationOf(1, 50, {
        placement: ok({ ...placementOf(serverOf('a', 1)), countsOnly: true }),
      }),
      { maxWorkersPerServer: 3 },
    ),
    ...[0, 3].map((workers) =>
      at(
        `paused with ${workers} left`,
        observationOf(1, 50, {
          placement: ok(placementOf(serverOf('a', workers, { pausedCount: 2 }))),
        }),
      ),
    ),
  ];
}

function windows(): readonly BookCase[] {
  const out = { scaleOutStabilizationSeconds: 180 };
  const histories = {
    'a calm minute': [50, 50, 10, 50],
    'the calm before the window': [10, 10, 50, 50, 50],
    'at its edge': [50, 10, 50, 50, 50],
    'a busy minute': [50, 90, 10, 10, 10, 10],
    'busy before': [90, 90, 10, 10, 10, 10, 10],
    'one point': [50],
    'two points': [50, 50],
    none: [],
  };
  return [
    ...Object.entries(histories).flatMap(([name, points]) => [
      at(`out, ${name}`, observationOf(2, 50, { history: ok(historyOf(points)) }), out),
      at(`out from zero, ${name}`, observationOf(0, 50, { history: ok(historyOf(points)) }), out),
      at(`in, ${name}`, observationOf(8, 10, { history: ok(historyOf(points)) })),
      at(`in without a window, ${name}`, observationOf(8, 10, { history: ok(historyOf(points)) }), NO_WINDOW),
    ]),
    ...[179, 180, 181, 240].map((age) =>
      at(
        `recorded until ${age} s ago`,
        observationOf(8, 10, { history: ok(historyOf([10, 10, 10, 10], secondsAgo(age))) }),
      ),
    ),
    ...[299, 300, 301].map((age) => at(`changed ${age} s ago`, observationOf(8, 10, { actions: ok([ended(age)]) }))),
    at('changed lately, no cooldown', observationOf(8, 10, { actions: ok([ended(1)]) }), { scaleInCooldownSeconds: 0 }),
    at(
      'another process changed lately',
      observationOf(8, 10, {
        actions: ok([ended(1, { userReference: 'cloud66-autoscaler:d:1-2:mailer' })]),
      }),
    ),
  ];
}

function limits(): readonly BookCase[] {
  const workers = (count: number) => ({ kind: 'workers', workers: count }) as const;
  const percent = (share: number) => ({ kind: 'percent', percent: share }) as const;
  const open = (minWorkers: number | null, maxWorkers: number | null, from = -60, until = 60) => ({
    windows: [{ startMs: NOW + from * 1000, endMs: NOW + until * 1000, minWorkers, maxWorkers }],
  });
  const two = ok(placementOf(serverOf('a', 2), serverOf('b', 1)));
  return [
    ...[1, 2, 7, 8].map((most) => at(`out by ${most}`, observationOf(2, 99), { scaleOutMaxStep: workers(most) })),
    ...[1, 50, 400].map((most) => at(`out by ${most} %`, observationOf(2, 99), { scaleOutMaxStep: percent(most) })),
    ...[1, 2, 7].map((most) =>
      at(`in by ${most}`, observationOf(8, 10), { ...NO_WINDOW, scaleInMaxStep: workers(most) }),
    ),
    ...[1, 50].map((most) =>
      at(`in by ${most} %`, observationOf(8, 10), { ...NO_WINDOW, scaleInMaxStep: percent(most) }),
    ),
    ...[0, 1, 2, 10, 11, 12].map((count) => at(`${count} run`, observationOf(count, 40), { minWorkers: 1 })),
    at('at the minimum', observationOf(2, 0), { minWorkers: 2 }),
    at('at the maximum', observationOf(10, 400)),
    at('at the maximum, latency', observationOf(10, 400), { strategy: LATENCY }),
    at('floor', observationOf(2, 10), {}, open(4, null)),
    at('floor from now', observationOf(2, 10), {}, open(4, null, 0)),
    at('floor until now', observationOf(2, 10), {}, open(4, null, -60, 0)),
    at('ceiling', observationOf(2, 90), {}, open(null, 4)),
    at(
      'floor above ceiling',
      observationOf(2, 90),
      {},
      {
        windows: [...open(6, null).windows, ...open(null, 4, -60, 30).windows],
      },
    ),
    at('above a ceiling', observationOf(8, 90), {}, open(null, 4)),
    at('room on servers', observationOf(3, 90, { placement: two }), { maxWorkersPerServer: 3 }),
    at('no room on servers', observationOf(3, 90, { placement: two }), {
      maxWorkersPerServer: 2,
      servers: ['server-a'],
    }),
    at('a server that is not there', observationOf(0, 90, { placement: ok(placementOf()) }), {
      servers: ['lion', 'bear'],
    }),
    at(
      'only sick servers',
      observationOf(0, 90, {
        placement: ok(placementOf(serverOf('a', 0, { healthy: false }))),
      }),
      { servers: ['server-a', 'tiger'] },
    ),
    at('sick and full', observationOf(2, 90, { placement: ok(placementOf(serverOf('a', 2, { healthy: false }))) })),
    ...[89, 90, 91, 300].flatMap((seconds) =>
      (['warn', 'refuse'] as const).flatMap((longJobs) => [
        at(`jobs of ${seconds} s, ${longJobs}`, observationOf(8, 10), {
          ...NO_WINDOW,
          maxJobSeconds: seconds,
          longJobs,
        }),
        at(`none of ${seconds} s, ${longJobs}`, observationOf(8, 0), {
          ...NO_WINDOW,
          maxJobSeconds: seconds,
          longJobs,
        }),
        at(`one in flight, ${seconds} s, ${longJobs}`, observationOf(8, 0, { backlog: ok(depthOf(0, 1)) }), {
          ...NO_WINDOW,
          maxJobSeconds: seconds,
          longJobs,
        }),
        at(`out with jobs of ${seconds} s, ${longJobs}`, observationOf(2, 90), { maxJobSeconds: seconds, longJobs }),
      ]),
    ),
  ];
}

function stack(): readonly BookCase[] {
  const statuses: readonly StackStatus[] = [
    'queued',
    'deployed',
    'failed',
    'analysing',
    'analysed',
    'queued_for_deploying',
    'deploying',
    'terminal_failure',
    'unknown',
  ];
  const deployment = { kind: 'stack_redeploy', userReference: null };
  const byHand = { userReference: null, startedAtMs: secondsAgo(120) };
  const looks = (workers: number, ago = 180) => ok([lookAt(ago, 0, 0, workers)]);
  const seen = (actions: readonly Action[], changes: Partial<Observation> = {}) =>
    observationOf(1, 50, { actions: ok(actions), ...changes });
  return [
    ...statuses.map((status) =>
      at(`stack ${status}`, observationOf(1, 50, { stack: ok({ status, maintenanceMode: false }) })),
    ),
    at('maintenance', observationOf(1, 50, { stack: ok({ status: 'deployed', maintenanceMode: true }) })),
    at(
      'deploying, nothing wanted',
      observationOf(1, 10, { stack: ok({ status: 'deploying', maintenanceMode: false }) }),
    ),
    at('an action of ours runs', seen([actionOf({ userReference: OURS })])),
    at('one without a note runs', seen([actionOf()])),
    at('one of another process runs', seen([actionOf({ userReference: 'cloud66-autoscaler:d:1-2:mailer' })])),
    ...[900, 901].map((age) =>
      at(
        `one of another process runs for ${age} s, and they wait for each other`,
        seen([actionOf({ startedAtMs: secondsAgo(age), userReference: 'cloud66-autoscaler:d:1-2:mailer' })]),
        {},
        { isSerial: true },
      ),
    ),
    at(
      'one of another process runs since an unknown time, and they wait for each other',
      seen([actionOf({ startedAtMs: null, userReference: 'cloud66-autoscaler:d:1-2:mailer' })]),
      {},
      { isSerial: true },
    ),
    at('a deployment runs', seen([actionOf(deployment)])),
    at('a deployment without a start', seen([actionOf({ ...deployment, startedAtMs: null })])),
    at(
      'an old one without a start',
      seen([actionOf({ ...deployment, startedAtMs: null }), ended(2000, { id: 8, startedAtMs: secondsAgo(901) })]),
    ),
    ...[899, 900, 901].map((age) => at(`runs for ${age} s`, seen([actionOf({ startedAtMs: secondsAgo(age) })]))),
    ...[119, 120, 121].map((age) => at(`deployed ${age} s ago`, seen([ended(age, deployment)]))),
    at('deployed lately, fewer wanted', observationOf(8, 10, { actions: ok([ended(5, deployment)]) })),
    ...[299, 300, 301].map((age) =>
      at(`changed by hand ${age} s ago`, seen([ended(900), ended(age, { ...byHand, id: 9 })])),
    ),
    at('changed by hand, seen before', seen([ended(900), ended(5, { ...byHand, id: 9 })], { looks: looks(1) })),
    at(
      'changed by hand, seen otherwise before',
      seen([ended(900), ended(5, { ...byHand, id: 9 })], { looks: looks(4) }),
    ),
    at(
      'changed by hand, seen at its start',
      seen([ended(900), ended(5, { ...byHand, id: 9 })], { looks: looks(1, 120) }),
    ),
    at(
      'changed by hand, start unknown',
      seen([ended(900), ended(5, { userReference: null, startedAtMs: null, id: 9 })], { looks: looks(1) }),
    ),
    at('by hand where no note is shown', seen([ended(5, byHand)])),
    at('by somebody with a note', seen([ended(5, { ...byHand, userReference: 'ci' })])),
    at('changed by hand twice', seen([ended(900), ended(200, { ...byHand, id: 9 }), ended(50, { ...byHand, id: 10 })])),
    at(
      'changed by hand twice, the newer one first',
      seen([ended(50, { ...byHand, id: 10 }), ended(200, { ...byHand, id: 9 }), ended(900)]),
    ),
    at('being changed by hand', seen([ended(900), actionOf({ ...byHand, id: 9, startedAtMs: secondsAgo(901) })])),
    at('an odd note', seen([ended(5, { ...byHand, userReference: 'cloud66-autoscaler:odd' })])),
    at('landed 60 s ago', observationOf(1, 0, { actions: ok([ended(60)]) })),
    at('landed 61 s ago', observationOf(1, 0, { actions: ok([ended(61)]) })),
    at('landed twice', observationOf(8, 10, { actions: ok([ended(400), ended(100, { id: 8 })]) })),
    at('stack busy, nothing wanted', observationOf(1, 0, { actions: ok([actionOf(deployment)]) })),
    at('failed by hand', seen([ended(900), ended(5, { ...byHand, id: 9, success: false })])),
    at(
      'changed by hand, nothing wanted',
      observationOf(1, 10, { actions: ok([ended(900), ended(5, { ...byHand, id: 9 })]) }),
    ),
  ];
}

/** The same with the strategy that keeps a wait, which is looked at again when a change is held back. */
function withLatency({ name, input }: BookCase): BookCase {
  return { name: `${name}, latency`, input: { ...input, policy: { ...input.policy, strategy: LATENCY } } };
}

function people(): readonly BookCase[] {
  const override = (kind: 'count' | 'pause' | 'pause_scale_in', workers: number | null, endsInSeconds = 3600) => ({
    override: ok({ kind, workers, untilMs: NOW + endsInSeconds * 1000, why: 'sale' }),
  });
  return [
    ...[0, 1, 2, 7, 20].map((count) => at(`pinned to ${count}`, observationOf(2, 50), {}, override('count', count))),
    ...[-1, 0, 1, 599, 600, 601].map((ends) =>
      at(`pinned, ends in ${ends} s`, observationOf(2, 50), {}, override('count', 4, ends)),
    ),
    at('paused', observationOf(2, 50), {}, override('pause', null)),
    at('scale in paused', observationOf(8, 10), NO_WINDOW, override('pause_scale_in', null)),
    at('scale in paused, too many', observationOf(12, 10), NO_WINDOW, override('pause_scale_in', null)),
    at('scale in paused, more wanted', observationOf(2, 50), {}, override('pause_scale_in', null)),
    at(
      'pinned while the stack deploys',
      observationOf(2, 50, { stack: ok({ status: 'deploying', maintenanceMode: false }) }),
      {},
      override('count', 4),
    ),
    at('override failed', observationOf(2, 50), {}, { override: unknown('failed') }),
  ];
}

/** Two raises, and what came of them: jobs of six seconds, far more of them than are finished. */
function effects(): readonly BookCase[] {
  const looks = (from: number, to: number, last: number) => [
    lookAt(540, 3000, from, from),
    lookAt(360, 4000, to, to),
    lookAt(300, last, to + 1, to + 1),
    lookAt(60, last, to + 1, to + 1),
  ];
  const rates = (before: number, after: number): RateHistory => {
    const deleted = [...Array<number>(14).fill(before), ...Array<number>(6).fill(after)];
    return { ...ratesOf(deleted), sent: deleted.map((count) => count * 3) };
  };
  const seen = (workers: number, all: readonly Look[], past: RateHistory, visible = 5000) =>
    observationOf(workers, visible, { looks: ok(all), rates: ok(past) });
  const policy = { strategy: LATENCY, maxWorkers: 100 };
  const raised = looks(4, 5, 5000);
  const cases: Readonly<Record<string, Observation>> = {
    'no effect': seen(6, raised, rates(40, 40)),
    'a tenth more': seen(6, raised, rates(40, 44)),
    'more than a tenth': seen(6, raised, rates(40, 45)),
    'less than before': seen(6, raised, rates(40, 30)),
    'grown by less than half': seen(5, raised, rates(40, 40)),
    'falling since': seen(6, [...raised, lookAt(30, 4999, 6, 6)], rates(40, 40)),
    'as many as then': seen(6, [...raised, lookAt(30, 5000, 6, 6)], rates(40, 40)),
    'nothing waited then': seen(6, looks(4, 5, 0), rates(40, 40)),
    'one raise': seen(6, [lookAt(540, 3000, 4, 4), lookAt(300, 5000, 6, 6), lookAt(60, 5000, 6, 6)], rates(40, 40)),
    'no raise': seen(6, [lookAt(540, 3000, 6, 6), lookAt(60, 5000, 6, 6)], rates(40, 40)),
    'one look': seen(6, [lookAt(60, 5000, 6, 6)], rates(40, 40)),
    'no looks': observationOf(6, 5000, { looks: { kind: 'not_read' }, rates: ok(rates(40, 40)) }),
    'no rates': observationOf(6, 5000, { looks: ok(raised), rates: unknown() }),
    'fewer wanted': seen(60, raised, rates(40, 40), 0),
    'raises a moment ago': seen(
      6,
      raised.map((look) => ({ ...look, atMs: look.atMs + 200_000 })),
      rates(40, 40),
    ),
    'a short past': seen(6, raised, ratesOf([40, 40, 40, 40, 40, 40, 40, 40, 40])),
    'a past of eleven': seen(6, raised, ratesOf([40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40])),
    'gaps after': seen(6, raised, {
      ...rates(40, 40),
      deleted: rates(40, 40).deleted.map((count, index) => (index > 16 ? null : count)),
    }),
    'gaps before': seen(6, raised, {
      ...rates(40, 40),
      deleted: rates(40, 40).deleted.map((count, index) => (index > 1 && index < 12 ? null : count)),
    }),
    'much long ago': seen(6, raised, {
      ...rates(40, 40),
      deleted: rates(40, 40).deleted.map((count, index) => (index < 7 ? 400 : count)),
    }),
  };
  return Object.entries(cases).map(([name, observation]) => at(`raised: ${name}`, observation, policy));
}

function drawnDepth(random: Random): DecisionInput {
  const count = random.integer(0, 12);
  const near = Math.max(0, count * 10 + random.integer(-12, 30));
  const history = Array.from({ length: random.integer(0, 12) }, () => Math.max(0, near + random.integer(-40, 40)));
  const ago = random.pick([10, 119, 299, 301, 900]);
  const observation = observationOf(count, near, {
    placement: ok(
      placementOf(
        serverOf('a', count, { healthy: random.chance(0.9) }),
        serverOf('b', random.integer(0, 3), { runsCode: random.chance(0.8), listed: random.chance(0.8) }),
      ),
    ),
    history: ok(historyOf(history)),
    actions: ok(random.chance(0.5) ? [] : [ended(ago, { userReference: random.pick([OURS, null]) })]),
  });
  return inputOf(observation, {
    minWorkers: random.integer(0, 2),
    maxWorkers: random.integer(8, 30),
    tolerance: random.pick([0, 0.1, 0.3]),
    scaleOutStabilizationSeconds: random.pick([0, 120, 300]),
    scaleInStabilizationSeconds: random.pick([0, 300, 600]),
    maxWorkersPerServer: random.pick([null, null, 4, 6]),
    ...(random.chance(0.3) ? STEPS : {}),
  });
}

function drawnLatency(random: Random): DecisionInput {
  const count = random.integer(0, 40);
  const perMinute = random.pick([0, 1, 20, 200, 1500]);
  const jobSeconds = random.pick([0.2, 1, 6, 45]);
  const minutes = random.integer(3, 60);
  const sent = Array.from({ length: minutes }, (_, minute) =>
    random.chance(0.05)
      ? 0
      : Math.round(perMinute * (0.5 + random.next()) * (minute > minutes - 4 ? random.pick([1, 3]) : 1)),
  );
  const base = ratesOf(sent, jobSeconds, NOW - random.pick([0, 30, 120]) * 1000);
  const holed = { ...base, deleted: base.deleted.map((value) => (random.chance(0.05) ? null : value)) };
  const visible = random.pick([0, 1, random.integer(0, 50), random.integer(0, 3000)]);
  const looks = Array.from({ length: random.integer(0, 6) }, (_, index) =>
    lookAt(
      30 * (7 - index) + random.integer(0, 20),
      random.integer(0, visible * 2 + 2),
      random.integer(0, count),
      Math.max(0, count + random.integer(-2, 2)),
    ),
  );
  const strategy: LatencyStrategy = {
    ...LATENCY,
    targetSeconds: random.pick([10, 60, 300, 1800]),
    targetPercent: random.pick([50, 95, 99]),
    jobSeconds: random.pick([null, jobSeconds]),
    jobsPerWorker: random.pick([1, 1, 10]),
    learnPatterns: random.chance(0.5),
    drainShare: random.pick([0.3, 0.5, 1]),
    headroom: random.pick([null, null, 0, 2]),
    keepIdleSeconds: random.pick([0, 120, 300, 900]),
    surgeFactor: random.pick([1, 1.5, 3]),
  };
  const expected = Array.from({ length: 60 }, () => (random.chance(0.1) ? random.integer(1, 900) : 0));
  const cycleMinutes = expected.map((value) => (value > 0 ? random.pick([30, 60, 1440]) : 0));
  const lead = random.pick([25, 60, 150]);
  const change = ended(random.pick([20, 400]), { startedAtMs: secondsAgo(random.pick([20, 400]) + lead) });
  const observation = observationOf(count, visible, {
    backlog: ok(depthOf(visible, random.integer(0, count * strategy.jobsPerWorker), random.integer(0, 5))),
    rates: random.chance(0.9) ? ok(holed) : unknown(),
    forecast: random.chance(0.8)
      ? ok({ startMs: NOW - 30 * 60_000, periodSeconds: 60, expected, cycleMinutes })
      : unknown(),
    looks: ok(looks),
    actions: ok(random.chance(0.6) ? [change] : []),
  });
  return inputOf(observation, { minWorkers: random.integer(0, 2), maxWorkers: random.pick([45, 200]), strategy });
}

/** Idle workers after an hour that called for many, and a rise on a queue whose minutes always vary. */
function idleOnes(): readonly BookCase[] {
  const burst = (workers: number, minutesAgo: number, target: Partial<typeof LATENCY> = {}) => {
    const sent = Array<number>(60).fill(20);
    sent[60 - minutesAgo] = 1000;
    const looks = ok([{ atMs: secondsAgo(60), visible: 0, inFlight: 2, workers }]);
    return at(
      `${workers} workers, 1000 came ${minutesAgo} min ago, ${target.targetSeconds ?? 60} s`,
      observationOf(workers, 0, { rates: ok(ratesOf(sent)), looks }),
      { strategy: { ...LATENCY, ...target } },
    );
  };
  const unrest = (spread: number, visible: number) => {
    const sent = Array.from({ length: 60 }, (_, minute) => 40 + (minute % 2 === 0 ? spread : -spread));
    const looks = ok([{ atMs: secondsAgo(60), visible: 0, inFlight: 4, workers: 6 }]);
    const observation = observationOf(6, 0, { backlog: ok(depthOf(visible, 6)), rates: ok(ratesOf(sent)), looks });
    return at(`${visible} wait, minutes of 40 +- ${spread}`, observation, { strategy: LATENCY });
  };
  return [
    ...[4, 5, 6, 7, 8, 9, 10].flatMap((workers) => [5, 6, 10, 11, 20, 21, 60].map((ago) => burst(workers, ago))),
    ...[90, 150, 300].map((targetSeconds) => burst(6, 8, { targetSeconds })),
    ...[0, 5, 10, 20, 40].flatMap((spread) => [20, 60, 120].map((visible) => unrest(spread, visible))),
  ];
}

/** Every case, those at the edges first. */
export function bookCases(): { readonly edges: readonly BookCase[]; readonly drawn: readonly BookCase[] } {
  const random = createRandom('decision-book');
  const draw = (name: string, size: number, input: (random: Random) => DecisionInput) =>
    Array.from({ length: size }, (_, index) => ({
      name: `${name} ${index}`,
      input: input(random.fork(`${name}/${index}`)),
    }));
  return {
    edges: [
      ...depths(),
      ...readings(),
      ...windows(),
      ...limits(),
      ...stack(),
      ...stack().map(withLatency),
      ...people(),
      ...effects(),
      ...idleOnes(),
    ],
    drawn: [...draw('depth', 150, drawnDepth), ...draw('latency', 450, drawnLatency)],
  };
}
