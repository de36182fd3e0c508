/**
 * KEDA's `aws-sqs-queue` scaler: its operator owns the step between zero and one, the HPA that it generates the rest.
 */
import type { Baseline, Sensed, Settings, Workload } from './baseline.ts';
import { replicaRule } from './hpa.ts';
import { jobsPerWorker, setting } from './rule.ts';

const TOLERANCE = 0.1;

const DEFAULTS = {
  queueLength: 5,
  activationQueueLength: 0,
  scaleOnInFlight: 1,
  scaleOnDelayed: 0,
  pollingSeconds: 30,
  cooldownSeconds: 300,
  downWindowSeconds: 300,
} as const;

/** Messages that the scaler counts. */
export function queueUsage(settings: Settings, sensed: Sensed): number {
  const inFlight = setting(settings, 'scaleOnInFlight') !== 0 ? sensed.inFlight : 0;
  const delayed = setting(settings, 'scaleOnDelayed') !== 0 ? sensed.delayed : 0;
  return sensed.visible + inFlight + delayed;
}

/** The operator's own loop; what it returns overrides the HPA, null leaves it to the HPA. */
function operator(settings: Settings, workload: Workload): (sensed: Sensed) => number | null {
  const activation = setting(settings, 'activationQueueLength');
  const pollingSeconds = setting(settings, 'pollingSeconds');
  const cooldownSeconds = setting(settings, 'cooldownSeconds');
  let polledAt = -Infinity;
  let activeAt = -Infinity;
  return (sensed) => {
    if (sensed.nowSeconds - polledAt < pollingSeconds) return null;
    polledAt = sensed.nowSeconds;
    if (queueUsage(settings, sensed) > activation) {
      activeAt = sensed.nowSeconds;
      return sensed.desiredWorkers === 0 ? Math.max(1, workload.minWorkers) : null;
    }
    if (sensed.desiredWorkers < workload.minWorkers) return workload.minWorkers;
    const cool = sensed.nowSeconds - activeAt > cooldownSeconds;
    return cool && workload.minWorkers === 0 && sensed.desiredWorkers > 0 ? 0 : null;
  };
}

export const keda: Baseline = {
  name: 'keda',
  title: 'KEDA aws-sqs-queue on the HPA',
  source: 'kedacore/keda pkg/scalers/aws_sqs_queue_scaler.go, pkg/scaling/executor; keda.sh/docs scalers/aws-sqs',
  knobs: [
    { name: 'queueLength', values: [51, 31, 21, 15, 11, 8, 5, 3, 2, 1], unit: 'messages per worker' },
    { name: 'downWindowSeconds', values: [0, 60, 120, 300, 600], unit: 'seconds' },
    { name: 'scaleOnInFlight', values: [0, 1], unit: '0 or 1' },
  ],
  defaults: () => DEFAULTS,
  byTheBook: (workload) => ({ ...DEFAULTS, queueLength: jobsPerWorker(workload) }),
  nativeIntervalSeconds: 15,
  readsCloudWatch: false,
  start(settings, workload) {
    const target = setting(settings, 'queueLength');
    const downSeconds = setting(settings, 'downWindowSeconds');
    const minReplicas = Math.max(1, workload.minWorkers);
    const replicas = replicaRule({ tolerance: TOLERANCE, upSeconds: 0, downSeconds });
    const operate = operator(settings, workload);
    return (sensed) => {
      const forced = operate(sensed);
      if (forced !== null) return forced;
      if (sensed.desiredWorkers === 0) return null;
      const count = replicas({
        nowSeconds: sensed.nowSeconds,
        usage: queueUsage(settings, sensed),
        target,
        current: sensed.desiredWorkers,
        minReplicas,
        maxReplicas: workload.maxWorkers,
      });
      return count === sensed.desiredWorkers ? null : count;
    };
  },
};
