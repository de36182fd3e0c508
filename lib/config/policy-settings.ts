/** From variables to a policy: how a target decides, and where its alarm goes off. */
import type { Policy, QueueSource, Strategy } from '../domain.ts';
import { addProblem, hasProblem, readRequired, readSetting, type Source, variableFor } from './read.ts';

/** What a target's settings say of its policy; null when something needed for it is missing or wrong. */
export function readPolicy(source: Source, queue: QueueSource | null, actionTimeoutSeconds: number): Policy | null {
  const strategy = readStrategy(source, queue);
  const policy = {
    minWorkers: readSetting(source, 'MIN_WORKERS'),
    maxWorkers: readSetting(source, 'MAX_WORKERS'),
    countDelayed: readSetting(source, 'COUNT_DELAYED'),
    tolerance: readSetting(source, 'TOLERANCE'),
    scaleOutStabilizationSeconds: readSetting(source, 'SCALE_OUT_STABILIZATION_SECONDS'),
    scaleInStabilizationSeconds: readSetting(source, 'SCALE_IN_STABILIZATION_SECONDS'),
    scaleOutMaxStep: readSetting(source, 'SCALE_OUT_MAX_STEP'),
    scaleInMaxStep: readSetting(source, 'SCALE_IN_MAX_STEP'),
    scaleInCooldownSeconds: readSetting(source, 'SCALE_IN_COOLDOWN_SECONDS'),
    servers: readSetting(source, 'SERVERS'),
    maxWorkersPerServer: readSetting(source, 'MAX_WORKERS_PER_SERVER'),
    metricMaxAgeSeconds: readSetting(source, 'METRIC_MAX_AGE_SECONDS'),
    actionTimeoutSeconds,
    schedule: readSetting(source, 'SCHEDULE') ?? [],
    maxJobSeconds: readSetting(source, 'MAX_JOB_SECONDS'),
    stopSeconds: readSetting(source, 'STOP_SECONDS'),
    longJobs: readSetting(source, 'LONG_JOBS'),
    deployGraceSeconds: readSetting(source, 'DEPLOY_GRACE_SECONDS'),
    manualChangeHoldSeconds: readSetting(source, 'MANUAL_CHANGE_HOLD_SECONDS'),
  };
  checkBounds(source, policy);
  warnOfSchedule(source, policy);
  return strategy === null ? null : { ...policy, strategy };
}

/** A metric tells a depth and no rates: `latency` would never dare to scale in on it. */
function readStrategy(source: Source, queue: QueueSource | null): Strategy | null {
  const hasRates = queue?.kind !== 'metric';
  const wanted = readSetting(source, 'STRATEGY');
  if (wanted === 'latency' && !hasRates) {
    const variable = variableFor(source, 'STRATEGY');
    addProblem(
      source.findings,
      variable,
      '"latency" needs the sent counts of an SQS queue; with METRIC use backlog or step',
    );
    return null;
  }
  switch (wanted ?? (hasRates ? 'latency' : 'backlog')) {
    case 'backlog':
      return { kind: 'backlog', backlogPerWorker: readSetting(source, 'BACKLOG_PER_WORKER') };
    case 'latency':
      return {
        kind: 'latency',
        targetSeconds: readSetting(source, 'LATENCY_TARGET_SECONDS'),
        targetPercent: readSetting(source, 'LATENCY_TARGET_PERCENT'),
        jobSeconds: readSetting(source, 'JOB_SECONDS'),
        jobsPerWorker: readSetting(source, 'JOBS_PER_WORKER'),
        learnPatterns: readSetting(source, 'LEARN_PATTERNS'),
        drainShare: readSetting(source, 'DRAIN_SHARE'),
        headroom: readSetting(source, 'HEADROOM'),
        keepIdleSeconds: readSetting(source, 'KEEP_IDLE_SECONDS'),
        surgeFactor: readSetting(source, 'SURGE_FACTOR'),
      };
    case 'step': {
      const steps = readRequired(source, 'STEPS');
      return steps === null ? null : { kind: 'step', steps };
    }
  }
}

type Bounds = Pick<Policy, 'minWorkers' | 'maxWorkers' | 'servers' | 'maxWorkersPerServer'>;

function checkBounds(source: Source, { minWorkers, maxWorkers, servers, maxWorkersPerServer }: Bounds): void {
  const field = variableFor(source, 'MIN_WORKERS');
  const limit = variableFor(source, 'MAX_WORKERS');
  // A bound that could not be read stands at its default; comparing with that would only mislead.
  if (hasProblem(source.findings, field)) return;
  if (minWorkers > maxWorkers && !hasProblem(source.findings, limit)) {
    addProblem(source.findings, field, `${minWorkers} is more than ${limit}, ${maxWorkers}`);
  }
  const room = servers === null || maxWorkersPerServer === null ? null : servers.length * maxWorkersPerServer;
  if (room !== null && minWorkers > room) {
    const [list, cap] = [variableFor(source, 'SERVERS'), variableFor(source, 'MAX_WORKERS_PER_SERVER')];
    addProblem(source.findings, field, `${minWorkers} is more than the ${room} that ${list} and ${cap} leave room for`);
  }
}

/** A window narrows the limits: what lies above MAX_WORKERS would silently do nothing. */
function warnOfSchedule(source: Source, { schedule, maxWorkers }: Pick<Policy, 'schedule' | 'maxWorkers'>): void {
  for (const { cron, minWorkers, maxWorkers: ceiling } of schedule) {
    const most = Math.max(minWorkers ?? 0, ceiling ?? 0);
    if (most <= maxWorkers) continue;
    source.findings.warnings.push(
      `${variableFor(source, 'SCHEDULE')}: "${cron}" allows ${most} workers, but a schedule does not raise ` +
        `${variableFor(source, 'MAX_WORKERS')}, ${maxWorkers}`,
    );
  }
}

/** Strategy `latency`: the alarm goes off when this share of the target is needed for what waits. */
const ALARMING_SHARE = 0.3;
const USUAL_JOB_SECONDS = 10;

/** Where the alarm goes off unless the user says otherwise: the lowest backlog that the minimum does not suffice for. */
export function defaultThreshold({ minWorkers, strategy, tolerance }: Policy): number {
  if (minWorkers === 0) return 1;
  switch (strategy.kind) {
    case 'backlog':
      // Below that the difference would be tolerated; sums of decimals may end a hair below what they stand for.
      return Math.floor(strategy.backlogPerWorker * minWorkers * (1 + tolerance) + 1e-9) + 1;
    case 'step':
      return Math.max(
        1,
        ...strategy.steps
          .filter((step) => step.change > 0)
          .slice(0, 1)
          .map((step) => step.atLeast),
      );
    case 'latency': {
      const perWorker = (strategy.targetSeconds * strategy.jobsPerWorker) / (strategy.jobSeconds ?? USUAL_JOB_SECONDS);
      return Math.max(1, Math.floor(ALARMING_SHARE * perWorker * minWorkers));
    }
  }
}
