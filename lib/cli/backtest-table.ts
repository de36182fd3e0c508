/** The answer of a backtest for people at a terminal. */
import { styleText } from 'node:util';
import { type lossesOf, oursOf, percent, ranked, seconds, times, verdictOf } from '../backtest/report/verdict.ts';
import type { BacktestResult, PolicyResult, Reference } from '../backtest/run.ts';

/** What is shown besides the result. */
export interface TableContext {
  readonly notes: readonly string[];
  readonly losses: ReturnType<typeof lossesOf>;
  readonly settingsFrom: 'defaults' | 'book';
}

/** The whole answer as text. */
export function backtestText(result: BacktestResult, { notes, losses, settingsFrom }: TableContext): string {
  const parts = [
    result.complete
      ? ''
      : `${styleText('red', 'PARTIAL RESULT')}: stopped early; policies may be missing or cut short.\n`,
    heading(result),
    policyTable(result),
    settingsFrom === 'defaults'
      ? "Each policy has its product's defaults, ours the wait target; --settings book takes what the documentation advises."
      : 'Each policy has what its documentation advises for this wait target.',
    '',
    references(result),
    ...verdictOf(result),
    losses.length === 0 ? '' : `\nWhere ${oursOf(result.policies)?.name ?? 'ours'} loses:\n${bullets(losses)}`,
    notes.length === 0 ? '' : `\nAbout the traffic:\n${bullets(notes)}`,
  ];
  return `${parts.filter((part, index) => part !== '' || index === 4).join('\n')}\n`;
}

function heading({ trace, slo, league, seeds, workload }: BacktestResult): string {
  const cadence = league === 'N' ? 'each policy as often as at home' : 'all on one minute tick';
  const runs = seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds`;
  const jobs = trace.jobs.toLocaleString('en-US');
  const line =
    `${trace.name}: ${jobs} jobs of ${workload.jobSeconds} s in ${seconds(trace.durationSeconds)}, ` +
    `${workload.minWorkers} to ${workload.maxWorkers} workers, ${runs}, league ${league} (${cadence}).`;
  return `${line}\nTarget: at most ${slo.waitSeconds} s of wait for ${percent(slo.share)} of the jobs.\n`;
}

const COLUMNS = ['policy', 'cost', 'late', 'p50', 'p95', 'longest', 'actions/h', 'max workers', ''] as const;

function policyTable(result: BacktestResult): string {
  const ours = oursOf(result.policies);
  const rows = ranked(result.policies).map((policy) => ({ policy, cells: cellsOf(policy) }));
  const widths = COLUMNS.map((name, index) =>
    Math.max(name.length, ...rows.map(({ cells }) => cells[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  const lines = rows.map(({ policy, cells }) => {
    const text = line(cells);
    if (policy === ours) return styleText('bold', text);
    return policy.meetsSlo ? text : styleText('dim', text);
  });
  return [styleText('underline', line(COLUMNS)), ...lines].join('\n');
}

function cellsOf(policy: PolicyResult): readonly string[] {
  const { p50, p95, max } = policy.waitSeconds;
  return [
    policy.name,
    times(policy.costRatio),
    percent(policy.lateShare),
    seconds(p50),
    seconds(p95),
    seconds(max),
    policy.actionsPerHour.toFixed(1),
    String(policy.maxWorkers),
    policy.complete ? (policy.meetsSlo ? '' : 'misses') : 'cut short',
  ];
}

function references({ references: { lpBound, oraclePlan, staticBest } }: BacktestResult): string {
  const rows: (readonly [string, Reference | null, string])[] = [
    ['work itself', { costRatio: 1, lateShare: null, waitSeconds: null }, 'every paid second busy'],
    ['LP bound', lpBound, 'no plan can cost less'],
    ['oracle plan', oraclePlan, 'the traffic known, run in the same plant'],
    ['best fixed count', staticBest, `${staticBest?.workers ?? '?'} workers, known only in hindsight`],
  ];
  return rows
    .map(([name, reference, what]) => {
      if (reference === null) return `${name.padEnd(18)}${'—'.padStart(8)}  not computed, or none keeps the target`;
      const late = reference.lateShare === null ? '' : `, ${percent(reference.lateShare)} late`;
      return `${name.padEnd(18)}${times(reference.costRatio).padStart(8)}  ${what}${late}`;
    })
    .concat('')
    .join('\n');
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `  - ${line}`).join('\n');
}
