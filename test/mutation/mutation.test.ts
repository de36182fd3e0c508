/** `npm run mutation`, on one small file. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

it('prints coverage and score of what it changed', { timeout: 120_000 }, async () => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  const script = join(ROOT, 'test', 'mutation', 'run.ts');
  const options = ['--no-warnings', script, '--files', 'lib/actions/backoff.ts', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: ROOT, env });
  const [row, ...others] = JSON.parse(stdout) as readonly Record<string, unknown>[];
  expect(others).toEqual([]);
  expect(row).toMatchObject({ folder: 'lib/actions', survived: 0, score: 100 });
  expect(row?.mutants).toBeGreaterThan(5);
  expect(row?.linesPercent).toBeGreaterThan(95);
});
