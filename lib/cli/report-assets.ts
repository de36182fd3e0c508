/** The script and style that a report carries in itself: the chart library's and our own page's. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ReportAssets } from '../backtest/report/html.ts';

const PAGE = join(import.meta.dirname, '..', 'backtest', 'report');

/** Reads them from the disk. */
export async function reportAssets(): Promise<ReportAssets> {
  const uplot = createRequire(import.meta.url)
    .resolve('uplot/package.json')
    .replace(/package\.json$/, 'dist/');
  const [chartScript, chartStyle, pageScript, pageStyle] = await Promise.all(
    [`${uplot}uPlot.iife.min.js`, `${uplot}uPlot.min.css`, join(PAGE, 'page.js'), join(PAGE, 'page.css')].map((path) =>
      readFile(path, 'utf8'),
    ),
  );
  return {
    scripts: [chartScript ?? '', pageScript ?? ''],
    styles: [chartStyle ?? '', pageStyle ?? ''],
  };
}
