/**
 * All that serverless.yml takes from code, written from the same settings that the functions read. Run as a program it
 * prints that as JSON: `node infra/template.ts SERVICE STAGE REGION`, with the settings in its environment and in the
 * `.env` of the working directory.
 */
import { realpathSync } from 'node:fs';
import { parseDeployment } from '../lib/config/deployment.ts';
import { type Environment, readEnvironment } from '../lib/config/env.ts';
import { type EnvFile, readEnvFile } from '../lib/config/env-file.ts';
import type { FunctionName } from '../lib/config/schema.ts';
import { ConfigurationError } from '../lib/config/settings.ts';
import { summaryLines } from '../lib/config/summary.ts';
import { readTargetsFile, type TargetsFile } from '../lib/config/targets-file.ts';
import { AutoscalerError } from '../lib/errors.ts';
import { alarms, alarmWarnings } from './alarms.ts';
import type { Plan, TemplatePart, Value } from './cloudformation.ts';
import { dashboard } from './dashboard.ts';
import { environments } from './environments.ts';
import { notifications } from './notifications.ts';
import { queues } from './queues.ts';
import { roles, roleWarnings } from './roles.ts';

/** Where a deployment goes. */
export interface Place {
  readonly service: string;
  readonly stage: string;
  readonly region: string;
}

/** What the variables `${self:custom.template.…}` of serverless.yml stand for. */
export interface Template {
  readonly queues: TemplatePart;
  readonly alarms: TemplatePart;
  readonly roles: TemplatePart;
  readonly notifications: TemplatePart;
  readonly dashboard: TemplatePart;
  readonly environments: Readonly<Record<FunctionName, Readonly<Record<string, Value>>>>;
  /** Reserved concurrency of the scale function; null = none. */
  readonly reservedConcurrency: number | null;
  /** What the scale function's archive holds beside its code; null = nothing. */
  readonly packagedTargets: Readonly<Record<string, string>> | null;
  readonly warnings: readonly string[];
  /** What was understood, one line per target. */
  readonly summary: readonly string[];
}

/**
 * The template's parts for the settings in an environment and a file of settings.
 *
 * @throws ConfigurationError that lists every problem of the settings by variable name.
 */
export function template(
  environment: Environment,
  { service, stage, region }: Place,
  files: { readonly file?: EnvFile | null; readonly targets?: TargetsFile | null } = {},
): Template {
  const deployment = parseDeployment({ ...environment, STAGE: stage }, { ...files, region });
  const name = `${service}-${stage}`;
  const plan: Plan = { name, alarmNamePrefix: `${name}-backlog-`, deployment };
  return {
    queues: queues(plan),
    alarms: alarms(plan),
    roles: roles(plan),
    notifications: notifications(plan),
    dashboard: dashboard(plan),
    environments: environments(plan),
    reservedConcurrency: deployment.reservedConcurrency,
    packagedTargets: deployment.packagedTargets,
    warnings: [...deployment.warnings, ...alarmWarnings(plan), ...roleWarnings(plan)],
    summary: summaryLines(deployment),
  };
}

function main([service = '', stage = '', region = '']: readonly string[]): void {
  const environment = readEnvironment();
  const file = readEnvFile(process.cwd(), environment);
  const targets = readTargetsFile(process.cwd(), { ...file?.variables, ...environment });
  const names = [targets, file].flatMap((each) => (each === null ? [] : [`${each.name} and `]));
  tell([`Settings: ${names.join('')}the environment`]);
  try {
    const { warnings, summary, ...parts } = template(environment, { service, stage, region }, { file, targets });
    tell([...warnings.map(warningLine), ...summary]);
    process.stdout.write(JSON.stringify(parts));
  } catch (error) {
    if (!(error instanceof AutoscalerError)) throw error;
    const warnings = error instanceof ConfigurationError ? error.warnings : [];
    tell([...warnings.map(warningLine), error.message]);
    process.exitCode = 1;
  }
}

function warningLine(warning: string): string {
  return `warning: ${warning}`;
}

/** Beside the template, which goes to standard output. */
function tell(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}

// `import.meta.main` would say it shorter, but only since Node 24.2.
if (realpathSync(process.argv[1] ?? '.') === import.meta.filename) main(process.argv.slice(2));
