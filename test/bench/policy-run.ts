/** The comparison of all policies: cost at equal SLO, tuned on all traces but one and read on that one. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { boundWaitSlots, fluid } from '../../lib/backtest/bounds/problem.ts';
import { flyOracle, problemOf, slotWidth } from '../../lib/backtest/bounds/references.ts';
import { buildCell, type CellOptions, type Roughness, type Slo, USUAL_CELL } from '../../lib/backtest/cell.ts';
import {
  candidatesOf,
  compare,
  type FlownCell,
  type Judging,
  type PolicyComparison,
  type Reading,
} from '../../lib/backtest/compare.ts';
import { REPLAY_POLICIES } from '../../lib/backtest/contenders.ts';
import { flyFleet } from '../../lib/backtest/fleet.ts';
import type { ReplayPolicy } from '../../lib/backtest/policies.ts';
import type { League } from '../../lib/backtest/replay.ts';
import { leadingPart, parseTrace, type Trace } from '../../lib/backtest/trace.ts';

export interface BenchPlan {
  readonly traces: readonly Trace[];
  readonly loads: readonly number[];
  readonly seeds: readonly number[];
  readonly leagues: readonly League[];
  readonly slos: readonly Slo[];
  readonly policies: readonly ReplayPolicy[];
  /** Settings per policy. */
  readonly budget: number;
  /** A setting qualifies when it keeps the objective on this share of the cells. */
  readonly cellsMet: number;
  readonly batch: boolean;
  /** How much rougher than usual the plant is. */
  readonly roughness: Roughness;
  /** Settings of ours, by their names in the environment. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly oracle: boolean;
  readonly threads: number;
  readonly signal: AbortSignal;
  readonly onProgress: (share: number, what: string) => void;
}

/** Ours and the best other policy on one trace, over its loads and seeds. */
export interface TraceReading {
  readonly trace: string;
  readonly ours: { readonly costRatio: number; readonly met: number };
  readonly bestPeer: { readonly costRatio: number; readonly met: number };
  readonly oracle: number | null;
}

/** One league at one SLO. */
export interface Comparison {
  readonly league: League;
  readonly slo: Slo;
  readonly cells: number;
  readonly ours: string;
  /** The cheapest peer that keeps the objective on enough held-out cells; the one that keeps it most often otherwise. */
  readonly bestPeer: string | null;
  /** Ours / best peer, held out. */
  readonly ratio: number | null;
  readonly policies: readonly Omit<PolicyComparison, 'heldOutCells'>[];
  readonly traces: readonly TraceReading[];
  /** The cells that the oracle plan keeps in the plant; null without oracle. */
  readonly feasible: FeasibleReading | null;
}

/** Ours where somebody who knows the traffic can keep the objective: with settings chosen on other traces, and untuned. */
export interface FeasibleReading {
  readonly cells: number;
  readonly heldOut: Reading;
  readonly defaults: Reading;
}

/** What the oracle plan came to in a cell. */
interface OracleOutcome {
  readonly costRatio: number;
  readonly keeps: boolean;
}

export interface BenchResult {
  readonly comparisons: readonly Comparison[];
  readonly flights: number;
  readonly seconds: number;
  readonly complete: boolean;
}

const TRACES = join(import.meta.dirname, '..', 'fixtures', 'traces');
/** Eight weeks at 40 busy workers are 32 million jobs; the first week has every day of it. */
const MOST_SECONDS = 7 * 86_400;
const PLAN_SLOTS = 6000;

/** A shipped trace by its name, its first week. */
export async function shippedTrace(name: string): Promise<Trace> {
  const trace = parseTrace(await readFile(join(TRACES, `${basename(name)}.csv`), 'utf8'), name);
  return leadingPart(trace, MOST_SECONDS);
}

/** Runs everything; stopped early, it has the comparisons that were finished. */
export async function runBench(plan: BenchPlan): Promise<BenchResult> {
  const startedMs = performance.now();
  const combinations = plan.slos.flatMap((slo) => plan.leagues.map((league) => ({ league, slo })));
  const comparisons: Comparison[] = [];
  let flights = 0;
  const oracles = new Map<string, OracleOutcome>();
  for (const [index, { league, slo }] of combinations.entries()) {
    if (plan.signal.aborted) break;
    const share = (inner: number): number => (index + inner) / combinations.length;
    const title = `league ${league}, ${slo.waitSeconds} s / ${Math.round(slo.share * 100)} %`;
    const { cells, flown } = await flyAll(plan, league, slo, (done, all) => {
      plan.onProgress(share(done / all), `${title}: ${done} of ${all} runs`);
    });
    flights += flown;
    if (plan.signal.aborted) break;
    if (plan.oracle) await flyOracles(plan, slo, oracles, (what) => plan.onProgress(share(1), `${title}: ${what}`));
    comparisons.push(comparisonOf(plan, league, slo, cells, oracles));
  }
  return {
    comparisons,
    flights,
    seconds: (performance.now() - startedMs) / 1000,
    complete: comparisons.length === combinations.length && !plan.signal.aborted,
  };
}

function cellOptions(plan: BenchPlan, slo: Slo): readonly CellOptions[] {
  const { traces, loads, seeds, batch, roughness } = plan;
  return traces.flatMap((trace) =>
    loads.flatMap((busyWorkers) =>
      seeds.map((seed): CellOptions => {
        const placing = batch ? 'batch' : 'uniform';
        return { ...USUAL_CELL, trace, scaling: { kind: 'load', busyWorkers }, slo, seed, placing, roughness };
      }),
    ),
  );
}

async function flyAll(
  plan: BenchPlan,
  league: League,
  slo: Slo,
  onProgress: (done: number, all: number) => void,
): Promise<{ cells: readonly FlownCell[]; flown: number }> {
  const { threads, signal, overrides } = plan;
  const candidates = plan.policies.flatMap((policy) => candidatesOf(policy, plan.budget));
  let flown = 0;
  const cells = await flyFleet(
    {
      cells: cellOptions(plan, slo),
      candidates,
      league,
      overrides,
      threads,
      signal,
      onProgress: (done, all) => {
        flown = done;
        onProgress(done, all);
      },
    },
    REPLAY_POLICIES,
  );
  return { cells, flown };
}

const keyOf = ({ trace, load, seed }: Pick<FlownCell, 'trace' | 'load' | 'seed'>, slo: Slo): string =>
  JSON.stringify([trace, load, seed, slo.waitSeconds, slo.share]);

/** The oracle plan per cell: it looks as often in both leagues. */
async function flyOracles(
  plan: BenchPlan,
  slo: Slo,
  outcomes: Map<string, OracleOutcome>,
  tell: (what: string) => void,
): Promise<void> {
  const all = cellOptions(plan, slo);
  for (const [index, options] of all.entries()) {
    if (options.scaling.kind !== 'load' || plan.signal.aborted) continue;
    const key = keyOf({ trace: options.trace.name, load: options.scaling.busyWorkers, seed: options.seed }, slo);
    if (outcomes.has(key)) continue;
    tell(`oracle ${index + 1} of ${all.length}`);
    const { costRatio, lateShare } = await flyOracle(buildCell(options));
    outcomes.set(key, { costRatio, keeps: lateShare <= 1 - slo.share });
  }
}

function comparisonOf(
  plan: BenchPlan,
  league: League,
  slo: Slo,
  cells: readonly FlownCell[],
  oracles: ReadonlyMap<string, OracleOutcome>,
): Comparison {
  const candidates = plan.policies.flatMap((policy) => candidatesOf(policy, plan.budget));
  const unavoidable = unavoidableShares(plan, slo);
  const judging: Judging = {
    sloShare: slo.share,
    cellsMet: plan.cellsMet,
    unavoidableLateShare: (cell) => unavoidable.get(keyOf(cell, slo)) ?? 0,
  };
  const compared = compare(cells, candidates, judging);
  const ours = compared.find(({ policy }) => plan.policies.some(({ name, ours: isOurs }) => name === policy && isOurs));
  const isPeer = ({ policy }: PolicyComparison): boolean =>
    policy !== NOT_A_PEER && !plan.policies.some(({ name, ours: isOurs }) => name === policy && isOurs);
  const peers = compared.filter(isPeer);
  const best = bestOf(peers, plan.cellsMet);
  return {
    league,
    slo,
    cells: cells.length,
    ours: ours?.policy ?? '',
    bestPeer: best?.policy ?? null,
    ratio: ours && best ? ours.heldOut.costRatio / best.heldOut.costRatio : null,
    policies: compared.map(({ heldOutCells: _cells, ...rest }) => rest),
    feasible: ours
      ? onFeasible(ours, candidates, cells, judging, (cell) => oracles.get(keyOf(cell, slo))?.keeps)
      : null,
    traces: ours && best ? plan.traces.map(({ name }) => traceReading(name, ours, best, slo, oracles)) : [],
  };
}

function onFeasible(
  { policy }: PolicyComparison,
  candidates: Parameters<typeof compare>[1],
  cells: readonly FlownCell[],
  judging: Judging,
  isKept: (cell: FlownCell) => boolean | undefined,
): FeasibleReading | null {
  const feasible = cells.filter(isKept);
  if (feasible.length === 0) return null;
  const read = compare(feasible, candidates, judging).find((each) => each.policy === policy);
  if (!read) return null;
  return { cells: feasible.length, heldOut: read.heldOut, defaults: read.defaults };
}

/** Late shares that nobody can avoid within the bounds of each cell. */
function unavoidableShares(plan: BenchPlan, slo: Slo): ReadonlyMap<string, number> {
  return new Map(
    cellOptions(plan, slo).map((options) => {
      const cell = buildCell(options);
      const problem = problemOf(cell, slotWidth(cell.jobs.durationSeconds, PLAN_SLOTS));
      const load = options.scaling.kind === 'load' ? options.scaling.busyWorkers : options.scaling.factor;
      const key = keyOf({ trace: options.trace.name, load, seed: options.seed }, slo);
      return [key, fluid(problem, boundWaitSlots(problem)).unavoidableLateShare];
    }),
  );
}

/** A fixed count is a reference: with enough workers it always keeps the target, at any price. */
const NOT_A_PEER = 'static';

function bestOf(peers: readonly PolicyComparison[], cellsMet: number): PolicyComparison | null {
  const enough = peers.filter(({ heldOut }) => heldOut.met >= cellsMet);
  const most = Math.max(0, ...peers.map(({ heldOut }) => heldOut.met));
  const pool = enough.length > 0 ? enough : peers.filter(({ heldOut }) => heldOut.met === most);
  return pool.toSorted((a, b) => a.heldOut.costRatio - b.heldOut.costRatio)[0] ?? null;
}

function traceReading(
  trace: string,
  ours: PolicyComparison,
  best: PolicyComparison,
  slo: Slo,
  oracles: ReadonlyMap<string, OracleOutcome>,
): TraceReading {
  const own = ours.heldOutCells.filter(({ cell }) => cell.trace === trace);
  const costs = own.map(({ cell }) => oracles.get(keyOf(cell, slo))?.costRatio ?? Number.NaN);
  const oracleCost = geometricMean(costs);
  return {
    trace,
    ours: foldOf(ours, trace),
    bestPeer: foldOf(best, trace),
    oracle: Number.isNaN(oracleCost) ? null : oracleCost,
  };
}

function foldOf({ folds }: PolicyComparison, trace: string): { costRatio: number; met: number } {
  const reading = folds.find(({ heldOut }) => heldOut === trace)?.reading;
  return { costRatio: reading?.costRatio ?? Number.NaN, met: reading?.met ?? Number.NaN };
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
