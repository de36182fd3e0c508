/** The comparison of policies as tables for a terminal. */
import type { Reading } from '../../lib/backtest/compare.ts';
import type { BenchResult, Comparison } from './policy-run.ts';

/** Everything as text. */
export function benchText({ comparisons, flights, seconds, complete }: BenchResult): string {
  const end = `${flights.toLocaleString('en-US')} runs in ${Math.round(seconds)} s.`;
  const partial = complete ? '' : 'PARTIAL RESULT: stopped early; only finished comparisons are shown.\n\n';
  return `${partial}${comparisons.map(comparisonText).join('\n')}${end}\n`;
}

function comparisonText(comparison: Comparison): string {
  const { league, slo, cells, ours, bestPeer, ratio } = comparison;
  const cadence = league === 'N' ? 'native cadence' : 'one minute tick for all';
  const title = `League ${league} (${cadence}), ${slo.waitSeconds} s for ${percent(slo.share)}, ${cells} cells`;
  const [own, best] = [ours, bestPeer].map(
    (name) => comparison.policies.find(({ policy }) => policy === name)?.heldOut,
  );
  const verdict =
    ratio === null || own === undefined || best === undefined
      ? 'There is nobody to compare with.'
      : `${ours} costs ${ratio.toFixed(2)} times the best peer, ${bestPeer}; it keeps the target on ${percent(own.met)} of the cells, ${bestPeer} on ${percent(best.met)}.`;
  return [
    title,
    '='.repeat(title.length),
    policies(comparison),
    '',
    verdict,
    feasible(comparison),
    '',
    traces(comparison),
    '',
  ].join('\n');
}

function policies({ policies: all, ours }: Comparison): string {
  const rows = all
    .toSorted((a, b) => rank(a.heldOut) - rank(b.heldOut) || a.heldOut.costRatio - b.heldOut.costRatio)
    .map(({ policy, heldOut, defaults, book }) => [
      `${policy === ours ? '* ' : '  '}${policy}`,
      ...readingCells(heldOut),
      `${Math.round(heldOut.worstP95)} s`,
      heldOut.meanActionsPerHour.toFixed(1),
      ...readingCells(defaults),
      ...readingCells(book),
    ]);
  const head = ['  policy', 'cost', 'met', 'worst p95', 'actions/h', 'defaults', 'met', 'by the book', 'met'];
  return `tuned on all traces but one, read on that one\n${columns([head, ...rows])}`;
}

function feasible({ feasible: read, ours, cells }: Comparison): string {
  if (read === null) return '';
  const part = ({ met, costRatio }: Reading): string => `${percent(met)} at ${costRatio.toFixed(2)}`;
  return `On the ${read.cells} of ${cells} cells that the oracle plan keeps, ${ours} keeps ${part(read.heldOut)}, with its defaults ${part(read.defaults)}.`;
}

/** Those that keep the objective on nine cells of ten come first. */
function rank({ met }: Reading): number {
  return met >= 0.9 ? 0 : 1;
}

function readingCells({ costRatio, met }: Reading): readonly string[] {
  return [costRatio.toFixed(2), percent(met)];
}

function traces({ traces: all, ours, bestPeer }: Comparison): string {
  if (bestPeer === null) return '';
  const rows = all.map((reading) => [
    reading.trace,
    ...cells(reading.ours),
    ...cells(reading.bestPeer),
    `${(reading.ours.costRatio / reading.bestPeer.costRatio).toFixed(2)}`,
    reading.oracle === null ? '' : reading.oracle.toFixed(2),
  ]);
  return columns([['by trace', ours, 'met', bestPeer, 'met', 'ratio', 'oracle'], ...rows]);
}

function cells({ costRatio, met }: { readonly costRatio: number; readonly met: number }): readonly string[] {
  return [costRatio.toFixed(2), percent(met)];
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? [];
  const pad = (cell: string, at: number): string =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
