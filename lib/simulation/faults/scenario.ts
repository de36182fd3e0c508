/**
 * What a seed's day is about: which targets there are, on which stacks, with which limits. Drawn apart from the faults, so that
 * a new kind of scenario does not change the faults of a seed.
 */
import type { StackSeed } from '../cloud66/model.ts';
import type { Random } from '../random.ts';

export const PLACE = 'https://sqs.us-east-1.amazonaws.com/123456789012';
/** Every simulated token begins with this. */
export const TOKEN = 'simulated-token-0123456789abcdef';
export const USER = 'robot@example.com';
/** Followed by the id of the target. */
export const ALARM_PREFIX = 'cloud66-worker-autoscaler-local-backlog-';
export const TOKEN_PARAMETER = '/token';
/** A day on which the clocks of Europe go forward, at 01:00 UTC of the 29th. */
export const START_MS = Date.UTC(2026, 2, 28, 8);
const CALLS_PER_HOUR = 3600;

/** A floor by the clock, worked out by hand and not by the library that the product uses. */
export interface Floor {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly minWorkers: number;
}

/** One process of a stack, its queue, and the limits that hold for it. */
export interface SimulatedTarget {
  readonly id: string;
  readonly stackUid: string;
  readonly processName: string;
  readonly queueName: string;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly maxWorkersPerServer: number;
  readonly floors: readonly Floor[];
}

/** Everything that is fixed for a run. */
export interface Scenario {
  readonly targets: readonly SimulatedTarget[];
  readonly stacks: readonly StackSeed[];
  readonly callsPerHour: number;
  /** CloudWatch has nothing of the queues before this time: they had been asleep. */
  readonly metricsFromMs: number;
  /** The environment of each function. */
  readonly settings: Readonly<Record<'scale' | 'poller', Readonly<Record<string, string>>>>;
}

const FREELY = 999;
const LIMITS = { minWorkers: 1, maxWorkers: 8 } as const;
/** 02:30 does not exist on that night: the window opens at 03:00 summer time, which is 01:00 UTC. */
const SCHEDULE = '30 2 * * * | Europe/Berlin | 1h | min=2; 0 12 * * 6 | Europe/Berlin | 1h | min=3';
const FLOORS: readonly Floor[] = [
  { fromMs: Date.UTC(2026, 2, 28, 11), untilMs: Date.UTC(2026, 2, 28, 12), minWorkers: 3 },
  { fromMs: Date.UTC(2026, 2, 29, 1), untilMs: Date.UTC(2026, 2, 29, 2), minWorkers: 2 },
];

/** A day of three targets takes as long as three days of one, so most days have one; enough have more. */
const PROCESSES = [
  ...Array<readonly string[]>(6).fill(['shop/worker']),
  ...Array<readonly string[]>(2).fill(['shop/worker', 'shop/mailer']),
  ['shop/worker', 'shop/mailer', 'office/worker'],
];

/** The scenario of a seed: one to three targets on one or two stacks, with one strategy or another. */
export function scenarioOf(random: Random): Scenario {
  const processes = random.pick(PROCESSES);
  const isCapped = random.chance(1 / 3);
  const isScheduled = random.chance(1 / 3);
  const strategy = random.chance(1 / 3) ? 'latency' : 'backlog';
  const callsPerHour = random.chance(1 / 4) ? 900 : CALLS_PER_HOUR;
  const metricsFromMs = random.chance(1 / 4) ? START_MS + 3 * 3_600_000 : 0;
  return fleetOf(processes, {
    callsPerHour,
    metricsFromMs,
    maxWorkersPerServer: isCapped ? 5 : FREELY,
    floors: isScheduled ? FLOORS : [],
    settings: {
      STRATEGY: strategy,
      ...(isCapped ? { MAX_WORKERS_PER_SERVER: '5' } : {}),
      ...(isScheduled ? { SCHEDULE } : {}),
    },
  });
}

interface Extras {
  readonly callsPerHour?: number;
  readonly metricsFromMs?: number;
  readonly maxWorkersPerServer?: number;
  readonly floors?: readonly Floor[];
  readonly settings?: Readonly<Record<string, string>>;
}

/** A scenario with a target for each `stack/process`; every stack has two servers, and each process begins with one worker. */
export function fleetOf(processes: readonly string[], extras: Extras = {}): Scenario {
  const { callsPerHour = CALLS_PER_HOUR, metricsFromMs = 0, maxWorkersPerServer = FREELY, floors = [] } = extras;
  const targets = processes.map((name): SimulatedTarget => {
    const [stackUid = '', processName = ''] = name.split('/');
    const id = stackUid === 'shop' ? processName : `${stackUid}-${processName}`;
    const limits = { ...LIMITS, maxWorkersPerServer, floors };
    return { id, stackUid, processName, queueName: `jobs-${id}`, ...limits };
  });
  const stacks = [...new Set(targets.map(({ stackUid }) => stackUid))].map((uid): StackSeed => {
    const [a, b] = serversOf(uid);
    const own = targets.filter(({ stackUid }) => stackUid === uid);
    return {
      uid,
      servers: [
        { uid: a, name: `${uid}-a` },
        { uid: b, name: `${uid}-b` },
      ],
      processes: own.map(({ processName }) => ({ name: processName, counts: { [a]: 1, [b]: 0 } })),
    };
  });
  const perTarget = targets.map(({ id, stackUid, processName, queueName }) => {
    const prefix = id.toUpperCase().replaceAll('-', '_');
    return {
      [`${prefix}_STACK_UID`]: stackUid,
      [`${prefix}_PROCESS_NAME`]: processName,
      [`${prefix}_QUEUE_URL`]: `${PLACE}/${queueName}`,
    };
  });
  const poller = {
    AWS_REGION: 'us-east-1',
    STAGE: 'local',
    CLOUD66_API_URL: 'http://127.0.0.1:9/api/3',
    CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER,
    ACTIONS_QUEUE_URL: `${PLACE}/actions.fifo`,
    ACTIONS_DEAD_LETTER_QUEUE_URL: `${PLACE}/dead.fifo`,
  };
  const scale = {
    ...poller,
    MIN_WORKERS: String(LIMITS.minWorkers),
    MAX_WORKERS: String(LIMITS.maxWorkers),
    TARGETS: targets.map(({ id }) => id).join(','),
    ...Object.assign({}, ...perTarget),
    ...extras.settings,
  };
  return { targets, stacks, callsPerHour, metricsFromMs, settings: { scale, poller } };
}

/** The uids of the servers that a stack begins with. */
export function serversOf(stackUid: string): readonly [string, string] {
  return [`uid-${stackUid}-a`, `uid-${stackUid}-b`];
}
