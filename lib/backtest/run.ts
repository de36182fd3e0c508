/** One backtest: some policies on one trace, averaged over seeds, with the bounds that no policy can beat. */
import type { Settings } from './baselines/baseline.ts';
import { buildCell, type Cell, type CellOptions, type FlightResult, fly } from './cell.ts';
import type { DecisionEvent } from './plant-ports.ts';
import type { ReplayPolicy } from './policies.ts';
import type { League, ReplayHooks } from './replay.ts';
import type { Elasticity, Score, Waits } from './score.ts';
import { staticBest } from './static-best.ts';

/** What a policy came to: one row of the answer. */
export interface PolicyResult {
  readonly name: string;
  readonly title: string;
  readonly ours: boolean;
  /** The knobs as they were set, and for ours the further settings that were given. */
  readonly settings: Readonly<Record<string, number | string>>;
  readonly costRatio: number;
  readonly lateShare: number;
  /** Whether the late share keeps the objective. */
  readonly meetsSlo: boolean;
  readonly waitSeconds: Waits;
  readonly actionsPerHour: number;
  readonly workerStarts: number;
  readonly maxWorkers: number;
  readonly utilization: number;
  readonly jobs: number;
  readonly unfinishedJobs: number;
  readonly elasticity: Elasticity;
  readonly complete: boolean;
}

/** What a bound or plan costs. Late share and waits are null where it is an amount of money and not a plan. */
export interface Reference {
  readonly costRatio: number;
  readonly lateShare: number | null;
  readonly waitSeconds: Waits | null;
  readonly workers?: number;
}

/** Null = not computed. */
export interface References {
  /** The work itself: every paid second of every worker was busy. */
  readonly work: Reference;
  readonly lpBound: Reference | null;
  readonly oraclePlan: Reference | null;
  /** The cheapest fixed count that keeps the objective, known only in hindsight; null when none does. */
  readonly staticBest: Reference | null;
}

/** Computes bounds of a cell that need a solver. */
export type ReferenceSolver = (cell: Cell) => Promise<Pick<References, 'lpBound' | 'oraclePlan'>>;

/** Follows single flights, for a report. */
export interface FlightRecorder {
  /** Before a flight: where its decisions go (ours only; a peer's rule gives none). */
  decisionsOf(policy: ReplayPolicy, seed: number): (event: DecisionEvent) => void;
  /** After a flight: its plant with minutes, waits and actions; not to be kept, it is large. */
  flown(policy: ReplayPolicy, cell: Cell, result: FlightResult): void;
}

export interface BacktestOptions {
  /** Everything but the seed. */
  readonly cell: Omit<CellOptions, 'seed'>;
  readonly seeds: readonly number[];
  readonly league: League;
  readonly policies: readonly ReplayPolicy[];
  /** Which settings a policy flies with: its own defaults, or what its documentation says for the wait target. */
  readonly settingsFrom: 'defaults' | 'book';
  /** Knobs of single policies, by policy name; they win over `settingsFrom`. */
  readonly settings?: Readonly<Record<string, Settings>>;
  /** Settings of ours by their names in the environment. */
  readonly overrides?: Readonly<Record<string, string>>;
  readonly solver?: ReferenceSolver;
  readonly hooks?: ReplayHooks;
  readonly recorder?: FlightRecorder;
}

/** The answer, as `--json` prints it. */
export interface BacktestResult {
  readonly trace: { readonly name: string; readonly durationSeconds: number; readonly jobs: number };
  readonly slo: { readonly waitSeconds: number; readonly share: number };
  readonly league: League;
  readonly seeds: readonly number[];
  readonly workload: Cell['workload'];
  readonly policies: readonly PolicyResult[];
  readonly references: References;
  /** False when it was stopped early: policies may be missing, the last one may have seen a part of the traffic only. */
  readonly complete: boolean;
}

/**
 * Runs a backtest. When `hooks.signal` is aborted it ends early with what it has, marked as incomplete.
 *
 * @throws InvalidInputError when an override is wrong; RangeError when no seed or no policy is given.
 */
export async function runBacktest(options: BacktestOptions): Promise<BacktestResult> {
  const { seeds, policies, league, hooks } = options;
  const [firstSeed] = seeds;
  if (firstSeed === undefined || policies.length === 0) throw new RangeError('At least one seed and one policy.');
  const runs = new Map<string, Score[]>(policies.map(({ name }) => [name, []]));
  const references: References[] = [];
  const first = buildCell({ ...options.cell, seed: firstSeed });
  const parts = seeds.length * policies.length;
  let done = 0;
  for (const seed of seeds) {
    if (hooks?.signal?.aborted) break;
    const cell = seed === firstSeed ? first : buildCell({ ...options.cell, seed });
    for (const policy of policies) {
      if (hooks?.signal?.aborted) break;
      const settings = settingsOf(policy, cell, options);
      const inner = innerHooks(hooks, (share) => (done + share) / parts);
      const { overrides = {}, recorder } = options;
      const onDecision = recorder?.decisionsOf(policy, seed);
      const flight = { league, settings, overrides, hooks: inner, ...(onDecision && { onDecision }) };
      const result = await fly(cell, policy, flight);
      recorder?.flown(policy, cell, result);
      runs.get(policy.name)?.push(result.score);
      done += 1;
    }
    references.push(await referencesOf(cell, options));
  }
  const complete = hooks?.signal?.aborted !== true;
  const results = policies.flatMap((policy) => {
    const scores = runs.get(policy.name) ?? [];
    return scores.length === 0 ? [] : [resultOf(policy, first, scores, options)];
  });
  const { durationSeconds, count: jobs } = first.jobs;
  return {
    trace: { name: options.cell.trace.name, durationSeconds, jobs },
    slo: options.cell.slo,
    league,
    seeds,
    workload: first.workload,
    policies: results,
    references: meanReferences(references),
    complete,
  };
}

function settingsOf(policy: ReplayPolicy, { workload }: Cell, options: BacktestOptions): Settings {
  const base = options.settingsFrom === 'book' ? policy.byTheBook(workload) : policy.defaults(workload);
  return { ...base, ...options.settings?.[policy.name] };
}

function innerHooks(hooks: ReplayHooks | undefined, overall: (share: number) => number): ReplayHooks {
  const onProgress = hooks?.onProgress;
  return {
    ...(onProgress && { onProgress: (share: number) => onProgress(overall(share)) }),
    ...(hooks?.signal && { signal: hooks.signal }),
  };
}

async function referencesOf(cell: Cell, { solver, hooks }: BacktestOptions): Promise<References> {
  const work: Reference = { costRatio: 1, lateShare: null, waitSeconds: null };
  if (hooks?.signal?.aborted) return { work, lpBound: null, oraclePlan: null, staticBest: null };
  const best = await staticBest(cell);
  const solved = (await solver?.(cell)) ?? { lpBound: null, oraclePlan: null };
  return {
    work,
    ...solved,
    staticBest: best && {
      costRatio: best.score.costRatio,
      lateShare: best.score.lateShare,
      waitSeconds: best.score.waitSeconds,
      workers: best.workers,
    },
  };
}

function mean<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0) / items.length;
}

function meanWaits(waits: readonly Waits[]): Waits {
  return {
    p50: mean(waits, ({ p50 }) => p50),
    p95: mean(waits, ({ p95 }) => p95),
    p99: mean(waits, ({ p99 }) => p99),
    max: Math.max(...waits.map(({ max }) => max)),
  };
}

/** Over several seeds: means, except for the longest wait and the most workers, which are the worst seen. */
function resultOf(policy: ReplayPolicy, cell: Cell, scores: readonly Score[], options: BacktestOptions): PolicyResult {
  const lateShare = mean(scores, (score) => score.lateShare);
  const elasticities = scores.map(({ elasticity }) => elasticity);
  return {
    name: policy.name,
    title: policy.title,
    ours: policy.ours,
    settings: { ...settingsOf(policy, cell, options), ...(policy.ours ? options.overrides : {}) },
    costRatio: mean(scores, (score) => score.costRatio),
    lateShare,
    meetsSlo: lateShare <= 1 - options.cell.slo.share,
    waitSeconds: meanWaits(scores.map(({ waitSeconds }) => waitSeconds)),
    actionsPerHour: mean(scores, (score) => score.actionsPerHour),
    workerStarts: mean(scores, (score) => score.workerStarts),
    maxWorkers: Math.max(...scores.map(({ maxWorkers }) => maxWorkers)),
    utilization: mean(scores, (score) => score.utilization),
    jobs: scores.reduce((sum, { jobs }) => sum + jobs, 0),
    unfinishedJobs: scores.reduce((sum, { unfinishedJobs }) => sum + unfinishedJobs, 0),
    elasticity: {
      underAccuracy: mean(elasticities, (each) => each.underAccuracy),
      overAccuracy: mean(elasticities, (each) => each.overAccuracy),
      underTimeshare: mean(elasticities, (each) => each.underTimeshare),
      overTimeshare: mean(elasticities, (each) => each.overTimeshare),
      instability: mean(elasticities, (each) => each.instability),
    },
    complete: scores.length === options.seeds.length && scores.every(({ complete }) => complete),
  };
}

/** The mean over the seeds; null when a reference is missing for one of them. */
function meanReferences(all: readonly References[]): References {
  const meanOf = (pick: (references: References) => Reference | null): Reference | null => {
    const found = all.map(pick).filter((reference) => reference !== null);
    const [one] = found;
    if (one === undefined || found.length < all.length) return null;
    const lates = found.flatMap(({ lateShare }) => (lateShare === null ? [] : [lateShare]));
    const waits = found.flatMap(({ waitSeconds }) => (waitSeconds === null ? [] : [waitSeconds]));
    return {
      ...one,
      costRatio: mean(found, ({ costRatio }) => costRatio),
      lateShare: lates.length < found.length ? null : mean(lates, (late) => late),
      waitSeconds: waits.length < found.length ? null : meanWaits(waits),
    };
  };
  return {
    work: { costRatio: 1, lateShare: null, waitSeconds: null },
    lpBound: meanOf(({ lpBound }) => lpBound),
    oraclePlan: meanOf(({ oraclePlan }) => oraclePlan),
    staticBest: meanOf((references) => references.staticBest),
  };
}
