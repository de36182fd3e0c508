/** What `backtest` and `tune` have in common: which traffic, which objective, which plant, whose rules. */
import type { Command } from 'commander';
import type { Settings } from '../backtest/baselines/baseline.ts';
import { type Scaling, type Slo, USUAL_CELL } from '../backtest/cell.ts';
import { REPLAY_POLICIES } from '../backtest/contenders.ts';
import type { ReplayPolicy } from '../backtest/policies.ts';
import type { League } from '../backtest/replay.ts';
import { SHAPE_NAMES, type ShapeName } from '../backtest/shapes.ts';
import { type OptionReader, reportLeftovers } from './problems.ts';
import { readSets } from './sets.ts';

/** Where the arrivals come from. */
export type TrafficSource =
  | { readonly kind: 'file'; readonly path: string; readonly days: number | null }
  | { readonly kind: 'shape'; readonly shape: ShapeName; readonly days: number; readonly busyWorkers: number }
  | { readonly kind: 'queue'; readonly queueName: string; readonly days: number; readonly region: string };

/** Everything complete. */
export interface TrafficOptions {
  readonly source: TrafficSource;
  readonly cell: Omit<typeof USUAL_CELL, 'trace'> & { readonly scaling: Scaling };
  readonly seeds: readonly number[];
  readonly league: League;
  readonly policies: readonly ReplayPolicy[];
  readonly overrides: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, Settings>>;
}

/** As commander gives them. */
export interface RawTrafficOptions {
  readonly arrivals?: string;
  readonly shape?: string;
  readonly queue?: string;
  readonly region?: string;
  readonly days?: string;
  readonly load?: string;
  readonly scale?: string;
  readonly jobSeconds: string;
  readonly jobCv: string;
  readonly concurrency: string;
  readonly min: string;
  readonly max?: string;
  readonly slo: string;
  readonly seed?: string;
  readonly seeds?: string;
  readonly league: string;
  readonly policy: string;
  readonly set: readonly string[];
  readonly batch: boolean;
}

/** What is replayed when nothing is said, and how busy it is made. */
export interface UsualTraffic {
  readonly tracePath: string;
  readonly busyWorkers: number;
  /** Policies, between commas. */
  readonly policies: string;
}

const MAX_SEEDS = 100;
const MAX_WORKERS = 100_000;
/** CloudWatch keeps points of five minutes for 63 days. */
const MAX_QUEUE_DAYS = 63;
const MAX_SHAPE_DAYS = 365;
const USUAL_DAYS = { queue: 14, shape: 1 };

/** Adds the common options to a command. */
export function withTrafficOptions(command: Command, usualPolicies: string): Command {
  return command
    .option('--arrivals <file.csv>', 'recorded traffic: timestamp_seconds,arrivals, evenly spaced, any bin size')
    .option('--shape <name>', `traffic drawn from a shape: ${SHAPE_NAMES.join(', ')}`)
    .option('--queue <name>', 'the sent counts of an SQS queue, from CloudWatch (needs cloudwatch:GetMetricData)')
    .option('--region <name>', 'region of --queue (default: AWS_REGION)')
    .option('--days <n>', 'days of --queue (default 14) or --shape (default 1); the first days of --arrivals')
    .option('--load <workers>', 'scale the traffic so that this many workers are busy on average (0.5, 3, 10 …)')
    .option('--scale <factor>', 'multiply the recorded traffic')
    .option('--job-seconds <s>', 'mean run time of a job', '6')
    .option('--job-cv <x>', 'its standard deviation / mean; 0 = all jobs run equally long', '1')
    .option('--concurrency <n>', 'jobs that one worker runs at once', '1')
    .option('--min <workers>', 'fewest workers', '1')
    .option('--max <workers>', 'most workers (default: 1.25 times the need of the busiest minute, at least 20)')
    .option('--slo <wait:percent>', 'so many seconds of wait are kept for so many percent of the jobs', '60:95')
    .option('--seed <n>', 'seed of everything random (default 1)')
    .option('--seeds <list>', 'several seeds, averaged: 1-10 or 1,2,5')
    .option('--league <E|N>', 'N: each policy as often as at home; E: all on the same minute tick', 'N')
    .option('--policy <names>', 'names between commas, or all', usualPolicies)
    .option(
      '--set <name=value>',
      'a setting of ours (TOLERANCE=0.2) or a knob of one policy (keda.queueLength=5); repeatable',
      collect,
      [],
    )
    .option('--batch', 'all jobs of a bin arrive in its first five seconds', false)
    .allowUnknownOption()
    .allowExcessArguments();
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

/** Reads the common options; what is wrong is left in the reader, and the answer is then not to be used. */
export function readTrafficOptions(
  raw: RawTrafficOptions,
  usual: UsualTraffic,
  command: Command,
  reader: OptionReader,
  environment: Readonly<Record<string, string | undefined>>,
): TrafficOptions {
  const known = command.options.map(({ long }) => (long ?? '').replace(/^--/, ''));
  reportLeftovers(command.args, known, reader);
  const concurrency = reader.number('concurrency', raw.concurrency, { min: 1, max: 1000, whole: true });
  const minWorkers = reader.number('min', raw.min, { min: 0, max: MAX_WORKERS, whole: true });
  const maxWorkers = reader.optional('max', raw.max, { min: 1, max: MAX_WORKERS, whole: true });
  if (maxWorkers !== null && maxWorkers < minWorkers)
    reader.add('max', `found ${maxWorkers}, below --min ${minWorkers}`);
  const policies = readPolicies(raw.policy, reader);
  const { source, scaling } = readSource(raw, usual, environment, reader);
  return {
    source,
    cell: {
      ...USUAL_CELL,
      scaling,
      jobSeconds: reader.number('job-seconds', raw.jobSeconds, { min: 0.01, max: 86_400 }),
      jobCv: reader.number('job-cv', raw.jobCv, { min: 0, max: 20 }),
      concurrency,
      minWorkers,
      maxWorkers,
      slo: readSlo(raw.slo, reader),
      placing: raw.batch ? 'batch' : 'uniform',
    },
    seeds: readSeeds(raw, reader),
    league: readLeague(raw.league, reader),
    policies,
    ...readSets(raw.set, policies, reader),
  };
}

function readPolicies(text: string, reader: OptionReader): readonly ReplayPolicy[] {
  if (text.trim() === 'all') return REPLAY_POLICIES;
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  return names.flatMap((name) => {
    const policy = REPLAY_POLICIES.find((each) => each.name === name);
    if (policy !== undefined) return [policy];
    reader.add(
      'policy',
      `found "${name}", expected all or some of ${REPLAY_POLICIES.map((each) => each.name).join(', ')}`,
    );
    return [];
  });
}

function readLeague(text: string, reader: OptionReader): League {
  const league = text.trim().toUpperCase();
  if (league === 'E' || league === 'N') return league;
  reader.add('league', `found "${text}", expected E or N`);
  return 'N';
}

function readSlo(text: string, reader: OptionReader): Slo {
  const match = /^(\d+):(\d+(?:\.\d+)?)%?$/.exec(text.trim());
  const [waitSeconds, share] = [Number(match?.[1]), Number(match?.[2]) / 100];
  if (waitSeconds > 0 && waitSeconds <= 86_400 && share >= 0.5 && share < 1) return { waitSeconds, share };
  reader.add('slo', `found "${text}", expected whole seconds:percent such as 60:95 (percent from 50 to below 100)`);
  return USUAL_CELL.slo;
}

function readSeeds({ seed, seeds }: RawTrafficOptions, reader: OptionReader): readonly number[] {
  const bounds = { min: 0, max: 2 ** 31, whole: true } as const;
  if (seed !== undefined && seeds !== undefined) reader.add('seeds', 'is given together with --seed; one of the two');
  if (seeds === undefined) return [reader.number('seed', seed ?? '1', bounds)];
  const range = /^(\d{1,9})-(\d{1,9})$/.exec(seeds.trim());
  const [first, last] = [Number(range?.[1]), Number(range?.[2])];
  const list = range === null ? seeds.split(',').map((text) => reader.number('seeds', text.trim(), bounds)) : [];
  const count = range === null ? list.length : last - first + 1;
  if (count < 1 || count > MAX_SEEDS) {
    reader.add('seeds', `found "${seeds}", expected 1 to ${MAX_SEEDS} seeds such as 1-10 or 1,2,5`);
    return [1];
  }
  return range === null ? [...new Set(list)] : Array.from({ length: count }, (_, index) => first + index);
}

function readSource(
  raw: RawTrafficOptions,
  usual: UsualTraffic,
  environment: Readonly<Record<string, string | undefined>>,
  reader: OptionReader,
): { source: TrafficSource; scaling: Scaling } {
  const given = (['arrivals', 'shape', 'queue'] as const).filter((name) => raw[name] !== undefined);
  if (given.length > 1) reader.add(given[1] ?? '', `is given together with --${given[0]}; one source of traffic`);
  if (raw.load !== undefined && raw.scale !== undefined)
    reader.add('scale', 'is given together with --load; one of the two');
  const busyWorkers = reader.optional('load', raw.load, { min: 0.001, max: MAX_WORKERS });
  const factor = reader.optional('scale', raw.scale, { min: 0.000_001, max: 1_000_000 });
  const loaded = (workers: number): Scaling => ({ kind: 'load', busyWorkers: workers });
  const own: Scaling = busyWorkers === null ? { kind: 'factor', factor: factor ?? 1 } : loaded(busyWorkers);
  if (raw.shape !== undefined) return shapeSource(raw, busyWorkers ?? usual.busyWorkers, reader);
  if (raw.queue !== undefined) return { source: queueSource(raw, raw.queue, environment, reader), scaling: own };
  const days = reader.optional('days', raw.days, { min: 0.01, max: 3650 });
  if (raw.arrivals !== undefined) return { source: { kind: 'file', path: raw.arrivals, days }, scaling: own };
  const scaling = factor === null && busyWorkers === null ? loaded(usual.busyWorkers) : own;
  return { source: { kind: 'file', path: usual.tracePath, days }, scaling };
}

function shapeSource(raw: RawTrafficOptions, busyWorkers: number, reader: OptionReader) {
  const shape = SHAPE_NAMES.find((name) => name === raw.shape);
  if (shape === undefined) reader.add('shape', `found "${raw.shape}", expected one of ${SHAPE_NAMES.join(', ')}`);
  if (raw.scale !== undefined)
    reader.add('scale', 'does not go with --shape, which has no traffic of its own; use --load');
  const days = reader.number('days', raw.days ?? String(USUAL_DAYS.shape), { min: 0.01, max: MAX_SHAPE_DAYS });
  const source = { kind: 'shape', shape: shape ?? 'step', days, busyWorkers } as const;
  return { source, scaling: { kind: 'load', busyWorkers } as const };
}

function queueSource(
  raw: RawTrafficOptions,
  queueName: string,
  environment: Readonly<Record<string, string | undefined>>,
  reader: OptionReader,
): TrafficSource {
  const region = raw.region ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? '';
  if (region === '') reader.add('region', 'is not set, and AWS_REGION is not either; expected the region of --queue');
  if (!/^[A-Za-z0-9_-]{1,75}(\.fifo)?$/.test(queueName)) {
    reader.add('queue', `found "${queueName}", expected the name of an SQS queue, without the rest of its URL`);
  }
  const bounds = { min: 1, max: MAX_QUEUE_DAYS, whole: true } as const;
  return {
    kind: 'queue',
    queueName,
    region,
    days: reader.number('days', raw.days ?? String(USUAL_DAYS.queue), bounds),
  };
}
