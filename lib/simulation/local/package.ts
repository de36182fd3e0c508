/** Packages the real template: the same `serverless package` that a deployment runs, offline and without credentials. */
import { spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ENV_FILE_VARIABLE } from '../../config/env-file.ts';
import { AutoscalerError } from '../../errors.ts';

/** What `serverless package` made. */
export interface Packaged {
  /** The compiled CloudFormation template, parsed. */
  readonly template: unknown;
  /** Folder with the zip of each function. */
  readonly artifactsFolder: string;
}

/** A laptop under load needs about 15 s. */
const LIMIT_SECONDS = 120;
const COMPILED = 'cloudformation-template-update-stack.json';
/** What of a project is packaged, and what packages it. */
const FILES = ['serverless.yml', 'package.json'];
const FOLDERS = ['functions', 'infra', 'lib', 'node_modules'];
/**
 * What a program needs to run at all, on any system. Nothing else of the shell gets in: a setting there, in whichever
 * spelling, would be one of the user's own deployments.
 */
const INHERITED = [
  ...['PATH', 'HOME', 'LANG', 'TMPDIR', 'TMP', 'TEMP'],
  ...['Path', 'PATHEXT', 'SystemRoot', 'SYSTEMROOT', 'ComSpec', 'COMSPEC', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA'],
];

/**
 * Packages the project in `root` for stage `local` with exactly these settings: neither a `.env` file nor the shell adds
 * to them. Done in a folder of its own below `.cache/local`, so that what was packaged for another stage stays as it is.
 *
 * @throws AutoscalerError with what the framework printed, when it refuses.
 */
export async function packageTemplate(
  root: string,
  settings: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Packaged> {
  const folder = await stage(root);
  const inherited = Object.fromEntries(INHERITED.map((name) => [name, environment[name]]));
  const child = spawn(process.execPath, [serverlessOf(root), 'package', '--stage', 'local'], {
    cwd: folder,
    env: {
      ...inherited,
      [ENV_FILE_VARIABLE]: 'none',
      ...settings,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_SECONDS * 1000,
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => printed.push(text));
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (code !== 0) throw new AutoscalerError(`serverless package failed (exit ${code}):\n${printed.join('').trim()}`);
  const artifactsFolder = join(folder, '.serverless');
  return { template: JSON.parse(await readFile(join(artifactsFolder, COMPILED), 'utf8')), artifactsFolder };
}

function serverlessOf(root: string): string {
  return join(root, 'node_modules', 'serverless', 'bin', 'serverless.js');
}

/**
 * A fresh folder in which the project can be packaged: its files, and links to its folders. One per process, so that two
 * runs do not meet; what ended runs left behind is removed.
 */
async function stage(root: string): Promise<string> {
  const all = join(root, '.cache', 'local');
  const folder = join(all, String(process.pid));
  await mkdir(all, { recursive: true });
  const left = (await readdir(all)).filter((name) => name === String(process.pid) || !isAlive(Number(name)));
  await Promise.all(left.map((name) => rm(join(all, name), { recursive: true, force: true })));
  await mkdir(folder, { recursive: true });
  await Promise.all(FILES.map((name) => ifThere(copyFile(join(root, name), join(folder, name)))));
  // A junction is what every user of Windows may make; elsewhere the word means nothing.
  await Promise.all(FOLDERS.map((name) => symlink(join(root, name), join(folder, name), 'junction')));
  return folder;
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid)) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, but somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The framework itself says what it misses, better than this could. */
async function ifThere(copied: Promise<void>): Promise<void> {
  await copied.catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
