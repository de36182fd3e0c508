/** Nomad Autoscaler: the `target-value` strategy on jobs per worker. */
import type { Baseline } from './baseline.ts';
import { jobsPerWorker, order, setting } from './rule.ts';

const DEFAULTS = {
  target: 10,
  threshold: 0.01,
  cooldownSeconds: 300,
  upCooldownSeconds: 300,
  maxScaleUp: 0,
  maxScaleDown: 0,
  countInFlight: 1,
} as const;

/** The strategy alone: the next count, or null inside the dead band. From zero the factor itself is the count. */
export function targetValue(count: number, factor: number, threshold: number): number | null {
  if (count === 0) return factor > 0 ? Math.ceil(factor) : null;
  if (factor >= 1 - threshold && factor <= 1 + threshold) return null;
  return Math.ceil(count * factor);
}

export const nomad: Baseline = {
  name: 'nomad',
  title: 'Nomad Autoscaler, target-value',
  source: 'hashicorp/nomad-autoscaler plugins/builtin/strategy/target-value, policy/handler.go',
  knobs: [
    { name: 'target', values: [51, 31, 21, 15, 11, 8, 5, 3, 2, 1], unit: 'messages per worker' },
    { name: 'cooldownSeconds', values: [0, 30, 60, 120, 300], unit: 'seconds' },
    { name: 'upCooldownSeconds', values: [300, 120, 60, 30, 0], unit: 'seconds' },
    { name: 'countInFlight', values: [0, 1], unit: '0 or 1' },
  ],
  // The target is the user's to give; 10 stands for it.
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({ ...DEFAULTS, target: jobsPerWorker(workload) }),
  nativeIntervalSeconds: 10,
  readsCloudWatch: false,
  start(settings, workload) {
    const target = setting(settings, 'target');
    const threshold = setting(settings, 'threshold');
    const cooldownSeconds = setting(settings, 'cooldownSeconds');
    const upCooldownSeconds = setting(settings, 'upCooldownSeconds');
    const maxScaleUp = setting(settings, 'maxScaleUp') || Infinity;
    const maxScaleDown = setting(settings, 'maxScaleDown') || Infinity;
    const countInFlight = setting(settings, 'countInFlight') !== 0;
    let coolUntil = -Infinity;
    return ({ nowSeconds, visible, inFlight, desiredWorkers: count }) => {
      const jobs = visible + (countInFlight ? inFlight : 0);
      const next = targetValue(count, jobs / Math.max(1, count) / target, threshold);
      if (next === null) return null;
      const limited = Math.min(count + maxScaleUp, Math.max(count - maxScaleDown, next));
      const wanted = order(workload, limited, count);
      if (wanted === null || nowSeconds < coolUntil) return null;
      coolUntil = nowSeconds + (wanted > count ? upCooldownSeconds : cooldownSeconds);
      return wanted;
    };
  },
};
