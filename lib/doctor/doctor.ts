/** All checks, in the order in which one would mend things: settings, Cloud 66, queues, the deployment, what it left. */
import type { Problem } from '../errors.ts';
import { checkAlarms } from './alarms.ts';
import { type CheckResult, type Checks, type Examined, fail, ok, warn } from './check.ts';
import { checkCloud66 } from './cloud66.ts';
import { checkFunctions, seeFunctions } from './functions.ts';
import { stopSequenceResult } from './jobs.ts';
import { checkLetters } from './letters.ts';
import { overridesResult } from './overrides.ts';
import { checkQueues } from './queues.ts';

const CONFIGURATION = { id: 'configuration', title: 'The settings are complete and make sense' };

/** What is said of settings that cannot be read; nothing else can be looked at then. */
export function brokenConfiguration(problems: readonly Problem[]): CheckResult {
  const detail = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return fail(CONFIGURATION, detail, 'Mend them in .env or the environment; .env.example lists all settings.');
}

const CREDENTIALS = { id: 'credentials', title: 'This machine has AWS credentials' };

/** What is said where the deployment's account cannot be entered; nothing of it can be looked at then. */
export function noCredentials(message: string): CheckResult {
  return fail(CREDENTIALS, message, 'Set AWS_PROFILE, or log in (aws sso login), and run doctor again.');
}

/** Runs all checks, one after the other, and tells each result as it comes. */
export async function* examine(examined: Examined): Checks {
  yield configurationResult(examined);
  yield* checkCloud66(examined);
  yield* checkQueues(examined);
  const { result, scale } = await seeFunctions(examined);
  yield result;
  yield* checkFunctions(examined, scale);
  yield* checkAlarms(examined, scale?.arn ?? null);
  yield* checkLetters(examined);
  yield await overridesResult(examined);
  for (const target of examined.deployment.targets) yield stopSequenceResult(target);
}

function configurationResult({ deployment }: Examined): CheckResult {
  const { targets, warnings, dryRun } = deployment;
  const detail = `${targets.length} target${targets.length === 1 ? '' : 's'}: ${targets.map(({ id }) => id).join(', ')}`;
  const remarks = [...warnings, ...(dryRun ? ['DRY_RUN is set: it decides and never scales'] : [])];
  if (remarks.length === 0) return ok(CONFIGURATION, detail);
  return warn(CONFIGURATION, `${detail}; ${remarks.join('; ')}`, 'Change what was not meant so.');
}
