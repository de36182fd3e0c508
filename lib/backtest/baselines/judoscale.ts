/**
 * Judoscale (formerly Rails Autoscale): thresholds on the age of the oldest job, one step at a time. Its service is
 * closed; this is what its guides say.
 */
import type { Baseline } from './baseline.ts';
import { largest, recent } from './recent.ts';
import { order, setting } from './rule.ts';

const AGGREGATE_SECONDS = 10;

const DEFAULTS = {
  upperSeconds: 30,
  lowerSeconds: 5,
  upFrequencySeconds: 60,
  jump: 1,
  downDelaySeconds: 600,
} as const;

export const judoscale: Baseline = {
  name: 'judoscale',
  title: 'Judoscale',
  source: 'judoscale.com guides/autoscaling-behavior, docs/tuning-your-application; judoscale/judoscale-ruby',
  knobs: [
    { name: 'upperSeconds', values: [300, 180, 120, 60, 30, 15, 5, 2], unit: 'seconds' },
    { name: 'lowerSeconds', values: [60, 30, 15, 5, 1], unit: 'seconds' },
    { name: 'upFrequencySeconds', values: [180, 120, 60, 30, 10], unit: 'seconds' },
    { name: 'jump', values: [1, 2, 3, 5, 8], unit: 'workers' },
    { name: 'downDelaySeconds', values: [60, 120, 300, 600], unit: 'seconds' },
  ],
  // The thresholds of a new worker process are not published; 30 s and 5 s stand for them.
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({
    ...DEFAULTS,
    upperSeconds: workload.waitTargetSeconds,
    lowerSeconds: workload.waitTargetSeconds / 6,
    // "At least as long as it takes to start": 30 to 60 s for its own platforms.
    upFrequencySeconds: Math.max(30, workload.actionSeconds),
  }),
  nativeIntervalSeconds: AGGREGATE_SECONDS,
  readsCloudWatch: false,
  start(settings, workload) {
    const upper = setting(settings, 'upperSeconds');
    const lower = setting(settings, 'lowerSeconds');
    const upFrequencySeconds = setting(settings, 'upFrequencySeconds');
    const downDelaySeconds = setting(settings, 'downDelaySeconds');
    const jump = setting(settings, 'jump');
    const ages = recent(AGGREGATE_SECONDS);
    let aboveLowerAt: number | null = null;
    let upAt = -Infinity;
    let downAt = -Infinity;
    return ({ nowSeconds, oldestAgeSeconds, desiredWorkers }) => {
      ages.add(nowSeconds, oldestAgeSeconds);
      const age = largest(ages.within(nowSeconds), oldestAgeSeconds);
      // What was before the first look is unknown, so the calm is counted from there.
      if (age >= lower || aboveLowerAt === null) aboveLowerAt = nowSeconds;
      if (age > upper && nowSeconds - upAt >= upFrequencySeconds && desiredWorkers < workload.maxWorkers) {
        upAt = nowSeconds;
        return order(workload, desiredWorkers + jump, desiredWorkers);
      }
      const calm = nowSeconds - aboveLowerAt >= downDelaySeconds;
      const settled = nowSeconds - Math.max(downAt, upAt) >= downDelaySeconds;
      if (!calm || !settled || desiredWorkers <= workload.minWorkers) return null;
      downAt = nowSeconds;
      return order(workload, desiredWorkers - 1, desiredWorkers);
    };
  },
};
