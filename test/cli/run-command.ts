/** Runs a command of the product as its npm script does, in an environment of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const LAUNCH = join(ROOT, 'lib', 'cli', 'launch.mjs');

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Never rejects for what the command does; `input` is its standard input. */
export async function runCommand(
  options: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Ran> {
  const child = spawn(process.execPath, ['--no-warnings', LAUNCH, ...options], {
    cwd: ROOT,
    // Whatever `.env` this project has is not the test's.
    env: { PATH: process.env['PATH'], AUTOSCALER_ENV_FILE: 'none', ...environment },
    timeout: 60_000,
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed.stderr += text;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { ...printed, code };
}
