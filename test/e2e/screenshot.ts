/** Takes the README's picture of the local page: `npm run screenshot`. Needs Debian's chromium; takes about a minute. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTrace } from '../../lib/backtest/trace.ts';
import { loadOf } from '../../lib/simulation/local/load.ts';
import { loadRandom } from '../../lib/simulation/local/run.ts';
import { DESK, launch, openTab } from '../simulation/page/chromium.ts';
import { packagedCopy } from './packaged.ts';
import { startWatchedRun } from './page-scene.ts';
import { hurry, SPEED } from './scene.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PICTURE = join(ROOT, 'docs', 'local-page.png');
const TRACE = join(ROOT, 'test', 'fixtures', 'traces', 'azfn19_base_spikes_1m.csv');

const load = loadOf({
  trace: parseTrace(await readFile(TRACE, 'utf8'), 'azfn19_base_spikes_1m'),
  pieceSeconds: 300,
  messages: 500,
  random: loadRandom(1),
});
const [packaged, browser] = await Promise.all([packagedCopy(), launch()]);
hurry(SPEED);
const run = await startWatchedRun(packaged, load);
try {
  const { page } = await openTab(browser, run.url, { ...DESK, height: 1120 });
  // A minute on the wall: Playwright goes by the clock of this process, which is the fast one.
  page.setDefaultTimeout(60_000 * SPEED);
  await page.getByRole('button', { name: /Action 1001 confirmed/ }).waitFor();
  await page.getByRole('button', { name: 'Deploy the stack' }).click();
  await page.getByText('Everything', { exact: true }).waitFor();
  await page.locator('#actions').getByText('Deployment').waitFor();
  await page
    .getByRole('button', { name: /Scale in / })
    .first()
    .waitFor();
  await page.getByRole('button', { name: /Scale out 1 → / }).click();
  await page.locator('#timeline').evaluate((list) => list.scrollTo(0, 0));
  await page.screenshot({ path: PICTURE });
} finally {
  await run.end();
  await browser.close();
  await packaged.remove();
}
