/** The shadow report as one HTML page, in the form of the backtest's: it carries everything in itself and asks nobody. */
import { pageFrame, type ReportAssets } from '../backtest/report/frame.ts';
import { escaped, listMarkup, tableMarkup } from '../backtest/report/markup.ts';
import type { ShadowComparison } from './compare.ts';
import { comparisonRows, HEAD, notesOf, verdictOf } from './text.ts';

/** Points per chart: more of them nobody can tell apart. */
const MAX_POINTS = 2000;

/** The page for some targets. @throws RangeError when an asset would end the element it stands in */
export function renderShadowReport(
  comparisons: readonly ShadowComparison[],
  notes: readonly string[],
  assets: ReportAssets,
) {
  const sections = comparisons.map((comparison, index) => section(comparison, index));
  const body = `<header><h1>Dry run: what would have been</h1>
${comparisons.map((each) => `<p class="verdict">${escaped(verdictOf(each))}</p>`).join('\n')}</header>
<main>${tableMarkup(
    HEAD,
    comparisons.flatMap(comparisonRows).map((cells) => ({ cells, className: '' })),
  )}
${sections.join('\n')}
<section><h2>How this was found</h2>${listMarkup([...notesOf(comparisons), ...notes])}</section></main>`;
  return pageFrame({ title: 'Dry run: what would have been', body, data: comparisons.map(columnsOf) }, assets);
}

function section({ targetId }: ShadowComparison, index: number): string {
  const chart = (column: string, title: string) =>
    `<h3>${title}</h3><div class="chart" data-target="${index}" data-column="${column}"></div>`;
  return `<section><h2>${escaped(targetId)}</h2>
${chart('workers', 'Workers')}
${chart('waiting', 'Messages waiting <small>estimated on both sides</small>')}
${chart('waits', 'Wait <small>seconds, estimated on both sides</small>')}</section>`;
}

/** What the page's script draws: seconds since the epoch, and the pairs of lines. */
function columnsOf({ points }: ShadowComparison) {
  const every = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  const shown = points.filter((_, index) => index % every === 0);
  const column = (pick: (point: (typeof shown)[number]) => number) =>
    shown.map((point) => Math.round(pick(point) * 10) / 10);
  return {
    times: shown.map(({ atMs }) => Math.round(atMs / 1000)),
    columns: {
      workers: [column((point) => point.actualCount), column((point) => point.virtualCount)],
      waiting: [column((point) => point.actualWaiting), column((point) => point.virtualWaiting)],
      waits: [column((point) => point.actualWaitSeconds), column((point) => point.virtualWaitSeconds)],
    },
  };
}
