/**
 * All that serverless.yml takes from code, written from the same settings that the functions read. Run as a program it
 * prints that as JSON: `node infra/template.ts SERVICE STAGE REGION`, with the settings in its environment.
 */
import { realpathSync } from 'node:fs';
import { parseDeployment } from '../lib/config/deployment.ts';
import { type Environment, readEnvironment } from '../lib/config/env.ts';
import type { FunctionName } from '../lib/config/schema.ts';
import { queueUrlParts } from '../lib/config/values.ts';
import { AutoscalerError } from '../lib/errors.ts';
import { alarms } from './alarms.ts';
import type { Plan, TemplatePart, Value } from './cloudformation.ts';
import { environments } from './environments.ts';
import { queues } from './queues.ts';
import { roles } from './roles.ts';

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
  readonly environments: Readonly<Record<FunctionName, Readonly<Record<string, Value>>>>;
  /** Reserved concurrency of the scale function; null = none. */
  readonly reservedConcurrency: number | null;
  readonly warnings: readonly string[];
}

/**
 * The template's parts for the settings in an environment.
 *
 * @throws InvalidInputError that lists every problem of the settings by variable name.
 */
export function template(environment: Environment, { service, stage, region }: Place): Template {
  const deployment = parseDeployment({ ...environment, STAGE: stage });
  const name = `${service}-${stage}`;
  const plan: Plan = { name, alarmNamePrefix: `${name}-backlog-`, deployment };
  return {
    queues: queues(plan),
    alarms: alarms(plan),
    roles: roles(plan),
    environments: environments(plan),
    reservedConcurrency: deployment.reservedConcurrency,
    warnings: [...deployment.warnings, ...foreignRegions(plan, region)],
  };
}

/** CloudWatch shows a queue in the queue's own region only: alarm and history would stay empty for ever. */
function foreignRegions({ deployment }: Plan, region: string): readonly string[] {
  return deployment.targets.flatMap(({ id, source }) => {
    const queueRegion = source.kind === 'sqs' ? (queueUrlParts(source.queueUrl)?.region ?? null) : null;
    return queueRegion === null || queueRegion === region
      ? []
      : [`target ${id}: its queue is in ${queueRegion}, the deployment in ${region}, where no alarm can see it`];
  });
}

function main([service = '', stage = '', region = '']: readonly string[]): void {
  try {
    const { warnings, ...parts } = template(readEnvironment(), { service, stage, region });
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    process.stdout.write(JSON.stringify(parts));
  } catch (error) {
    if (!(error instanceof AutoscalerError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

// `import.meta.main` would say it shorter, but only since Node 24.2.
if (realpathSync(process.argv[1] ?? '.') === import.meta.filename) main(process.argv.slice(2));
