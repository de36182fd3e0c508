/** The solid_queue_autoscaler gem: thresholds on depth and age, fixed or proportional steps. */
import type { Baseline, Settings } from './baseline.ts';
import { order, setting } from './rule.ts';

const DEFAULTS = {
  proportional: 0,
  upDepth: 100,
  upAgeSeconds: 300,
  downDepth: 10,
  downAgeSeconds: 30,
  increment: 1,
  decrement: 1,
  jobsPerWorker: 50,
  ageSecondsPerWorker: 60,
  cooldownSeconds: 120,
} as const;

/** Workers added by the proportional strategy: by depth or by age above the threshold, whichever is more. */
export function proportionalUp(settings: Settings, depth: number, ageSeconds: number): number {
  const byDepth = (depth - setting(settings, 'upDepth')) / setting(settings, 'jobsPerWorker');
  const byAge = (ageSeconds - setting(settings, 'upAgeSeconds')) / setting(settings, 'ageSecondsPerWorker');
  return Math.max(setting(settings, 'increment'), Math.ceil(byDepth), Math.ceil(byAge));
}

export const solidQueue: Baseline = {
  name: 'solid-queue',
  title: 'solid_queue_autoscaler',
  source: 'reillyse/solid_queue_autoscaler decision_engine.rb, configuration.rb, scaler.rb',
  knobs: [
    { name: 'proportional', values: [0, 1], unit: '0 or 1' },
    { name: 'upDepth', values: [200, 100, 50, 20, 10, 5, 2], unit: 'waiting messages' },
    { name: 'upAgeSeconds', values: [300, 120, 60, 30, 10], unit: 'seconds' },
    { name: 'jobsPerWorker', values: [50, 20, 10, 5, 2], unit: 'waiting messages per worker added' },
    { name: 'cooldownSeconds', values: [300, 120, 60, 30], unit: 'seconds' },
  ],
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({
    ...DEFAULTS,
    upAgeSeconds: workload.waitTargetSeconds,
    downAgeSeconds: workload.waitTargetSeconds / 10,
    upDepth: Math.max(1, (workload.concurrency * workload.waitTargetSeconds) / workload.jobSeconds),
  }),
  nativeIntervalSeconds: 30,
  readsCloudWatch: false,
  start(settings, workload) {
    const proportional = setting(settings, 'proportional') !== 0;
    const cooldownSeconds = setting(settings, 'cooldownSeconds');
    // A tuned threshold can fall below the lower one; scaling in must stay the calmer of the two.
    const downDepth = Math.min(setting(settings, 'downDepth'), setting(settings, 'upDepth') - 1);
    let upAt = -Infinity;
    let downAt = -Infinity;
    const down = (count: number, depth: number, idle: boolean) => {
      if (!proportional) return count - setting(settings, 'decrement');
      if (idle) return workload.minWorkers;
      const spare = Math.floor((downDepth - depth) / setting(settings, 'jobsPerWorker'));
      return count - Math.max(setting(settings, 'decrement'), spare);
    };
    return ({ nowSeconds, visible: depth, inFlight, oldestAgeSeconds: age, desiredWorkers: count }) => {
      if (count === 0 && workload.minWorkers === 0) return depth >= 1 && age >= 1 ? order(workload, 1, count) : null;
      if (depth >= setting(settings, 'upDepth') || age >= setting(settings, 'upAgeSeconds')) {
        const step = proportional ? proportionalUp(settings, depth, age) : setting(settings, 'increment');
        const wanted = order(workload, count + step, count);
        if (wanted === null || nowSeconds - upAt < cooldownSeconds) return null;
        upAt = nowSeconds;
        return wanted;
      }
      const idle = depth === 0 && inFlight === 0;
      const calm = depth <= downDepth && age <= setting(settings, 'downAgeSeconds');
      if (!(calm || idle) || nowSeconds - downAt < cooldownSeconds) return null;
      const wanted = order(workload, down(count, depth, idle), count);
      if (wanted !== null) downAt = nowSeconds;
      return wanted;
    };
  },
};
