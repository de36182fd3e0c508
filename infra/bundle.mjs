/**
 * Bundles each function into one minified ES module, `.bundle/functions/NAME.mjs`, with esbuild's account of what is in
 * it beside it, and refuses bundles that have grown out of their budget: size is cold-start time.
 *
 * `node infra/bundle.mjs` does it for this project; packaging does it by itself (bundle-plugin.cjs).
 */
import { realpathSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

export const FUNCTION_NAMES = ['scale', 'poller'];

/** In bytes. */
export const BUDGET = { plain: 260_000, gzipped: 90_000 };

/**
 * Takes Node's own modules by `process.getBuiltinModule`, which is quicker than importing them from an ES module: 85 ms
 * instead of 93 for SQS, CloudWatch, ky and middy together (Node 24, medians). It also serves the `require` calls of
 * CommonJS packages, which have none in an ES module.
 */
const builtins = {
  name: 'builtins',
  setup(pluginBuild) {
    const names = new Set(builtinModules);
    pluginBuild.onResolve({ filter: /^(node:)?[a-z0-9_/]+$/ }, ({ path: specifier }) => {
      const name = specifier.replace(/^node:/, '');
      return specifier.startsWith('node:') || names.has(name)
        ? { path: `node:${name}`, namespace: 'builtin' }
        : undefined;
    });
    pluginBuild.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path: name }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(name)});`,
      loader: 'js',
    }));
  },
};

/** Leaves out texts that no function reads: what settings mean, which only manuals and command lines tell (11 kB). */
const texts = {
  name: 'texts',
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /lib[\\/]config[\\/][a-z]+-settings\.ts$/ }, async ({ path: file }) => ({
      contents: (await readFile(file, 'utf8')).replace(/^ {4}(doc|unset|example):\s+(['"`]).*\2,\n/gm, ''),
      loader: 'ts',
    }));
  },
};

/**
 * Bundles all functions of a project.
 *
 * @param {string} root folder with `functions/` in it; `.bundle/` is written there
 * @returns {Promise<Array<{ name: string, file: string, bytes: number, gzippedBytes: number }>>}
 * @throws when a function does not build or exceeds the budget
 */
export async function bundle(root) {
  const folder = path.join(root, '.bundle', 'functions');
  await mkdir(folder, { recursive: true });
  const results = await Promise.all(FUNCTION_NAMES.map((name) => bundleFunction(root, folder, name)));
  const problems = results.flatMap(({ name, bytes, gzippedBytes }) => [
    ...overBudget(name, '', bytes, BUDGET.plain),
    ...overBudget(name, ' gzipped', gzippedBytes, BUDGET.gzipped),
  ]);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return results;
}

async function bundleFunction(root, folder, name) {
  const file = path.join(folder, `${name}.mjs`);
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [path.join(root, 'functions', `${name}.ts`)],
    outfile: file,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    plugins: [builtins, texts],
    legalComments: 'none',
    metafile: true,
    // Its errors are in what it throws.
    logLevel: 'silent',
  });
  await writeFile(path.join(folder, `${name}.meta.json`), JSON.stringify(metafile));
  const content = await readFile(file);
  return { name, file, bytes: content.length, gzippedBytes: gzipSync(content).length };
}

function overBudget(name, form, bytes, limit) {
  const kilobytes = (value) => `${(value / 1000).toFixed(1)} kB`;
  return bytes <= limit
    ? []
    : [`bundle of ${name}: ${kilobytes(bytes)}${form} is more than its budget, ${kilobytes(limit)}`];
}

if (realpathSync(process.argv[1] ?? '.') === fileURLToPath(import.meta.url)) {
  const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
  try {
    for (const { name, bytes, gzippedBytes } of await bundle(root)) {
      console.log(`${name}: ${(bytes / 1000).toFixed(1)} kB, ${(gzippedBytes / 1000).toFixed(1)} kB gzipped`);
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
