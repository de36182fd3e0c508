/** `npm start` as a person runs it: in a process of its own, with the project's own package. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly text: string;
  readonly standardOutput: string;
}

/** A run in a process group of its own, as a terminal starts one. */
function npmStart(...options: readonly string[]) {
  const child = spawn('npm', ['start', '--', ...options], {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let standardOutput = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (stream === child.stdout) standardOutput += chunk;
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve({ code, signal, text, standardOutput }));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('npm could not be started');
  const said = (part: string) =>
    new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (!text.includes(part)) return;
        clearInterval(look);
        resolve();
      }, 50);
      void ended.then(() => clearInterval(look));
    });
  return { pid, ended, said, stopReading: () => child.stdout.destroy() };
}

/** This process's descendants, without those that have ended and only wait to be noticed. */
function descendants(pid: number): readonly number[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' }).trim().split('\n');
  const processes = rows.map((row) => row.trim().split(/\s+/)).filter(([, , state = '']) => !state.startsWith('Z'));
  const found = [pid];
  // The list grows while it is walked through: children of children.
  for (const parent of found) {
    for (const [child, itsParent] of processes) if (Number(itsParent) === parent) found.push(Number(child));
  }
  return found.slice(1);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Run = ReturnType<typeof npmStart>;
const started: Run[] = [];
afterAll(() => {
  for (const { pid } of started) if (isAlive(pid)) process.kill(-pid, 'SIGKILL');
});
function start(...options: readonly string[]) {
  const run = npmStart(...options);
  started.push(run);
  return run;
}

let whole: Run;
let stopped: Promise<Run>;
let unread: Promise<Run>;
/** One after the other where they package, which takes all there is of a small machine. */
beforeAll(() => {
  whole = start('--json', '--seconds', '40', '--seed', '3');
  stopped = whole.said('Running it').then(() => start('--seconds', '60'));
  unread = stopped.then((run) => run.said('Running it')).then(() => start('--seconds', '60', '--no-page'));
});

describe('npm start', { concurrent: true, timeout: 150_000 }, () => {
  it('closes the loop, exits with 0, and ends with its summary in JSON', async () => {
    const { code, text, standardOutput } = await whole.ended;
    const summary: unknown = JSON.parse(text.trim().split('\n').at(-1) ?? '');
    expect(code, text).toBe(0);
    // Standard output has nothing but npm's own two lines before it.
    expect(standardOutput.split('\n').filter((line) => !/^(> .*)?$/.test(line))).toEqual([JSON.stringify(summary)]);
    expect(summary).toMatchObject({
      jobs: expect.any(Number),
      p95WaitSeconds: expect.any(Number),
      peakBacklog: expect.any(Number),
      actions: { accepted: expect.any(Number), mismatched: 0, failed: 0, timedOut: 0, lost: 0 },
      finalWorkers: 1,
      problems: [],
    });
    const { jobs, actions, scaleOuts, scaleIns } = summary as Record<'jobs' | 'scaleOuts' | 'scaleIns', number> & {
      actions: Record<string, number>;
    };
    expect(jobs).toBeGreaterThan(0);
    expect(scaleOuts).toBeGreaterThan(0);
    expect(scaleIns).toBeGreaterThan(0);
    expect(actions.confirmed).toBe(actions.accepted);
    for (const part of ['is ALARM', 'scale out 1 -> ', 'confirmed', 'The loop is closed']) expect(text).toContain(part);
  });

  it('closes the loop through faults drawn from a seed, and says which there were', async () => {
    await whole.ended; // alone on the machine, so that its seconds are its own
    const { code, text } = await start('--no-page', '--seconds', '60', '--faults', '2').ended;
    expect(text).toContain('The loop is closed, although the run was disturbed');
    expect(text).toMatch(/from outside, \d\d:\d\d faults of seed 2: \w+ \d+/);
    expect(code).toBe(0);
  });

  it('stops at Ctrl-C: a summary, an exit code that is not 0, and no process left', async () => {
    const run = await stopped;
    await run.said('scale out');
    const processes = descendants(run.pid);
    expect(processes.length).toBeGreaterThan(1);
    process.kill(-run.pid, 'SIGINT');
    const { code, signal, text } = await run.ended;
    expect(code === null ? signal : code).not.toBe(0);
    expect(text).toContain('Stopped before the loop was closed');
    expect(processes.filter(isAlive)).toEqual([]);
  });

  it('ends cleanly when nobody reads on, as with head', async () => {
    const run = await unread;
    await run.said('waiting');
    const processes = descendants(run.pid);
    run.stopReading();
    const { text } = await run.ended;
    expect(text).not.toContain('EPIPE');
    expect(processes.filter(isAlive)).toEqual([]);
  });

  it.each<[string, string[], string]>([
    ['a time that is no number', ['--seconds', 'soon'], '"soon" is not a whole number from 40 to 3600'],
    ['a time that is too short', ['--seconds', '1'], '"1" is not a whole number'],
    ['an unknown option', ['--fast'], "unknown option '--fast'"],
    ['a trace that is not there', ['--trace', 'nowhere.csv'], '--trace nowhere.csv: there is no such file'],
    ['a trace that is a folder', ['--trace', 'test'], '--trace test: is a folder, expected a CSV file'],
    ['a trace that is none', ['--trace', 'package.json'], 'package'],
  ])('refuses %s with one clear error', async (_title, options, error) => {
    const { code, text } = await start(...options).ended;
    expect(code).toBe(1);
    expect(text).toContain(error);
    expect(text).not.toMatch(/^ {4}at /m);
  });

  it('explains itself', async () => {
    const { code, text } = await start('--help').ended;
    expect(code).toBe(0);
    for (const option of ['--trace', '--seconds', '--seed', '--faults', '--json']) expect(text).toContain(option);
  });
});
