/** `npm run shadow-report`: what a dry run would have done, after some hours or days of it. */
import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { ReportAssets } from '../backtest/report/frame.ts';
import { createDeploymentReader } from '../doctor/aws.ts';
import { AutoscalerError, asError, InvalidInputError } from '../errors.ts';
import { compareShadow, type ShadowComparison } from '../shadow/compare.ts';
import { renderShadowReport } from '../shadow/page.ts';
import { parseShadowLog } from '../shadow/records.ts';
import { shadowText } from '../shadow/text.ts';
import { connect, type PlaceOptions, readSources, type Sources, withPlaceOptions } from './connect.ts';
import { OptionReader } from './problems.ts';

/** What can be said to it. */
export interface ShadowReportOptions extends PlaceOptions {
  readonly log?: string;
  readonly hours: string;
  readonly report?: string;
  readonly json?: boolean;
}

const LIMIT_SECONDS = 600;

/** The `shadow-report` command. */
export function shadowReportCommand(): Command {
  return withPlaceOptions(new Command('shadow-report'))
    .description(
      'Tells from the log of a dry run what it would have done: worker-hours and\n' +
        'changes against what was, and what that would have meant for waits. Reads\n' +
        'CloudWatch Logs (some minutes for days of them), or a file.',
    )
    .option('--log <file>', "lines of the scale function's log instead of CloudWatch Logs, - for standard input")
    .option('--hours <number>', 'how far to go back in CloudWatch Logs', '24')
    .option('--report <file>', 'also write the report as one HTML page')
    .option('--json', 'print {"targets": [...], "notes": [...]}, without the points in between')
    .action(async (options: ShadowReportOptions) => {
      const { comparisons, notes } = await shadowReport(readSources(), options, (text) => console.error(text));
      if (options.report !== undefined) {
        await writeFile(options.report, renderShadowReport(comparisons, notes, await shadowAssets()));
      }
      const targets = comparisons.map(({ points: _points, ...rest }) => rest);
      console.log(options.json === true ? JSON.stringify({ targets, notes }) : shadowText(comparisons, notes));
    });
}

/**
 * The comparison of every target that the log knows.
 *
 * @throws InvalidInputError for wrong options; AutoscalerError when the log holds no look of a dry run.
 */
export async function shadowReport(
  sources: Sources,
  options: ShadowReportOptions,
  tell: (text: string) => void,
): Promise<{ readonly comparisons: readonly ShadowComparison[]; readonly notes: readonly string[] }> {
  const reader = new OptionReader();
  const hours = reader.number('hours', options.hours, { min: 0.1, max: 24 * 30 });
  if (reader.problems.length > 0) throw new InvalidInputError('shadow-report', reader.problems);
  const lines =
    options.log === undefined ? await deployedLines(sources, options, hours, tell) : await fileLines(options.log);
  const { targets, unreadable } = parseShadowLog(lines);
  const comparisons = [...targets.values()].flatMap((records) => compareShadow(records) ?? []);
  if (comparisons.length === 0) {
    throw new AutoscalerError(
      'The log holds no two looks of a dry run: deploy with DRY_RUN=true, wait some hours, and look again (LOG_LEVEL must be info or debug).',
    );
  }
  const notes =
    unreadable === 0 ? [] : [`${unreadable} lines of the log were cut or of another version and are left out.`];
  return { comparisons, notes };
}

async function deployedLines(sources: Sources, options: PlaceOptions, hours: number, tell: (text: string) => void) {
  const { aws, place, ports, requireCredentials } = connect(sources, options, () => {});
  await requireCredentials();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_SECONDS * 1000);
  tell(`Reading ${hours} h of the log of ${place.name}-scale …`);
  try {
    const sinceMs = ports.clock.nowMs() - hours * 3_600_000;
    const found = await createDeploymentReader(aws).log(
      `${place.name}-scale`,
      sinceMs,
      limit.signal,
      '"\\"event\\":\\"shadow\\""',
    );
    return found.map(({ text }) => text);
  } finally {
    clearTimeout(timer);
  }
}

async function fileLines(file: string): Promise<readonly string[]> {
  const input = file === '-' ? process.stdin : createReadStream(file, 'utf8');
  const lines: string[] = [];
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) lines.push(line);
  } catch (error) {
    const why = asError(error).message;
    throw new InvalidInputError('shadow-report', [{ field: '--log', message: `${file} could not be read: ${why}` }]);
  }
  return lines;
}

/** Chart library, our script, and the style that the backtest's report has, too. */
async function shadowAssets(): Promise<ReportAssets> {
  const require = createRequire(import.meta.url);
  const lib = join(import.meta.dirname, '..');
  const texts = (paths: readonly string[]) => Promise.all(paths.map((path) => readFile(path, 'utf8')));
  return {
    scripts: await texts([require.resolve('uplot/dist/uPlot.iife.min.js'), join(lib, 'shadow', 'page.js')]),
    styles: await texts([require.resolve('uplot/dist/uPlot.min.css'), join(lib, 'backtest', 'report', 'page.css')]),
  };
}
