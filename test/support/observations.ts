/** Builders of policies and observations: a calm, complete world, of which a test changes what it is about. */
import type {
  Action,
  Backlog,
  BacklogHistory,
  DecisionInput,
  LatencyStrategy,
  Observation,
  Placement,
  Policy,
  RateHistory,
  Reading,
  ServerWorkers,
} from '../../lib/domain.ts';

/** The present of all tests that need one: 2026-06-01T12:00:00Z. */
export const NOW = Date.UTC(2026, 5, 1, 12);

/** Strategy `latency` with its defaults, jobs of six seconds, and nothing learned from the calendar. */
export const LATENCY: LatencyStrategy = {
  kind: 'latency',
  targetSeconds: 60,
  targetPercent: 95,
  jobSeconds: 6,
  jobsPerWorker: 1,
  learnPatterns: false,
  drainShare: 0.5,
  headroom: null,
  keepIdleSeconds: 300,
  surgeFactor: 1.5,
};

export function policyOf(changes: Partial<Policy> = {}): Policy {
  return {
    minWorkers: 1,
    maxWorkers: 10,
    strategy: { kind: 'backlog', backlogPerWorker: 10 },
    countDelayed: false,
    tolerance: 0.1,
    scaleOutStabilizationSeconds: 0,
    scaleInStabilizationSeconds: 300,
    scaleOutMaxStep: null,
    scaleInMaxStep: null,
    scaleInCooldownSeconds: 300,
    servers: null,
    maxWorkersPerServer: null,
    metricMaxAgeSeconds: 180,
    actionTimeoutSeconds: 900,
    schedule: [],
    maxJobSeconds: null,
    stopSeconds: 90,
    longJobs: 'warn',
    deployGraceSeconds: 120,
    manualChangeHoldSeconds: 300,
    ...changes,
  };
}

export function ok<T>(value: T, observedAtMs: number = NOW): Reading<T> {
  return { kind: 'ok', value, observedAtMs };
}

export function unknown(kind: 'missing' | 'stale' | 'failed' = 'missing'): Reading<never> {
  return { kind, why: kind === 'failed' ? 'unavailable' : 'no_points', detail: 'made by a test' };
}

export function depthOf(visible: number, inFlight = 0, delayed = 0): Backlog {
  return { visible, inFlight, delayed };
}

export function serverOf(uid: string, count: number, changes: Partial<ServerWorkers> = {}): ServerWorkers {
  const base = { uid, name: `server-${uid}`, count, pausedCount: 0, healthy: true, listed: true, runsCode: true };
  return { ...base, ...changes };
}

export function placementOf(...servers: readonly ServerWorkers[]): Placement {
  return { processName: 'worker', servers };
}

/** One-minute points that end now; the last one is the newest. */
export function historyOf(visible: readonly number[], endMs: number = NOW): BacklogHistory {
  const startMs = endMs - visible.length * 60_000;
  const points = visible.map((depth, index) => ({ atMs: startMs + index * 60_000, ...depthOf(depth) }));
  return { periodSeconds: 60, points };
}

/** One-minute columns that end now: `sent` arrived and was finished in its minute, by jobs of `jobSeconds`. */
export function ratesOf(sent: readonly number[], jobSeconds = 6, endMs: number = NOW): RateHistory {
  const inFlight = sent.map((count) => (count * jobSeconds) / 60);
  return { startMs: endMs - sent.length * 60_000, periodSeconds: 60, sent, deleted: sent, inFlight };
}

export function actionOf(changes: Partial<Action> = {}): Action {
  return {
    id: 7,
    kind: 'process_scale',
    startedAtMs: NOW - 60_000,
    finishedAtMs: null,
    success: null,
    message: null,
    userReference: null,
    ...changes,
  };
}

/** `workers` on one server, `visible` messages waiting now and during the last ten minutes, nothing else going on. */
export function observationOf(workers: number, visible: number, changes: Partial<Observation> = {}): Observation {
  return {
    backlog: ok(depthOf(visible)),
    placement: ok(placementOf(serverOf('a', workers))),
    history: ok(historyOf(Array<number>(10).fill(visible))),
    rates: ok(ratesOf(Array<number>(10).fill(0))),
    forecast: { kind: 'not_read' },
    looks: ok([]),
    stack: ok({ status: 'deployed', maintenanceMode: false }),
    actions: ok([]),
    ...changes,
  };
}

export function inputOf(observation: Observation, policy: Partial<Policy> = {}): DecisionInput {
  return { now: NOW, policy: policyOf(policy), override: ok(null), windows: [], observation };
}
