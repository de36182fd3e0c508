/** Debian's chromium, which .ci/run installs, and a tab in it that notes every complaint and every request. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Tests in a browser are passed over where there is none. */
export const IS_MISSING = !existsSync(CHROMIUM);

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });

/** A tab, and what went wrong in it: messages on the console, errors, requests to anywhere but the page's own server. */
export interface Tab {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** How a visitor's screen looks. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

export const DESK: Screen = { width: 1360, height: 900, colorScheme: 'light' };

/** Opens the page and waits until it shows the run. */
export async function openTab(
  browser: Browser,
  url: string,
  { colorScheme, ...viewport }: Screen = DESK,
): Promise<Tab> {
  const context = await browser.newContext({
    viewport,
    colorScheme,
    permissions: ['clipboard-write', 'clipboard-read'],
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`request to ${request.url()}`);
  });
  await page.goto(url);
  await page.locator('#connection[data-state=running]').waitFor();
  return { page, complaints };
}

/** How many colors each chart has: a blank canvas has one. */
export function colorsDrawn(page: Page): Promise<readonly number[]> {
  return page.evaluate(`[...document.querySelectorAll('figure canvas')].map((canvas) => {
    const { width, height } = canvas;
    const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);
    return new Set(pixels).size;
  })`);
}
