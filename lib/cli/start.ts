/** `npm start`: the whole loop on this machine, without an account, in about two minutes. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { parseTrace } from '../backtest/trace.ts';
import { AutoscalerError } from '../errors.ts';
import { loadOf } from '../simulation/local/load.ts';
import { LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK_UID } from '../simulation/local/local-stack.ts';
import { packageTemplate } from '../simulation/local/package.ts';
import { createVisitor, loadRandom, runLocal } from '../simulation/local/run.ts';
import type { EventKind } from '../simulation/local/witness.ts';
import { TOKEN_PARAMETER } from '../simulation/local/world.ts';
import { clockOf, endingOf } from '../simulation/page/ending.ts';
import { type Page, startPage } from '../simulation/page/server.ts';
import { createFeed, type Ending } from '../simulation/page/state.ts';
import { watchRun } from '../simulation/page/watch.ts';
import { installScaledTime } from '../simulation/time.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DEFAULT_TRACE = join(ROOT, 'test', 'fixtures', 'traces', 'azfn19_base_spikes_1m.csv');

/** The run covers about this much simulated time; `--seconds` says how long it may take on the wall. */
const SIMULATED_SECONDS = 1200;
/** A slow action or a second round of scaling in may take longer; then something is wrong. */
const LIMIT_FACTOR = 1.6;
/** With faults a record may be hidden for six minutes, and an action be given up after fifteen. */
const FAULTY_LIMIT_FACTOR = 3;
const LOAD = { pieceSeconds: 300, messages: 500 };
const JOB_SECONDS = 3;

const NOTES = `
A trace is a CSV file with the header timestamp_seconds,arrivals and one line per bin: ascending, evenly spaced, whole
numbers, empty bins as 0. Its busiest five minutes are scaled to ${LOAD.messages} messages; bins of more than 60 s are played in 60 s
each, so that recordings by the hour have a shape, too.

The seed fixes the load, the job times and what Cloud 66 does. Numbers still vary a little from run to run, because the
functions run in real processes and real time enters.

  npm start -s -- --json | jq .p95WaitSeconds`;

interface StartOptions {
  readonly trace: string;
  readonly seconds: number;
  readonly seed: number;
  readonly faults?: number;
  readonly json: boolean;
  readonly page: boolean;
  readonly port: number;
  readonly stay: boolean;
}

/** Tells a person one line. */
type Say = (text: string) => void;

/** The `start` command. */
export function startCommand(): Command {
  return new Command('start')
    .description(
      'Packages the real template and runs it here: a queue fills up, an alarm goes off, a simulated Cloud 66 ' +
        'scales its workers, the action is confirmed, the backlog drains and the count comes back down. ' +
        'Needs no account and no network. Exits with 0 only if the whole loop closed.',
    )
    .option(
      '--trace <file.csv>',
      'arrivals to replay: the busiest five minutes of a recording (see below)',
      DEFAULT_TRACE,
    )
    .option('--seconds <n>', 'wall time for the 20 simulated minutes; 1200 is real time', wholeNumber(40, 3600), 110)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 31), 1)
    .option(
      '--faults <seed>',
      'draw faults from a seed for ten minutes, of the kinds of npm run faults',
      wholeNumber(0, 2 ** 31),
    )
    .option('--json', 'print the summary as JSON, alone on standard output and as the last line of all', false)
    .option('--port <n>', 'port of the local page; a free one unless given', wholeNumber(1024, 65_535), 0)
    .option('--no-page', 'serve no page')
    .option('--stay', 'keep the run and its page going after the loop has closed, until Ctrl-C', false)
    .addHelpText('after', NOTES)
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  const { trace: file, seconds, seed, faults, json } = options;
  const trace = parseTrace(await readTrace(file), basename(file, '.csv'));
  const load = loadOf({ trace, ...LOAD, random: loadRandom(seed) });
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

  let wasStopped = false;
  // With --json the story goes to standard error, and standard output is for programs.
  const say: Say = (text) => (json ? console.error(text) : console.log(text));
  const speed = SIMULATED_SECONDS / seconds;
  const { page, ...watched } = await openPage(options, { load: load.piece, speed });
  if (page) say(`Page      ${page.url}`);
  try {
    say(`Load      ${load.piece}`);
    say('Packaging the template that "serverless deploy" ships ...');
    const packaged = await packageTemplate(ROOT, settings(), process.env);
    say(`Running it ${speed.toFixed(1)} times faster than real time; times below are simulated minutes:seconds.\n`);
    const nowMs = Date.now();
    installScaledTime({ speed, originRealMs: nowMs, originMs: nowMs });
    const summary = await runLocal({
      ...watched,
      packaged,
      load,
      seed,
      jobSeconds: JOB_SECONDS,
      limitSeconds: SIMULATED_SECONDS * (faults === undefined ? LIMIT_FACTOR : FAULTY_LIMIT_FACTOR),
      ...(faults === undefined ? {} : { faultSeed: faults }),
      tell: (atSeconds, what, text) => say(`${clockOf(atSeconds)}  ${column(what)}  ${text}`),
      signal: stop.signal,
      async afterwards(summary) {
        wasStopped = stop.signal.aborted;
        const ending = endingOf(summary, wasStopped);
        watched.feed.setRun({ ending });
        printEnding(ending, say);
        if (options.stay && !wasStopped) await untilStopped(stop.signal, page, say);
      },
    });
    if (json) console.log(JSON.stringify(summary));
    process.exitCode = summary.problems.length === 0 ? 0 : wasStopped ? 130 : 1;
  } finally {
    await page?.close();
  }
}

/** The page, unless it is not wanted, with what it sees of the run and may do to it. */
async function openPage(
  { page: isWanted, port }: StartOptions,
  run: { readonly load: string; readonly speed: number },
) {
  const feed = createFeed(run);
  const visitor = createVisitor();
  const page = isWanted ? await startPage({ feed, hands: visitor, port }) : null;
  return { feed, visitor, onlooker: watchRun(feed, visitor), page };
}

async function untilStopped(signal: AbortSignal, page: Page | null, say: Say): Promise<void> {
  say(`\nStill running${page ? ` at ${page.url}` : ''}; Ctrl-C ends it.\n`);
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve, { once: true });
  });
}

const TRACE_TROUBLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'is a folder, expected a CSV file',
};

async function readTrace(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AutoscalerError(`--trace ${file}: ${TRACE_TROUBLE[code] ?? `cannot be read (${code})`}`);
  }
}

/** The settings of the local target: everything else is the product's default. */
function settings(): Readonly<Record<string, string>> {
  return {
    STACK_UID: LOCAL_STACK_UID,
    PROCESS_NAME: LOCAL_PROCESS,
    QUEUE_NAME: LOCAL_QUEUE,
    CLOUD66_TOKEN_PARAMETER: TOKEN_PARAMETER,
  };
}

const COLORS: Readonly<Record<EventKind, Parameters<typeof styleText>[0]>> = {
  backlog: 'dim',
  alarm: 'yellow',
  decide: 'cyan',
  workers: 'magenta',
  outcome: 'green',
  notice: 'yellow',
  trouble: 'red',
};

function column(what: EventKind): string {
  return styleText(COLORS[what], what.padEnd(7));
}

function printEnding({ verdict, sentence, details, figures }: Ending, say: Say): void {
  say('');
  for (const { name, value } of figures) say(`${name.padEnd(10)}${value}`);
  const color = { closed: 'green', disturbed: 'yellow', open: 'red', stopped: 'red' } as const;
  say(styleText(color[verdict], `\n${sentence}`));
  for (const detail of details) say(`  - ${detail}`);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is not a whole number from ${min} to ${max}.`);
  };
}
