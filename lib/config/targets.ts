/** From variables to targets, each complete, with every check that needs more than one setting. */
import type { QueueSource, Target } from '../domain.ts';
import { type Environment, variableText } from './env.ts';
import { defaultThreshold, readPolicy } from './policy-settings.ts';
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
import { queueUrlParts } from './values.ts';

/** How many targets one deployment may have: what a tick has time for. */
const MAX_TARGETS = 1000;
const MAX_ID_LENGTH = 40;

/** Their prefixes belong to the platform: AWS_REGION, NODE_OPTIONS, npm_config_…, CLOUD66_TOKEN. */
const RESERVED_IDS = ['aws', 'cloud66', 'lambda', 'ld', 'node', 'npm', 'sls', 'serverless'];

/** What prefixes must not end in, because one setting's name is the ending of another's: `_MAX_` of MAX_JOB_SECONDS. */
const AMBIGUOUS_ENDINGS = TARGET_SETTING_NAMES.flatMap((name) =>
  TARGET_SETTING_NAMES.filter((other) => name.endsWith(`_${other}`)).map((other) => `_${name.slice(0, -other.length)}`),
);

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
  const prefix = variablePrefix(id);
  // `actions` would make its QUEUE_URL the program's own ACTIONS_QUEUE_URL.
  const clash = TARGET_SETTING_NAMES.some((name) => `${prefix}${name}` in SETTINGS);
  // A_MAX_JOB_SECONDS is of the target `a`; of a target `a-max` it would be JOB_SECONDS.
  const reading = AMBIGUOUS_ENDINGS.some((ending) => `_${prefix}`.endsWith(ending));
  const taken = clash || reading || RESERVED_IDS.includes(id);
  return taken ? `${shown(id)} cannot be a target id: its prefix has another meaning` : null;
}

/** Without TARGETS there is one target, named after its process: `Mail_Out` becomes `mail-out`. */
function idFromProcess(source: Source): readonly string[] {
  const listable = unlistedTargets(source.environment);
  if (variableText(source.environment, 'PROCESS_NAME') === null && listable.length > 0) {
    addProblem(
      source.findings,
      'TARGETS',
      `is not set; for ${listable[0]?.variable} add TARGETS=${listable.map(({ id }) => id).join(',')}`,
    );
    return [];
  }
  const name = readRequired(source, 'PROCESS_NAME');
  const id = name?.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-') ?? null;
  return id === null ? [] : [id.replace(/-$/, '')];
}

/** Targets that have a process name of their own, as if TARGETS listed them. */
function unlistedTargets(environment: Environment): readonly { readonly id: string; readonly variable: string }[] {
  return Object.keys(environment).flatMap((variable) => {
    const prefix = /^([A-Z][A-Z0-9_]*)_PROCESS_NAME$/.exec(variable)?.[1];
    const id = prefix?.toLowerCase().replaceAll('_', '-') ?? '';
    return idProblem(id) === null && variableText(environment, variable) !== null ? [{ id, variable }] : [];
  });
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
  if (!listed && ids.length === 0 && !hasProblem(source.findings, 'TARGETS'))
    readTarget(source, '', actionTimeoutSeconds);
  refuseSharedProcesses(targets, source.findings);
  refuseSharedStacks(targets, source.findings);
  warnOfOddities(targets, source.findings);
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
  const tokenParameter = hasOwn(source, 'CLOUD66_TOKEN_PARAMETER')
    ? readSetting(source, 'CLOUD66_TOKEN_PARAMETER')
    : null;
  const account = tokenParameter === null ? {} : { tokenParameter };
  return { id, stackUid, processName, ...account, source: queue, policy, alarm };
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
    if (metric?.namespace === 'AWS/SQS' && metric.name === 'ApproximateAgeOfOldestMessage') {
      const instead = 'set QUEUE_NAME instead, and the wait that jobs may have as LATENCY_TARGET_SECONDS';
      addProblem(
        source.findings,
        variableFor(source, name),
        `is an age in seconds, not a number of messages; ${instead}`,
      );
      return null;
    }
    return metric === null ? null : { kind: 'metric', ...metric };
  }
  const text = readSetting(source, name);
  if (text === null) return null;
  return name === 'QUEUE_URL' ? { kind: 'sqs', queueUrl: text } : { kind: 'sqs_name', queueName: text };
}

/** A stack is in one account: what is read of it is shared by all its targets. */
function refuseSharedStacks(targets: readonly Target[], findings: Findings): void {
  const owners = new Map<string, Target>();
  for (const target of targets) {
    const first = owners.get(target.stackUid) ?? target;
    owners.set(target.stackUid, first);
    if (first.tokenParameter === target.tokenParameter) continue;
    const field = `${variablePrefix(target.id)}CLOUD66_TOKEN_PARAMETER`;
    addProblem(findings, field, `is not that of ${first.id}, which is of the same stack; a stack has one account`);
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

/** What works as written, but hardly as meant. */
function warnOfOddities(targets: readonly Target[], { warnings }: Findings): void {
  const owners = new Map<string, string>();
  for (const { id, source, policy } of targets) {
    if (policy.maxWorkers === 0)
      warnings.push(`target ${id}: MIN_WORKERS and MAX_WORKERS are 0, so that nothing ever works`);
    const queue = source.kind === 'sqs' ? queueUrlParts(source.queueUrl)?.queueName : JSON.stringify(source);
    const key = source.kind === 'sqs_name' ? source.queueName : (queue ?? '');
    const owner = owners.get(key);
    if (owner === undefined) owners.set(key, id);
    else warnings.push(`targets ${owner} and ${id} read the same queue: each scales as if all of it were its own`);
  }
}
