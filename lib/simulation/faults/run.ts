/**
 * A day with faults and a calm end, drawn from a seed: the handlers as they are deployed, in one process, in virtual time.
 * One run at a time in a process, because it replaces the process's clock, timers and `fetch`.
 */
import { createVirtualClock } from '../clock.ts';
import { Cloud66Account } from '../cloud66/account.ts';
import type { ActionFault } from '../cloud66/model.ts';
import { createRandom } from '../random.ts';
import { type CrashPoint, createFunctions } from './functions.ts';
import { Observer, type Violation } from './observer.ts';
import { createDice, type Dice, type FaultName } from './plan.ts';
import { ActionsQueue, JobQueue } from './queues.ts';
import { PLACE, type Services, TOKEN, USER } from './services.ts';
import { installVirtualTime, runUntil } from './virtual-time.ts';

const START_MS = Date.UTC(2026, 2, 28);
const MINUTE_MS = 60_000;
const LIMITS = { minWorkers: 1, maxWorkers: 8 };

/** How long a run is. */
export interface RunPlan {
  readonly faultyMinutes: number;
  /** Without faults and without jobs: within it the count must have come down to the minimum. */
  readonly calmMinutes: number;
  /** One more crash, at a place of choice. */
  readonly crash?: CrashPoint;
}

export const DAY: RunPlan = { faultyMinutes: 1200, calmMinutes: 240 };

/** What came of a seed. The same seed always gives the same. */
export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly scaleCalls: number;
  readonly accepted: number;
  /** Accepted actions without a record: a crash, a lost answer, a refused record. Each was seen by someone. */
  readonly unrecorded: number;
  readonly calls: ReadonlySet<string>;
  readonly crashes: ReadonlySet<string>;
  /** Over everything that was called, sent and written. */
  readonly digest: string;
}

/** Lives through the day of a seed. */
export async function runSeed(seed: number, { faultyMinutes, calmMinutes, crash }: RunPlan = DAY): Promise<RunResult> {
  const random = createRandom(`faults-${seed}`);
  const clock = createVirtualClock(START_MS);
  const dice = createDice(random.fork('dice'));
  const jobs = new JobQueue(random.fork('jobs'));
  const account = accountOf(clock, random, dice, jobs);
  const actions = new ActionsQueue(clock);
  const outages = { sendsUntilMs: 0, cloud66UntilMs: 0 };
  const services: Services = { clock, account, jobs, actions, dice, random, outages };
  const observer = new Observer(account, LIMITS);
  const functions = createFunctions(services, SETTINGS, observer, random.fork('ids'), crash);
  const uninstall = installVirtualTime(clock, random.fork('math'));
  const { fetch } = globalThis;
  globalThis.fetch = functions.fetch;
  try {
    for (let minute = 0; minute < faultyMinutes + calmMinutes; minute += 1) {
      if (minute === faultyMinutes) {
        dice.calm();
        jobs.isFed = false;
        Object.assign(outages, { sendsUntilMs: 0, cloud66UntilMs: 0 });
        account.stack('shop').setServerHealth('uid-b', 'healthy');
        // A deployment that never ends rightly holds every change, until a person deploys again.
        if (account.stack('shop').view().status === 'deploying') account.stack('shop').deploy(60);
      }
      jobs.pass(clock.nowMs());
      disturb(services);
      for (const event of eventsOf(dice, clock.nowMs())) void functions.invoke('scale', event);
      for (let second = 0; second < 60; second += 10) {
        void poll(services, functions.invoke);
        await runUntil(clock, START_MS + minute * MINUTE_MS + (second + 10) * 1000);
      }
    }
    observer.finish(actions);
  } finally {
    globalThis.fetch = fetch;
    uninstall();
    account.close();
  }
  const { violations, outcomes, scaleCalls, accepted, calls, crashes } = observer;
  const unrecorded = accepted - actions.recorded.size;
  const digest = observer.digest();
  return {
    seed,
    violations,
    faults: dice.counts,
    outcomes,
    scaleCalls,
    accepted,
    unrecorded,
    calls,
    crashes,
    digest,
  };
}

/** Gives the poller what is due, as the event source mapping does. */
async function poll({ actions, dice }: Services, invoke: ReturnType<typeof createFunctions>['invoke']): Promise<void> {
  const messages = actions.receive();
  if (messages.length === 0) return;
  const Records = messages.map(({ id, body, receives }) => {
    const attributes = { ApproximateReceiveCount: String(receives), MessageGroupId: 'worker' };
    return { messageId: id, receiptHandle: id, body, attributes };
  });
  if (dice.strikes('record_delivered_twice')) void invoke('poller', { Records });
  const ending = await invoke('poller', { Records });
  if (ending.kind !== 'returned' || dice.strikes('record_delivered_late')) return;
  const { batchItemFailures } = ending.value as {
    readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
  };
  const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const { id } of messages) if (!kept.has(id)) actions.waiting.delete(id);
}

const SETTINGS: Readonly<Record<string, string>> = {
  AWS_REGION: 'us-east-1',
  STAGE: 'local',
  CLOUD66_API_URL: 'http://127.0.0.1:9/api/3',
  CLOUD66_TOKEN_PARAMETER: '/token',
  STACK_UID: 'shop',
  PROCESS_NAME: 'worker',
  STRATEGY: 'backlog',
  MIN_WORKERS: String(LIMITS.minWorkers),
  MAX_WORKERS: String(LIMITS.maxWorkers),
  QUEUE_URL: `${PLACE}/jobs`,
  ACTIONS_QUEUE_URL: `${PLACE}/actions.fifo`,
  ACTIONS_DEAD_LETTER_QUEUE_URL: `${PLACE}/dead.fifo`,
};

function accountOf(clock: Services['clock'], random: Services['random'], dice: Dice, jobs: JobQueue): Cloud66Account {
  return new Cloud66Account({
    clock,
    random: random.fork('account'),
    stacks: [
      {
        uid: 'shop',
        servers: ['a', 'b'].map((name) => ({ uid: `uid-${name}`, name })),
        processes: [{ name: 'worker', counts: { 'uid-a': 1 } }],
      },
    ],
    tokens: [{ value: TOKEN, user: USER, scopes: ['public', 'admin'] }],
    settings: { actionFault: () => actionFault(dice) },
    onWorkersChanged: ({ running }) => {
      jobs.workers = running;
    },
  });
}

function actionFault(dice: Dice): ActionFault | null {
  if (dice.strikes('action_fails')) return { kind: 'fails', message: 'simulated' };
  if (dice.strikes('action_never_ends')) return { kind: 'never_finishes', holdsStackSeconds: 1200 };
  if (dice.strikes('action_vanishes')) return { kind: 'vanishes', afterSeconds: 30, appliesChange: true };
  return dice.strikes('action_does_nothing') ? { kind: 'changes_nothing' } : null;
}

/** What people and machines do to the stack. */
function disturb({ account, dice, random, clock, outages }: Services): void {
  if (dice.strikes('sends_refused_long')) outages.sendsUntilMs = clock.nowMs() + 3 * MINUTE_MS;
  if (dice.strikes('cloud66_outage')) outages.cloud66UntilMs = clock.nowMs() + 15 * MINUTE_MS;
  const stack = account.stack('shop');
  if (dice.strikes('deployment')) stack.deploy(180);
  if (dice.strikes('count_by_hand')) stack.changeByHand('worker', { 'uid-a': random.integer(0, 12) });
  if (dice.strikes('server_unhealthy')) stack.setServerHealth('uid-b', 'failed');
  else if (random.chance(0.1)) stack.setServerHealth('uid-b', 'healthy');
}

/** The tick of a minute, or none, or two, and what alarms say. */
function eventsOf(dice: Dice, nowMs: number): readonly unknown[] {
  const tick = { 'detail-type': 'Scheduled Event', time: new Date(nowMs).toISOString() };
  const alarmAt = (atMs: number) => ({
    source: 'aws.cloudwatch',
    alarmArn: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:other',
    time: new Date(atMs).toISOString(),
    alarmData: {
      alarmName: 'cloud66-worker-autoscaler-local-worker',
      state: { value: 'ALARM', timestamp: new Date(atMs).toISOString() },
    },
  });
  return [
    ...(dice.strikes('tick_missed') ? [] : [tick]),
    ...(dice.strikes('tick_doubled') ? [tick] : []),
    ...(dice.strikes('alarm_sent') ? [alarmAt(nowMs)] : []),
    ...(dice.strikes('alarm_old') ? [alarmAt(nowMs - 6 * 3_600_000)] : []),
    ...(dice.strikes('alarm_garbled') ? [{ hello: 'world' }] : []),
  ];
}
