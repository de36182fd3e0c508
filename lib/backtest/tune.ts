/** Settings for given traffic: the cheapest that keep the objective, and what each of them buys. One budget per policy. */
import type { Settings } from './baselines/baseline.ts';
import { buildCell, type CellOptions, type Slo } from './cell.ts';
import { type Candidate, candidatesOf, compare, type FlownCell, type Outcome, USUAL_JUDGING } from './compare.ts';
import { REPLAY_POLICIES } from './contenders.ts';
import { flyFleet } from './fleet.ts';
import type { ReplayPolicy } from './policies.ts';
import type { League } from './replay.ts';

export interface TuneOptions {
  /** Everything but the seed. */
  readonly cell: Omit<CellOptions, 'seed'>;
  readonly seeds: readonly number[];
  readonly league: League;
  readonly policies: readonly ReplayPolicy[];
  /** Settings of ours that are given and not tuned, by their names in the environment. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Settings that may be tried per policy, at least 3; what the best of them gives back comes on top. */
  readonly budget: number;
  readonly threads: number;
  readonly onProgress?: (flown: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** One setting and what it came to: means over the seeds, the most workers being the most seen. */
export interface TriedSetting extends Outcome {
  readonly origin: Candidate['origin'];
  readonly settings: Settings;
  /** Share of the seeds on which the objective was kept. */
  readonly met: number;
}

/** What one knob of the chosen setting does: the same setting with that knob at its default. */
export interface KnobEffect {
  readonly knob: string;
  readonly value: number;
  /** Null where the default is not a number but found at run time. */
  readonly defaultValue: number | null;
  readonly withDefault: TriedSetting;
}

export interface TunedPolicy {
  readonly policy: string;
  /** False when no setting that was tried keeps the objective: then the chosen one comes nearest. */
  readonly qualified: boolean;
  readonly chosen: TriedSetting;
  readonly defaults: TriedSetting | null;
  /** No other tried setting is both cheaper and faster (p95), cheapest first. */
  readonly pareto: readonly TriedSetting[];
  readonly effects: readonly KnobEffect[];
  readonly tried: number;
}

export interface TuneResult {
  readonly trace: { readonly name: string; readonly durationSeconds: number; readonly jobs: number };
  readonly slo: Slo;
  readonly league: League;
  readonly seeds: readonly number[];
  readonly workload: ReturnType<typeof buildCell>['workload'];
  readonly budget: number;
  /** Runs of one setting with one seed that were made. */
  readonly runs: number;
  readonly policies: readonly TunedPolicy[];
  readonly complete: boolean;
}

/** So many settings are flown before the next chance to stop; what was flown until then is kept. */
const CANDIDATES_PER_ORDER = 4;

/**
 * Tunes each policy within the budget, by the same search as the comparison of policies.
 *
 * @throws InvalidInputError when an override is wrong; RangeError when the budget is below 3.
 */
export async function tune(options: TuneOptions): Promise<TuneResult> {
  const { cell, seeds, policies, budget } = options;
  const first = buildCell({ ...cell, seed: seeds[0] ?? 1 });
  const candidates = policies.flatMap((policy) => candidatesOf(policy, budget));
  // Each step down gives back one knob, and measures the others again.
  const mostEffects = policies.reduce((sum, { knobs }) => sum + (knobs.length * (knobs.length + 1)) / 2, 0);
  const all = (candidates.length + mostEffects) * seeds.length;
  let flown = 0;
  const onFlown = (): void => options.onProgress?.(++flown, all);
  const cells = await flyInOrders(options, candidates, onFlown);
  const judging = { ...USUAL_JUDGING, sloShare: cell.slo.share };
  const tuned: TunedPolicy[] = [];
  for (const policy of policies) {
    const tried = candidates.flatMap((candidate, index) =>
      candidate.policy === policy.name ? triedSetting(candidate, index, cells, policy, first.workload, cell.slo) : [],
    );
    if (tried.length === 0) continue;
    const flownOnly = candidates.filter(({ policy: name }, index) => name === policy.name && isFlown(cells, index));
    const [judged] = compare(cellsFor(cells, candidates, flownOnly), flownOnly, judging);
    if (judged === undefined) continue;
    const cheapest = tried[flownOnly.indexOf(judged.inSample.chosen)];
    if (cheapest === undefined) continue;
    const { chosen, effects } = await steppedDown(options, policy, cheapest, first.workload, onFlown);
    tuned.push({
      policy: policy.name,
      qualified: judged.inSample.qualified,
      chosen,
      defaults: tried.find(({ origin }) => origin === 'defaults') ?? null,
      pareto: paretoOf([...tried, chosen]),
      effects,
      tried: tried.length,
    });
  }
  const { durationSeconds, count: jobs } = first.jobs;
  return {
    trace: { name: cell.trace.name, durationSeconds, jobs },
    slo: cell.slo,
    league: options.league,
    seeds,
    workload: first.workload,
    budget,
    runs: flown,
    policies: tuned,
    complete: options.signal?.aborted !== true,
  };
}

/** Flies candidates in small orders over the threads, so that stopping loses little. */
async function flyInOrders(
  { cell, seeds, league, overrides, threads, signal }: TuneOptions,
  candidates: readonly Candidate[],
  onFlown: () => void,
): Promise<readonly FlownCell[]> {
  const outcomes = seeds.map((): (Outcome | null)[] => candidates.map(() => null));
  const orders = seeds.flatMap((seed, row) =>
    Array.from({ length: Math.ceil(candidates.length / CANDIDATES_PER_ORDER) }, (_, part) => ({
      seed,
      row,
      from: part * CANDIDATES_PER_ORDER,
    })),
  );
  const work = async (): Promise<void> => {
    for (let order = orders.shift(); order !== undefined && !signal?.aborted; order = orders.shift()) {
      const { seed, row, from } = order;
      const fleet = {
        cells: [{ ...cell, seed }],
        candidates: candidates.slice(from, from + CANDIDATES_PER_ORDER),
        league,
        overrides,
        threads: threads === 0 ? 0 : 1,
        onProgress: onFlown,
        ...(signal && { signal }),
      };
      const [flown] = await flyFleet(fleet, REPLAY_POLICIES);
      flown?.outcomes.forEach((outcome, at) => {
        (outcomes[row] as (Outcome | null)[])[from + at] = outcome;
      });
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, threads) }, work));
  const { busyWorkers: load } = cell.scaling.kind === 'load' ? cell.scaling : { busyWorkers: cell.scaling.factor };
  return seeds.map((seed, row) => ({ trace: cell.trace.name, load, seed, outcomes: outcomes[row] ?? [] }));
}

function isFlown(cells: readonly FlownCell[], index: number): boolean {
  return cells.every(({ outcomes }) => outcomes[index] != null);
}

function cellsFor(
  cells: readonly FlownCell[],
  all: readonly Candidate[],
  some: readonly Candidate[],
): readonly FlownCell[] {
  return cells.map((cell) => ({ ...cell, outcomes: some.map((each) => cell.outcomes[all.indexOf(each)] ?? null) }));
}

function triedSetting(
  candidate: Candidate,
  index: number,
  cells: readonly FlownCell[],
  policy: ReplayPolicy,
  workload: TuneResult['workload'],
  slo: Slo,
): TriedSetting[] {
  const outcomes = cells.map(({ outcomes: all }) => all[index] ?? null).filter((outcome) => outcome !== null);
  if (outcomes.length < cells.length) return [];
  const mean = (value: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
  const base = candidate.origin === 'book' ? policy.byTheBook(workload) : policy.defaults(workload);
  return [
    {
      origin: candidate.origin,
      settings: { ...base, ...candidate.settings },
      met: mean(({ lateShare }) => (lateShare <= 1 - slo.share ? 1 : 0)),
      costRatio: mean(({ costRatio }) => costRatio),
      lateShare: mean(({ lateShare }) => lateShare),
      p95: mean(({ p95 }) => p95),
      actionsPerHour: mean(({ actionsPerHour }) => actionsPerHour),
      maxWorkers: Math.max(...outcomes.map(({ maxWorkers }) => maxWorkers)),
    },
  ];
}

/** Settings that no other beats in both cost and p95, cheapest first. */
export function paretoOf(tried: readonly TriedSetting[]): readonly TriedSetting[] {
  let fastest = Number.POSITIVE_INFINITY;
  return tried
    .toSorted((a, b) => a.costRatio - b.costRatio || a.p95 - b.p95)
    .filter(({ p95 }) => {
      if (p95 >= fastest) return false;
      fastest = p95;
      return true;
    });
}

/** The cheapest of the settings with one knob at its default that is cheaper than the chosen one and as good; null if none. */
export function cheaperAsGood(chosen: TriedSetting, effects: readonly KnobEffect[]): TriedSetting | null {
  const better = effects
    .map(({ withDefault }) => withDefault)
    .filter(({ met, costRatio }) => met >= chosen.met && costRatio < chosen.costRatio);
  return better.toSorted((a, b) => a.costRatio - b.costRatio)[0] ?? null;
}

/** The setting without those of its changes that only cost; each step has one of them fewer. */
async function steppedDown(
  options: TuneOptions,
  policy: ReplayPolicy,
  cheapest: TriedSetting,
  workload: TuneResult['workload'],
  onFlown: () => void,
): Promise<{ chosen: TriedSetting; effects: readonly KnobEffect[] }> {
  let chosen = cheapest;
  for (;;) {
    const effects = await effectsOf(options, policy, chosen, workload, onFlown);
    const cheaper = cheaperAsGood(chosen, effects);
    if (cheaper === null) return { chosen, effects };
    chosen = cheaper;
  }
}

async function effectsOf(
  options: TuneOptions,
  policy: ReplayPolicy,
  chosen: TriedSetting,
  workload: TuneResult['workload'],
  onFlown: () => void,
): Promise<readonly KnobEffect[]> {
  const defaults = policy.defaults(workload);
  const changed = Object.keys(chosen.settings).filter((knob) => defaults[knob] !== chosen.settings[knob]);
  const candidates = changed.map((knob): Candidate => {
    const { [knob]: _tuned, ...others } = chosen.settings;
    // The defaults come back where a flight is prepared.
    return { policy: policy.name, origin: 'grid', settings: others };
  });
  const cells = candidates.length === 0 ? [] : await flyInOrders(options, candidates, onFlown);
  return changed.flatMap((knob, index) => {
    const candidate = candidates[index] as Candidate;
    return triedSetting(candidate, index, cells, policy, workload, options.cell.slo).map((withDefault) => ({
      knob,
      value: chosen.settings[knob] as number,
      defaultValue: defaults[knob] ?? null,
      withDefault,
    }));
  });
}
