/**
 * Who can be replayed: our own strategies, by the names and settings that a deployment uses, and the rules of others.
 * A policy brings its knobs for the tuner and a pilot for the plant; nothing else of the backtest knows which is which.
 */
import type { Environment } from '../config/env.ts';
import { SETTINGS, type TargetSettingName } from '../config/schema.ts';
import { parseSettings } from '../config/settings.ts';
import { MOST_TARGET_PERCENT } from '../config/strategy-settings.ts';
import type { Target } from '../domain.ts';
import { InvalidInputError } from '../errors.ts';
import { isWatched } from '../policy/attention.ts';
import type { Random } from '../simulation/random.ts';
import type { Baseline, Knob, Settings, Workload } from './baselines/baseline.ts';
import type { Plant } from './plant.ts';
import type { DecisionEvent } from './plant-ports.ts';
import { type Attention, baselinePilot, type League, ourPilot, type Pilot } from './replay.ts';

/** What a policy is given to fly with. */
interface Flight {
  readonly plant: Plant;
  readonly workload: Workload;
  readonly settings: Settings;
  /** Further settings of ours, by their names in the environment; they win over `settings`. */
  readonly overrides: Environment;
  readonly league: League;
  readonly startMs: number;
  readonly servers: number;
  readonly random: Random;
  readonly onDecision?: (event: DecisionEvent) => void;
}

/** One policy that can be replayed and tuned. */
export interface ReplayPolicy {
  readonly name: string;
  readonly title: string;
  /** True for what this program deploys. */
  readonly ours: boolean;
  readonly knobs: readonly Knob[];
  defaults(workload: Workload): Settings;
  byTheBook(workload: Workload): Settings;
  pilot(flight: Flight): Pilot;
}

/** One of our strategies, as a row of a table. */
export interface OurStrategy {
  readonly name: string;
  readonly title: string;
  readonly knobs: readonly Knob[];
  defaults(workload: Workload): Settings;
  byTheBook(workload: Workload): Settings;
  /** The settings as a deployment would write them. */
  environment(settings: Settings, workload: Workload): Environment;
  /** When to look again before the next tick, at home; null = never. */
  readonly attention: Attention | null;
}

/** What every deployment must name and no decision depends on. */
const DEPLOYMENT: Environment = {
  CLOUD66_TOKEN: 'not-used-in-a-backtest',
  STAGE: 'backtest',
  ACTIONS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/actions.fifo',
  ACTIONS_DEAD_LETTER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/000000000000/dead.fifo',
  STACK_UID: 'backtest',
  PROCESS_NAME: 'worker',
  QUEUE_NAME: 'jobs',
};

/**
 * The target that the deployed parser makes of some settings. The bounds are those of the plant: they follow the peak of
 * the traffic, which may lie beyond what a deployment is allowed to ask for.
 *
 * @throws InvalidInputError naming each setting that is wrong.
 */
export function targetOf(environment: Environment, { minWorkers, maxWorkers }: Workload): Target {
  const bounds = ['MIN_WORKERS', 'MAX_WORKERS'].filter((name) => environment[name] !== undefined);
  if (bounds.length > 0) {
    const message = 'the bounds belong to the plant and are the same for every policy';
    throw new InvalidInputError(
      'backtest settings',
      bounds.map((field) => ({ field, message })),
    );
  }
  const [target] = parseSettings({ ...DEPLOYMENT, ...environment }).targets;
  if (target === undefined) throw new RangeError('The settings of a deployment came to no target.');
  return { ...target, policy: { ...target.policy, minWorkers, maxWorkers } };
}

const SCALE_IN = ['SCALE_IN_STABILIZATION_SECONDS', 'SCALE_IN_COOLDOWN_SECONDS'] as const;
const STEADINESS = [...SCALE_IN, 'TOLERANCE'] as const;

/** Defaults of some settings, from the one table that has them. */
function tabledDefaults(names: readonly TargetSettingName[]): Settings {
  return Object.fromEntries(names.map((name) => [name, Number(SETTINGS[name].default)]));
}

const SCALE_IN_KNOBS: readonly Knob[] = [
  { name: 'SCALE_IN_STABILIZATION_SECONDS', values: [0, 120, 300, 600, 1200], unit: 'seconds' },
  { name: 'SCALE_IN_COOLDOWN_SECONDS', values: [0, 300], unit: 'seconds' },
];

/** So many messages per worker let the last of them wait for the target and no longer: the target / the job time. */
function backlogForTarget({ waitTargetSeconds, jobSeconds, concurrency }: Workload): number {
  return Math.max(1, Math.round(((1 + waitTargetSeconds / jobSeconds) * concurrency + Number.EPSILON) * 10) / 10);
}

const BACKLOG: OurStrategy = {
  name: 'backlog',
  title: 'this program, strategy backlog',
  knobs: [
    { name: 'BACKLOG_PER_WORKER', values: [40, 20, 12, 8, 5, 3, 2, 1.4, 1], unit: 'messages per worker' },
    ...SCALE_IN_KNOBS,
    { name: 'TOLERANCE', values: [0.1, 0.3], unit: 'share of the current count' },
  ],
  defaults: () => tabledDefaults(['BACKLOG_PER_WORKER', ...STEADINESS]),
  byTheBook: (workload) => ({ ...tabledDefaults(STEADINESS), BACKLOG_PER_WORKER: backlogForTarget(workload) }),
  environment: (settings) => ({ STRATEGY: 'backlog', ...asTexts(settings) }),
  attention: null,
};

/** STEPS is a list; its knobs are the backlog of the first step out and its size, the next ones being 4 and 16 times that. */
const STEP: OurStrategy = {
  name: 'step',
  title: 'this program, strategy step',
  knobs: [
    { name: 'STEP_BACKLOG', values: [100, 50, 20, 10, 5, 3], unit: 'messages' },
    { name: 'STEP_WORKERS', values: [1, 2, 4], unit: 'workers' },
    ...SCALE_IN_KNOBS,
  ],
  defaults: () => ({ ...tabledDefaults(SCALE_IN), STEP_BACKLOG: 100, STEP_WORKERS: 1 }),
  byTheBook: (workload) => ({
    ...tabledDefaults(SCALE_IN),
    STEP_BACKLOG: Math.ceil(backlogForTarget(workload)),
    STEP_WORKERS: 1,
  }),
  environment: ({ STEP_BACKLOG = 100, STEP_WORKERS = 1, ...others }) => {
    const steps = [1, 4, 16].map((factor) => `${STEP_BACKLOG * factor}:+${STEP_WORKERS * factor}`);
    return { STRATEGY: 'step', STEPS: ['0:-1', ...steps].join(','), ...asTexts(others) };
  },
  attention: null,
};

/** The cadence of looks at a target that is watched. */
const WATCH_INTERVAL_SECONDS = 15;
const OWN_KNOBS = ['DRAIN_SHARE', 'KEEP_IDLE_SECONDS', 'SURGE_FACTOR'] as const;

/** It is not told how long jobs run, unlike the others: it has to find out. */
const LATENCY: OurStrategy = {
  name: 'latency',
  title: 'this program, strategy latency',
  knobs: [
    { name: 'DRAIN_SHARE', values: [0.8, 0.65, 0.5, 0.35], unit: 'share of the target' },
    { name: 'HEADROOM', values: [0.5, 1, 2, 3], unit: 'standard deviations' },
    { name: 'KEEP_IDLE_SECONDS', values: [60, 180, 300, 600], unit: 'seconds' },
    { name: 'SURGE_FACTOR', values: [1, 1.5, 2], unit: 'times' },
  ],
  defaults: () => tabledDefaults(OWN_KNOBS),
  byTheBook: () => tabledDefaults(OWN_KNOBS),
  environment: (settings, { waitTargetSeconds, waitTargetPercent, concurrency }) => ({
    STRATEGY: 'latency',
    LATENCY_TARGET_SECONDS: String(waitTargetSeconds),
    LATENCY_TARGET_PERCENT: String(Math.min(waitTargetPercent, MOST_TARGET_PERCENT)),
    JOBS_PER_WORKER: String(concurrency),
    ...asTexts(settings),
  }),
  attention: ({ attentive }) => (isWatched(attentive) ? WATCH_INTERVAL_SECONDS : null),
};

/** Our strategies. */
export const OUR_STRATEGIES: readonly OurStrategy[] = [LATENCY, BACKLOG, STEP];

function asTexts(settings: Settings): Environment {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

/** One of our strategies, flown by the deployed code. */
export function ourPolicy(strategy: OurStrategy): ReplayPolicy {
  const { name, title, knobs, attention } = strategy;
  return {
    name,
    title,
    ours: true,
    knobs,
    defaults: strategy.defaults,
    byTheBook: strategy.byTheBook,
    pilot: ({ workload, settings, overrides, league, ...flight }) => {
      const target = targetOf({ ...strategy.environment(settings, workload), ...overrides }, workload);
      return ourPilot({ ...flight, target, attention: league === 'N' ? attention : null });
    },
  };
}

/** The rule of another product. */
export function peerPolicy(baseline: Baseline): ReplayPolicy {
  const { name, title, knobs } = baseline;
  return {
    name,
    title,
    ours: false,
    knobs,
    defaults: (workload) => baseline.defaults(workload),
    byTheBook: (workload) => baseline.byTheBook(workload),
    pilot: ({ plant, workload, settings, league, random }) =>
      baselinePilot({ baseline, plant, workload, settings, league, random }),
  };
}
