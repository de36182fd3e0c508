/**
 * HireFire's two worker managers: JobLatency (thresholds on the age of the oldest job) and JobQueue (jobs per worker).
 * Its service is closed; this is what its fields and help pages say.
 */
import type { Baseline, Sensed, Settings, Workload } from './baseline.ts';
import { jobsPerWorker, order, setting } from './rule.ts';

const MINUTE_SECONDS = 60;
export const MANAGERS = { jobLatency: 0, jobQueue: 1 } as const;

// The values of the published examples; no default latencies were found, 60 s and 10 s stand for them.
const DEFAULTS = {
  manager: MANAGERS.jobLatency,
  maximumLatencySeconds: 60,
  minimumLatencySeconds: 10,
  upQuantity: 5,
  downQuantity: 1,
  upSensitivity: 1,
  downSensitivity: 2,
  upTimeoutMinutes: 1,
  downTimeoutMinutes: 1,
  upscaleOnInitialJob: 1,
  jobsPerWorker: 5,
  decrementable: 0,
} as const;

function jobLatency(settings: Settings, workload: Workload): (sensed: Sensed) => number | null {
  const maximum = setting(settings, 'maximumLatencySeconds');
  const minimum = Math.min(setting(settings, 'minimumLatencySeconds'), maximum);
  const upTimeoutSeconds = MINUTE_SECONDS * setting(settings, 'upTimeoutMinutes');
  const downTimeoutSeconds = MINUTE_SECONDS * setting(settings, 'downTimeoutMinutes');
  let high = 0;
  let low = 0;
  let upAt = -Infinity;
  let downAt = -Infinity;
  return ({ nowSeconds, oldestAgeSeconds: age, visible, inFlight, desiredWorkers }) => {
    high = age > maximum ? high + 1 : 0;
    low = age < minimum ? low + 1 : 0;
    const jobs = visible + inFlight;
    if (setting(settings, 'upscaleOnInitialJob') !== 0 && jobs > 0 && desiredWorkers === 0) {
      return order(workload, 1, desiredWorkers);
    }
    if (high >= setting(settings, 'upSensitivity') && nowSeconds - upAt >= upTimeoutSeconds) {
      upAt = nowSeconds;
      high = 0;
      return order(workload, desiredWorkers + setting(settings, 'upQuantity'), desiredWorkers);
    }
    if (low >= setting(settings, 'downSensitivity') && nowSeconds - downAt >= downTimeoutSeconds) {
      downAt = nowSeconds;
      low = 0;
      return order(workload, desiredWorkers - setting(settings, 'downQuantity'), desiredWorkers);
    }
    return null;
  };
}

function jobQueue(settings: Settings, workload: Workload): (sensed: Sensed) => number | null {
  const ratio = setting(settings, 'jobsPerWorker');
  const decrementable = setting(settings, 'decrementable') !== 0;
  return ({ visible, inFlight, desiredWorkers }) => {
    const jobs = visible + inFlight;
    const want = Math.ceil(jobs / ratio);
    // Unless decrementable, the count stays until the queue is empty and then falls to the minimum at once.
    if (want < desiredWorkers && !decrementable && jobs > 0) return null;
    return order(workload, want, desiredWorkers);
  };
}

export const hirefire: Baseline = {
  name: 'hirefire',
  title: 'HireFire, the better of JobLatency and JobQueue',
  source: 'carwow/terraform-provider-hirefire docs/resources/manager.md; help.hirefire.io articles 7, 13, 62',
  knobs: [
    { name: 'manager', values: [MANAGERS.jobLatency, MANAGERS.jobQueue], unit: '0 latency, 1 queue' },
    { name: 'maximumLatencySeconds', values: [300, 180, 120, 60, 30, 15, 5, 2], unit: 'seconds' },
    { name: 'upQuantity', values: [1, 2, 3, 5, 8, 13], unit: 'workers' },
    { name: 'jobsPerWorker', values: [51, 31, 21, 11, 8, 5, 3, 2, 1], unit: 'jobs per worker' },
    { name: 'decrementable', values: [1, 0], unit: '0 or 1' },
  ],
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({
    ...DEFAULTS,
    maximumLatencySeconds: workload.waitTargetSeconds,
    minimumLatencySeconds: workload.waitTargetSeconds / 6,
    jobsPerWorker: jobsPerWorker(workload),
  }),
  nativeIntervalSeconds: MINUTE_SECONDS,
  readsCloudWatch: false,
  start: (settings, workload) =>
    setting(settings, 'manager') === MANAGERS.jobQueue ? jobQueue(settings, workload) : jobLatency(settings, workload),
};
