/** The template as `serverless package` makes it, in a copy of the project: nothing of the real one is touched. */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK_UID } from '../../lib/simulation/local/local-stack.ts';
import { type Packaged, packageTemplate } from '../../lib/simulation/local/package.ts';
import { TOKEN_PARAMETER } from '../../lib/simulation/local/world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PARTS = ['functions', 'infra', 'lib', 'serverless.yml', 'package.json'];

/** The settings of one target: all others are the product's defaults. */
export const ONE_TARGET = {
  STACK_UID: LOCAL_STACK_UID,
  PROCESS_NAME: LOCAL_PROCESS,
  QUEUE_NAME: LOCAL_QUEUE,
  CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER,
} as const;

/** What was packaged; `remove` deletes the copy. */
export interface PackagedCopy extends Packaged {
  remove(): Promise<void>;
}

/** Packages with exactly these settings. Takes a few seconds: once per file is enough. */
export async function packagedCopy(settings: Readonly<Record<string, string>> = ONE_TARGET): Promise<PackagedCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'autoscaler-e2e-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await Promise.all(PARTS.map((part) => cp(join(ROOT, part), join(folder, part), { recursive: true })));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    return { ...(await packageTemplate(folder, settings, process.env)), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
