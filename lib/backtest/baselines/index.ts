/** Every rule that the backtest can compare with, in the order in which tables show them. */
import { awsStep } from './aws-step.ts';
import { awsTargetTracking } from './aws-target-tracking.ts';
import type { Baseline } from './baseline.ts';
import { buildkite } from './buildkite.ts';
import { fixed } from './fixed.ts';
import { fly } from './fly.ts';
import { hirefire } from './hirefire.ts';
import { horizon } from './horizon.ts';
import { hpa } from './hpa.ts';
import { judoscale } from './judoscale.ts';
import { keda } from './keda.ts';
import { knative } from './knative.ts';
import { laravelQueueAutoscale } from './laravel-queue-autoscale.ts';
import { nomad } from './nomad.ts';
import { solidQueue } from './solid-queue.ts';

export const baselines: readonly Baseline[] = [
  keda,
  hpa,
  awsTargetTracking,
  awsStep,
  judoscale,
  hirefire,
  nomad,
  buildkite,
  solidQueue,
  knative,
  laravelQueueAutoscale,
  fly,
  horizon,
  fixed,
];
