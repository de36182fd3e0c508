/** The script and style that a report carries in itself: the chart library's and our own page's. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ReportAssets } from '../backtest/report/frame.ts';

const PAGE = join(import.meta.dirname, '..', 'backtest', 'report');
const require = createRequire(import.meta.url);

/** Reads them from the disk. */
export async function reportAssets(): Promise<ReportAssets> {
  const chart = require.resolve('uplot/dist/uPlot.iife.min.js');
  const chartStyle = require.resolve('uplot/dist/uPlot.min.css');
  const page = ['page-parts.js', 'page.js'].map((name) => join(PAGE, name));
  return {
    scripts: await Promise.all([chart, ...page].map(textOf)),
    styles: await Promise.all([chartStyle, join(PAGE, 'page.css')].map(textOf)),
  };
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8');
}
