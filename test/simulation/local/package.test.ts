import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AutoscalerError } from '../../../lib/errors.ts';
import { packageTemplate } from '../../../lib/simulation/local/package.ts';

const MODULES = join(import.meta.dirname, '..', '..', '..', 'node_modules');
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autoscaler-local-'));
  await symlink(MODULES, join(folder, 'node_modules'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('tells what the framework says when it refuses', async () => {
  await writeFile(join(folder, 'serverless.yml'), 'service: x\nprovider:\n  name: nobody\n');
  const packaging = packageTemplate(folder, {}, process.env);
  await expect(packaging).rejects.toBeInstanceOf(AutoscalerError);
  await expect(packaging).rejects.toThrow(/^serverless package failed \(exit 1\):\n/);
  await expect(packaging).rejects.toThrow("Configuration error at 'service'");
});
