/**
 * `npm run mutation`: how much of the core its own tests would notice if it changed. Coverage first, then Stryker
 * (https://stryker-mutator.io) makes thousands of small changes and runs the tests that reach each. Fails below 90 %.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { FLAG, runCommand } from '../bench/command.ts';

const HELP = `npm run mutation -- [options]

Coverage and mutation score of lib/policy, lib/actions and lib/reconcile by their own tests; 25 to 45 minutes on two cores.
  --files 'lib/actions/*.ts'   only these, comma-separated
  --survivors                  list every change that no test noticed
  --json
`;
const ROOT = join(import.meta.dirname, '..', '..');
const FOLDERS = ['lib/policy', 'lib/actions', 'lib/reconcile'] as const;
const LEAST_SCORE = 90;

interface Mutant {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored' | 'RuntimeError' | 'CompileError';
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}
interface Place {
  readonly line: number;
  readonly column: number;
}
interface MutatedFile {
  readonly source: string;
  readonly mutants: readonly Mutant[];
}
type Covered = Readonly<Record<'lines' | 'branches', { readonly total: number; readonly covered: number }>>;

/** What was found of one folder. */
interface Row {
  readonly folder: string;
  readonly linesPercent: number;
  readonly branchesPercent: number;
  readonly mutants: number;
  readonly survived: number;
  /** Percentage of the mutants that a test noticed, by failing or by never ending. */
  readonly score: number;
}

interface Options {
  /** Patterns between commas; absent = all files. */
  readonly files?: string;
  readonly survivors: boolean;
  readonly json: boolean;
}

function optionsOf(args: readonly string[]): Options | null {
  const options = { files: { type: 'string' }, survivors: FLAG, json: FLAG, help: FLAG } as const;
  const { help, ...values } = parseArgs({ args: [...args], options }).values;
  return help ? null : values;
}

async function main({ files: only, survivors, json }: Options): Promise<void> {
  const config = ['--config', 'test/mutation/vitest.config.ts'];
  await run('node_modules/vitest/vitest.mjs', ['run', '--coverage', '--reporter', 'dot', ...config]);
  const mutate = only === undefined ? [] : ['--mutate', only];
  await run('node_modules/@stryker-mutator/core/bin/stryker.js', [
    'run',
    'test/mutation/stryker.config.json',
    ...mutate,
  ]);
  const { files } = await readJson<{ readonly files: Readonly<Record<string, MutatedFile>> }>('.cache/mutation.json');
  const coverage = await readJson<Readonly<Record<string, Covered>>>('.cache/mutation-coverage/coverage-summary.json');
  const rows = FOLDERS.map((folder) => rowOf(folder, files, coverage)).filter(({ mutants }) => mutants > 0);
  process.stdout.write(json ? `${JSON.stringify(rows)}\n` : tableOf(rows));
  if (survivors) for (const line of survivorsIn(files)) process.stdout.write(`${line}\n`);
  if (rows.some(({ score }) => score < LEAST_SCORE)) process.exitCode = 1;
}

/** Its output goes to standard error: standard output is for the result. */
async function run(script: string, args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [join(ROOT, script), ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${script} ended with ${code}.`);
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(join(ROOT, file), 'utf8')) as T;
}

function rowOf(
  folder: string,
  files: Readonly<Record<string, MutatedFile>>,
  coverage: Readonly<Record<string, Covered>>,
): Row {
  const isIn = (file: string) => relative(ROOT, join(ROOT, file)).startsWith(`${folder}/`);
  const mutants = Object.entries(files).flatMap(([file, { mutants: its }]) => (isIn(file) ? its : []));
  const count = (...statuses: readonly Mutant['status'][]) =>
    mutants.filter((one) => statuses.includes(one.status)).length;
  const [noticed, survived] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')];
  const covered = Object.entries(coverage).filter(([file]) => file.startsWith(join(ROOT, folder)));
  const percentOf = (what: keyof Covered) => {
    const sum = (part: 'covered' | 'total') => covered.reduce((all, [, one]) => all + one[what][part], 0);
    return (100 * sum('covered')) / sum('total');
  };
  return {
    folder,
    linesPercent: percentOf('lines'),
    branchesPercent: percentOf('branches'),
    mutants: noticed + survived,
    survived,
    score: (100 * noticed) / (noticed + survived),
  };
}

function tableOf(rows: readonly Row[]): string {
  const line = (...cells: readonly string[]) =>
    `${cells.map((cell, at) => (at === 0 ? cell.padEnd(16) : cell.padStart(11))).join('')}\n`;
  return [
    line('', 'lines', 'branches', 'mutants', 'survived', 'score'),
    ...rows.map(({ folder, linesPercent, branchesPercent, mutants, survived, score }) =>
      line(
        folder,
        `${linesPercent.toFixed(1)} %`,
        `${branchesPercent.toFixed(1)} %`,
        `${mutants}`,
        `${survived}`,
        `${score.toFixed(1)} %`,
      ),
    ),
  ].join('');
}

function survivorsIn(files: Readonly<Record<string, MutatedFile>>): readonly string[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.flatMap(({ status, location: { start, end }, replacement = '' }) => {
      if (status !== 'Survived' && status !== 'NoCoverage') return [];
      const text = source.split('\n')[start.line - 1] ?? '';
      const found = text.slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined);
      return [`${file}:${start.line}: ${found} => ${replacement.split('\n')[0]}`];
    }),
  );
}

await runCommand(HELP, optionsOf, main);
