/** The files that the page is made of, read once. Nothing else on the disk can be asked for. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A file as it is sent. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const FOLDER = join(import.meta.dirname, 'assets');
const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;
const FILES = [
  'index.html',
  'page.css',
  'icon.svg',
  'main.js',
  'charts.js',
  'controls.js',
  'elements.js',
  'entry.js',
  'servers.js',
  'table.js',
  'timeline.js',
] as const;

/** By the path in the URL; the page itself is at `/`. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const chartLibrary = join(dirname(createRequire(import.meta.url).resolve('uplot/package.json')), 'dist');
  const files = [
    ...FILES.map((name) => [`/${name}`, join(FOLDER, name)] as const),
    ['/uplot.js', join(chartLibrary, 'uPlot.esm.js')] as const,
    ['/uplot.css', join(chartLibrary, 'uPlot.min.css')] as const,
  ];
  const assets = await Promise.all(
    files.map(async ([path, file]) => {
      const type = TYPES[path.slice(path.lastIndexOf('.') + 1) as keyof typeof TYPES];
      return [path === '/index.html' ? '/' : path, { type, body: await readFile(file) }] as const;
    }),
  );
  return new Map(assets);
}
