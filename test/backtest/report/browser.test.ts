/** The report in a browser: Debian's chromium, which .ci/run installs. */
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { renderReport } from '../../../lib/backtest/report/html.ts';
import { reportAssets } from '../../../lib/cli/report-assets.ts';
import { flownReport, HOSTILE_NAME } from './flown-report.ts';

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

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const isMissing = !isExecutable(CHROMIUM);

describe.skipIf(isMissing)(`the report in a browser (passed over where there is no ${CHROMIUM})`, () => {
  let folder: string;
  let url: string;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'));
    const file = join(folder, 'report.html');
    await writeFile(file, renderReport(await flownReport(HOSTILE_NAME), await reportAssets()));
    url = pathToFileURL(file).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  const open = async (colorScheme: 'light' | 'dark', width: number): Promise<void> => {
    page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } });
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== url) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url);
  };
  beforeEach(() => open('light', 1280));
  afterEach(async () => {
    await page.close();
  });

  /** Different colors of each chart: a blank canvas has one. */
  const colorsDrawn = (): Promise<readonly number[]> =>
    page.evaluate(`[...document.querySelectorAll('.chart canvas')].map((canvas) => {
      const { width, height } = canvas;
      const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);
      return new Set(pixels).size;
    })`);

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const)('draws its charts without a complaint (%s, %i wide)', async (scheme, width) => {
    await page.close();
    await open(scheme, width);
    const colors = await colorsDrawn();
    expect(colors).toHaveLength(3);
    for (const count of colors) expect(count).toBeGreaterThan(5);
    expect(await page.locator('.pareto .mark').count()).toBe(5);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
  });

  it('shows the reason of a decision to a keyboard', async () => {
    const rows = page.locator('#decision-list [role=option]');
    await rows.first().focus();
    const detail = page.locator('#decision');
    const first = await detail.innerText();
    expect(first).toMatch(/(out|in) \d+ → \d+/);
    expect(first).toContain('wait_above_target');
    expect(await detail.locator('tbody tr').count()).toBeGreaterThan(2);
    await page.keyboard.press('ArrowDown');
    expect(await detail.innerText()).not.toBe(first);
    expect(await rows.nth(1).getAttribute('aria-selected')).toBe('true');
    await page.keyboard.press('Home');
    expect(await detail.innerText()).toBe(first);
    expect(complaints).toEqual([]);
  });

  it('shows the decision under the pointer', async () => {
    await page.locator('#workers .u-over').hover({ position: { x: 300, y: 60 } });
    expect(await page.locator('#decision').innerText()).toMatch(/day 1 \d\d:\d\d: /);
  });

  it('looks closer, and shows another policy', async () => {
    const counted = page.locator('#decisions-count');
    const whole = Number.parseInt(await counted.innerText(), 10);
    for (let times = 0; times < 3; times += 1) await page.locator('#closer').click();
    expect(Number.parseInt(await counted.innerText(), 10)).toBeLessThan(whole);
    await page.locator('#whole').click();
    expect(Number.parseInt(await counted.innerText(), 10)).toBe(whole);
    await page.locator('#policy').selectOption('keda');
    await page.locator('#decision-list [role=option]').first().focus();
    expect(await page.locator('#decision').innerText()).toContain('gives no reason');
    expect(await colorsDrawn()).toHaveLength(3);
    expect(complaints).toEqual([]);
  });

  it('treats a hostile name as text', async () => {
    expect(await page.locator('h1').innerText()).toBe(`Backtest: ${HOSTILE_NAME}`);
    expect(await page.locator('img').count()).toBe(0);
  });
});
