/** `npm run backtest` and `npm run tune` as a person runs them: in a process of their own. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCloudWatchServer } from '../../lib/simulation/cloudwatch/server.ts';
import { createWorld } from '../simulation/cloudwatch/fixture.ts';
import { minutes, recordQueue } from '../support/recorded-queue.ts';
import { runCommand } from './run-command.ts';

const LAUNCH = join(import.meta.dirname, '..', '..', 'lib', 'cli', 'launch.mjs');
const SMALL = ['--shape', 'bursts', '--days', '0.1', '--load', '1'];

/** Slow machines are told how far it is. */
const withoutProgress = (stderr: string): string => stderr.replace(/^ *\d+ % .*\n/gm, '');

let folder: string;
let arrivals: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backtest-'));
  arrivals = join(folder, 'my traffic.csv');
  const rows = Array.from({ length: 90 }, (_, minute) => `${minute * 60},${minute % 30 < 5 ? 60 : 8}`);
  await writeFile(arrivals, `timestamp_seconds,arrivals\n${rows.join('\n')}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe('npm run backtest', () => {
  it('prints one JSON object with every policy and reference, and nothing else', async () => {
    const options = ['--load', '3', '--job-seconds', '6', '--slo', '60:95', '--policy', 'all', '--seed', '1', '--json'];
    const { stdout, stderr, code } = await runCommand(['backtest', '--arrivals', arrivals, ...options], {});
    expect({ code, stderr: withoutProgress(stderr) }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout);
    expect(Object.keys(result.references).toSorted()).toEqual(['lpBound', 'oraclePlan', 'staticBest', 'work']);
    expect(result).toMatchObject({
      complete: true,
      trace: { name: 'my traffic' },
      slo: { waitSeconds: 60, share: 0.95 },
    });
    const names = result.policies.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['latency', 'backlog', 'step', 'keda', 'hpa', 'judoscale']));
    for (const policy of result.policies) {
      expect(policy).toMatchObject({
        name: expect.any(String),
        settings: expect.any(Object),
        costRatio: expect.any(Number),
        lateShare: expect.any(Number),
        waitSeconds: {
          p50: expect.any(Number),
          p95: expect.any(Number),
          p99: expect.any(Number),
          max: expect.any(Number),
        },
        actionsPerHour: expect.any(Number),
        maxWorkers: expect.any(Number),
        jobs: result.trace.jobs,
      });
    }
    expect(result.references.lpBound.costRatio).toBeGreaterThan(1);
  });

  it('shows a table, the optimum, a verdict and where ours loses, and writes the report', async () => {
    const report = join(folder, 'report.html');
    const { stdout, code } = await runCommand(
      ['backtest', ...SMALL, '--policy', 'latency,keda', '--seeds', '1,2', '--report', report],
      {},
    );
    expect(code).toBe(0);
    for (const part of ['policy', 'latency', 'keda', 'LP bound', 'oracle plan', '2 seeds', `Report: ${report}`]) {
      expect(stdout).toContain(part);
    }
    expect(stdout).toMatch(/latency (keeps|misses) the target of 60 s for 95 %/);
    expect(await readFile(report, 'utf8')).toContain('<h1>Backtest: bursts</h1>');
  });

  it('changes settings of ours and knobs of others', async () => {
    const sets = ['--set', 'TOLERANCE=0.5', '--set', 'keda.queueLength=7'];
    const { stdout } = await runCommand(['backtest', ...SMALL, '--policy', 'backlog,keda', ...sets, '--json'], {});
    const { policies } = JSON.parse(stdout);
    expect(policies).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'backlog', settings: expect.objectContaining({ TOLERANCE: '0.5' }) }),
        expect.objectContaining({ name: 'keda', settings: expect.objectContaining({ queueLength: 7 }) }),
      ]),
    );
  });

  it('names every wrong option at once', async () => {
    const wrong = [
      '--laod',
      '3',
      '--slo',
      '60',
      '--seeds',
      '5-1',
      '--league',
      'X',
      '--policy',
      'keda,kda',
      '--max',
      '0',
    ];
    const sets = ['--set', 'TOLERANCE=9', '--set', 'TOLERENCE=1', '--set', 'MIN_WORKERS=2', '--set', 'keda.speed=1'];
    const sources = ['--shape', 'wave', '--queue', 'a b', '--settings', 'best'];
    const { stdout, stderr, code } = await runCommand(['backtest', ...wrong, ...sets, ...sources], {});
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    for (const part of [
      '--laod: is not an option; did you mean --load?',
      '--slo: found "60"',
      '--seeds: found "5-1"',
      '--league: found "X", expected E or N',
      '--policy: found "kda"',
      '--max: found "0"',
      '--set: TOLERANCE: found "9"',
      '--set: TOLERENCE is not a setting',
      '--set: MIN_WORKERS: use --min',
      '--set: keda.speed: keda has the knobs',
      '--queue: is given together with --shape',
      '--shape: found "wave"',
      '--settings: found "best"',
    ]) {
      expect(stderr).toContain(part);
    }
    expect(stderr).toMatch(/^backtest: 13 problems/);
  });

  it.each([
    ['a file that is not there', ['--arrivals', 'nowhere.csv'], 'there is no such file'],
    ['a queue without a region', ['--queue', 'jobs'], '--region: is not set'],
    ['traffic without a job', ['--shape', 'trickle', '--days', '0.01', '--load', '0.001'], 'holds no job'],
  ])('says in one line what is wrong with %s', async (_name, options, message) => {
    const { stderr, code } = await runCommand(['backtest', ...options], {});
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });

  it('leaves a partial result, marked as such, when it is stopped', async () => {
    const options = ['backtest', '--shape', 'sine', '--days', '30', '--load', '10', '--policy', 'all', '--json'];
    const child = spawn(process.execPath, ['--no-warnings', LAUNCH, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    // Before its first line of progress, which comes after three seconds, it may not listen yet.
    await new Promise((resolve) => child.stderr.once('data', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    const result = JSON.parse(stdout);
    expect(result.complete).toBe(false);
    expect(result.policies.length).toBeLessThan(17);
    expect(result.references.lpBound).toBeNull();
  }, 60_000);
});

describe('npm run backtest -- --queue', () => {
  it('replays what was sent to the queue, and explains why not its depth', async () => {
    const world = createWorld();
    const nowMs = Date.now();
    world.clock.moveTo(nowMs);
    const busy = { sent: 30, depth: 2000 };
    recordQueue(world.store, 'jobs', nowMs - 180_000, [
      ...minutes(60, busy),
      null,
      ...minutes(380, { sent: 0, depth: 0 }),
      ...minutes(90, null),
      ...minutes(60, busy),
    ]);
    const server = await startCloudWatchServer(world);
    try {
      const { stdout, stderr, code } = await runCommand(
        ['backtest', '--queue', 'jobs', '--days', '14', '--policy', 'latency', '--json'],
        {
          AWS_ENDPOINT_URL: server.url,
          AWS_REGION: 'us-east-1',
          AWS_ACCESS_KEY_ID: 'local',
          AWS_SECRET_ACCESS_KEY: 'local',
        },
      );
      expect({ code, stderr: withoutProgress(stderr) }).toEqual({ code: 0, stderr: '' });
      const { trace, notes, policies } = JSON.parse(stdout);
      expect(trace.name).toBe('jobs');
      // One missing minute between 30 and 0 counts as 15; the depth of 2,000 is nowhere.
      expect(trace.jobs).toBe(120 * 30 + 15);
      expect(policies).toHaveLength(1);
      const text = notes.join('\n');
      expect(text).toContain('Only the recorded counts of sent messages are replayed');
      expect(text).toContain('90 minutes without a point count as nothing sent');
      expect(text).toContain('1 minutes without a point were filled');
      expect(text).toContain('of the 14 days');
    } finally {
      await server.close();
    }
  });
});

describe('npm run tune', () => {
  it('prints a block for .env with what each line does and is expected to do', async () => {
    const { stdout, code } = await runCommand(['tune', ...SMALL, '--budget', '5', '--threads', '2'], {});
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n# [^\n]*cost \d+\.\d\d × the work/);
    expect(stdout).toMatch(/\nSTRATEGY=latency\n/);
    expect(stdout).toMatch(/\nLATENCY_TARGET_SECONDS=60\n/);
    const settings = stdout.split('\n').filter((line) => /^[A-Z_]+=/.test(line));
    expect(settings.length).toBeGreaterThan(4);
    expect(stdout).toContain('Cost against wait');
  });

  it('tunes others by the same budget, and prints one JSON object', async () => {
    const options = ['--policy', 'keda,backlog', '--budget', '4', '--threads', '0', '--seeds', '1-2', '--json'];
    const { stdout, stderr, code } = await runCommand(['tune', ...SMALL, ...options], {});
    expect({ code, stderr: withoutProgress(stderr) }).toEqual({ code: 0, stderr: '' });
    const { policies, complete, runs } = JSON.parse(stdout);
    expect(complete).toBe(true);
    expect(runs).toBeGreaterThanOrEqual(2 * 2 * 4);
    expect(policies).toMatchObject([
      { policy: 'keda', tried: 4, env: null },
      { policy: 'backlog', tried: 4, env: expect.stringContaining('STRATEGY=backlog') },
    ]);
    for (const { pareto } of policies) {
      const costs = pareto.map(({ costRatio }: { costRatio: number }) => costRatio);
      expect(costs).toEqual(costs.toSorted((a: number, b: number) => a - b));
    }
  });

  it('names every wrong option at once', async () => {
    const wrong = ['--budget', '2', '--threads', 'many', '--set', 'latency.DRAIN_SHARE=0.5'];
    const { stderr, code } = await runCommand(['tune', ...wrong], {});
    expect(code).toBe(1);
    for (const part of ['--budget: found "2"', '--threads: found "many"', '--set: a knob of a policy']) {
      expect(stderr).toContain(part);
    }
  });
});
