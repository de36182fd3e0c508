/** `npm run doctor`: is everything wired as it should be? Each line says what is, what that means and what to do. */
import { styleText } from 'node:util';
import { Command } from 'commander';
import { createDeploymentReader } from '../doctor/aws.ts';
import type { CheckResult, CheckStatus, Checks } from '../doctor/check.ts';
import { brokenConfiguration, examine, noCredentials } from '../doctor/doctor.ts';
import { InvalidInputError } from '../errors.ts';
import {
  type Connection,
  connect,
  NoCredentialsError,
  type PlaceOptions,
  readSources,
  type Sources,
  withPlaceOptions,
} from './connect.ts';

/** What can be said to the doctor. */
export interface DoctorOptions extends PlaceOptions {
  readonly json: boolean;
  readonly scopeCheck: boolean;
}

/** All of it together; each call has limits of its own. */
const LIMIT_SECONDS = 300;

/** The `doctor` command. */
export function doctorCommand(): Command {
  return withPlaceOptions(new Command('doctor'))
    .description(
      'Checks settings, token, stacks, processes, queues, metrics, alarms, schedule, functions and what they left\n' +
        'behind. Changes nothing. Exits with 0 if nothing fails.',
    )
    .option('--json', 'print {"checks": [...], "ok": true|false}', false)
    .option('--no-scope-check', 'do not find out by a call that must be refused whether the token may scale')
    .action(async (options: DoctorOptions) => {
      const results: CheckResult[] = [];
      for await (const result of diagnose(readSources(), options)) {
        results.push(result);
        if (!options.json) console.log(resultText(result));
      }
      const ok = results.every(({ status }) => status !== 'fail');
      console.log(options.json ? JSON.stringify({ checks: results, ok }) : summaryText(results));
      process.exitCode = ok ? 0 : 1;
    });
}

/**
 * All checks of the deployment that the settings describe. Settings that cannot be used and a machine without credentials are
 * a check that fails, and the only one.
 */
export async function* diagnose(sources: Sources, options: DoctorOptions): Checks {
  const connection = await connected(sources, options);
  if ('status' in connection) {
    yield connection;
    return;
  }
  const { ports, accountOf, deployment, place, aws, watchIntervalSeconds } = connection;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_SECONDS * 1000);
  try {
    yield* examine({
      clock: ports.clock,
      name: place.name,
      deployment,
      watchIntervalSeconds,
      accountOf,
      queue: ports.queue,
      overrides: ports.overrides,
      aws: createDeploymentReader(aws),
      probesScope: options.scopeCheck,
      signal: limit.signal,
    });
  } finally {
    clearTimeout(timer);
  }
}

/** The way to the deployment, or why there is none. */
async function connected(sources: Sources, options: DoctorOptions): Promise<Connection | CheckResult> {
  try {
    const connection = connect(sources, options, () => {});
    await connection.requireCredentials();
    return connection;
  } catch (error) {
    if (error instanceof InvalidInputError) return brokenConfiguration(error.problems);
    if (error instanceof NoCredentialsError) return noCredentials(error.why);
    throw error;
  }
}

const MARKS: Readonly<Record<CheckStatus, string>> = {
  ok: styleText('green', 'ok  '),
  warn: styleText('yellow', 'warn'),
  fail: styleText('red', 'FAIL'),
};

/** One result: what should be, what is, what to do. */
export function resultText({ id, status, title, detail, advice }: CheckResult): string {
  const lines = [`${MARKS[status]}  ${title}  ${styleText('dim', `(${id})`)}`, `      ${detail}`];
  return (advice === '' ? lines : [...lines, `      ${styleText('bold', '->')} ${advice}`]).join('\n');
}

function summaryText(results: readonly CheckResult[]): string {
  const count = (status: CheckStatus) => results.filter((result) => result.status === status).length;
  return `\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`;
}
