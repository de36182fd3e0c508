/**
 * cboxdk/laravel-queue-autoscale: the larger of Little's law and a drain to the deadline. The age of the oldest job
 * stands for its p95 of pick-up times, and no job fails here.
 */
import type { Baseline, Sensed, Settings, Workload } from './baseline.ts';
import { arrivalRate, drainWorkers } from './laravel-estimates.ts';
import { mean, recent } from './recent.ts';
import { bounded, setting } from './rule.ts';

const THROUGHPUT_SECONDS = 60;
const FALLBACK_JOB_SECONDS = 2;
const FALLBACK_SPAWN_SECONDS = 2;
const SPAWN_SMOOTHING = 0.2;
const BUSY_SHARE = 0.9;
const STEADY_POINTS = 10;
const STEADY_VARIATION = 0.05;

const DEFAULTS = { slaSeconds: 30, spawnCapSeconds: 30, downPercent: 25, antiFlapSeconds: 60 } as const;

/** Smoothed seconds from an order to the moment when that many workers run, capped. */
function spawnLatency(capSeconds: number): (sensed: Sensed) => number {
  let smoothed = FALLBACK_SPAWN_SECONDS;
  let ordered: { readonly atSeconds: number; readonly count: number } | null = null;
  return ({ nowSeconds, desiredWorkers, runningWorkers }) => {
    if (ordered !== null && runningWorkers >= ordered.count) {
      smoothed += SPAWN_SMOOTHING * (nowSeconds - ordered.atSeconds - smoothed);
      ordered = null;
    }
    if (ordered === null && desiredWorkers > runningWorkers) ordered = { atSeconds: nowSeconds, count: desiredWorkers };
    return Math.min(capSeconds, smoothed);
  };
}

/** Completions per second over the last minute, and whether the last ten values hardly vary. */
function throughputs(): (sensed: Sensed) => { readonly perSecond: number; readonly steady: boolean } {
  const completed = recent(THROUGHPUT_SECONDS);
  let rates: readonly number[] = [];
  return ({ nowSeconds, completedSinceLast }) => {
    completed.add(nowSeconds, completedSinceLast);
    const total = completed.within(nowSeconds).reduce((sum, sample) => sum + sample.value, 0);
    const perSecond = total / THROUGHPUT_SECONDS;
    rates = [...rates, perSecond].slice(-STEADY_POINTS);
    const samples = rates.map((value) => ({ atSeconds: 0, value }));
    const average = mean(samples, 0);
    const deviation = Math.sqrt(samples.reduce((sum, { value }) => sum + (value - average) ** 2, 0) / rates.length);
    const steady = rates.length === STEADY_POINTS && average > 0 && deviation / average < STEADY_VARIATION;
    return { perSecond, steady };
  };
}

function hybrid(settings: Settings, workload: Workload): (sensed: Sensed) => number {
  const sla = setting(settings, 'slaSeconds');
  const known = workload.jobSeconds >= 0.01 && workload.jobSeconds <= 600;
  const jobSeconds = (known ? workload.jobSeconds : FALLBACK_JOB_SECONDS) / workload.concurrency;
  const spawn = spawnLatency(setting(settings, 'spawnCapSeconds'));
  const observed = throughputs();
  const arrivals = arrivalRate(sla);
  let previous: number | null = null;
  return (sensed) => {
    const { nowSeconds, visible: backlog, oldestAgeSeconds, runningWorkers: active } = sensed;
    const throughput = observed(sensed);
    const rate = arrivals({ nowSeconds, backlog, throughput: throughput.perSecond, oldestAgeSeconds });
    const effectiveSla = Math.max(1, sla - spawn(sensed));
    const drain = drainWorkers(backlog, oldestAgeSeconds, effectiveSla, jobSeconds);
    let want = Math.ceil(Math.max(rate * jobSeconds, drain));
    const full = active > 0 && sensed.busyWorkers / active >= BUSY_SHARE;
    if (full && want <= active) want = active + 1;
    want = bounded(workload, want);
    if (previous !== null && want < previous && throughput.steady) want = Math.max(want, previous - 1);
    previous = want;
    return want;
  };
}

export const laravelQueueAutoscale: Baseline = {
  name: 'laravel-queue-autoscale',
  title: 'laravel-queue-autoscale, hybrid strategy',
  source:
    'cboxdk/laravel-queue-autoscale HybridStrategy, ArrivalRateEstimator, BacklogDrainCalculator, AutoscaleManager',
  knobs: [
    { name: 'slaSeconds', values: [300, 180, 120, 90, 60, 45, 30, 15, 5], unit: 'seconds' },
    { name: 'spawnCapSeconds', values: [30, 120], unit: 'seconds' },
    { name: 'downPercent', values: [100, 50, 25, 10], unit: 'percent of the count a step' },
    { name: 'antiFlapSeconds', values: [0, 60, 120, 300], unit: 'seconds' },
  ],
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({ ...DEFAULTS, slaSeconds: workload.waitTargetSeconds }),
  nativeIntervalSeconds: 5,
  readsCloudWatch: false,
  start(settings, workload) {
    const sla = setting(settings, 'slaSeconds');
    const downShare = setting(settings, 'downPercent') / 100;
    const antiFlapSeconds = setting(settings, 'antiFlapSeconds');
    const target = hybrid(settings, workload);
    let moved = { atSeconds: -Infinity, up: true };
    return (sensed) => {
      const want = target(sensed);
      const count = sensed.desiredWorkers;
      if (want === count) return null;
      const up = want > count;
      const reversing = moved.up !== up && sensed.nowSeconds - moved.atSeconds < antiFlapSeconds;
      // A target already missed may always be answered.
      if (reversing && !(up && sensed.oldestAgeSeconds >= sla)) return null;
      moved = { atSeconds: sensed.nowSeconds, up };
      return up ? want : Math.max(want, count - Math.max(1, Math.ceil(downShare * count)));
    };
  },
};
