/**
 * `npm run bench:policy`: every policy with the same tuning budget on the shipped traces, ours included, in both leagues.
 * `--quick` shows in half a minute that it works; the whole takes an hour and more on two cores. Nothing is stored.
 */
import { parseArgs } from 'node:util';
import { type Roughness, type Slo, USUAL_ROUGHNESS } from '../../lib/backtest/cell.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import type { League } from '../../lib/backtest/replay.ts';
import type { Trace } from '../../lib/backtest/trace.ts';
import { numberOf, runCommand, wholeOf } from './command.ts';
import { type BenchPlan, runBench, shippedTrace } from './policy-run.ts';
import { benchText } from './policy-text.ts';

const ALL_TRACES = [
  'azfn19_diurnal_1m',
  'azfn19_ramps_1m',
  'azfn19_onoff_1m',
  'azfn19_cron30noisy_1m',
  'azfn19_hourlybatch_1m',
  'azfn19_longbursts_1m',
  'azfn19_base_spikes_1m',
  'azfn19_rarelong_1m',
  'azure_llm23_conv_1s',
  'nab_tweets_goog_5m',
];
const MOST_SEEDS = 1000;
const WHOLE = { traces: ALL_TRACES.join(), loads: '0.5,3,10,40', slos: '60:95,300:99', leagues: 'E,N', budget: '16' };
const QUICK = {
  traces: 'azfn19_diurnal_1m,azfn19_base_spikes_1m,azure_llm23_conv_1s',
  loads: '0.5,3',
  slos: '60:95',
  leagues: 'E,N',
  budget: '4',
};

const HELP = `npm run bench:policy -- [options]

Cost at equal SLO: settings are chosen on all traces but one and read on that one, for each in turn.
  --quick            three traces, two loads, one SLO, four settings a policy: half a minute
  --traces a,b       names in test/fixtures/traces      --loads 0.5,3,10,40
  --slos 60:95,...   seconds:percent                    --leagues E,N
  --budget 16        settings per policy, at least 3    --seeds 1,2,5-8
  --policies a,b     names; all when left out           --cells-met 0.9
  --batch            jobs of a minute arrive together   --no-oracle
  --rough a=2,b=2    a rougher plant: latency and lag (times), failures (share), drift (times)
  --set NAME=VALUE   a setting of ours for all runs, may be repeated: JOB_SECONDS=3 is a hint of half the true time
  --threads 2        --json
The whole, with 16 settings, is some 43,000 runs: an hour and more on two cores.
`;

interface Order {
  readonly plan: BenchPlan;
  readonly json: boolean;
}

/** Reads the arguments; null = help is asked for. @throws RangeError that names the option. */
export async function planOf(args: readonly string[]): Promise<Order | null> {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      batch: { type: 'boolean', default: false },
      rough: { type: 'string', default: '' },
      set: { type: 'string', multiple: true, default: [] },
      oracle: { type: 'boolean', default: true },
      traces: { type: 'string' },
      loads: { type: 'string' },
      slos: { type: 'string' },
      leagues: { type: 'string' },
      budget: { type: 'string' },
      policies: { type: 'string' },
      seeds: { type: 'string', default: '1' },
      'cells-met': { type: 'string', default: '0.9' },
      threads: { type: 'string', default: '2' },
    },
  });
  if (values.help) return null;
  const usual = values.quick ? QUICK : WHOLE;
  const { traces, loads, slos, leagues, budget } = { ...usual, ...defined(values) };
  const plan: BenchPlan = {
    traces: await Promise.all(traces.split(',').map(traceOf)),
    loads: loads.split(',').map((load) => numberOf('loads', load, 10_000)),
    seeds: seedsOf(values.seeds),
    leagues: leagues.split(',').map(leagueOf),
    slos: slos.split(',').map(sloOf),
    policies: policiesNamed(values.policies ?? 'all'),
    budget: wholeOf('budget', budget, 3, 1000),
    cellsMet: numberOf('cells-met', values['cells-met'], 1),
    batch: values.batch,
    roughness: roughnessOf(values.rough),
    overrides: Object.fromEntries(values.set.map((text) => pairOf('set', text))),
    oracle: values.oracle,
    threads: wholeOf('threads', values.threads, 0, 64),
    signal: stopOnSignal(),
    onProgress: progressOn(process.stderr),
  };
  return { plan, json: values.json };
}

function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** Seeds one by one and as ranges, each once: `7,1-3`. */
function seedsOf(text: string): readonly number[] {
  const seeds = text.split(',').flatMap((part) => {
    const [, first = '', last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    const count = first === '' ? 0 : Number(last) - Number(first) + 1;
    if (count >= 1 && count <= MOST_SEEDS) return Array.from({ length: count }, (_, index) => Number(first) + index);
    throw new RangeError(`--seeds: found "${part}", expected a seed, or up to ${MOST_SEEDS} of them such as 1-8`);
  });
  return [...new Set(seeds)];
}

async function traceOf(name: string): Promise<Trace> {
  if (ALL_TRACES.includes(name)) return await shippedTrace(name);
  throw new RangeError(`--traces: found "${name}", expected one of ${ALL_TRACES.join(', ')}`);
}

function leagueOf(text: string): League {
  if (text === 'E' || text === 'N') return text;
  throw new RangeError(`--leagues: found "${text}", expected E or N`);
}

function sloOf(text: string): Slo {
  const [, seconds, percent] = /^(\d{1,5}):(\d+(?:\.\d+)?)$/.exec(text) ?? [];
  const [waitSeconds, share] = [Number(seconds), Number(percent) / 100];
  if (waitSeconds > 0 && share >= 0.5 && share < 1) return { waitSeconds, share };
  throw new RangeError(`--slos: found "${text}", expected seconds:percent such as 60:95`);
}

const ROUGH = {
  latency: 'latencyFactor',
  lag: 'lagFactor',
  failures: 'failureShare',
  drift: 'driftFactor',
} as const;

/** `latency=2,lag=2`: what is not named stays as usual. */
function roughnessOf(text: string): Roughness {
  const given = text === '' ? [] : text.split(',').map((pair) => pairOf('rough', pair));
  const rougher = given.map(([name, value]) => {
    const key = Object.entries(ROUGH).find(([known]) => known === name)?.[1];
    if (key === undefined) throw new RangeError(`--rough: found "${name}", expected ${Object.keys(ROUGH).join(', ')}`);
    return [key, numberOf(`rough ${name}`, value, key === 'failureShare' ? 1 : 100)];
  });
  return { ...USUAL_ROUGHNESS, ...Object.fromEntries(rougher) };
}

function pairOf(name: 'set' | 'rough', text: string): readonly [string, string] {
  const [key = '', ...value] = text.split('=');
  if (value.length === 0) throw new RangeError(`--${name}: found "${text}", expected NAME=VALUE`);
  return [key, value.join('=')];
}

function stopOnSignal(): AbortSignal {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  return stop.signal;
}

/** One line that is rewritten on a terminal, else a line every half minute. */
function progressOn(stream: NodeJS.WriteStream): BenchPlan['onProgress'] {
  const startedMs = performance.now();
  let shownMs = startedMs;
  return (share, what) => {
    const nowMs = performance.now();
    if (nowMs - shownMs < (stream.isTTY ? 300 : 30_000)) return;
    shownMs = nowMs;
    const minutes = (nowMs - startedMs) / 60_000;
    const left = share > 0.01 ? `, about ${Math.ceil((minutes / share) * (1 - share))} min left` : '';
    const text = `${Math.floor(share * 100)} %  ${what}  (${Math.floor(minutes)} min${left})`;
    stream.write(stream.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
  };
}

async function main({ plan, json }: Order): Promise<void> {
  const result = await runBench(plan);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : benchText(result));
  if (!result.complete) process.exitCode = 130;
}

if (import.meta.main) await runCommand(HELP, planOf, main);
