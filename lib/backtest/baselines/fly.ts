/** fly-autoscaler: a rounded expression of the queue depth, with a second one as the upper edge of a dead band. */
import type { Baseline } from './baseline.ts';
import { jobsPerWorker, order, setting } from './rule.ts';

export const fly: Baseline = {
  name: 'fly',
  title: 'fly-autoscaler',
  source: 'superfly/fly-autoscaler reconciler.go, etc/fly-autoscaler.yml',
  knobs: [
    { name: 'jobsPerWorker', values: [50, 30, 20, 14, 10, 7, 5, 3, 2, 1], unit: 'waiting messages per worker' },
    { name: 'bandFactor', values: [1, 1.5, 2, 4], unit: 'upper bound by lower bound' },
  ],
  // The documented expression is ceil(queue_depth / 10), and one expression sets both bounds.
  defaults: () => ({ jobsPerWorker: 10, bandFactor: 1 }),
  byTheBook: (workload) => ({
    jobsPerWorker: Math.max(1, jobsPerWorker(workload) - workload.concurrency),
    bandFactor: 1,
  }),
  nativeIntervalSeconds: 15,
  readsCloudWatch: false,
  start(settings, workload) {
    const perWorker = setting(settings, 'jobsPerWorker');
    const bandFactor = setting(settings, 'bandFactor');
    return ({ visible, desiredWorkers }) => {
      const low = Math.ceil(visible / perWorker);
      const high = Math.round(low * bandFactor);
      if (desiredWorkers < low) return order(workload, low, desiredWorkers);
      return desiredWorkers > high ? order(workload, high, desiredWorkers) : null;
    };
  },
};
