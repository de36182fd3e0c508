/**
 * The configuration of a running function: everything complete, or one error that lists every problem by variable name.
 *
 * lib/config turns variables into types and knows nothing of what is done with them. It imports the domain and the
 * errors only.
 */
import type { Target } from '../domain.ts';
import { InvalidInputError, type Problem } from '../errors.ts';
import type { Environment } from './env.ts';
import { variableText } from './env.ts';
import type { EnvFile } from './env-file.ts';
import { reportMisspelt } from './misspelt.ts';
import { addProblem, type Findings, readRequired, readSetting, type Source } from './read.ts';
import type { ValueOf } from './schema.ts';
import { readTargets, targetIds } from './targets.ts';
import { LOOPBACK_HOSTS } from './values.ts';

type LogLevel = ValueOf<'LOG_LEVEL'>;

/** Where the Cloud 66 token is. */
export type TokenSource =
  /** Name of an SSM SecureString parameter. */
  | { readonly kind: 'parameter'; readonly name: string }
  /** The token itself: local use. Never log it. */
  | { readonly kind: 'value'; readonly value: string };

/** What both functions need to know, and all that the poller does. */
export interface PollerSettings {
  readonly cloud66: { readonly apiUrl: string; readonly token: TokenSource };
  readonly actionsQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly stage: string;
  readonly actionTimeoutSeconds: number;
  /** Share of the hourly calls to Cloud 66 that is kept for people and other programs. */
  readonly apiBudgetReserve: number;
  readonly logLevel: LogLevel;
  /** Where people are told what happens; null = nowhere but in the log. */
  readonly notifyTopicArn: string | null;
  /** Sentences for the log: nothing that stops the program. */
  readonly warnings: readonly string[];
}

/** Everything that the environment tells. */
export interface Settings extends PollerSettings {
  readonly alarmNamePrefix: string;
  readonly targets: readonly Target[];
  /** Between two looks at a target that is watched. */
  readonly watchIntervalSeconds: number;
  readonly dryRun: boolean;
}

/** Stages in which a token in an environment variable deserves a warning. */
const PRODUCTION_STAGES = ['production', 'prod', 'live'];

/**
 * The complete configuration of the scale function.
 *
 * @throws InvalidInputError that lists every problem of the environment by variable name.
 */
export function parseSettings(environment: Environment): Settings {
  const source = globalSource(environment);
  const common = readPollerSettings(source);
  const ids = targetIds(source);
  const settings = {
    ...common,
    alarmNamePrefix: readSetting(source, 'ALARM_NAME_PREFIX') ?? `cloud66-worker-autoscaler-${common.stage}-backlog-`,
    targets: readTargets(source, ids, common.actionTimeoutSeconds),
    watchIntervalSeconds: readSetting(source, 'WATCH_INTERVAL_SECONDS'),
    dryRun: readSetting(source, 'DRY_RUN'),
  };
  reportMisspelt(source, ids);
  throwProblems(source.findings);
  return settings;
}

/**
 * The configuration of the poller, which needs no targets: an action record carries all it has to know.
 *
 * @throws InvalidInputError that lists every problem of the environment by variable name.
 */
export function parsePollerSettings(environment: Environment): PollerSettings {
  const source = globalSource(environment);
  const settings = readPollerSettings(source);
  reportMisspelt(source, []);
  throwProblems(source.findings);
  return settings;
}

/** What lies under the environment: the file of settings, and under that the variables of a file of targets. */
export interface Files {
  readonly file?: EnvFile | null;
  readonly targets?: {
    readonly variables: Readonly<Record<string, string>>;
    readonly problems: readonly Problem[];
  } | null;
}

/** A source of global settings with no findings yet; what the environment sets, even to nothing, wins over the files. */
export function globalSource(environment: Environment, { file = null, targets = null }: Files = {}): Source {
  const findings = { problems: [...(file?.problems ?? []), ...(targets?.problems ?? [])], warnings: [] };
  const all = { ...targets?.variables, ...file?.variables, ...environment };
  return { environment: all, prefix: null, listed: false, file, findings };
}

/** Settings that cannot be used. What is merely odd is told as well: one may explain the other. */
export class ConfigurationError extends InvalidInputError {
  readonly warnings: readonly string[];

  constructor({ problems, warnings }: Findings) {
    super('configuration', problems);
    this.warnings = warnings;
  }
}

/** Throws when anything was found wrong. */
export function throwProblems(findings: Findings): void {
  if (findings.problems.length > 0) throw new ConfigurationError(findings);
}

/** Where the API is. Another host gets the token, so that it should be one that the user means. */
export function readApiUrl(source: Source): string {
  const apiUrl = readSetting(source, 'CLOUD66_API_URL');
  const { hostname } = new URL(apiUrl);
  if (hostname !== 'app.cloud66.com' && !LOOPBACK_HOSTS.includes(hostname)) {
    source.findings.warnings.push(`CLOUD66_API_URL: the token is sent to ${hostname}, which is not app.cloud66.com`);
  }
  return apiUrl;
}

function readPollerSettings(source: Source): PollerSettings {
  const stage = readSetting(source, 'STAGE');
  return {
    cloud66: { apiUrl: readApiUrl(source), token: readToken(source, stage) },
    // An empty text stands for what is missing; the problem that goes with it ends the parsing before anybody sees it.
    actionsQueueUrl: readRequired(source, 'ACTIONS_QUEUE_URL') ?? '',
    deadLetterQueueUrl: readRequired(source, 'ACTIONS_DEAD_LETTER_QUEUE_URL') ?? '',
    stage,
    actionTimeoutSeconds: readSetting(source, 'ACTION_TIMEOUT_SECONDS'),
    apiBudgetReserve: readSetting(source, 'API_BUDGET_RESERVE'),
    logLevel: readSetting(source, 'LOG_LEVEL'),
    notifyTopicArn: readSetting(source, 'NOTIFY_TOPIC_ARN'),
    warnings: source.findings.warnings,
  };
}

/** Exactly one of the two forms of the token. */
export function readToken(source: Source, stage: string): TokenSource {
  const name = readSetting(source, 'CLOUD66_TOKEN_PARAMETER');
  const value = readSetting(source, 'CLOUD66_TOKEN');
  const [hasName, hasValue] = [isSet(source, 'CLOUD66_TOKEN_PARAMETER'), isSet(source, 'CLOUD66_TOKEN')];
  const expected = 'expected exactly one of CLOUD66_TOKEN_PARAMETER, CLOUD66_TOKEN';
  if (hasName && hasValue)
    addProblem(source.findings, 'CLOUD66_TOKEN', `CLOUD66_TOKEN_PARAMETER is set as well; ${expected}`);
  if (!hasName && !hasValue) addProblem(source.findings, 'CLOUD66_TOKEN_PARAMETER', `is not set; ${expected}`);
  if (hasValue && PRODUCTION_STAGES.includes(stage.toLowerCase())) {
    source.findings.warnings.push(
      `CLOUD66_TOKEN in stage ${stage}: anyone who may read the function's configuration can read it; ` +
        'store the token in SSM and set CLOUD66_TOKEN_PARAMETER',
    );
  }
  return name === null ? { kind: 'value', value: value ?? '' } : { kind: 'parameter', name };
}

function isSet(source: Source, variable: string): boolean {
  return variableText(source.environment, variable) !== null;
}
