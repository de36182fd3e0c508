/** What packaging needs to know: the same settings, before there is a queue, and what each function will be given. */
import type { Target } from '../domain.ts';
import type { Environment } from './env.ts';
import { variableText } from './env.ts';
import { reportMisspelt } from './misspelt.ts';
import { addProblem, readSetting, type Source } from './read.ts';
import { type FunctionName, SETTINGS, type Setting, TARGET_SETTING_NAMES } from './schema.ts';
import { globalSource, readToken, throwProblems } from './settings.ts';
import { readTargets, targetIds, variablePrefix } from './targets.ts';

/** The stage of the local run, which keeps the token in a parameter store of its own. */
const LOCAL_STAGE = 'local';
/** Where the local run puts the token that a person gave as CLOUD66_TOKEN. */
const LOCAL_TOKEN_PARAMETER = '/cloud66-worker-autoscaler/local/token';

/** A deployment, as the environment describes it. */
export interface Deployment {
  readonly stage: string;
  readonly targets: readonly Target[];
  /** Name of the SSM parameter that holds the token; the token itself is never part of a deployment. */
  readonly tokenParameter: string;
  readonly actionFirstLookSeconds: number;
  /** Concurrent invocations to reserve for the scale function; null = none. */
  readonly reservedConcurrency: number | null;
  /** The variables of each function, as far as they do not name resources of the template. */
  readonly environments: Readonly<Record<FunctionName, Readonly<Record<string, string>>>>;
  readonly warnings: readonly string[];
}

/**
 * Reads and checks the environment of a packaging run, in the way of `parseSettings`.
 *
 * @throws InvalidInputError that lists every problem of the environment by variable name.
 */
export function parseDeployment(environment: Environment): Deployment {
  const source = globalSource(environment);
  const stage = readSetting(source, 'STAGE');
  const tokenParameter = readTokenParameter(source, stage);
  // Read for their problems: the functions get the texts and parse them again.
  for (const name of ['CLOUD66_API_URL', 'DRY_RUN', 'LOG_LEVEL'] as const) readSetting(source, name);
  const ids = targetIds(source);
  const targets = readTargets(source, ids, readSetting(source, 'ACTION_TIMEOUT_SECONDS'));
  const actionFirstLookSeconds = readSetting(source, 'ACTION_FIRST_LOOK_SECONDS');
  const concurrency = readSetting(source, 'RESERVED_CONCURRENCY');
  reportMisspelt(environment, ids, source.findings);
  throwProblems(source.findings);
  return {
    stage,
    targets,
    tokenParameter,
    actionFirstLookSeconds,
    reservedConcurrency: concurrency === 0 ? null : concurrency,
    environments: {
      scale: functionEnvironment(environment, 'scale', ids, tokenParameter),
      poller: functionEnvironment(environment, 'poller', ids, tokenParameter),
    },
    warnings: source.findings.warnings,
  };
}

function readTokenParameter(source: Source, stage: string): string {
  const token = readToken(source, stage);
  if (token.kind === 'parameter') return token.name;
  if (stage !== LOCAL_STAGE && variableText(source.environment, 'CLOUD66_TOKEN') !== null) {
    addProblem(
      source.findings,
      'CLOUD66_TOKEN',
      'the token itself is never packaged; store it as an SSM SecureString and set CLOUD66_TOKEN_PARAMETER to its name',
    );
  }
  return LOCAL_TOKEN_PARAMETER;
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
