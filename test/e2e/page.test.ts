/** The local page in front of a real run: the packaged functions cope with what its buttons do, and the verdict tells. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { colorsDrawn, IS_MISSING, launch, openTab } from '../simulation/page/chromium.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import { startWatchedRun } from './page-scene.ts';
import { hurry, SPEED } from './scene.ts';

/** Ten messages in half a minute: what happens here is the visitor's doing. */
const LOAD = {
  sendAtSeconds: Array.from({ length: 10 }, (_, job) => job * 3),
  durationSeconds: 30,
  piece: 'a trickle',
};

/** A minute on the wall: the clock of this process, which Playwright goes by as well, is the fast one. */
const PATIENCE_MS = 60_000 * 1.5 * SPEED;

describe.skipIf(IS_MISSING)('the local page in front of a run', () => {
  let packaged: PackagedCopy;
  let browser: Browser;
  let slowDown: () => void;
  beforeAll(async () => {
    [packaged, browser] = await Promise.all([packagedCopy(), launch()]);
    slowDown = hurry(1.5 * SPEED);
  }, 120_000);
  afterAll(async () => {
    slowDown?.();
    await browser?.close();
    await packaged?.remove();
  });

  it('a burst raises the backlog, an action fails as it was told to, the autoscaler copes, and the verdict says so', async () => {
    const run = await startWatchedRun(packaged, LOAD);
    const { page, complaints } = await openTab(browser, run.url);
    page.setDefaultTimeout(PATIENCE_MS);
    const figure = async (id: string) => Number(await page.locator(`#${id}`).textContent());

    await page.getByRole('button', { name: 'Next action fails' }).click();
    await page.getByText('The next scaling action will fail.').first().waitFor();
    const before = await figure('now-waiting');
    await page.getByRole('button', { name: 'Add 300 jobs' }).click();
    await expect.poll(() => figure('now-waiting'), { timeout: PATIENCE_MS }).toBeGreaterThan(before + 200);

    await page
      .getByRole('button', { name: /Scale out 1 → / })
      .first()
      .waitFor();
    const failed = page.getByRole('button', { name: /Action 1001 failed/ });
    await failed.click();
    await page.getByRole('row', { name: 'Outcome failed' }).waitFor();

    await page
      .getByRole('button', { name: /Action \d+ confirmed/ })
      .first()
      .waitFor();
    await expect.poll(() => figure('now-workers'), { timeout: PATIENCE_MS }).toBeGreaterThan(1);
    expect(await colorsDrawn(page)).toEqual(Array(3).fill(expect.toSatisfy((count: number) => count > 20)));

    await page.getByRole('heading', { name: 'The loop is closed, although the run was disturbed' }).waitFor();
    expect(await page.locator('#ending').textContent()).toContain('action 1001 failed: it was made to fail');
    const summary = await run.end();
    expect(summary).toMatchObject({ problems: [], jobs: 310, jobsDone: 310, finalWorkers: 1, actions: { failed: 1 } });
    expect(summary.excused).toEqual(['action 1001 failed: it was made to fail']);
    expect(summary.interventions.map(({ text }) => text)).toEqual(
      expect.arrayContaining(['300 jobs were added', 'action 1001 was made to fail']),
    );
    await page.locator('#connection[data-state=over]').waitFor();
    expect(complaints).toEqual([]);
  }, 150_000);
});
