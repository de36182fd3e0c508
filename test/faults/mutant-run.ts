/**
 * Runs one mutant in a process of its own: `node mutant-run.ts INDEX LAST_SEED`. The change is made while the file is loaded,
 * and the days of the seeds are lived until an invariant is broken. Prints the first violation as JSON, or null.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MUTANTS } from './mutants.ts';

const PLAN = { faultyMinutes: 240, calmMinutes: 150 };
const lib = join(import.meta.dirname, '..', '..', 'lib');
const mutant = MUTANTS[Number(process.argv[2])];
if (mutant === undefined) throw new RangeError(`There is no mutant ${process.argv[2]}.`);

const { file, find, replace, crash, chances } = mutant;
const url = pathToFileURL(join(lib, file)).href;
const parts = readFileSync(join(lib, file), 'utf8').split(find);
if (parts.length !== 2) throw new RangeError(`"${find}" occurs ${parts.length - 1} times in ${file}, expected once.`);
let isLoaded = false;
registerHooks({
  load: (loaded, context, next) => {
    if (loaded !== url) return next(loaded, context);
    isLoaded = true;
    return { format: 'module-typescript', source: parts.join(replace), shortCircuit: true };
  },
});

const { runSeed } = await import('../../lib/simulation/faults/run.ts');
let first: unknown = null;
for (let seed = 1; seed <= Number(process.argv[3]) && first === null; seed += 1) {
  const plan = { ...PLAN, ...(crash === undefined ? {} : { crash }), ...(chances === undefined ? {} : { chances }) };
  const [violation] = (await runSeed(seed, plan)).violations;
  if (violation) first = { seed, ...violation };
}
if (!isLoaded) throw new Error(`${file} was never loaded.`);
process.stdout.write(`${JSON.stringify(first)}\n`);
