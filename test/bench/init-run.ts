/**
 * What a cold start costs: the scale function's bundle against an empty handler and handlers with AWS's SQS client alone, each
 * loaded in a fresh process per round, in turn, compared by the median of each round's ratio.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { type InitWorld, startInitWorld } from './init-world.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROBE = join(import.meta.dirname, 'init-probe.mjs');
const LIMIT_MS = 60_000;
export const WARM_TICKS = 20;
/**
 * V8 measures its heap by the machine: where there are 256 MB, as for the functions, the young generation has 2 MB and the
 * heap 259 (a container of that size, Node 24.21); on a developer's machine it may grow to 64 MB and hide what is used.
 */
const HEAP = ['--max-semi-space-size=1', '--max-old-space-size=256'];
/** Of the world in which the reaction is measured; about what both services take. */
const DELAYS = { awsMs: 15, cloud66Ms: 60 };
const CONTENDERS = ['empty', 'sqs-tuned', 'sqs-defaults', 'scale'] as const;
export type Contender = (typeof CONTENDERS)[number];

const SQS_HANDLER = `
  import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
  const client = new SQSClient({});
  const AttributeNames = ['ApproximateNumberOfMessages'];
  export const handler = async () =>
    client.send(new GetQueueAttributesCommand({ QueueUrl: process.env.QUEUE_URL, AttributeNames }));`;
/** Behind dynamic imports of the SDK that Lambda never reaches: the tuned handler goes without, as ours does. */
const UNREACHED = [
  ...['sso', 'ini', 'process', 'web-identity', 'http'].map((name) => `@aws-sdk/credential-provider-${name}`),
  ...['@smithy/credential-provider-imds', '@smithy/core/event-streams'],
];

interface Pass {
  readonly ms: number;
  /** The most that the process has had so far. */
  readonly peakBytes: number;
  readonly fromMs: number;
  readonly calls: readonly ProbedCall[];
}
interface ProbedCall {
  readonly method: string;
  readonly path: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}
interface Probed {
  readonly importMs: number;
  readonly passes: readonly Pass[];
}

/** All that was measured. Ratios are medians of the rounds' own ratios. */
export interface InitResult {
  readonly rounds: number;
  readonly bytes: number;
  readonly gzippedBytes: number;
  readonly topModules: readonly (readonly [string, number])[];
  readonly importMs: Readonly<Record<Contender, number>>;
  readonly firstMs: Readonly<Record<Contender, number>>;
  readonly importToTuned: number;
  readonly importToEmpty: number;
  readonly firstToDefaults: number;
  readonly firstToTuned: number;
  /** Peak over the empty handler's, after the first call and after all quiet ticks. */
  readonly memoryOverEmptyBytes: { readonly first: number; readonly warm: number };
  readonly quietTickMs: number;
  readonly reactionMs: number;
  readonly outsideMs: number;
  readonly reactionToOutside: number;
  readonly hash: string;
}

/** Measures. Takes about a second a round. */
export async function measureInit({ rounds }: { readonly rounds: number }): Promise<InitResult> {
  const folder = await mkdtemp(join(tmpdir(), 'autoscaler-init-'));
  const near = await startInitWorld({ awsMs: 0, cloud66Ms: 0 });
  try {
    const files = await prepare(folder);
    const all: Record<Contender, Probed>[] = [];
    const reactions: { readonly ms: number; readonly outsideMs: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const probed: Partial<Record<Contender, Probed>> = {};
      // Another one begins in each round, so that none always runs in another's wake.
      for (const index of CONTENDERS.keys()) {
        const name = CONTENDERS[(index + round) % CONTENDERS.length] ?? 'empty';
        probed[name] = await probe(files[name], near, ticks(name === 'scale' ? 1 + WARM_TICKS : 1));
      }
      all.push(probed as Record<Contender, Probed>);
      reactions.push(await react(files.scale));
    }
    return await summary(files.scale, all, reactions);
  } finally {
    await near.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function prepare(folder: string): Promise<Readonly<Record<Contender, string>>> {
  const { bundle } = (await import(pathToFileURL(join(ROOT, 'infra', 'bundle.mjs')).href)) as {
    readonly bundle: (root: string) => Promise<readonly { readonly name: string; readonly file: string }[]>;
  };
  const scale = (await bundle(ROOT)).find(({ name }) => name === 'scale')?.file ?? '';
  const [empty, tuned, defaults] = [join(folder, 'empty.mjs'), join(folder, 'tuned.cjs'), join(folder, 'defaults.cjs')];
  await writeFile(empty, 'export const handler = async () => ({});');
  const stdin = { contents: SQS_HANDLER, resolveDir: ROOT };
  const common = { stdin, bundle: true, platform: 'node', logLevel: 'silent' } as const;
  await build({ ...common, outfile: defaults });
  const trimmed = { minify: true, target: 'node24', mainFields: ['module', 'main'], external: UNREACHED };
  await build({ ...common, ...trimmed, outfile: tuned });
  return { empty, 'sqs-tuned': tuned, 'sqs-defaults': defaults, scale };
}

const tick = () => ({ 'detail-type': 'Scheduled Event', time: new Date().toISOString() });
const ticks = (count: number) => Array.from({ length: count }, () => ({ event: tick() }));

async function probe(file: string, world: InitWorld, events: readonly object[]): Promise<Probed> {
  const task = { file: pathToFileURL(file).href, events };
  const env = { ...world.environment, PROBE: JSON.stringify(task) };
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP, PROBE], { env, timeout: LIMIT_MS });
  return JSON.parse(stdout.trim()) as Probed;
}

/** After quiet ticks 40 jobs arrive and the alarm says so: until the scale call leaves, against the calls before it. */
async function react(file: string): Promise<{ readonly ms: number; readonly outsideMs: number }> {
  // One of its own: a change that is under way would hold back the next.
  const world = await startInitWorld(DELAYS);
  try {
    const alarmName = 'cloud66-worker-autoscaler-bench-backlog-worker';
    const time = new Date().toISOString();
    const alarmData = { alarmName, state: { value: 'ALARM', timestamp: time } };
    // The second tick opens the connections that a warm function has open.
    const alarm = { event: { source: 'aws.cloudwatch', time, alarmData }, ask: world.controlUrl };
    const pass = (await probe(file, world, [...ticks(2), alarm])).passes[2];
    const scale = pass?.calls.find(({ method, path }) => method === 'POST' && path.endsWith('/processes.json'));
    if (pass === undefined || scale === undefined) throw new Error('the alarm led to no scale call');
    const before = pass.calls.filter(({ fromMs, toMs }) => toMs !== null && fromMs < scale.fromMs);
    return { ms: scale.fromMs - pass.fromMs, outsideMs: timeCovered(before) };
  } finally {
    await world.close();
  }
}

/** Time in which at least one call was under way: calls side by side count once. */
function timeCovered(calls: readonly ProbedCall[]): number {
  let coveredMs = 0;
  let endMs = 0;
  for (const { fromMs, toMs } of calls.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const until = toMs ?? fromMs;
    coveredMs += Math.max(0, until - Math.max(fromMs, endMs));
    endMs = Math.max(endMs, until);
  }
  return coveredMs;
}

async function summary(
  file: string,
  all: readonly Record<Contender, Probed>[],
  reactions: readonly { readonly ms: number; readonly outsideMs: number }[],
): Promise<InitResult> {
  const first = (probed: Probed) => probed.importMs + (probed.passes[0]?.ms ?? 0);
  const each = (figure: (probed: Probed) => number) =>
    Object.fromEntries(CONTENDERS.map((name) => [name, median(all.map((round) => figure(round[name])))])) as Record<
      Contender,
      number
    >;
  const content = await readFile(file);
  const measured = {
    rounds: all.length,
    bytes: content.length,
    gzippedBytes: gzipSync(content).length,
    topModules: await topModules(file),
    importMs: each(({ importMs }) => importMs),
    firstMs: each(first),
    importToTuned: median(all.map((round) => round.scale.importMs / round['sqs-tuned'].importMs)),
    importToEmpty: median(all.map((round) => round.scale.importMs / round.empty.importMs)),
    firstToDefaults: median(all.map((round) => first(round.scale) / first(round['sqs-defaults']))),
    firstToTuned: median(all.map((round) => first(round.scale) / first(round['sqs-tuned']))),
    memoryOverEmptyBytes: { first: memoryOverEmpty(all, 0), warm: memoryOverEmpty(all, -1) },
    quietTickMs: median(all.flatMap(({ scale }) => scale.passes.slice(1).map(({ ms }) => ms))),
    reactionMs: median(reactions.map(({ ms }) => ms)),
    outsideMs: median(reactions.map(({ outsideMs }) => outsideMs)),
    reactionToOutside: median(reactions.map(({ ms, outsideMs }) => ms / outsideMs)),
  };
  return { ...measured, hash: createHash('sha256').update(JSON.stringify(measured)).digest('hex').slice(0, 12) };
}

function memoryOverEmpty(all: readonly Record<Contender, Probed>[], pass: number): number {
  const peak = ({ passes }: Probed, index: number) => passes.at(index)?.peakBytes ?? Number.NaN;
  return median(all.map(({ scale, empty }) => peak(scale, pass) - peak(empty, 0)));
}

async function topModules(file: string): Promise<readonly (readonly [string, number])[]> {
  const { outputs } = JSON.parse(await readFile(file.replace(/\.mjs$/, '.meta.json'), 'utf8')) as {
    readonly outputs: Readonly<
      Record<string, { readonly inputs: Readonly<Record<string, { bytesInOutput: number }>> }>
    >;
  };
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const sizes = inputs.map(([name, { bytesInOutput }]) => [name.replace('node_modules/', ''), bytesInOutput] as const);
  return sizes.toSorted((a, b) => b[1] - a[1]).slice(0, 10);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}
