/**
 * The ports of a reconcile, answered by the plant in simulated time: the deployed code cannot tell that it is replayed.
 * Every reading is fresh and true; what the outside world adds to it (lag, gaps, slow and failing actions) is the plant's.
 */

import { openWindows } from '../config/schedule.ts';
import type {
  Action,
  ActionRecord,
  Backlog,
  BacklogPoint,
  Override,
  Placement,
  RateHistory,
  Reading,
  ServerCounts,
} from '../domain.ts';
import { AutoscalerError } from '../errors.ts';
import { createMemory } from '../reconcile/memory.ts';
import type {
  ActionSender,
  Clock,
  ProcessHost,
  QueueReader,
  RatesQuery,
  Reporter,
  Scaler,
} from '../reconcile/ports.ts';
import type { ReconcilePorts } from '../reconcile/reconcile.ts';
import type { PlantAction } from './actuator.ts';
import { ShownColumn } from './minutes.ts';
import type { Plant } from './plant.ts';

/** What a decision looked like, for those who want to draw or count it. */
export type DecisionEvent = Parameters<Reporter['decided']>[0];

/** What the ports need to know besides the plant. */
export interface PlantPortsOptions {
  readonly plant: Plant;
  /** Time of the epoch at simulated second 0: decisions may depend on the hour. */
  readonly startMs: number;
  /** Servers that share the workers. */
  readonly servers: number;
  readonly onDecision: ((event: DecisionEvent) => void) | null;
}

/** The newest actions of the log: one running and some that ended, as on the first page of Cloud 66's answer. */
const LOGGED_ACTIONS = 10;
const MINUTE_SECONDS = 60;

/** Ports for one run over one plant. */
export function plantPorts({ plant, startMs, servers, onDecision }: PlantPortsOptions): ReconcilePorts {
  const clock: Clock = { nowMs: () => startMs + plant.nowSeconds * 1000 };
  let decisions = 0;
  return {
    clock,
    queue: queueReader(plant, startMs),
    ...hostAndScaler(plant, startMs, servers),
    sender: SENDER,
    reporter: { decided: (event) => onDecision?.(event), ended: ignore, looked: ignore, adopted: ignore },
    memory: createMemory(),
    overrides: { read: async () => NO_OVERRIDES },
    openWindows,
    newDecisionId: () => String(++decisions),
  };
}

const NO_OVERRIDES: Reading<ReadonlyMap<string, Override>> = { kind: 'ok', value: new Map(), observedAtMs: 0 };

function ignore(): void {
  // Actions are confirmed outside the pass; the plant needs no poller.
}

const SENDER: ActionSender = {
  send: async (_record: ActionRecord) => ignore(),
};

function queueReader(plant: Plant, startMs: number): QueueReader {
  const now = (): number => startMs + plant.nowSeconds * 1000;
  const rates = ratesReader(plant, startMs);
  return {
    depths: async (queries) => {
      const value: Backlog = { visible: plant.visible, inFlight: plant.inFlight, delayed: 0 };
      const reading: Reading<Backlog> = { kind: 'ok', value, observedAtMs: now() };
      return new Map(queries.map(({ targetId }) => [targetId, reading]));
    },
    histories: async (queries) =>
      new Map(
        queries.map(({ targetId, windowSeconds }) => [
          targetId,
          {
            kind: 'ok',
            value: { periodSeconds: MINUTE_SECONDS, points: pointsOf(plant, startMs, windowSeconds) },
            observedAtMs: now(),
          },
        ]),
      ),
    rates: async (queries) =>
      new Map(
        queries.map((query) => [
          query.targetId,
          { kind: 'ok', value: rates(query, plant.nowSeconds), observedAtMs: now() },
        ]),
      ),
  };
}

/** The rates of a window, up to the newest minute that is due. */
function ratesReader({ minutes }: Plant, startMs: number): (query: RatesQuery, nowSeconds: number) => RateHistory {
  const sent = new ShownColumn(minutes, minutes.sent);
  const deleted = new ShownColumn(minutes, minutes.deleted);
  const inFlight = new ShownColumn(minutes, minutes.inFlightMean);
  return ({ windowSeconds, columns }, nowSeconds) => {
    const first = Math.max(0, Math.floor((nowSeconds - windowSeconds) / MINUTE_SECONDS));
    const end = Math.max(first, minutes.newestDue(nowSeconds) + 1);
    const isRead = columns === 'all';
    return {
      startMs: startMs + first * MINUTE_SECONDS * 1000,
      periodSeconds: MINUTE_SECONDS,
      sent: sent.window(first, end, nowSeconds),
      deleted: isRead ? deleted.window(first, end, nowSeconds) : [],
      inFlight: isRead ? inFlight.window(first, end, nowSeconds) : [],
    };
  };
}

/** The published minutes that touch the window, oldest first. */
function pointsOf({ minutes, nowSeconds }: Plant, startMs: number, windowSeconds: number): BacklogPoint[] {
  const points: BacklogPoint[] = [];
  const first = Math.max(0, Math.floor((nowSeconds - windowSeconds) / MINUTE_SECONDS));
  for (let at = first; at <= minutes.newestDue(nowSeconds); at += 1) {
    const minute = minutes.published(at, nowSeconds);
    if (minute === null) continue;
    const { startSeconds, visible, inFlight } = minute;
    points.push({ atMs: startMs + startSeconds * 1000, visible, inFlight, delayed: 0 });
  }
  return points;
}

/** Workers per server, as the last change that took effect left them, and the lever that changes them. */
function hostAndScaler(plant: Plant, startMs: number, servers: number): { host: ProcessHost; scaler: Scaler } {
  const uids = Array.from({ length: servers }, (_, index) => `server-${String(index + 1).padStart(3, '0')}`);
  let counts: ServerCounts = spread(uids, plant.workers);
  let pending: { readonly action: PlantAction; readonly counts: ServerCounts } | null = null;
  const references = new Map<number, string>();

  const settle = (): void => {
    if (pending === null || pending.action.endsAt > plant.nowSeconds) return;
    if (pending.action.succeeds) counts = pending.counts;
    pending = null;
  };
  const placementOf = (processName: string): Placement => ({
    processName,
    servers: uids.map((uid) => ({
      uid,
      name: uid,
      count: counts[uid] ?? 0,
      pausedCount: 0,
      healthy: true,
      listed: true,
      runsCode: true,
    })),
  });
  const observedAtMs = (): number => startMs + plant.nowSeconds * 1000;
  const host: ProcessHost = {
    // A backtest asks what the policy is worth, not what an account allows.
    allowance: () => ({
      account: '',
      hourlyCalls: 1e6,
      callsLeft: 1e6,
      overdueCallsLeft: 1e6,
      resetAtMs: observedAtMs(),
      isStrained: false,
    }),
    placements: async (_stackUid, processNames) => {
      settle();
      return new Map(
        processNames.map((name) => [name, { kind: 'ok', value: placementOf(name), observedAtMs: observedAtMs() }]),
      );
    },
    stack: async () => ({
      kind: 'ok',
      value: { status: 'deployed', maintenanceMode: false },
      observedAtMs: observedAtMs(),
    }),
    actions: async () => ({ kind: 'ok', value: logOf(plant, startMs, references), observedAtMs: observedAtMs() }),
    action: async (_stackUid, actionId) => {
      const action = plant.actuator.actions[actionId - 1];
      if (action === undefined) return { kind: 'gone', detail: `There is no action ${actionId}.` };
      return { kind: 'found', action: asSeen(action, plant.nowSeconds, startMs, references) };
    },
  };
  const scaler: Scaler = {
    scale: async (request) => {
      const total = Object.values(request.counts).reduce((sum, count) => sum + count, 0);
      const action = plant.order(total);
      if (action === null) return { kind: 'busy', detail: 'another action of the process is running' };
      if (action.count !== total) {
        const { minWorkers, maxWorkers } = plant.settings;
        throw new AutoscalerError(`Asked for ${total} workers; the plant is bound to ${minWorkers} to ${maxWorkers}.`);
      }
      pending = { action, counts: request.counts };
      references.set(action.id, request.userReference);
      references.delete(action.id - LOGGED_ACTIONS);
      return { kind: 'accepted', actionId: action.id };
    },
  };
  return { host, scaler };
}

function spread(uids: readonly string[], workers: number): ServerCounts {
  const each = Math.floor(workers / uids.length);
  return Object.fromEntries(uids.map((uid, index) => [uid, each + (index < workers % uids.length ? 1 : 0)]));
}

/** Newest first, as Cloud 66 gives it. */
function logOf(plant: Plant, startMs: number, references: ReadonlyMap<number, string>): readonly Action[] {
  const newest = plant.actuator.actions.slice(-LOGGED_ACTIONS).toReversed();
  return newest.map((action) => asSeen(action, plant.nowSeconds, startMs, references));
}

/** The action as Cloud 66 shows it now: nothing about its end before it has ended. */
function asSeen(
  { id, acceptedAt, endsAt, succeeds }: PlantAction,
  nowSeconds: number,
  startMs: number,
  references: ReadonlyMap<number, string>,
): Action {
  const ended = endsAt <= nowSeconds;
  return {
    id,
    kind: 'process_scale',
    startedAtMs: startMs + acceptedAt * 1000,
    finishedAtMs: ended ? startMs + endsAt * 1000 : null,
    success: ended ? succeeds : null,
    message: ended && !succeeds ? 'The simulated action failed.' : null,
    userReference: references.get(id) ?? null,
  };
}
