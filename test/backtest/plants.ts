/** Small plants for tests, with jobs written by hand and a lever that can be made exact. */
import type { Jobs } from '../../lib/backtest/jobs.ts';
import { Plant, type PlantSettings, STANDARD_PLANT } from '../../lib/backtest/plant.ts';
import { createRandom } from '../../lib/simulation/random.ts';

/** Jobs as pairs of arrival and service time. */
export function jobsOf(pairs: readonly (readonly [number, number])[], durationSeconds: number): Jobs {
  return {
    count: pairs.length,
    arrivalSeconds: Float64Array.from(pairs, ([arrival]) => arrival),
    serviceSeconds: Float32Array.from(pairs, ([, service]) => service),
    workSeconds: pairs.reduce((sum, [, service]) => sum + service, 0),
    durationSeconds,
  };
}

/** Every action takes 30 s and succeeds, workers are up at once, points are out 20 s after their minute. */
const EXACT: PlantSettings = {
  concurrency: 1,
  minWorkers: 0,
  maxWorkers: 20,
  initialWorkers: 1,
  actuator: { minSeconds: 30, spreadSeconds: 0, failureShare: 0, stuckShare: 0, stuckSeconds: 600 },
  startupSeconds: 0,
  metric: { lagMinSeconds: 20, lagMaxSeconds: 20, missingShare: 0 },
};

export function exactPlant(jobs: Jobs, changes: Partial<PlantSettings> = {}): Plant {
  return new Plant(jobs, { ...EXACT, ...changes }, createRandom(1));
}

export function standardPlant(jobs: Jobs, changes: Partial<PlantSettings> = {}, seed = 1): Plant {
  return new Plant(jobs, { ...EXACT, ...STANDARD_PLANT, ...changes }, createRandom(seed));
}
