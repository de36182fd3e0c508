/** Packages the real template: the same `serverless package` that a deployment runs, offline and without credentials. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SETTINGS } from '../../config/schema.ts';
import { AutoscalerError } from '../../errors.ts';

/** What `serverless package` made. */
export interface Packaged {
  /** The compiled CloudFormation template, parsed. */
  readonly template: unknown;
  /** Folder with the zip of each function. */
  readonly artifactsFolder: string;
}

/** A laptop under load needs about 15 s. */
const LIMIT_SECONDS = 120;
const COMPILED = 'cloudformation-template-update-stack.json';

/**
 * Packages the project in `root` for stage `local` with exactly these settings: whatever a `.env` file or the shell sets
 * beside them is switched off, because an empty variable counts as not set and wins over `.env`.
 *
 * @throws AutoscalerError with what the framework printed, when it refuses.
 */
export async function packageTemplate(
  root: string,
  settings: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Packaged> {
  const unset = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, '']));
  const cli = join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
  const child = spawn(process.execPath, [cli, 'package', '--stage', 'local'], {
    cwd: root,
    env: { ...environment, ...unset, ...settings, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_SECONDS * 1000,
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new AutoscalerError(`serverless package failed (exit ${code}):\n${printed.join('').trim()}`);
  const artifactsFolder = join(root, '.serverless');
  return { template: JSON.parse(await readFile(join(artifactsFolder, COMPILED), 'utf8')), artifactsFolder };
}
