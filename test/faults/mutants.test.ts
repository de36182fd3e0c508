/** Every broken version of the program is found out, by the invariant that is meant to. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';

const SEEDS = 40;
const run = promisify(execFile);

async function firstViolation(index: number): Promise<{ readonly seed: number; readonly invariant: string } | null> {
  const script = join(import.meta.dirname, 'mutant-run.ts');
  const { stdout } = await run(process.execPath, ['--no-warnings', script, String(index), String(SEEDS)]);
  return JSON.parse(stdout) as { readonly seed: number; readonly invariant: string } | null;
}

describe('a mutant', () => {
  it.each(MUTANTS.map((mutant, index) => [mutant.name, mutant, index] as const))(
    'is caught: %s',
    { timeout: 120_000 },
    async (_name, { invariants }, index) => {
      const violation = await firstViolation(index);
      expect(violation).not.toBeNull();
      expect(invariants).toContain(violation?.invariant);
    },
  );

  it('is one of at least 25 with names of their own', () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});
