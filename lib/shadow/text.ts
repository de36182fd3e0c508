/** The comparison in words and rows, for the terminal and the page alike. */
import type { ShadowComparison, ShadowSide } from './compare.ts';

/** Columns of the table. */
export const HEAD = ['Target', 'Worker-hours', 'Changes', 'p95 wait', 'Longest wait'] as const;

/** What was and what would have been, a row each. */
export function comparisonRows({ targetId, actual, virtual }: ShadowComparison): readonly (readonly string[])[] {
  const row = (name: string, side: ShadowSide) => [
    name,
    side.workerHours.toFixed(1),
    String(side.changes),
    seconds(side.p95WaitSeconds),
    seconds(side.longestWaitSeconds),
  ];
  return [row(`${targetId}: what was`, actual), row(`${targetId}: what would have been`, virtual)];
}

/** One sentence: the bill and the wait. */
export function verdictOf({ targetId, actual, virtual, coveredHours }: ShadowComparison): string {
  return (
    `${targetId}: ${virtual.workerHours.toFixed(1)} worker-hours instead of ${actual.workerHours.toFixed(1)} in ` +
    `${coveredHours.toFixed(1)} h, longest wait about ${seconds(virtual.longestWaitSeconds)} instead of ${seconds(actual.longestWaitSeconds)}, ` +
    `${virtual.changes} changes.`
  );
}

/** What a reader must know to trust the figures, or not to. */
export function notesOf(comparisons: readonly ShadowComparison[]): readonly string[] {
  return [
    'Worker-hours are counted from the looks of the dry run. Waits are estimates, by the same fluid queue on both sides.',
    ...comparisons.map(
      ({ targetId, looks, coveredHours, fromMs, toMs, jobSeconds, isJobTimeMeasured }) =>
        `${targetId}: ${looks} looks from ${iso(fromMs)} to ${iso(toMs)}, ${coveredHours.toFixed(1)} h of them without a gap; a job ` +
        `${isJobTimeMeasured ? `takes ${jobSeconds.toFixed(1)} s, as measured` : `is assumed to take ${jobSeconds} s, so that waits are worth little`}.`,
    ),
  ];
}

/** The whole report for a terminal. */
export function shadowText(comparisons: readonly ShadowComparison[], notes: readonly string[]): string {
  const rows = [HEAD, ...comparisons.flatMap(comparisonRows)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  return [
    ...comparisons.map(verdictOf),
    '',
    ...lines,
    '',
    ...[...notesOf(comparisons), ...notes].map((note) => `- ${note}`),
  ].join('\n');
}

function seconds(value: number): string {
  return value < 120 ? `${Math.round(value)} s` : `${Math.round(value / 60)} min`;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}
