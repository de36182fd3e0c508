/**
 * Knative's pod autoscaler (KPA): the mean concurrency of a stable and of a panic window. Jobs in the system stand for
 * its request concurrency.
 */
import type { Baseline } from './baseline.ts';
import { mean, recent } from './recent.ts';
import { jobsPerWorker, order, setting } from './rule.ts';

const TARGET_SHARE = 0.7;
const ZERO_GRACE_SECONDS = 30;

const COMMON = {
  stableWindowSeconds: 60,
  panicWindowShare: 0.1,
  panicThreshold: 2,
  maxUpRate: 1000,
  maxDownRate: 2,
} as const;

export const knative: Baseline = {
  name: 'knative',
  title: 'Knative KPA',
  source: 'knative/serving pkg/autoscaler/scaling/autoscaler.go, config/core/configmaps/autoscaler.yaml',
  knobs: [
    { name: 'target', values: [40, 25, 15, 10, 7, 5, 3, 2, 1, 0.7], unit: 'jobs in the system per worker' },
    { name: 'stableWindowSeconds', values: [30, 60, 120, 300, 600], unit: 'seconds' },
    { name: 'panicThreshold', values: [1000, 4, 2, 1.2], unit: 'times the running count' },
    { name: 'maxDownRate', values: [10, 2, 1.25], unit: 'times a tick' },
  ],
  // 70 % of the container's concurrency.
  defaults: (workload) => ({ ...COMMON, target: TARGET_SHARE * workload.concurrency }),
  byTheBook: (workload) => ({ ...COMMON, target: TARGET_SHARE * jobsPerWorker(workload) }),
  nativeIntervalSeconds: 2,
  readsCloudWatch: false,
  start(settings, workload) {
    const target = setting(settings, 'target');
    const stableSeconds = setting(settings, 'stableWindowSeconds');
    const panicSeconds = Math.max(1, stableSeconds * setting(settings, 'panicWindowShare'));
    const panicThreshold = setting(settings, 'panicThreshold');
    const jobs = recent(Math.max(stableSeconds, panicSeconds));
    let panicAt: number | null = null;
    let panicCount = 0;
    let zeroSince: number | null = null;
    return (sensed) => {
      const now = sensed.nowSeconds;
      jobs.add(now, sensed.visible + sensed.inFlight);
      const ready = Math.max(1, sensed.runningWorkers);
      const count = (seconds: number) => Math.ceil(mean(jobs.within(now, seconds), 0) / target);
      const low = Math.floor(ready / setting(settings, 'maxDownRate'));
      const high = Math.ceil(setting(settings, 'maxUpRate') * ready);
      const limited = (wanted: number) => Math.min(high, Math.max(low, wanted));
      const panic = count(panicSeconds);
      if (panic / ready >= panicThreshold) panicAt = now;
      else if (panicAt !== null && now - panicAt > stableSeconds) {
        panicAt = null;
        panicCount = 0;
      }
      const stable = limited(count(stableSeconds));
      // While panicking the count only grows.
      if (panicAt !== null) panicCount = Math.max(panicCount, stable, limited(panic));
      const wanted = panicAt === null ? stable : panicCount;
      zeroSince = wanted === 0 ? (zeroSince ?? now) : null;
      const mayBeZero = zeroSince !== null && now - zeroSince >= ZERO_GRACE_SECONDS;
      return order(workload, mayBeZero ? 0 : Math.max(1, wanted), sensed.desiredWorkers);
    };
  },
};
