/** The fixed count of workers that would have been right, known only in hindsight. */
import { type Cell, fly } from './cell.ts';
import type { ReplayPolicy } from './policies.ts';
import type { Score } from './score.ts';

/** Never moves the lever; looks once an hour to see whether the work is done. */
const STATIC: ReplayPolicy = {
  name: 'static',
  title: 'a fixed count of workers',
  ours: false,
  knobs: [],
  defaults: () => ({}),
  byTheBook: () => ({}),
  pilot: () => ({ firstLookSeconds: 0, look: (nowSeconds) => nowSeconds + 3600 }),
};

/** The score of a fixed count from beginning to end. */
export async function flyStatic(cell: Cell, workers: number): Promise<Score> {
  const { score } = await fly(cell, STATIC, { league: 'E', settings: {}, initialWorkers: workers });
  return score;
}

/**
 * The fewest workers that keep the objective of the cell. More workers never make a job wait longer, so halving the
 * range finds them. Null when even the maximum does not suffice.
 */
export async function staticBest(
  cell: Cell,
  unavoidableLateShare = 0,
): Promise<{ readonly workers: number; readonly score: Score } | null> {
  const allowed = unavoidableLateShare + 1 - cell.options.slo.share;
  let fewest = Math.max(1, cell.plant.minWorkers);
  let most = cell.plant.maxWorkers;
  let best: { workers: number; score: Score } | null = null;
  while (fewest <= most) {
    const workers = (fewest + most) >> 1;
    const score = await flyStatic(cell, workers);
    if (score.lateShare <= allowed && score.unfinishedJobs === 0) {
      best = { workers, score };
      most = workers - 1;
    } else {
      fewest = workers + 1;
    }
  }
  return best;
}
