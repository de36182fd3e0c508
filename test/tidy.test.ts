/** The house rules that a machine can check. Each failure says what to do instead. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REASONS } from '../lib/policy/reasons.ts';

const ROOT = join(import.meta.dirname, '..');
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT })
  .toString()
  .split('\n')
  .filter((file) => /\.(ts|mjs|cjs)$/.test(file));
const sources = new Map(files.map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
const product = [...sources].filter(([file]) => /^(functions|lib)\//.test(file));

/** The folder that a file counts as: `lib/policy/recommend/x.ts` is of `policy`; root files of lib are their own. */
function layerOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'lib' ? second.replace(/\.ts$/, '') : top;
}

function importsOf(file: string, text: string): { specifier: string; typeOnly: boolean; target: string }[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\s+(type\s+)?[^;'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? '';
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier;
    return { specifier, typeOnly: match[1] !== undefined, target };
  });
}

const ADAPTERS = ['cloud66', 'queue', 'actions', 'overrides', 'notify', 'telemetry', 'config'];
/** What each layer may import at run time; types of `reconcile/ports.ts` are open to adapters. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  errors: [],
  policy: ['domain', 'errors'],
  reconcile: ['policy', 'domain', 'errors'],
  ...Object.fromEntries(ADAPTERS.map((adapter) => [adapter, ['domain', 'errors']])),
  lambda: ['reconcile', 'policy', 'domain', 'errors', ...ADAPTERS],
  functions: ['lambda', 'domain', 'errors'],
};

describe('dependencies point down only', () => {
  it.each(product.filter(([file]) => layerOf(file) in MAY_IMPORT))('%s', (file, text) => {
    const layer = layerOf(file);
    for (const { target, typeOnly } of importsOf(file, text)) {
      if (!target.startsWith('lib/') && !target.startsWith('functions/')) continue;
      const other = layerOf(target);
      const portsAsTypes = typeOnly && (target === 'lib/reconcile/ports.ts' || layer === 'lambda');
      const allowed = other === layer || MAY_IMPORT[layer]?.includes(other) || portsAsTypes;
      expect(allowed, `${file} imports ${target}: pass it as an argument instead`).toBe(true);
    }
  });

  it('nothing imports the command line, and only the command line imports the simulation, the backtest or the doctor', () => {
    for (const [file, text] of product) {
      for (const { target } of importsOf(file, text)) {
        const layer = layerOf(file);
        if (target.startsWith('lib/cli/')) expect(layer, `${file} imports ${target}`).toBe('cli');
        if (/^lib\/(simulation|backtest|shadow)\//.test(target)) {
          expect(['cli', 'simulation', 'backtest', 'shadow'], `${file} imports ${target}`).toContain(layer);
        }
        if (target.startsWith('lib/doctor/')) expect(['cli', 'doctor'], `${file} imports ${target}`).toContain(layer);
      }
    }
  });

  it.each([
    ['ky', ['lib/cloud66/']],
    ['@middy/', ['lib/lambda/']],
    // The doctor and the command line are never deployed; see above.
    ['@aws-sdk/', ['lib/queue/', 'lib/doctor/aws.ts', 'lib/cli/connect.ts']],
    ['@smithy/', ['lib/queue/']],
    ['commander', ['lib/cli/']],
  ])('%s is imported in one place', (prefix, places) => {
    const importers = product.filter(
      ([file, text]) =>
        !file.startsWith('lib/simulation/') &&
        importsOf(file, text).some(({ specifier }) => specifier.startsWith(prefix)),
    );
    for (const [file] of importers)
      expect(
        places.some((place) => file.startsWith(place)),
        file,
      ).toBe(true);
  });
});

describe('banned calls', () => {
  const bans: [string, RegExp, RegExp, string][] = [
    [
      'process.env',
      /\bprocess\.env\b/,
      /^lib\/(config\/env\.ts|cli\/|simulation\/)/,
      'take the environment as an argument',
    ],
    ['the real clock', /\bDate\.now\(\)|new Date\(\)/, /^lib\/(lambda\/wire\.ts|cli\/|simulation\/)/, 'take a Clock'],
    ['randomness', /\bMath\.random\(/, /^$/, 'take a seeded generator'],
    ['console', /\bconsole\./, /^lib\/(cli|simulation)\//, 'use the logger'],
    [
      'AbortSignal.timeout',
      /AbortSignal\.timeout\(/,
      /^$/,
      'use setTimeout: scaled time does not reach AbortSignal.timeout',
    ],
    ['promises in the core', /\basync\b|\bawait\b|\bPromise\b/, /^(?!lib\/policy\/)/, 'keep the core a function'],
    ['any and ts-ignore', /\bas any\b|@ts-ignore|@ts-nocheck|@ts-expect-error/, /^$/, 'type it'],
    ['notes to self', /\bTODO\b|\bFIXME\b|\bXXX\b/, /^$/, 'do it or write an issue'],
  ];
  it.each(bans)('%s', (_name, pattern, exempt, instead) => {
    for (const [file, text] of product) {
      if (exempt.test(file)) continue;
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
      expect(pattern.exec(code)?.[0], `${file}: ${instead}`).toBeUndefined();
    }
  });

  it('mocks of our own modules, skipped and lonely tests', () => {
    const pattern = new RegExp(['vi\\.mock\\(', '\\.only\\(', '\\.skip\\('].join('|'));
    for (const [file, text] of sources) {
      if (file.startsWith('test/') && file !== 'test/tidy.test.ts')
        expect(pattern.exec(text)?.[0], file).toBeUndefined();
    }
  });
});

describe('sizes', () => {
  it('deployed entry points have at most 40 lines', () => {
    for (const [file, text] of product) {
      if (file.startsWith('functions/')) expect(text.split('\n').length, file).toBeLessThanOrEqual(41);
    }
  });
});

describe('reason codes', () => {
  const decideTests = [...sources]
    .filter(([file]) => file.startsWith('test/policy/'))
    .map(([, text]) => text)
    .join('\n');

  it.each(Object.entries(REASONS))('%s has a sentence and a test', (reason, sentence) => {
    expect(sentence).toMatch(/^[A-Z].{20,}\.$/);
    expect(decideTests).toContain(`'${reason}'`);
  });
});
