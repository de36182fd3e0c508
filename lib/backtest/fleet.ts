/** Many flights: cells × settings, spread over threads. A cell's jobs are drawn once and flown by every setting. */
import { Worker } from 'node:worker_threads';
import type { Settings } from './baselines/baseline.ts';
import { buildCell, type Cell, type CellOptions, fly } from './cell.ts';
import type { Candidate, FlownCell, Outcome } from './compare.ts';
import type { ReplayPolicy } from './policies.ts';
import type { League } from './replay.ts';
import { totalArrivals } from './trace.ts';

export interface FleetOptions {
  readonly cells: readonly CellOptions[];
  readonly candidates: readonly Candidate[];
  readonly league: League;
  /** Settings of ours for every flight, by their names in the environment. */
  readonly overrides: Readonly<Record<string, string>>;
  /** Threads besides this one; 0 = fly here. */
  readonly threads: number;
  readonly onProgress?: (flown: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** What a thread is given. */
export interface ThreadOrder {
  readonly cell: CellOptions;
  readonly candidates: readonly Candidate[];
  readonly league: League;
  readonly overrides: Readonly<Record<string, string>>;
}

/** What a thread says: one flight is done, or the order is. */
export type ThreadReport =
  | { readonly kind: 'flown' }
  | { readonly kind: 'done'; readonly outcomes: readonly Outcome[] };

/** Flies every candidate through every cell. Stopped early, it leaves nulls where flights are missing. */
export async function flyFleet(
  options: FleetOptions,
  policies: readonly ReplayPolicy[],
): Promise<readonly FlownCell[]> {
  const { cells, candidates, onProgress, signal } = options;
  const outcomes = new Map<number, readonly Outcome[]>();
  // The largest first, so that no thread is left alone with a large one at the end.
  const waiting = [...cells.keys()].toSorted((a, b) => sizeOf(cells, b) - sizeOf(cells, a));
  let flown = 0;
  const onFlown = (): void => {
    flown += 1;
    onProgress?.(flown, cells.length * candidates.length);
  };
  const take = async (carryOut: (order: ThreadOrder, onFlown: () => void) => Promise<readonly Outcome[]>) => {
    for (let index = waiting.shift(); index !== undefined && !signal?.aborted; index = waiting.shift()) {
      const cell = cells[index] as CellOptions;
      const { league, overrides } = options;
      outcomes.set(index, await carryOut({ cell, candidates, league, overrides }, onFlown));
    }
  };
  if (options.threads === 0) {
    await take((order, report) => flyOrder(order, policies, report));
  } else {
    await Promise.all(Array.from({ length: options.threads }, () => takeInThread(take, signal)));
  }
  return cells.map((cell, index) => ({
    trace: cell.trace.name,
    load: cell.scaling.kind === 'load' ? cell.scaling.busyWorkers : cell.scaling.factor,
    seed: cell.seed,
    outcomes: candidates.map((_, at) => outcomes.get(index)?.[at] ?? null),
  }));
}

function sizeOf(cells: readonly CellOptions[], index: number): number {
  const { trace, scaling, jobSeconds } = cells[index] as CellOptions;
  if (scaling.kind === 'factor') return totalArrivals(trace) * scaling.factor;
  return (scaling.busyWorkers * trace.arrivals.length * trace.binSeconds) / jobSeconds;
}

/** One cell, all candidates. */
export async function flyOrder(
  { cell: options, candidates, league, overrides }: ThreadOrder,
  policies: readonly ReplayPolicy[],
  onFlown: () => void,
): Promise<readonly Outcome[]> {
  const cell = buildCell(options);
  const outcomes: Outcome[] = [];
  for (const candidate of candidates) {
    const policy = policies.find(({ name }) => name === candidate.policy);
    if (policy === undefined) throw new RangeError(`There is no policy "${candidate.policy}".`);
    const settings = settingsOf(candidate, policy, cell);
    const { score } = await fly(cell, policy, { league, settings, overrides: policy.ours ? overrides : {} });
    const { costRatio, lateShare, waitSeconds, actionsPerHour, maxWorkers } = score;
    outcomes.push({ costRatio, lateShare, p95: waitSeconds.p95, actionsPerHour, maxWorkers });
    onFlown();
  }
  return outcomes;
}

/** Knobs are a part of the settings; what they leave open stays at the default. */
function settingsOf({ origin, settings }: Candidate, policy: ReplayPolicy, { workload }: Cell): Settings {
  if (origin === 'book') return policy.byTheBook(workload);
  return { ...policy.defaults(workload), ...settings };
}

type Take = (carryOut: (order: ThreadOrder, onFlown: () => void) => Promise<readonly Outcome[]>) => Promise<void>;

/** A thread that takes one order after another until none is left, or until it is told to stop. */
async function takeInThread(take: Take, signal: AbortSignal | undefined): Promise<void> {
  const thread = new Worker(new URL('./fleet-thread.ts', import.meta.url));
  const stop = new Promise<'stopped'>((resolve) => {
    if (signal?.aborted) resolve('stopped');
    signal?.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  try {
    const work = take((order, onFlown) => carryOutIn(thread, order, onFlown));
    await Promise.race([work, stop]);
  } finally {
    await thread.terminate();
  }
}

function carryOutIn(thread: Worker, order: ThreadOrder, onFlown: () => void): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    const listen = (report: ThreadReport): void => {
      if (report.kind === 'flown') {
        onFlown();
        return;
      }
      thread.off('message', listen);
      thread.off('error', reject);
      resolve(report.outcomes);
    };
    thread.on('message', listen);
    thread.postMessage(order);
  });
}
