/**
 * Laravel Horizon's `balance: auto` for a single queue: toward the maximum while there is work, toward the minimum when
 * there is none, a limited shift at a time. At home it starts local processes, which cost nothing.
 */
import type { Baseline } from './baseline.ts';
import { order, setting } from './rule.ts';

export const horizon: Baseline = {
  name: 'horizon',
  title: 'Laravel Horizon, balance auto',
  source: 'laravel/horizon src/AutoScaler.php, src/SupervisorOptions.php',
  knobs: [
    { name: 'maxShift', values: [1, 2, 4, 8], unit: 'workers' },
    { name: 'cooldownSeconds', values: [120, 60, 30, 15, 3], unit: 'seconds' },
  ],
  defaults: () => ({ maxShift: 1, cooldownSeconds: 3 }),
  byTheBook: () => ({ maxShift: 1, cooldownSeconds: 3 }),
  nativeIntervalSeconds: 3,
  readsCloudWatch: false,
  start(settings, workload) {
    const maxShift = setting(settings, 'maxShift');
    const cooldownSeconds = setting(settings, 'cooldownSeconds');
    let scaledAt = -Infinity;
    return ({ nowSeconds, visible, desiredWorkers }) => {
      if (nowSeconds - scaledAt < cooldownSeconds) return null;
      scaledAt = nowSeconds;
      const goal = visible > 0 ? workload.maxWorkers : workload.minWorkers;
      const shift = Math.min(maxShift, Math.max(-maxShift, goal - desiredWorkers));
      return order(workload, desiredWorkers + shift, desiredWorkers);
    };
  },
};
