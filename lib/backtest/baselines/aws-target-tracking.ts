/**
 * AWS target tracking on the custom metric "backlog per task", as the SQS guide of EC2 Auto Scaling and Copilot build it.
 * The step of its scale-in is not published: three readings of it are variants of one setting, and a comparison must
 * take the best of them.
 */
import type { Baseline, Workload } from './baseline.ts';
import { order, setting } from './rule.ts';

const HIGH_POINTS = 3;
const LOW_POINTS = 15;
/** "Usually more than 10 % lower" than the target. */
const LOW_SHARE = 0.9;
/** V2's reading of "more gradually". */
const GRADUAL_SHARE = 0.1;

export const SCALE_IN_VARIANTS = { literal: 1, gradual: 2, oneByOne: 3 } as const;

/** Scale-in by one of the three readings; fractions round towards the larger count, as documented. */
export function scaleIn(variant: number, desired: number, ratio: number): number {
  const want = Math.ceil(desired * ratio);
  if (variant === SCALE_IN_VARIANTS.literal) return want;
  if (variant === SCALE_IN_VARIANTS.gradual) {
    return Math.max(want, desired - Math.max(1, Math.floor(GRADUAL_SHARE * desired)));
  }
  return Math.max(want, desired - 1);
}

/** Acceptable latency by average processing time: the acceptable backlog per task of the guide. */
function acceptableBacklog(workload: Workload): number {
  return Math.max(1, (workload.concurrency * workload.waitTargetSeconds) / workload.jobSeconds);
}

export const awsTargetTracking: Baseline = {
  name: 'aws-target-tracking',
  title: 'AWS target tracking, backlog per task',
  source: 'docs.aws.amazon.com EC2 Auto Scaling "as-using-sqs-queue", Application Auto Scaling; aws/copilot-cli',
  knobs: [
    { name: 'target', values: [100, 50, 30, 20, 14, 10, 7, 5, 3, 2, 1], unit: 'waiting messages per worker' },
    { name: 'outCooldownSeconds', values: [300, 120, 60, 0], unit: 'seconds' },
    { name: 'inCooldownSeconds', values: [0, 60, 120, 300], unit: 'seconds' },
    { name: 'variant', values: [1, 2, 3], unit: '1 literal, 2 gradual, 3 one by one' },
  ],
  defaults: (workload) => ({
    target: acceptableBacklog(workload),
    outCooldownSeconds: 300,
    inCooldownSeconds: 300,
    variant: SCALE_IN_VARIANTS.literal,
  }),
  // The cooldowns that AWS's own Copilot writes for this very policy.
  byTheBook: (workload) => ({
    target: acceptableBacklog(workload),
    outCooldownSeconds: 60,
    inCooldownSeconds: 120,
    variant: SCALE_IN_VARIANTS.literal,
  }),
  nativeIntervalSeconds: 60,
  readsCloudWatch: true,
  start(settings, workload) {
    const target = setting(settings, 'target');
    const outCooldownSeconds = setting(settings, 'outCooldownSeconds');
    const inCooldownSeconds = setting(settings, 'inCooldownSeconds');
    const variant = setting(settings, 'variant');
    let points: number[] = [];
    let outAt = -Infinity;
    let inAt = -Infinity;
    let countBeforeOut = 0;
    const all = (count: number, holds: (value: number) => boolean) =>
      points.length >= count && points.slice(-count).every(holds);
    return ({ nowSeconds, metric, desiredWorkers }) => {
      if (metric === null) return null;
      const value = metric.visible / Math.max(1, metric.runningWorkers);
      points = [...points, value].slice(-LOW_POINTS);
      if (all(HIGH_POINTS, (point) => point > target)) {
        const cooling = nowSeconds - outAt < outCooldownSeconds;
        // During the cooldown what was added counts towards the next scale-out: only a larger one passes.
        const base = Math.max(1, cooling ? countBeforeOut : desiredWorkers);
        const wanted = order(workload, Math.ceil((base * value) / target), desiredWorkers);
        if (wanted === null || wanted < desiredWorkers) return null;
        if (!cooling) countBeforeOut = desiredWorkers;
        outAt = nowSeconds;
        inAt = -Infinity;
        return wanted;
      }
      const calm = nowSeconds - outAt >= outCooldownSeconds && nowSeconds - inAt >= inCooldownSeconds;
      if (!calm || !all(LOW_POINTS, (point) => point < LOW_SHARE * target)) return null;
      const wanted = order(workload, scaleIn(variant, desiredWorkers, value / target), desiredWorkers);
      if (wanted === null || wanted > desiredWorkers) return null;
      inAt = nowSeconds;
      return wanted;
    };
  },
};
