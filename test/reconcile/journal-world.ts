/** A world of three stacks whose answers are drawn from a seed, and that writes down all that is asked of it and told to it. */
import type { Action, Backlog, BacklogHistory, Override, RateHistory, Reading, Target } from '../../lib/domain.ts';
import { createMemory } from '../../lib/reconcile/memory.ts';
import type { ScaleAnswer } from '../../lib/reconcile/ports.ts';
import type { PassSignals, ReconcilePorts } from '../../lib/reconcile/reconcile.ts';
import { createShadow } from '../../lib/reconcile/shadow.ts';
import { createRandom, type Random } from '../../lib/simulation/random.ts';
import {
  actionOf,
  depthOf,
  historyOf,
  LATENCY,
  NOW,
  ok,
  placementOf,
  policyOf,
  ratesOf,
  serverOf,
} from '../support/observations.ts';
import { targetOf } from '../support/ports.ts';

const LANDING_MS = 60_000;
const LATENT = { strategy: { ...LATENCY, learnPatterns: true } } as const;

/** Two targets share a stack, one is in another account. */
export const JOURNAL_TARGETS: readonly Target[] = [
  targetOf('worker', { policy: policyOf({ ...LATENT, scaleInCooldownSeconds: 60 }) }),
  targetOf('mailer', { policy: policyOf({ scaleOutStabilizationSeconds: 60, scaleInStabilizationSeconds: 600 }) }),
  targetOf('reports', { stackUid: 'stack-2', policy: policyOf({ ...LATENT, minWorkers: 0, maxJobSeconds: 100 }) }),
  targetOf('billing', { stackUid: 'stack-3', tokenParameter: '/other', alarm: { threshold: 40, periodSeconds: 60 } }),
];

/** The ports of the world, and what was written down since the last `take`. */
export interface JournalWorld {
  readonly ports: ReconcilePorts;
  readonly signals: PassSignals;
  /** Time goes on; answers change. */
  next(): void;
  take(): readonly string[];
}

/** `isShadow`: a dry run. */
export function journalWorld(seed: string, isShadow: boolean): JournalWorld {
  const random = createRandom(seed);
  let lines: string[] = [];
  const write = (...parts: readonly unknown[]) => {
    lines.push(parts.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '));
  };
  const clock = { ms: NOW, nowMs: () => clock.ms };
  const state = statesOf(random, clock);
  const aborted = new AbortController();
  aborted.abort();
  const open = new AbortController().signal;
  const signals = { work: open, last: open };
  let decisions = 0;
  const tell = (name: string) => (event: unknown) => write('told', name, textOf(event));
  const ports: ReconcilePorts = {
    clock,
    queue: queueOf(state, clock, random, write),
    host: hostOf(state, clock, random, write),
    scaler: {
      async scale(request) {
        write('scale', request);
        clock.ms += random.pick([0, 0, 4000, 20_000]);
        return state.scaled(request);
      },
    },
    sender: {
      async send(record) {
        write('send', record);
        if (random.chance(0.1)) throw new Error('the queue refused');
      },
    },
    reporter: { decided: tell('decided'), ended: tell('ended'), looked: tell('looked'), adopted: tell('adopted') },
    memory: createMemory(random.chance(0.5) ? {} : { learnAfterSeconds: 0 }),
    overrides: { read: async () => overridesOf(random, clock.ms) },
    openWindows: (rules, nowMs) =>
      random.chance(0.1)
        ? [{ startMs: nowMs - 1000, endMs: nowMs + 60_000, minWorkers: 2 + rules.length, maxWorkers: null }]
        : [],
    newDecisionId: () => {
      decisions += 1;
      return `d${decisions}`;
    },
  };
  const shadowed = isShadow ? { ...ports, ...createShadow({ host: ports.host, clock }) } : ports;
  return {
    ports: shadowed,
    signals,
    next() {
      clock.ms += 1000 * random.pick([15, 15, 30, 60, 61, 89, 90, 120, 300, 700]);
      signals.work = random.chance(0.03) ? aborted.signal : open;
    },
    take() {
      const taken = lines;
      lines = [];
      return taken;
    },
  };
}

/** Errors as their messages; everything else as it is. */
function textOf(event: unknown): string {
  return JSON.stringify(event, (_, value: unknown) => (value instanceof Error ? value.message : value));
}

interface State {
  readonly counts: Map<string, number>;
  readonly logs: Map<string, Action[]>;
  scaled(request: {
    readonly stackUid: string;
    readonly processName: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly userReference: string | null;
  }): ScaleAnswer;
  land(): void;
}

function statesOf(random: Random, clock: { readonly ms: number }): State {
  const counts = new Map<string, number>();
  const logs = new Map<string, Action[]>();
  const landings: { readonly atMs: number; readonly run: () => void }[] = [];
  let ids = 100;
  return {
    counts,
    logs,
    land() {
      for (const { run } of landings.filter(({ atMs }) => atMs <= clock.ms)) run();
      landings.splice(0, landings.length, ...landings.filter(({ atMs }) => atMs > clock.ms));
    },
    scaled({ stackUid, processName, counts: asked, userReference }) {
      const kind = random.pick(['accepted', 'accepted', 'accepted', 'accepted', 'unknown', 'busy', 'refused'] as const);
      if (kind === 'busy') return { kind, detail: 'a deployment' };
      if (kind === 'refused') return { kind, error: new Error('no such scope') };
      ids += 1;
      const action = actionOf({ id: ids, startedAtMs: clock.ms, userReference });
      const isLost = kind === 'unknown' && random.chance(0.5);
      if (!isLost) {
        const log = logs.get(stackUid) ?? [];
        logs.set(stackUid, [action, ...log].slice(0, 30));
        landings.push({
          atMs: clock.ms + LANDING_MS,
          run: () => {
            const ended = { ...action, finishedAtMs: clock.ms, success: true };
            logs.set(
              stackUid,
              (logs.get(stackUid) ?? []).map((one) => (one.id === action.id ? ended : one)),
            );
            counts.set(
              processName,
              Object.values(asked).reduce((sum, count) => sum + count, 0),
            );
          },
        });
      }
      return kind === 'unknown' ? { kind, error: new Error('reset') } : { kind, actionId: action.id };
    },
  };
}

interface Now {
  readonly ms: number;
}
type Write = (...parts: readonly unknown[]) => void;

function failing<T>(random: Random, share: number, honest: () => Reading<T>): Reading<T> {
  if (!random.chance(share)) return honest();
  const why = random.pick(['unavailable', 'access_denied', 'over_budget', 'throttled'] as const);
  return { kind: random.pick(['failed', 'missing'] as const), why, detail: `drawn: ${why}` };
}

function queueOf(state: State, clock: Now, random: Random, write: Write): ReconcilePorts['queue'] {
  const some = <T>(queries: readonly { readonly targetId: string }[], one: () => Reading<T>) =>
    new Map(queries.flatMap(({ targetId }) => (random.chance(0.05) ? [] : [[targetId, one()] as const])));
  return {
    async depths(queries) {
      state.land();
      write('depths', queries);
      return some(
        queries,
        (): Reading<Backlog> =>
          failing(random, 0.05, () =>
            ok(depthOf(random.pick([0, 0, 0, 3, 11, 40, 60, 300]), random.integer(0, 5)), clock.ms),
          ),
      );
    },
    async histories(queries) {
      write('histories', queries);
      return some(
        queries,
        (): Reading<BacklogHistory> =>
          failing(random, 0.05, () =>
            ok(
              historyOf(
                Array.from({ length: 10 }, () => random.integer(0, 60)),
                clock.ms,
              ),
            ),
          ),
      );
    },
    async rates(queries) {
      write('rates', queries);
      return some(
        queries,
        (): Reading<RateHistory> =>
          failing(random, 0.1, () =>
            ok(
              ratesOf(
                Array.from({ length: 130 }, (_, minute) => (minute % 30 === 3 ? random.pick([0, 90]) : 0)),
                6,
                clock.ms,
              ),
            ),
          ),
      );
    },
  };
}

function hostOf(state: State, clock: Now, random: Random, write: Write): ReconcilePorts['host'] {
  return {
    async placements(stackUid, names, _signal, servers) {
      write('placements', stackUid, names, servers ?? 'recent');
      if (random.chance(0.02)) throw new Error('a bug in the adapter');
      return new Map(
        names.flatMap((name) => {
          if (random.chance(0.03)) return [];
          const count = state.counts.get(name) ?? 1;
          const server = servers === 'if_known' ? { countsOnly: true as const } : {};
          const counted = { ...placementOf(serverOf('a', count)), processName: name, ...server };
          return [[name, failing(random, 0.05, () => ok(counted, clock.ms))] as const];
        }),
      );
    },
    allowance: (stackUid) => {
      const callsLeft = random.pick([0, 1, 5, 2000, 2000, 2000]);
      return {
        account: stackUid === 'stack-3' ? '/other' : '/one',
        hourlyCalls: 2250,
        callsLeft,
        overdueCallsLeft: callsLeft + random.pick([0, 0, 3, 500]),
        resetAtMs: clock.ms + 1_800_000,
        isStrained: random.chance(0.1),
      };
    },
    async stack(stackUid) {
      write('stack', stackUid);
      return failing(random, 0.03, () =>
        ok({ status: random.chance(0.05) ? 'deploying' : 'deployed', maintenanceMode: false }, clock.ms),
      );
    },
    async actions(stackUid, _signal, sinceMs) {
      write('actions', stackUid, sinceMs ?? null);
      if (random.chance(0.02)) throw new Error('another bug in the adapter');
      return failing(random, 0.03, () => ok(state.logs.get(stackUid) ?? [], clock.ms));
    },
    action: async () => ({ kind: 'gone', detail: 'not asked here' }),
  };
}

function overridesOf(random: Random, nowMs: number): Reading<ReadonlyMap<string, Override>> {
  const pause = (endsInMs: number): Override => ({ kind: 'pause', workers: null, untilMs: nowMs + endsInMs, why: 'x' });
  const kind = random.pick(['none', 'none', 'none', 'none', 'none', 'own', 'ended', 'all', 'now', 'failed'] as const);
  const maps = {
    none: [],
    own: [['worker', pause(600_000)]],
    ended: [
      ['worker', pause(-1)],
      ['*', { ...pause(600_000), kind: 'count', workers: 3 }],
    ],
    all: [['*', pause(5000)]],
    now: [['mailer', pause(0)]],
  } as const;
  if (kind === 'failed') return { kind, why: 'unavailable', detail: 'SSM' };
  return ok(new Map(maps[kind] as readonly (readonly [string, Override])[]));
}
