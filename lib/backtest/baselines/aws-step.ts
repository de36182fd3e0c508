/**
 * AWS step scaling on visible messages with the steps that the CDK's queue processing service writes, and a doubling
 * ladder for tuning.
 */
import type { Baseline } from './baseline.ts';
import { largest, recent } from './recent.ts';
import { order, setting } from './rule.ts';

const MINUTE_SECONDS = 60;
/** Multiples of the first step's bound, and what is added from there on. */
const CDK_LADDER = [
  { at: 1, add: 1 },
  { at: 5, add: 5 },
] as const;
const DOUBLING_LADDER = [
  { at: 1, add: 1 },
  { at: 2, add: 2 },
  { at: 4, add: 4 },
  { at: 8, add: 8 },
] as const;

/** What a ladder adds at this depth; a step's lower bound belongs to it. */
export function stepChange(visible: number, stepAt: number, doubling: boolean): number {
  const ladder = doubling ? DOUBLING_LADDER : CDK_LADDER;
  return ladder.reduce((change, step) => (visible >= step.at * stepAt ? step.add : change), 0);
}

const DEFAULTS = {
  stepAt: 100,
  doubling: 0,
  periodMinutes: 5,
  emptyMinutes: 5,
  outCooldownSeconds: 300,
  inCooldownSeconds: 300,
} as const;

export const awsStep: Baseline = {
  name: 'aws-step',
  title: 'AWS step scaling, CDK steps',
  source: 'aws/aws-cdk aws-ecs-patterns queue-processing-service-base.ts; API_StepScalingPolicyConfiguration',
  knobs: [
    { name: 'stepAt', values: [100, 50, 30, 20, 10, 5, 2, 1], unit: 'waiting messages' },
    { name: 'doubling', values: [0, 1], unit: '0 or 1' },
    { name: 'periodMinutes', values: [5, 3, 1], unit: 'minutes' },
    { name: 'outCooldownSeconds', values: [300, 120, 60, 0], unit: 'seconds' },
    { name: 'inCooldownSeconds', values: [0, 60, 120, 300], unit: 'seconds' },
  ],
  defaults: () => DEFAULTS,
  // AWS documents no steps for a wait target; this is one worker's share of it, doubling, on single minutes.
  byTheBook: (workload) => ({
    stepAt: Math.max(1, (workload.concurrency * workload.waitTargetSeconds) / workload.jobSeconds),
    doubling: 1,
    periodMinutes: 1,
    emptyMinutes: 3,
    outCooldownSeconds: 60,
    inCooldownSeconds: 120,
  }),
  nativeIntervalSeconds: 60,
  readsCloudWatch: true,
  start(settings, workload) {
    const stepAt = setting(settings, 'stepAt');
    const doubling = setting(settings, 'doubling') !== 0;
    const periodSeconds = setting(settings, 'periodMinutes') * MINUTE_SECONDS;
    const emptySeconds = setting(settings, 'emptyMinutes') * MINUTE_SECONDS;
    const outCooldownSeconds = setting(settings, 'outCooldownSeconds');
    const inCooldownSeconds = setting(settings, 'inCooldownSeconds');
    const depths = recent(Math.max(periodSeconds, emptySeconds));
    let outAt = -Infinity;
    let inAt = -Infinity;
    let added = 0;
    let firstAt: number | null = null;
    const empty = (nowSeconds: number, since: number) =>
      nowSeconds - since >= emptySeconds - MINUTE_SECONDS && largest(depths.within(nowSeconds, emptySeconds), 0) <= 0;
    return ({ nowSeconds, metric, desiredWorkers }) => {
      if (metric === null) return null;
      firstAt ??= nowSeconds;
      depths.add(nowSeconds, metric.visible);
      const change = stepChange(largest(depths.within(nowSeconds, periodSeconds), 0), stepAt, doubling);
      if (change > 0) {
        if (nowSeconds - outAt >= outCooldownSeconds) added = 0;
        // Within the cooldown the part already added counts: a larger step adds only the rest.
        const wanted = order(workload, desiredWorkers + Math.max(0, change - added), desiredWorkers);
        if (wanted === null || wanted < desiredWorkers) return null;
        added += wanted - desiredWorkers;
        outAt = nowSeconds;
        inAt = -Infinity;
        return wanted;
      }
      if (nowSeconds - inAt < inCooldownSeconds || !empty(nowSeconds, firstAt)) return null;
      const wanted = order(workload, desiredWorkers - 1, desiredWorkers);
      if (wanted !== null) inAt = nowSeconds;
      return wanted;
    };
  },
};
