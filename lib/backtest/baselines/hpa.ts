/**
 * The Kubernetes Horizontal Pod Autoscaler (autoscaling/v2) on an external metric with an average value: the total
 * queue length divided by a target per pod.
 */
import type { Baseline, Workload } from './baseline.ts';
import { largest, type Recent, recent, smallest } from './recent.ts';
import { jobsPerWorker, setting } from './rule.ts';

/** The sync period; both default scale-up policies also look back this far. */
const PERIOD_SECONDS = 15;
/** The controller's own downscale stabilization. */
const DOWN_WINDOW_SECONDS = 300;
const MIN_BURST = 4;
const BURST_FACTOR = 2;

export interface ReplicaInput {
  readonly nowSeconds: number;
  /** The whole metric, not divided by anything. */
  readonly usage: number;
  readonly target: number;
  /** `spec.replicas`; pods exist as soon as they are ordered, so it also stands for `status.replicas`. */
  readonly current: number;
  readonly minReplicas: number;
  readonly maxReplicas: number;
}

/** The count the metric asks for. Outside the dead band it does not depend on the current count at all. */
export function rawReplicas(input: ReplicaInput, tolerance: number): number {
  if (input.current > input.maxReplicas) return input.maxReplicas;
  if (input.current < input.minReplicas) return input.minReplicas;
  const ratio = input.usage / (input.target * input.current);
  return Math.abs(1 - ratio) <= tolerance ? input.current : Math.ceil(input.usage / input.target);
}

function bound(count: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, count));
}

/** No `behavior` in the spec: the highest recommendation of the last 300 s, at most max(2n, 4) a sync. */
export function withoutBehavior(tolerance: number): (input: ReplicaInput) => number {
  const recommendations = recent(DOWN_WINDOW_SECONDS);
  return (input) => {
    const raw = rawReplicas(input, tolerance);
    recommendations.add(input.nowSeconds, raw);
    const stable = largest(recommendations.within(input.nowSeconds), raw);
    const limit = Math.max(BURST_FACTOR * input.current, MIN_BURST);
    return bound(stable, input.minReplicas, Math.max(input.minReplicas, Math.min(input.maxReplicas, limit)));
  };
}

export interface BehaviorWindows {
  readonly tolerance: number;
  readonly upSeconds: number;
  readonly downSeconds: number;
}

/** `behavior` present, policies as defaulted: +4 pods or +100 % in 15 s, whichever is more; -100 % in 15 s. */
export function withBehavior(windows: BehaviorWindows): (input: ReplicaInput) => number {
  const recommendations = recent(Math.max(windows.upSeconds, windows.downSeconds));
  const added = recent(PERIOD_SECONDS);
  return (input) => {
    const raw = rawReplicas(input, windows.tolerance);
    const stable = stabilized(recommendations, input, raw, windows);
    recommendations.add(input.nowSeconds, raw);
    const count = bound(stable, input.minReplicas, Math.min(input.maxReplicas, upLimit(added, input)));
    if (count > input.current) added.add(input.nowSeconds, count - input.current);
    return count;
  };
}

function stabilized(recommendations: Recent, input: ReplicaInput, raw: number, windows: BehaviorWindows): number {
  const up = smallest(recommendations.within(input.nowSeconds, windows.upSeconds), raw);
  const down = largest(recommendations.within(input.nowSeconds, windows.downSeconds), raw);
  return bound(input.current, Math.min(raw, up), Math.max(raw, down));
}

function upLimit(added: Recent, input: ReplicaInput): number {
  const already = added.within(input.nowSeconds).reduce((sum, sample) => sum + sample.value, 0);
  const start = input.current - already;
  return Math.max(start + MIN_BURST, Math.ceil(start * BURST_FACTOR), input.current, input.minReplicas);
}

/** The rule for these windows: a `behavior` block is there only where a user writes one, that is for other windows. */
export function replicaRule(windows: BehaviorWindows): (input: ReplicaInput) => number {
  const plain = windows.upSeconds === 0 && windows.downSeconds === DOWN_WINDOW_SECONDS;
  return plain ? withoutBehavior(windows.tolerance) : withBehavior(windows);
}

export const hpa: Baseline = {
  name: 'hpa',
  title: 'Kubernetes HPA, external metric',
  source: 'kubernetes/kubernetes pkg/controller/podautoscaler (horizontal.go, replica_calculator.go)',
  knobs: [
    { name: 'target', values: [51, 31, 21, 15, 11, 8, 5, 3, 2, 1], unit: 'messages per worker' },
    { name: 'downWindowSeconds', values: [0, 60, 120, 300, 600], unit: 'seconds' },
    { name: 'upWindowSeconds', values: [60, 0], unit: 'seconds' },
    { name: 'countInFlight', values: [0, 1], unit: '0 or 1' },
  ],
  // The target has no default; 10 is that of the published walk-through. Queue exporters show waiting messages.
  defaults: () => ({ target: 10, tolerance: 0.1, downWindowSeconds: 300, upWindowSeconds: 0, countInFlight: 0 }),
  byTheBook: (workload: Workload) => ({
    target: Math.max(1, jobsPerWorker(workload) - workload.concurrency),
    tolerance: 0.1,
    downWindowSeconds: 300,
    upWindowSeconds: 0,
    countInFlight: 0,
  }),
  nativeIntervalSeconds: PERIOD_SECONDS,
  readsCloudWatch: false,
  start(settings, workload) {
    const target = setting(settings, 'target');
    const countInFlight = setting(settings, 'countInFlight') !== 0;
    const replicas = replicaRule({
      tolerance: setting(settings, 'tolerance'),
      upSeconds: setting(settings, 'upWindowSeconds'),
      downSeconds: setting(settings, 'downWindowSeconds'),
    });
    return (sensed) => {
      // It never goes to zero by itself and is disabled there, so that a deployment under it starts with one.
      const minReplicas = Math.max(1, workload.minWorkers);
      if (sensed.desiredWorkers === 0) return minReplicas;
      const count = replicas({
        nowSeconds: sensed.nowSeconds,
        usage: sensed.visible + (countInFlight ? sensed.inFlight : 0),
        target,
        current: sensed.desiredWorkers,
        minReplicas,
        maxReplicas: workload.maxWorkers,
      });
      return count === sensed.desiredWorkers ? null : count;
    };
  },
};
