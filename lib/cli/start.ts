/** `npm start`: the whole loop on this machine, without an account, in about two minutes. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { styleText } from 'node:util';
import { Command, InvalidArgumentError } from 'commander';
import { parseTrace } from '../backtest/trace.ts';
import { AutoscalerError } from '../errors.ts';
import { loadOf } from '../simulation/local/load.ts';
import { packageTemplate } from '../simulation/local/package.ts';
import {
  type EventKind,
  LOCAL_PROCESS,
  LOCAL_QUEUE,
  LOCAL_STACK_UID,
  loadRandom,
  type RunSummary,
  runLocal,
} from '../simulation/local/run.ts';
import { TOKEN_PARAMETER } from '../simulation/local/world.ts';
import { installScaledTime } from '../simulation/time.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DEFAULT_TRACE = join(ROOT, 'test', 'fixtures', 'traces', 'azfn19_base_spikes_1m.csv');

/** The run covers about this much simulated time; `--seconds` says how long it may take on the wall. */
const SIMULATED_SECONDS = 1200;
/** A slow action or a second round of scaling in may take longer; then something is wrong. */
const LIMIT_FACTOR = 1.6;
const LOAD = { pieceSeconds: 300, messages: 500 };
const JOB_SECONDS = 3;

interface StartOptions {
  readonly trace: string;
  readonly seconds: number;
  readonly seed: number;
  readonly json: boolean;
}

/** The `start` command. */
export function startCommand(): Command {
  return new Command('start')
    .description(
      'Packages the real template and runs it here: a queue fills up, an alarm goes off, a simulated Cloud 66\n' +
        'scales its workers, the action is confirmed, the backlog drains and the count comes back down.\n' +
        'Needs no account and no network. Exits with 0 only if the whole loop closed.',
    )
    .option(
      '--trace <file>',
      'arrivals to replay (timestamp_seconds,arrivals); its busiest five minutes',
      DEFAULT_TRACE,
    )
    .option('--seconds <n>', 'wall time for the 20 simulated minutes; 1200 is real time', wholeNumber(40, 3600), 110)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0, 2 ** 31), 1)
    .option('--json', 'print the summary as JSON, as the last line', false)
    .action(start);
}

async function start({ trace: file, seconds, seed, json }: StartOptions): Promise<void> {
  const trace = parseTrace(await readTrace(file), basename(file, '.csv'));
  const load = loadOf({ trace, ...LOAD, random: loadRandom(seed) });
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());

  const say = (text: string) => console.log(text);
  say(`Load      ${load.piece}`);
  say('Packaging the template that "serverless deploy" ships ...');
  const packaged = await packageTemplate(ROOT, settings(), process.env);
  const speed = SIMULATED_SECONDS / seconds;
  say(`Running it ${speed.toFixed(1)} times faster than real time; times below are simulated minutes:seconds.\n`);
  const nowMs = Date.now();
  installScaledTime({ speed, originRealMs: nowMs, originMs: nowMs });
  const summary = await runLocal({
    packaged,
    load,
    seed,
    jobSeconds: JOB_SECONDS,
    limitSeconds: SIMULATED_SECONDS * LIMIT_FACTOR,
    tell: (atSeconds, what, text) => say(`${clock(atSeconds)}  ${column(what)}  ${text}`),
    signal: stop.signal,
  });
  printSummary(summary, stop.signal.aborted);
  if (json) say(JSON.stringify(summary));
  process.exitCode = summary.problems.length === 0 ? 0 : stop.signal.aborted ? 130 : 1;
}

async function readTrace(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AutoscalerError(`--trace ${file}: ${error instanceof Error ? error.message : String(error)}`);
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
  trouble: 'red',
};

function column(what: EventKind): string {
  return styleText(COLORS[what], what.padEnd(7));
}

function clock(atSeconds: number): string {
  const whole = Math.floor(atSeconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}

function printSummary(summary: RunSummary, stopped: boolean): void {
  const { actions } = summary;
  const bad = actions.mismatched + actions.failed + actions.timedOut + actions.lost;
  const rows = [
    ['Jobs', `${summary.jobsDone} of ${summary.jobs} done`],
    ['Wait', `p50 ${summary.p50WaitSeconds} s, p95 ${summary.p95WaitSeconds} s, longest ${summary.maxWaitSeconds} s`],
    ['Backlog', `${summary.peakBacklog} at its peak`],
    [
      'Workers',
      `up to ${summary.peakWorkers}, ${summary.finalWorkers} at the end, ${summary.workerSeconds} worker-seconds`,
    ],
    ['Scaled', `${summary.scaleOuts} times out, ${summary.scaleIns} times in`],
    ['Actions', `${actions.accepted} accepted, ${actions.confirmed} confirmed, ${bad} ended otherwise`],
    ['Time', `${summary.simulatedSeconds} simulated seconds in ${summary.wallSeconds} s`],
  ];
  console.log('');
  for (const [name = '', value = ''] of rows) console.log(`${name.padEnd(10)}${value}`);
  if (summary.problems.length === 0) {
    console.log(
      styleText('green', '\nThe loop is closed: backlog drained, back at the minimum, every action confirmed.'),
    );
    return;
  }
  console.log(styleText('red', stopped ? '\nStopped before the loop was closed:' : '\nThe loop did not close:'));
  for (const problem of summary.problems) console.log(`  - ${problem}`);
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`"${text}" is not a whole number from ${min} to ${max}.`);
  };
}
