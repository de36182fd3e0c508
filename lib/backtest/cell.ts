/** One cell of a comparison: a trace at a load with a seed, expanded once and flown by many policies. */
import { createRandom, type Random } from '../simulation/random.ts';
import { meanActionSeconds } from './actuator.ts';
import type { Settings, Workload } from './baselines/baseline.ts';
import { expandJobs, type Jobs, type Placing } from './jobs.ts';
import { Plant, type PlantSettings, STANDARD_PLANT } from './plant.ts';
import type { DecisionEvent } from './plant-ports.ts';
import type { ReplayPolicy } from './policies.ts';
import { type League, type ReplayHooks, replay } from './replay.ts';
import { type Score, score } from './score.ts';
import { peakMinuteArrivals, scaleToLoad, scaleTrace, splitIntoMinutes, type Trace } from './trace.ts';

/** A wait that a share of the jobs must keep: 60 s for 95 %. */
export interface Slo {
  readonly waitSeconds: number;
  readonly share: number;
}

/** How a trace becomes traffic: so many busy workers on average, or so many times what was recorded. */
export type Scaling =
  | { readonly kind: 'load'; readonly busyWorkers: number }
  | { readonly kind: 'factor'; readonly factor: number };

/** What makes the plant rougher than usual, for tests of robustness. */
export interface Roughness {
  readonly latencyFactor: number;
  readonly lagFactor: number;
  readonly failureShare: number;
  /** Jobs of the second half run this many times longer. */
  readonly driftFactor: number;
}

export const USUAL_ROUGHNESS: Roughness = {
  latencyFactor: 1,
  lagFactor: 1,
  failureShare: STANDARD_PLANT.actuator.failureShare,
  driftFactor: 1,
};

export interface CellOptions {
  readonly trace: Trace;
  readonly scaling: Scaling;
  readonly jobSeconds: number;
  readonly jobCv: number;
  /** Measured durations instead of the lognormal distribution. */
  readonly measuredSeconds: readonly number[] | null;
  readonly concurrency: number;
  readonly minWorkers: number;
  /** Null = max(20, 1.25 × the need of the peak minute), so that the limit does not decide. */
  readonly maxWorkers: number | null;
  readonly servers: number;
  readonly slo: Slo;
  readonly placing: Placing;
  readonly seed: number;
  readonly roughness: Roughness;
}

export const USUAL_CELL: Omit<CellOptions, 'trace' | 'scaling' | 'seed'> = {
  jobSeconds: 6,
  jobCv: 1,
  measuredSeconds: null,
  concurrency: 1,
  minWorkers: 1,
  maxWorkers: null,
  servers: 1,
  slo: { waitSeconds: 60, share: 0.95 },
  placing: 'uniform',
  roughness: USUAL_ROUGHNESS,
};

export interface Cell {
  readonly options: CellOptions;
  /** The scaled traffic, in bins of at most a minute where that was possible. */
  readonly trace: Trace;
  readonly jobs: Jobs;
  readonly workload: Workload;
  readonly plant: PlantSettings;
  readonly startMs: number;
  readonly random: Random;
}

/** Times above this are seconds since the epoch; below, seconds since the beginning of the series. */
const EARLIEST_EPOCH_SECONDS = 1_000_000_000;
/** A series without a date begins on a Monday at midnight UTC. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const LEAST_MAX_WORKERS = 20;
const PEAK_HEADROOM = 1.25;

/** Prepares a cell: the same options give the same jobs and the same plant, for ever. */
export function buildCell(options: CellOptions): Cell {
  const { jobSeconds, concurrency, minWorkers, slo, seed, roughness } = options;
  const random = createRandom(seed);
  const mean = meanOf(options.measuredSeconds) ?? jobSeconds;
  const scaled = scaledTrace(options, mean);
  const trace = splitIntoMinutes(scaled, random.fork('split'));
  const { jobCv: cv, measuredSeconds } = options;
  const service = { meanSeconds: mean, cv, measuredSeconds, driftFactor: roughness.driftFactor };
  const jobs = expandJobs(trace, service, options.placing, random);
  const peakNeed = (peakMinuteArrivals(trace) * mean) / (60 * concurrency);
  const usualMax = Math.max(LEAST_MAX_WORKERS, Math.ceil(PEAK_HEADROOM * peakNeed), minWorkers);
  const plant = roughPlant(concurrency, minWorkers, options.maxWorkers ?? usualMax, roughness);
  const workload: Workload = {
    jobSeconds: mean,
    concurrency,
    minWorkers,
    maxWorkers: plant.maxWorkers,
    waitTargetSeconds: slo.waitSeconds,
    waitTargetPercent: Math.round(slo.share * 1e6) / 1e4,
    actionSeconds: meanActionSeconds(plant.actuator),
  };
  const { startSeconds } = trace;
  const startMs = startSeconds >= EARLIEST_EPOCH_SECONDS ? startSeconds * 1000 : MONDAY_MS + startSeconds * 1000;
  return { options, trace, jobs, workload, plant, startMs, random };
}

function scaledTrace({ trace, scaling, concurrency }: CellOptions, jobSeconds: number): Trace {
  if (scaling.kind === 'factor') return scaling.factor === 1 ? trace : scaleTrace(trace, scaling.factor);
  return scaleToLoad(trace, scaling.busyWorkers, jobSeconds, concurrency);
}

function meanOf(values: readonly number[] | null): number | null {
  return values === null || values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function roughPlant(
  concurrency: number,
  minWorkers: number,
  maxWorkers: number,
  { latencyFactor, lagFactor, failureShare }: Roughness,
): PlantSettings {
  const { actuator, startupSeconds, metric } = STANDARD_PLANT;
  return {
    concurrency,
    minWorkers,
    maxWorkers,
    initialWorkers: minWorkers,
    actuator: {
      ...actuator,
      minSeconds: actuator.minSeconds * latencyFactor,
      spreadSeconds: actuator.spreadSeconds * latencyFactor,
      failureShare,
    },
    startupSeconds: startupSeconds * latencyFactor,
    metric: {
      ...metric,
      lagMinSeconds: metric.lagMinSeconds * lagFactor,
      lagMaxSeconds: metric.lagMaxSeconds * lagFactor,
    },
  };
}

/** How one policy is flown through a cell. */
export interface FlightOptions {
  readonly league: League;
  readonly settings: Settings;
  /** Further settings of ours, by their names in the environment. */
  readonly overrides?: Readonly<Record<string, string>>;
  /** Workers at the beginning, where a policy begins elsewhere than at the minimum. */
  readonly initialWorkers?: number;
  readonly hooks?: ReplayHooks;
  readonly onDecision?: (event: DecisionEvent) => void;
}

export interface FlightResult {
  readonly score: Score;
  /** The plant after the run: minutes, waits and actions for a report. */
  readonly plant: Plant;
}

/** Flies one policy through a cell. Every flight of a cell meets the same jobs, delays and faults. */
export async function fly(cell: Cell, policy: ReplayPolicy, options: FlightOptions): Promise<FlightResult> {
  const { workload, startMs, random } = cell;
  const initialWorkers = options.initialWorkers ?? cell.plant.initialWorkers;
  const plant = new Plant(cell.jobs, { ...cell.plant, initialWorkers }, random.fork('plant'));
  const pilot = policy.pilot({
    plant,
    workload,
    settings: options.settings,
    overrides: options.overrides ?? {},
    league: options.league,
    startMs,
    servers: cell.options.servers,
    random,
    ...(options.onDecision && { onDecision: options.onDecision }),
  });
  const end = await replay(plant, pilot, options.hooks);
  return { score: score(plant, end, workload.waitTargetSeconds), plant };
}
