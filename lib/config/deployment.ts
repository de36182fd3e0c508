/** What packaging needs to know: the same settings, before there is a queue, and what each function will be given. */
import type { Target } from '../domain.ts';
import type { Environment } from './env.ts';
import { variableText } from './env.ts';
import type { EnvFile } from './env-file.ts';
import { reportMisspelt } from './misspelt.ts';
import { PACKAGED_TARGETS } from './packaged-targets.ts';
import { addProblem, readRequired, readSetting, type Source, shown } from './read.ts';
import { type FunctionName, SETTINGS, type Setting, type SettingName, TARGET_SETTING_NAMES } from './schema.ts';
import { globalSource, readApiUrl, readToken, throwProblems } from './settings.ts';
import { readTargets, targetIds, variablePrefix } from './targets.ts';
import type { TargetsFile } from './targets-file.ts';
import { queueUrlParts } from './values.ts';

/** The stage of the local run, which keeps the token in a parameter store of its own. */
const LOCAL_STAGE = 'local';
/** Where the local run puts the token that a person gave as CLOUD66_TOKEN. */
const LOCAL_TOKEN_PARAMETER = '/cloud66-worker-autoscaler/local/token';

/** A deployment, as the environment describes it. */
export interface Deployment {
  readonly stage: string;
  readonly dryRun: boolean;
  readonly targets: readonly Target[];
  /** Name of the SSM parameter that holds the token; the token itself is never part of a deployment. */
  readonly tokenParameter: string;
  readonly actionFirstLookSeconds: number;
  /** Who is told of what happens: a topic that is there already, or one that is made for a mail address. */
  readonly notifications: { readonly topicArn: string | null; readonly email: string | null };
  /** Concurrent invocations to reserve for the scale function; null = none. */
  readonly reservedConcurrency: number | null;
  /** The variables of each function, as far as they do not name resources of the template. */
  readonly environments: Readonly<Record<FunctionName, Readonly<Record<string, string>>>>;
  /** Variables from a file of targets, which are packaged beside the scale function's code; null without such a file. */
  readonly packagedTargets: Readonly<Record<string, string>> | null;
  readonly warnings: readonly string[];
}

/** Where the settings of a packaging run come from, and where the deployment goes. */
export interface PackagingOptions {
  /** The file of settings, whose names are checked more strictly than the environment's. */
  readonly file?: EnvFile | null;
  /** The file of targets. */
  readonly targets?: TargetsFile | null;
  /** The region of the deployment; without it, what depends on it goes unchecked. */
  readonly region?: string | null;
}

/**
 * Reads and checks the environment of a packaging run, in the way of `parseSettings`.
 *
 * @throws ConfigurationError that lists every problem of the environment by variable name.
 */
export function parseDeployment(
  environment: Environment,
  { file = null, targets: targetsFile = null, region = null }: PackagingOptions = {},
): Deployment {
  const source = globalSource(environment, { file, targets: targetsFile });
  const stage = readSetting(source, 'STAGE');
  const tokenParameter = readTokenParameter(source, stage);
  readApiUrl(source);
  const dryRun = readSetting(source, 'DRY_RUN');
  // Read for their problems: the functions get the texts and parse them again.
  for (const name of ['LOG_LEVEL', 'WATCH_INTERVAL_SECONDS', 'API_BUDGET_RESERVE'] as const) readSetting(source, name);
  const ids = targetIds(source);
  const targets = readTargets(source, ids, readSetting(source, 'ACTION_TIMEOUT_SECONDS'));
  const actionFirstLookSeconds = readSetting(source, 'ACTION_FIRST_LOOK_SECONDS');
  const notifications = readNotifications(source);
  const concurrency = readSetting(source, 'RESERVED_CONCURRENCY');
  if (region !== null && stage !== LOCAL_STAGE) for (const target of targets) checkPlace(source, target, region);
  reportMisspelt(source, ids);
  throwProblems(located(source.findings, targetsFile));
  const own = { ...file?.variables, ...environment };
  return {
    stage,
    dryRun,
    targets,
    tokenParameter,
    actionFirstLookSeconds,
    notifications,
    reservedConcurrency: concurrency === 0 ? null : concurrency,
    environments: {
      scale: {
        ...functionEnvironment(own, 'scale', ids, tokenParameter),
        ...(targetsFile === null ? {} : { TARGETS_FILE: PACKAGED_TARGETS }),
      },
      poller: functionEnvironment(own, 'poller', ids, tokenParameter),
    },
    packagedTargets: targetsFile?.variables ?? null,
    warnings: source.findings.warnings,
  };
}

/** One of the two at most: with a topic of one's own, its subscriptions are one's own as well. */
function readNotifications(source: Source): Deployment['notifications'] {
  const topicArn = readSetting(source, 'NOTIFY_TOPIC_ARN');
  const email = readSetting(source, 'NOTIFY_EMAIL');
  if (topicArn !== null && email !== null) {
    const message = 'NOTIFY_TOPIC_ARN is set as well; subscribe the address to that topic, or leave one of the two out';
    addProblem(source.findings, 'NOTIFY_EMAIL', message);
  }
  return { topicArn, email };
}

/** Problems of what a file of targets says, with their lines: there the names have no prefixes. */
function located({ problems, warnings }: Source['findings'], targets: TargetsFile | null): Source['findings'] {
  const placed = problems.map((problem) => {
    const place = targets?.places.get(problem.field);
    return place === undefined ? problem : { ...problem, field: `${place}: ${problem.field}` };
  });
  return { problems: placed, warnings };
}

/** What can be deployed and will never work: the examples that nobody replaced, and a queue that no alarm can see. */
function checkPlace({ environment, findings }: Source, { id, stackUid, source }: Target, region: string): void {
  const own = (name: SettingName) => `${variablePrefix(id)}${name}`;
  const variable = (name: SettingName) => (variableText(environment, own(name)) === null ? name : own(name));
  if (stackUid === SETTINGS.STACK_UID.example) {
    addProblem(
      findings,
      variable('STACK_UID'),
      `is still the example, ${shown(stackUid)}; put in the uid of your stack`,
    );
  }
  if (source.kind !== 'sqs') return;
  const queue = queueUrlParts(source.queueUrl);
  if (source.queueUrl === SETTINGS.QUEUE_URL.example) {
    addProblem(findings, variable('QUEUE_URL'), 'is still the example; put in the address of your queue');
  } else if (queue !== null && queue.region !== null && queue.region !== region) {
    const message = `the queue is in ${queue.region}, the deployment would be in ${region}, from where it cannot be read; deploy with --region ${queue.region}`;
    addProblem(findings, variable('QUEUE_URL'), message);
  }
}

/** Only by name: the token itself has no place in a template. */
function readTokenParameter(source: Source, stage: string): string {
  const hasToken = variableText(source.environment, 'CLOUD66_TOKEN') !== null;
  const name = readSetting(source, 'CLOUD66_TOKEN_PARAMETER');
  if (stage === LOCAL_STAGE && hasToken) {
    readToken(source, stage);
  } else if (hasToken) {
    const instead = 'store it as an SSM SecureString and set CLOUD66_TOKEN_PARAMETER to its name';
    addProblem(source.findings, 'CLOUD66_TOKEN', `the token itself is never packaged; ${instead}`);
  } else {
    readRequired(source, 'CLOUD66_TOKEN_PARAMETER');
  }
  return name ?? LOCAL_TOKEN_PARAMETER;
}

/** The variables that a function reads, as the user wrote them; what is not set keeps its default in the code. */
function functionEnvironment(
  environment: Environment,
  functionName: FunctionName,
  ids: readonly string[],
  tokenParameter: string,
): Readonly<Record<string, string>> {
  const own = ids.flatMap((id) => TARGET_SETTING_NAMES.map((name) => [name, `${variablePrefix(id)}${name}`] as const));
  const candidates = [...Object.keys(SETTINGS).map((name) => [name, name] as const), ...own];
  const table: Readonly<Record<string, Setting>> = SETTINGS;
  const given: Record<string, string> = {};
  for (const [name, variable] of candidates) {
    const text = variableText(environment, variable);
    if (text !== null && table[name]?.functions.includes(functionName) === true) given[variable] = text;
  }
  return { ...given, CLOUD66_TOKEN_PARAMETER: tokenParameter };
}
