/**
 * A fleet in one process: the real look, reconcile, poller and Cloud 66 client over simulated queues and a simulated account
 * whose calls are limited and shared with people. Time is virtual; only what a tick takes is measured on the wall.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { lookAgainSeconds } from '../../lib/actions/backoff.ts';
import { encodeActionRecord, parseActionRecord } from '../../lib/actions/record.ts';
import { createBudget } from '../../lib/cloud66/budget.ts';
import { createCloud66Client } from '../../lib/cloud66/client.ts';
import type { Fetch } from '../../lib/cloud66/node-fetch.ts';
import { createProcessHost, createScaler } from '../../lib/cloud66/process-host.ts';
import { fixedToken } from '../../lib/cloud66/token.ts';
import { GLOBAL_SETTINGS } from '../../lib/config/global-settings.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import type { Target } from '../../lib/domain.ts';
import { look } from '../../lib/lambda/look.ts';
import { confirmRecords } from '../../lib/lambda/records.ts';
import { isWatched } from '../../lib/policy/attention.ts';
import { createMemory } from '../../lib/reconcile/memory.ts';
import type { Clock, Reporter } from '../../lib/reconcile/ports.ts';
import type { PassSignals, ReconcilePorts } from '../../lib/reconcile/reconcile.ts';
import { createVirtualClock, type VirtualClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { createReplyForms } from '../../lib/simulation/cloud66/reply-forms.ts';
import { answer } from '../../lib/simulation/cloud66/routes.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { createReporter } from '../../lib/telemetry/reporter.ts';
import { type FleetLoad, FleetQueue, fleetReader, type QueueCalls } from './fleet-queues.ts';

const TOKEN = 'fleet-token-0123456789abcdef';
const API_URL = 'http://127.0.0.1:9/api/3';
const USER = 'robot@example.com';
/** An hour begins: the account's calls are all there. */
const START_MS = Date.UTC(2026, 5, 1);
const MINUTE_MS = 60_000;
/** Between two deliveries of action records. */
const POLL_MS = 10_000;
const FIRST_LOOK_MS = Number(GLOBAL_SETTINGS.ACTION_FIRST_LOOK_SECONDS.default) * 1000;

/** What to run. */
export interface FleetPlan {
  readonly targets: number;
  readonly stacks: number;
  readonly minutes: number;
  readonly callsPerHour: number;
  /** Calls per hour that people and CI make with the same user. */
  readonly othersPerHour: number;
  /** Left out: mixed. */
  readonly load?: FleetLoad;
}

/** What came of it. All but the times and the memory is the same in every run. */
export interface FleetResult {
  readonly plan: FleetPlan;
  readonly decisions: number;
  readonly changes: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly throttled: number;
  /** Ticks from a breach to a decision on it, at most; 1 = within the tick that saw it. */
  readonly breachTicks: number;
  /** Age of a count that a decision rested on, at most. */
  readonly oldestCountMinutes: number;
  readonly spentHolds: number;
  readonly failures: number;
  readonly calls: readonly number[];
  readonly queueCalls: QueueCalls;
  readonly hash: string;
  readonly wall: { readonly medianMs: number; readonly p99Ms: number; readonly totalSeconds: number };
  readonly peakBytes: number;
  /** Minutes in which any target was watched, and those of all targets together. */
  readonly watched: { readonly minutes: number; readonly targetMinutes: number };
  /** What decisions and metrics wrote to the log. */
  readonly logBytes: number;
}

/** Runs the fleet from a cold start. */
export async function runFleet(plan: FleetPlan): Promise<FleetResult> {
  const world = createFleet(plan);
  const observer = createObserver(world.targets, world.clock);
  const walls: number[] = [];
  let peakBytes = 0;
  const watched = { minutes: 0, targetMinutes: 0 };
  for (let minute = 0; minute < plan.minutes; minute += 1) {
    for (let stepMs = 0; stepMs < MINUTE_MS; stepMs += POLL_MS) {
      world.clock.advanceTo(START_MS + minute * MINUTE_MS + stepMs);
      await world.poll();
    }
    for (const queue of world.queues.values()) queue.pass();
    world.account.spend(USER, Math.round(plan.othersPerHour / 60));
    observer.tickBegins();
    const startedAt = performance.now();
    await world.tick(observer.reporter).catch(() => observer.failed());
    walls.push(performance.now() - startedAt);
    // Nothing here waits for the outside: without a turn of the event loop no weak reference would ever be let go.
    await setImmediate();
    observer.tickEnds(world.queues);
    const count = world.watchedTargets();
    watched.minutes += Math.min(1, count);
    watched.targetMinutes += count;
    peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
  }
  walls.sort((a, b) => a - b);
  const quantile = (share: number) => walls[Math.min(walls.length - 1, Math.floor(share * walls.length))] ?? 0;
  const counted = {
    ...observer.result(),
    outcomes: world.outcomes,
    throttled: world.calls.throttled,
    calls: world.calls.perHour,
  };
  const exact = { plan, ...counted, queueCalls: world.queueCalls };
  return {
    ...exact,
    hash: createHash('sha256').update(JSON.stringify(exact)).digest('hex').slice(0, 12),
    wall: {
      medianMs: quantile(0.5),
      p99Ms: quantile(0.99),
      totalSeconds: walls.reduce((sum, ms) => sum + ms, 0) / 1000,
    },
    peakBytes,
    watched,
    logBytes: observer.logBytes(),
  };
}

// --- the world --------------------------------------------------------------------------------------------------

function createFleet(plan: FleetPlan) {
  const clock = createVirtualClock(START_MS);
  const random = createRandom('fleet');
  const targets = targetsOf(plan);
  const queues = new Map(
    targets.map(({ id }, at) => [id, new FleetQueue(at, plan.minutes, random.fork(id), plan.load)]),
  );
  const byProcess = new Map(targets.map((target) => [`${target.stackUid} ${target.processName}`, target.id]));
  const account = accountOf(targets, plan, clock, random, (stackUid, processName, running) => {
    const queue = queues.get(byProcess.get(`${stackUid} ${processName}`) ?? '');
    if (queue) queue.workers = running;
  });
  const calls = { perHour: [] as number[], throttled: 0 };
  const fetch = serverOf(account, random, clock, calls);
  const client = () =>
    createCloud66Client({ apiUrl: API_URL, token: fixedToken(TOKEN), clock, budget: createBudget(), fetch });
  const queueCalls: QueueCalls = { depths: 0, metrics: 0, metricCalls: 0 };
  const records = recordQueue(clock);
  const scaling = client();
  const ports: Omit<ReconcilePorts, 'reporter'> = {
    clock,
    queue: fleetReader(queues, clock, START_MS, queueCalls),
    host: createProcessHost({ client: scaling, clock }),
    scaler: createScaler({ client: scaling }),
    sender: { send: async (record) => records.add(encodeActionRecord(record)) },
    memory: createMemory(),
    overrides: { read: async () => ({ kind: 'ok', value: new Map(), observedAtMs: clock.nowMs() }) },
    openWindows: () => [],
    newDecisionId: () => 'd',
  };
  const pollerHost = createProcessHost({ client: client(), clock, purpose: 'confirm' });
  const logger = createLogger({ level: 'error', write: () => {}, clock, redactor: createRedactor(), context: {} });
  const settings = { targets, alarmNamePrefix: 'fleet-', watchIntervalSeconds: 60 };
  const tick = async (reporter: Reporter) => {
    const event = { 'detail-type': 'Scheduled Event', time: new Date(clock.nowMs()).toISOString() };
    await look(event, settings, { ...ports, reporter }, openSignals(), logger);
  };
  const outcomes: Record<string, number> = {};
  const poll = () =>
    records.deliver(async (event, changeVisibility) => {
      const ended: Reporter['ended'] = ({ outcome }) => {
        outcomes[outcome.kind] = (outcomes[outcome.kind] ?? 0) + 1;
      };
      const reporter: Reporter = { decided: () => {}, looked: () => {}, adopted: () => {}, ended };
      const confirming = {
        clock,
        hostOf: () => pollerHost,
        reporter,
        parseRecord: parseActionRecord,
        lookAgainSeconds,
      };
      const more = { changeVisibility, deadLetter: async () => {}, actionTimeoutSeconds: 900 };
      return await confirmRecords(event, { ...confirming, ...more }, openSignals(), logger);
    });
  const watchedTargets = () => targets.filter(({ id }) => isWatched(ports.memory.attention(id))).length;
  return { clock, targets, queues, account, calls, tick, poll, queueCalls, outcomes, watchedTargets };
}

/** Targets as the settings make them: half of them look at the depth, half at the wait. */
function targetsOf({ targets, stacks }: FleetPlan): readonly Target[] {
  const [one] = ['backlog', 'latency'].map((STRATEGY) => templateTarget({ STRATEGY }));
  const other = templateTarget({ STRATEGY: 'latency', LATENCY_TARGET_SECONDS: '300' });
  return Array.from({ length: targets }, (_, at) => ({
    ...((at % 2 === 0 ? one : other) as Target),
    id: `t${at}`,
    stackUid: `stack${at % stacks}`,
    processName: `worker${Math.floor(at / stacks)}`,
  }));
}

function templateTarget(changes: Record<string, string>): Target {
  const queue = (name: string) => `https://sqs.eu-west-1.amazonaws.com/123456789012/${name}`;
  const [target] = parseSettings({
    CLOUD66_TOKEN: TOKEN,
    ACTIONS_QUEUE_URL: queue('actions.fifo'),
    ACTIONS_DEAD_LETTER_QUEUE_URL: queue('dead.fifo'),
    STACK_UID: 'stack',
    PROCESS_NAME: 'worker',
    QUEUE_URL: queue('jobs'),
    ...changes,
  }).targets;
  if (target === undefined) throw new Error('the settings have no target');
  return target;
}

function accountOf(
  targets: readonly Target[],
  { callsPerHour }: FleetPlan,
  clock: VirtualClock,
  random: ReturnType<typeof createRandom>,
  onRunning: (stackUid: string, processName: string, running: number) => void,
): Cloud66Account {
  const stacks = [...Map.groupBy(targets, ({ stackUid }) => stackUid)].map(([uid, its]) => ({
    uid,
    servers: ['a', 'b'].map((name) => ({ uid: `${uid}${name}`, name })),
    processes: its.map(({ processName }) => ({ name: processName, counts: { [`${uid}a`]: 1 } })),
  }));
  return new Cloud66Account({
    clock,
    random,
    stacks,
    tokens: [{ value: TOKEN, user: USER, scopes: ['public', 'admin'] }],
    settings: { callsPerHour },
    onWorkersChanged: ({ stackUid, processName, running }) => onRunning(stackUid, processName, running),
  });
}

/** The account's API without sockets. */
function serverOf(
  account: Cloud66Account,
  random: ReturnType<typeof createRandom>,
  clock: VirtualClock,
  calls: { readonly perHour: number[]; throttled: number },
): Fetch {
  const forms = createReplyForms('documented', random.fork('forms'));
  return async (request) => {
    const url = new URL(request.url);
    const reply = answer(
      { account, forms },
      {
        method: request.method,
        path: url.pathname,
        query: url.searchParams,
        authorization: request.headers.get('authorization') ?? undefined,
        body: await request.text(),
      },
    );
    const hour = Math.floor((clock.nowMs() - START_MS) / 3_600_000);
    calls.perHour[hour] = (calls.perHour[hour] ?? 0) + 1;
    if (reply.status === 503 || reply.status === 429) calls.throttled += 1;
    return Response.json(reply.body, { status: reply.status, headers: reply.headers });
  };
}

function openSignals(): PassSignals {
  return { work: new AbortController().signal, last: new AbortController().signal };
}

type Deliver = (
  event: unknown,
  changeVisibility: (receiptHandle: string, seconds: number) => Promise<void>,
) => ReturnType<typeof confirmRecords>;

/** The queue of action records: what is due is delivered ten at a time, and again when it was kept. */
function recordQueue(clock: VirtualClock) {
  const waiting = new Map<string, { readonly body: string; looks: number; dueAtMs: number }>();
  let added = 0;
  return {
    add(body: string): void {
      added += 1;
      waiting.set(`r${added}`, { body, looks: 0, dueAtMs: clock.nowMs() + FIRST_LOOK_MS });
    },
    /** Everything that has become due since the last tick. */
    async deliver(deliver: Deliver): Promise<void> {
      const due = [...waiting].filter(([, { dueAtMs }]) => dueAtMs <= clock.nowMs());
      for (let at = 0; at < due.length; at += 10) {
        const batch = due.slice(at, at + 10);
        const Records = batch.map(([messageId, message]) => {
          message.looks += 1;
          const attributes = { ApproximateReceiveCount: String(message.looks) };
          return { messageId, receiptHandle: messageId, body: message.body, attributes };
        });
        const { batchItemFailures } = await deliver({ Records }, async (handle, seconds) => {
          const message = waiting.get(handle);
          if (message) message.dueAtMs = clock.nowMs() + seconds * 1000;
        });
        const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        for (const [id] of batch) if (!kept.has(id)) waiting.delete(id);
      }
    },
  };
}

// --- what is observed -------------------------------------------------------------------------------------------

/** Follows every decision: how old its count was, and how long a breach had to wait for one that could act on it. */
function createObserver(targets: readonly Target[], clock: Clock) {
  const found = { decisions: 0, changes: 0, spentHolds: 0, failures: 0, breachTicks: 0, oldestCountMinutes: 0 };
  const waitingTicks = new Map<string, number>();
  let decided = new Set<string>();
  let logBytes = 0;
  const write = (line: string) => {
    logBytes += line.length + 1;
  };
  const logger = createLogger({
    level: 'info',
    write,
    clock,
    redactor: createRedactor(),
    context: { service: 'scale' },
  });
  const metrics = createMetrics({ write, clock, service: 'fleet' });
  const written = createReporter({ logger, metrics, clock });
  const reporter: Reporter = {
    decided: (event) => {
      const { targetId, input, result } = event;
      written.decided(event);
      found.decisions += 1;
      const { decision } = result;
      if (result.kind === 'scaled') found.changes += 1;
      if (result.kind === 'failed') found.failures += 1;
      if (decision?.reason === 'api_budget_spent') found.spentHolds += 1;
      else if (decision !== null && !decision.reason.endsWith('_unknown')) decided.add(targetId);
      const { placement } = input.observation;
      if (placement.kind !== 'ok') return;
      const ageMinutes = (input.now - placement.observedAtMs) / MINUTE_MS;
      found.oldestCountMinutes = Math.max(found.oldestCountMinutes, ageMinutes);
    },
    ended: () => {},
    looked: () => {},
    adopted: () => {},
  };
  return {
    reporter,
    tickBegins: () => {
      decided = new Set();
    },
    logBytes: () => logBytes,
    tickEnds: (queues: ReadonlyMap<string, FleetQueue>) => {
      metrics.flush();
      for (const { id, alarm } of targets) {
        const { visible = 0, inFlight = 0 } = queues.get(id) ?? {};
        const isBreaching = visible + inFlight >= alarm.threshold;
        const waited = isBreaching ? (waitingTicks.get(id) ?? 0) + 1 : 0;
        found.breachTicks = Math.max(found.breachTicks, waited);
        waitingTicks.set(id, decided.has(id) ? 0 : waited);
      }
    },
    failed: () => {
      found.failures += 1;
    },
    result: () => ({ ...found }),
  };
}
