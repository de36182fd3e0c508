/** `npm run docs`: rewrites the generated parts of the README. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { withGeneratedParts } from './readme.ts';

const README = join(import.meta.dirname, '..', '..', 'README.md');

/** The `docs` command. */
export function docsCommand(): Command {
  return new Command('docs').description('Writes the tables of README.md from the code.').action(async () => {
    await writeFile(README, withGeneratedParts(await readFile(README, 'utf8')));
  });
}
