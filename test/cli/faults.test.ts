/** `npm run faults`: a summary of days, an exit code, and one clear error for what it does not understand. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', 'lib', 'cli', 'main.ts');

function faults(options: readonly string[], stopAfter?: RegExp): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, ['--no-warnings', MAIN, 'faults', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let isStopped = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (isStopped || !stopAfter?.test(text)) return;
      isStopped = child.kill('SIGINT');
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

describe('npm run faults', { timeout: 120_000 }, () => {
  it('lives through the days of its seeds and says what happened', async () => {
    const { code, text } = await faults(['--seeds', '2-3']);
    expect(text).toMatch(/^days simulated: 2, with \d+ targets; calm again after at most \d+ min$/m);
    expect(text).toMatch(/^faults: .*cloud66_error \d+/m);
    expect(text).toMatch(/^scale calls: \d+, accepted \d+, without a record \d+$/m);
    expect(text).toMatch(/^crash points: \d+\/\d+/m);
    expect(text).toMatch(/^0 violations$/m);
    expect(code).toBe(0);
  });

  it('says how far it came when it is stopped', async () => {
    const { code, text } = await faults(['--seeds', '1-500'], /1 of 500 days|[2-9] of 500 days/);
    expect(text).toMatch(/stopped after \d+ of 500 days; of these:\ndays simulated: \d+/);
    expect(code).toBe(130);
  });

  it('refuses what is no range of seeds', async () => {
    const { code, text } = await faults(['--seeds', '9-1']);
    expect(text).toContain('--seeds: found "9-1", expected a seed or a range of them, such as 7 or 1-100');
    expect(code).not.toBe(0);
  });
});
