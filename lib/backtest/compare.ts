/**
 * Cost at equal SLO: every policy may try the same number of settings; the cheapest one that keeps the objective on
 * enough cells is read on a trace that it was not chosen on. Pure: the flights themselves are made by fleet.ts.
 */
import type { Settings } from './baselines/baseline.ts';
import type { ReplayPolicy } from './policies.ts';

/** One setting of one policy that is tried on every cell. */
export interface Candidate {
  readonly policy: string;
  /** `defaults` and `book` depend on the cell (its job time, its bounds); `grid` is the same everywhere. */
  readonly origin: 'defaults' | 'book' | 'grid';
  /** Null for what depends on the cell. */
  readonly settings: Settings | null;
}

/** What one candidate came to on one cell. */
export interface Outcome {
  readonly costRatio: number;
  readonly lateShare: number;
  readonly p95: number;
  readonly actionsPerHour: number;
  readonly maxWorkers: number;
}

/** One cell, with the outcome of each candidate in their order; null where a flight is missing (stopped early). */
export interface FlownCell {
  readonly trace: string;
  readonly load: number;
  readonly seed: number;
  readonly outcomes: readonly (Outcome | null)[];
}

export interface Judging {
  readonly sloShare: number;
  /** A setting qualifies when it keeps the objective on at least this share of the cells. */
  readonly cellsMet: number;
  /** Share of jobs that is late whatever anyone does, from the bound; 0 when not known. */
  readonly unavoidableLateShare: (cell: FlownCell) => number;
}

export const USUAL_JUDGING: Judging = { sloShare: 0.95, cellsMet: 0.9, unavoidableLateShare: () => 0 };

/** How a policy, or one setting of it, did over some cells. */
export interface Reading {
  /** Geometric mean of the cost ratios. */
  readonly costRatio: number;
  /** Share of the cells on which the objective was kept. */
  readonly met: number;
  readonly cells: number;
  readonly meanLateShare: number;
  readonly meanActionsPerHour: number;
  readonly worstP95: number;
}

/** The settings chosen on all traces but one, and how they did on that one. */
export interface Fold {
  readonly heldOut: string;
  readonly chosen: Candidate;
  /** False when no setting kept the objective often enough: then the one that kept it most often was taken. */
  readonly qualified: boolean;
  readonly reading: Reading;
}

/** One held-out cell as it was read: where a policy wins and where it loses. */
export interface CellReading {
  readonly cell: FlownCell;
  readonly outcome: Outcome;
  readonly met: boolean;
}

export interface PolicyComparison {
  readonly policy: string;
  /** The headline: over all held-out cells. */
  readonly heldOut: Reading;
  readonly folds: readonly Fold[];
  readonly heldOutCells: readonly CellReading[];
  /** Chosen on all cells and read on them: what the policy could do if it knew the future. */
  readonly inSample: { readonly chosen: Candidate; readonly qualified: boolean; readonly reading: Reading };
  readonly defaults: Reading;
  readonly book: Reading;
  readonly budget: number;
}

/** Irrational strides, one per knob: they spread a budget over a grid that is larger than it (Kronecker sequence). */
const STRIDES = [Math.SQRT2, Math.sqrt(3), Math.sqrt(5), Math.sqrt(7), Math.sqrt(11), Math.sqrt(13)];
const MAX_DRAWS_PER_CANDIDATE = 50;

/**
 * The settings that a budget allows: the defaults, the documentation's advice, and settings spread over the grid of the
 * knobs, all of the grid where it fits.
 *
 * @throws RangeError when `budget` < 3 or the policy has more knobs than strides.
 */
export function candidatesOf({ name, knobs }: ReplayPolicy, budget: number): readonly Candidate[] {
  if (budget < 3) throw new RangeError(`A budget of ${budget} settings: expected at least 3.`);
  if (knobs.length > STRIDES.length) throw new RangeError(`${name}: ${knobs.length} knobs, at most ${STRIDES.length}.`);
  const candidates: Candidate[] = [
    { policy: name, origin: 'defaults', settings: null },
    { policy: name, origin: 'book', settings: null },
  ];
  const seen = new Set<string>();
  const gridSize = knobs.reduce((size, { values }) => size * values.length, 1);
  const room = budget - candidates.length;
  for (let draw = 0; seen.size < Math.min(room, gridSize) && draw < room * MAX_DRAWS_PER_CANDIDATE; draw += 1) {
    const settings = gridSize <= room ? cornerOf(knobs, draw) : spreadOver(knobs, draw);
    const key = JSON.stringify(settings);
    if (seen.has(key)) continue;
    seen.add(key);
    candidates.push({ policy: name, origin: 'grid', settings });
  }
  return candidates;
}

/** The grid in the order of an odometer. */
function cornerOf(knobs: ReplayPolicy['knobs'], index: number): Settings {
  let rest = index;
  const entries = knobs.map(({ name, values }) => {
    const value = values[rest % values.length] as number;
    rest = Math.floor(rest / values.length);
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

function spreadOver(knobs: ReplayPolicy['knobs'], draw: number): Settings {
  const entries = knobs.map(({ name, values }, knob) => {
    const at = (0.5 + draw * (STRIDES[knob] as number)) % 1;
    return [name, values[Math.floor(at * values.length)] as number] as const;
  });
  return Object.fromEntries(entries);
}

/** True when the outcome keeps the objective as far as anyone can. */
export function keepsSlo({ lateShare }: Outcome, cell: FlownCell, judging: Judging): boolean {
  return lateShare <= judging.unavoidableLateShare(cell) + (1 - judging.sloShare) + 1e-12;
}

/** Judges every policy: chosen on all traces but one, read on that one, for each trace in turn. */
export function compare(
  cells: readonly FlownCell[],
  candidates: readonly Candidate[],
  judging: Judging,
): readonly PolicyComparison[] {
  const byPolicy = Map.groupBy(candidates.keys(), (index) => (candidates[index] as Candidate).policy);
  return [...byPolicy].map(([policy, indexes]) => comparePolicy(policy, indexes, cells, candidates, judging));
}

function comparePolicy(
  policy: string,
  indexes: readonly number[],
  cells: readonly FlownCell[],
  candidates: readonly Candidate[],
  judging: Judging,
): PolicyComparison {
  const traces = [...new Set(cells.map(({ trace }) => trace))];
  const read: { cell: FlownCell; outcome: Outcome }[] = [];
  const folds = traces.map((heldOut): Fold => {
    // With a single trace there is nothing else to choose on.
    const others = traces.length === 1 ? cells : cells.filter(({ trace }) => trace !== heldOut);
    const { index, qualified } = choose(indexes, others, judging);
    const own = outcomesOf(
      index,
      cells.filter(({ trace }) => trace === heldOut),
    );
    read.push(...own);
    return { heldOut, chosen: candidates[index] as Candidate, qualified, reading: readingOf(own, judging) };
  });
  const { index, qualified } = choose(indexes, cells, judging);
  const ofOrigin = (origin: Candidate['origin']): Reading => {
    const at = indexes.find((each) => candidates[each]?.origin === origin);
    return readingOf(at === undefined ? [] : outcomesOf(at, cells), judging);
  };
  const inSample = readingOf(outcomesOf(index, cells), judging);
  return {
    policy,
    heldOut: readingOf(read, judging),
    folds,
    heldOutCells: read.map(({ cell, outcome }) => ({ cell, outcome, met: keepsSlo(outcome, cell, judging) })),
    inSample: { chosen: candidates[index] as Candidate, qualified, reading: inSample },
    defaults: ofOrigin('defaults'),
    book: ofOrigin('book'),
    budget: indexes.length,
  };
}

function outcomesOf(index: number, cells: readonly FlownCell[]): { cell: FlownCell; outcome: Outcome }[] {
  return cells.flatMap((cell) => {
    const outcome = cell.outcomes[index];
    return outcome ? [{ cell, outcome }] : [];
  });
}

/** The cheapest candidate that qualifies; else the one that keeps the objective most often, the cheaper among equals. */
function choose(
  indexes: readonly number[],
  cells: readonly FlownCell[],
  judging: Judging,
): { index: number; qualified: boolean } {
  const rated = indexes.map((index) => ({ index, ...readingOf(outcomesOf(index, cells), judging) }));
  const flown = rated.filter((each) => each.cells === cells.length);
  const qualified = flown.filter(({ met }) => met >= judging.cellsMet);
  const pool = qualified.length > 0 ? qualified : flown.length > 0 ? flown : rated;
  const mostMet = Math.max(...pool.map(({ met }) => met));
  const eligible = qualified.length > 0 ? qualified : pool.filter(({ met }) => met === mostMet);
  const [first, ...rest] = eligible;
  if (first === undefined) throw new RangeError('There is no setting to choose from.');
  const best = rest.reduce((least, each) => (each.costRatio < least.costRatio ? each : least), first);
  return { index: best.index, qualified: qualified.length > 0 };
}

function readingOf(outcomes: readonly { cell: FlownCell; outcome: Outcome }[], judging: Judging): Reading {
  const cells = outcomes.length;
  const mean = (value: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, { outcome }) => sum + value(outcome), 0) / cells;
  return {
    costRatio: Math.exp(mean(({ costRatio }) => Math.log(costRatio))),
    met: outcomes.filter(({ cell, outcome }) => keepsSlo(outcome, cell, judging)).length / cells,
    cells,
    meanLateShare: mean(({ lateShare }) => lateShare),
    meanActionsPerHour: mean(({ actionsPerHour }) => actionsPerHour),
    worstP95: outcomes.reduce((worst, { outcome }) => Math.max(worst, outcome.p95), 0),
  };
}
