/** From variables to targets, each complete, with every check that needs more than one setting. */
import type { Policy, QueueSource, Strategy, Target } from '../domain.ts';
import { variableText } from './env.ts';
import {
  addProblem,
  type Findings,
  hasOwn,
  hasProblem,
  missingName,
  readRequired,
  readSetting,
  type Source,
  shown,
  variableFor,
} from './read.ts';
import { SETTINGS, TARGET_SETTING_NAMES } from './schema.ts';

/** How many targets one deployment may have; the 4 KB of a function's environment end sooner. */
const MAX_TARGETS = 100;
const MAX_ID_LENGTH = 40;

/** Their prefixes belong to the platform: AWS_REGION, NODE_OPTIONS, npm_config_…, CLOUD66_TOKEN. */
const RESERVED_IDS = ['aws', 'cloud66', 'lambda', 'ld', 'node', 'npm', 'sls', 'serverless'];

const SOURCE_NAMES = ['QUEUE_URL', 'QUEUE_NAME', 'METRIC'] as const;

/** What a target's own variables start with: `mail-out` has `MAIL_OUT_`. */
export function variablePrefix(targetId: string): string {
  return `${targetId.toUpperCase().replaceAll('-', '_')}_`;
}

/** The ids that the configuration names, those that are unusable left out; problems are added to the findings. */
export function targetIds(source: Source): readonly string[] {
  const listed = readSetting(source, 'TARGETS');
  const ids = listed === null ? idFromProcess(source) : listed.split(',').map((id) => id.trim());
  const field = listed === null ? 'PROCESS_NAME' : 'TARGETS';
  const usable = ids.filter((id, index) => {
    const message = idProblem(id) ?? (ids.indexOf(id) < index ? `${shown(id)} is there twice` : null);
    if (message !== null) addProblem(source.findings, field, message);
    return message === null;
  });
  if (ids.length > MAX_TARGETS)
    addProblem(source.findings, field, `${ids.length} targets are more than ${MAX_TARGETS}`);
  return usable.slice(0, MAX_TARGETS);
}

function idProblem(id: string): string | null {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id.length > MAX_ID_LENGTH) {
    return (
      `${shown(id)} is not a target id (lower-case letters, digits and single -, a letter first, ` +
      `at most ${MAX_ID_LENGTH})`
    );
  }
  // `actions` would make its QUEUE_URL the program's own ACTIONS_QUEUE_URL.
  const clash = TARGET_SETTING_NAMES.some((name) => `${variablePrefix(id)}${name}` in SETTINGS);
  const taken = clash || RESERVED_IDS.includes(id);
  return taken ? `${shown(id)} cannot be a target id: its prefix has another meaning` : null;
}

/** Without TARGETS there is one target, named after its process: `Mail_Out` becomes `mail-out`. */
function idFromProcess(source: Source): readonly string[] {
  const name = readRequired(source, 'PROCESS_NAME');
  const id = name?.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') ?? null;
  return id === null ? [] : [id.replace(/-$/, '')];
}

/** All targets. Where something is wrong, the findings tell, and the targets that were left out do not matter. */
export function readTargets(source: Source, ids: readonly string[], actionTimeoutSeconds: number): readonly Target[] {
  const listed = variableText(source.environment, 'TARGETS') !== null;
  const targets: Target[] = [];
  for (const id of ids) {
    const target = readTarget({ ...source, listed, prefix: variablePrefix(id) }, id, actionTimeoutSeconds);
    if (target !== null) targets.push(target);
  }
  // Without any id there is nothing to return, but the settings still have problems to report.
  if (!listed && ids.length === 0) readTarget(source, '', actionTimeoutSeconds);
  refuseSharedProcesses(targets, source.findings);
  return targets;
}

function readTarget(source: Source, id: string, actionTimeoutSeconds: number): Target | null {
  const stackUid = readRequired(source, 'STACK_UID');
  const processName = readRequired(source, 'PROCESS_NAME');
  const queue = readQueueSource(source);
  const policy = readPolicy(source, queue, actionTimeoutSeconds);
  const threshold = readSetting(source, 'ALARM_THRESHOLD');
  const periodSeconds = readSetting(source, 'ALARM_PERIOD_SECONDS');
  if (stackUid === null || processName === null || queue === null || policy === null) return null;
  const alarm = { threshold: threshold ?? defaultThreshold(policy), periodSeconds };
  return { id, stackUid, processName, source: queue, policy, alarm };
}

/** Exactly one of the three sources. A target's own source takes the place of the one for all. */
function readQueueSource(source: Source): QueueSource | null {
  const own = SOURCE_NAMES.filter((name) => hasOwn(source, name));
  const common = SOURCE_NAMES.filter((name) => variableText(source.environment, name) !== null);
  const [name, ...others] = own.length > 0 ? own : common;
  const expected = `expected exactly one of ${SOURCE_NAMES.join(', ')}`;
  if (name === undefined) {
    addProblem(source.findings, missingName(source, 'QUEUE_URL'), `is not set; ${expected}`);
    return null;
  }
  if (others.length > 0) {
    const rivals = others.map((each) => variableFor(source, each)).join(' and ');
    addProblem(source.findings, variableFor(source, name), `is set, and so is ${rivals}; ${expected}`);
    return null;
  }
  if (name === 'METRIC') {
    const metric = readSetting(source, name);
    return metric === null ? null : { kind: 'metric', ...metric };
  }
  const text = readSetting(source, name);
  if (text === null) return null;
  return name === 'QUEUE_URL' ? { kind: 'sqs', queueUrl: text } : { kind: 'sqs_name', queueName: text };
}

function readPolicy(source: Source, queue: QueueSource | null, actionTimeoutSeconds: number): Policy | null {
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
  };
  checkBounds(source, policy);
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

/** Strategy `latency`: the alarm goes off when this share of the target is needed for what waits. */
const ALARMING_SHARE = 0.3;
const USUAL_JOB_SECONDS = 10;

/** Where the alarm goes off unless the user says otherwise: the lowest backlog that the minimum does not suffice for. */
function defaultThreshold({ minWorkers, strategy }: Policy): number {
  if (minWorkers === 0) return 1;
  switch (strategy.kind) {
    case 'backlog':
      return Math.floor(strategy.backlogPerWorker * minWorkers) + 1;
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

/** Two targets on one process would undo each other's work for ever. */
function refuseSharedProcesses(targets: readonly Target[], findings: Findings): void {
  const owners = new Map<string, string>();
  for (const { id, stackUid, processName } of targets) {
    const key = `${stackUid} ${processName}`;
    const owner = owners.get(key);
    if (owner === undefined) owners.set(key, id);
    else {
      const field = `${variablePrefix(id)}PROCESS_NAME`;
      addProblem(
        findings,
        field,
        `${shown(processName)} of stack ${stackUid} is already scaled by the target ${owner}`,
      );
    }
  }
}
