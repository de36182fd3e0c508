/** `npm run backtest`: how policies do on given traffic, as a table, as JSON and as an HTML report. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { REPLAY_POLICIES } from '../backtest/contenders.ts';
import { referencesAside } from '../backtest/references-aside.ts';
import { renderReport } from '../backtest/report/html.ts';
import { createRecorder, type Recording } from '../backtest/report/recording.ts';
import { lossesOf, oursOf, ranked, verdictOf } from '../backtest/report/verdict.ts';
import { type BacktestResult, type FlightRecorder, runBacktest } from '../backtest/run.ts';
import { AutoscalerError, InvalidInputError } from '../errors.ts';
import { backtestText } from './backtest-table.ts';
import { OptionReader } from './problems.ts';
import { createProgress, type Progress } from './progress.ts';
import { reportAssets } from './report-assets.ts';
import { stopOnSignal } from './stop.ts';
import { readTraffic, type Traffic } from './traffic.ts';
import {
  type RawTrafficOptions,
  readTrafficOptions,
  type TrafficOptions,
  type UsualTraffic,
  withTrafficOptions,
} from './traffic-options.ts';

interface RawOptions extends RawTrafficOptions {
  readonly settings: string;
  readonly json: boolean;
  readonly report?: string;
}

type SettingsFrom = 'defaults' | 'book';

/** The optimum gives no progress of its own. */
const SHOW_EVERY_MS = 500;

/** What a bare `npm run backtest` replays: a shipped day, ours and a few well-known rules. */
export const USUAL_TRAFFIC: UsualTraffic = {
  tracePath: join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'traces', 'azfn19_diurnal_1m.csv'),
  busyWorkers: 3,
  policies: [flagshipName(), 'keda', 'aws-target-tracking', 'judoscale', 'buildkite'].join(','),
};

/** The first of ours: the strategy that a deployment uses unless told otherwise. */
export function flagshipName(): string {
  return REPLAY_POLICIES.find(({ ours }) => ours)?.name ?? '';
}

/** The `backtest` command. */
export function backtestCommand(): Command {
  const command = new Command('backtest').description(
    'Replays traffic with the code that runs in production and with the rules of other products: cost, waits, restlessness,\n' +
      'and the optimum that knew the traffic. Without options: a recorded day at three busy workers.',
  );
  return withTrafficOptions(command, USUAL_TRAFFIC.policies)
    .option(
      '--settings <which>',
      "defaults (each product's own) or book (what its documentation says for the target)",
      'defaults',
    )
    .option('--json', 'print one JSON object and nothing else', false)
    .option('--report <out.html>', 'write a report to open in a browser; it needs no network')
    .action((raw: RawOptions) => backtest(raw, command));
}

async function backtest(raw: RawOptions, command: Command): Promise<void> {
  const reader = new OptionReader();
  const options = readTrafficOptions(raw, USUAL_TRAFFIC, command, reader, process.env);
  const settingsFrom = readSettingsFrom(raw.settings, reader);
  if (reader.problems.length > 0) throw new InvalidInputError('backtest', reader.problems);

  const stop = stopOnSignal();
  const traffic = await readTraffic(options, Date.now(), stop);
  const progress = createProgress(process.stderr, Date.now);
  const recorder = createRecorder();
  const result = await run(options, traffic, settingsFrom, recorder, progress, stop);
  progress.done();

  const recording = recorder.recording();
  const losses = lossesIn(result, recording);
  if (raw.report !== undefined) await writeReport(raw.report, result, recording, { traffic, settingsFrom, losses });
  process.stdout.write(
    raw.json
      ? `${JSON.stringify(asJson(result, traffic, settingsFrom, losses))}\n`
      : backtestText(result, { notes: traffic.notes, losses, settingsFrom }),
  );
  if (raw.report !== undefined && !raw.json) console.log(`\nReport: ${raw.report}`);
  if (!result.complete) process.exitCode = 130;
}

function readSettingsFrom(text: string, reader: OptionReader): SettingsFrom {
  if (text === 'defaults' || text === 'book') return text;
  reader.add('settings', `found "${text}", expected defaults or book`);
  return 'defaults';
}

async function run(
  options: TrafficOptions,
  { trace }: Traffic,
  settingsFrom: SettingsFrom,
  recorder: FlightRecorder,
  progress: Progress,
  signal: AbortSignal,
): Promise<BacktestResult> {
  const { seeds, league, policies, settings, overrides } = options;
  const cell = { ...options.cell, trace };
  // Trouble in a flight ends the thread of the optimum, too.
  const over = new AbortController();
  const solve = referencesAside(cell, seeds, AbortSignal.any([signal, over.signal]));
  const doing = { share: 0, what: 'preparing' };
  const show = (): void => progress.show(doing.share, doing.what);
  const clock = setInterval(show, SHOW_EVERY_MS);
  try {
    return await runBacktest({
      cell,
      seeds,
      league,
      policies,
      settingsFrom,
      settings,
      overrides,
      solver: (built) => {
        doing.what = 'computing the optimum';
        return solve(built);
      },
      hooks: {
        signal,
        onProgress: (share) => {
          doing.share = share;
          show();
        },
      },
      recorder: {
        decisionsOf: (policy, seed) => {
          doing.what = policy.name;
          return recorder.decisionsOf(policy, seed);
        },
        flown: recorder.flown,
      },
    });
  } finally {
    over.abort();
    clearInterval(clock);
  }
}

function lossesIn(result: BacktestResult, recording: Recording | null): readonly string[] {
  const ours = oursOf(result.policies);
  const flight = recording?.flights.find(({ policy }) => policy === ours?.name);
  return lossesOf(result, flight?.stretches ?? [], recording?.dated ? { startMs: recording.startMs } : null);
}

function asJson(
  result: BacktestResult,
  { notes }: Traffic,
  settingsFrom: SettingsFrom,
  losses: readonly string[],
): object {
  const verdict = verdictOf(result).join(' ');
  return { ...result, policies: ranked(result.policies), settingsFrom, verdict, losses, notes };
}

async function writeReport(
  path: string,
  result: BacktestResult,
  recording: Recording | null,
  { traffic, settingsFrom, losses }: { traffic: Traffic; settingsFrom: SettingsFrom; losses: readonly string[] },
): Promise<void> {
  const assets = await reportAssets();
  const html = renderReport(
    { result, recording, losses, notes: traffic.notes, settingsFrom, command: process.argv.slice(2) },
    assets,
  );
  await writeFile(path, html).catch((error: Error) => {
    throw new AutoscalerError(`--report ${path}: ${error.message}`);
  });
}
