/** A constant number of workers, as most people run them; the best one in hindsight is found by replaying. */
import type { Baseline } from './baseline.ts';
import { order, setting } from './rule.ts';

export const fixed: Baseline = {
  name: 'static',
  title: 'A constant count',
  source: 'no scaling at all',
  knobs: [{ name: 'workers', values: [1, 2, 3, 5, 8, 13, 20, 32, 50, 80, 128, 200, 320, 500, 800], unit: 'workers' }],
  // Without scaling one provisions for the peak.
  defaults: (workload) => ({ workers: workload.maxWorkers }),
  byTheBook: (workload) => ({ workers: workload.maxWorkers }),
  nativeIntervalSeconds: 60,
  readsCloudWatch: false,
  start(settings, workload) {
    const workers = setting(settings, 'workers');
    return (sensed) => order(workload, workers, sensed.desiredWorkers);
  },
};
