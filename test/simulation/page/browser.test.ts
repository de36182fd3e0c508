/** The page in a browser, fed with a run that is made up here; test/e2e-page shows it a real one. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REASONS } from '../../../lib/policy/reasons.ts';
import { happeningOf } from '../../../lib/simulation/page/entries.ts';
import { type Page as Served, startPage } from '../../../lib/simulation/page/server.ts';
import type { Feed } from '../../../lib/simulation/page/state.ts';
import { colorsDrawn, DESK, IS_MISSING, launch, openTab, type Screen, type Tab } from './chromium.ts';
import { HOSTILE_NAME, outcomeLine, scaleOutLine } from './log-lines.ts';
import { feedUnderWay, notingHands, sampleAt } from './shown.ts';

/** A busy machine may take long. */
const poll = <T>(look: () => T) => expect.poll(look, { timeout: 15_000 });

describe.skipIf(IS_MISSING)('the page in a browser', { timeout: 60_000 }, () => {
  let browser: Browser;
  let feed: Feed;
  let served: Served;
  let moves: readonly string[];
  let tab: Tab;

  beforeAll(async () => {
    browser = await launch();
  }, 60_000);
  afterAll(() => browser?.close());
  const open = async (screen: Screen = DESK) => {
    tab = await openTab(browser, served.url, screen);
  };
  beforeEach(async () => {
    feed = feedUnderWay();
    const noting = notingHands(feed);
    moves = noting.moves;
    served = await startPage({ feed, hands: noting.hands, port: 0 });
  });
  afterEach(async () => {
    await tab?.page.context().close();
    await served.close();
  });

  it.each<[string, Screen]>([
    ['light', DESK],
    ['dark', { ...DESK, colorScheme: 'dark' }],
    ['narrow', { width: 380, height: 800, colorScheme: 'light' }],
    ['very narrow', { width: 320, height: 640, colorScheme: 'dark' }],
  ])('draws its charts, fits, and nothing complains (%s)', async (_name, screen) => {
    await open(screen);
    await tab.page.locator('figure canvas').nth(2).waitFor();
    await poll(() => colorsDrawn(tab.page)).toEqual(Array(3).fill(expect.toSatisfy((count: number) => count > 20)));
    await tab.page.getByRole('button', { name: /Scale out 1 → 7/ }).click();
    expect(await tab.page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    expect(tab.complaints).toEqual([]);
  });

  it('opens an entry: the reason, the steps, the readings with their age, the record', async () => {
    await open();
    const { page } = tab;
    const head = page.getByRole('button', { name: /Scale out 1 → 7/ });
    expect(await head.getAttribute('aria-expanded')).toBe('false');
    await head.click();
    expect(await head.getAttribute('aria-expanded')).toBe('true');
    const body = page.locator(`#${await head.getAttribute('aria-controls')}`);
    expect(await body.textContent()).toContain(REASONS.backlog_above_target);
    const steps = body.getByRole('table', { name: 'How the count was found' });
    expect(await steps.getByRole('columnheader').allTextContents()).toEqual(['Rule', 'Before', 'After', 'Why']);
    expect(
      await steps
        .getByRole('row', { name: /^recommend/ })
        .getByRole('cell')
        .allTextContents(),
    ).toEqual(['1', '7', '65 waiting + 0 in flight / 10 per worker = 7.']);
    const readings = body.getByRole('table', { name: 'What was read' });
    expect(await readings.getByRole('row', { name: /^backlog/ }).textContent()).toBe(
      'backlog65 waiting, 0 in flight, 0 delayed0 s',
    );
    await body.getByText('The log record').click();
    await body.getByRole('button', { name: 'Copy' }).click();
    await body.getByText('Copied.').waitFor();
    const copied: string = await page.evaluate('navigator.clipboard.readText()');
    expect(JSON.parse(copied)).toEqual(JSON.parse(scaleOutLine()));
  });

  it('shows names as text, whatever is in them', async () => {
    await open();
    const { page } = tab;
    await page.getByRole('button', { name: /Scale out 1 → 7/ }).click();
    for (const place of ['#run', '#servers', '#timeline']) {
      expect(await page.locator(place).textContent(), place).toContain(HOSTILE_NAME);
    }
    expect(await page.locator('main img').count()).toBe(0);
    expect(tab.complaints).toEqual([]);
  });

  it('follows the run: figures, entries, and a word for screen readers', async () => {
    await open();
    const { page } = tab;
    feed.addSample(sampleAt(604, { waiting: 432, p95WaitSeconds: 71 }));
    await poll(() => page.locator('#now-waiting').textContent()).toBe('432');
    expect(await page.locator('#now-wait').textContent()).toBe('71 s');
    expect(await page.locator('#clock').textContent()).toBe('10:04');
    const happening = happeningOf('function', 'poller', outcomeLine('failed', 'Cloud 66 said no.'));
    if (happening) feed.addEntry({ ...happening, atSeconds: 604 });
    await page.getByRole('button', { name: /Action 1001 failed/ }).waitFor();
    await poll(() => page.getByRole('log').textContent()).toContain('10:04: Action 1001 failed. Cloud 66 said no.');
    const first = page.locator('#timeline > li').first();
    expect(await first.getAttribute('data-tone')).toBe('bad');
  });

  it('shows highlights first, and everything when asked', async () => {
    await open();
    const { page } = tab;
    const quiet = page.getByRole('button', { name: /Hold at 1/ });
    expect(await quiet.count()).toBe(0);
    await page.getByRole('radio', { name: 'Everything' }).check();
    await quiet.waitFor();
  });

  it('presses its buttons, tells what came of it, and shows what is on', async () => {
    await open();
    const { page } = tab;
    await page.getByRole('button', { name: 'Add 300 jobs' }).click();
    await page.getByText('done: jobs 300').waitFor();
    await poll(() => page.locator('#now-waiting').textContent()).toBe('300');
    const outage = page.getByRole('button', { name: 'Cloud 66 outage' });
    await outage.click();
    await poll(() => outage.getAttribute('aria-pressed')).toBe('true');
    await outage.click();
    await poll(() => outage.getAttribute('aria-pressed')).toBe('false');
    await page.getByRole('button', { name: 'One worker more on lion, by hand' }).click();
    await page.getByText('done: by hand a 5').waitFor();
    expect(moves).toEqual(['jobs 300', 'outage true', 'outage false', 'by hand a 5']);
    expect(tab.complaints).toEqual([]);
  });

  it('can be used with the keyboard alone, and shows where it is', async () => {
    await open();
    const { page } = tab;
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the decisions');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('done: jobs 50').waitFor();
    const outline = 'getComputedStyle(document.activeElement).outlineStyle';
    expect(await page.evaluate(outline)).toBe('solid');

    const head = page.getByRole('button', { name: /Scale out 1 → 7/ });
    const hasFocus = () => head.evaluate((element) => element.matches(':focus'));
    for (let presses = 0; presses < 40 && !(await hasFocus()); presses += 1) await page.keyboard.press('Tab');
    expect(await hasFocus()).toBe(true);
    await page.keyboard.press('Space');
    expect(await head.getAttribute('aria-expanded')).toBe('true');
    await page.keyboard.press('Enter');
    expect(await head.getAttribute('aria-expanded')).toBe('false');
  });

  it('has a name for everything that can be pressed', async () => {
    await open();
    for (const button of await tab.page.getByRole('button').all()) {
      expect((await button.getAttribute('aria-label')) ?? (await button.textContent())).toMatch(/\w+/);
    }
    const images = tab.page.locator('main').getByRole('img');
    expect(await images.count()).toBe(3);
    for (const image of await images.all()) {
      expect(await image.getAttribute('aria-label')).toMatch(/ at 10:00: .*\d/);
    }
  });

  it('has the numbers of the charts as a table', async () => {
    await open();
    await tab.page.getByText('The same as a table').click();
    const rows = tab.page.locator('#numbers tbody tr');
    await poll(() => rows.count()).toBe(11);
    // The newest minute is on top; the last sample of minute 5 is the one at 356 s.
    const { waiting, inFlight, running, needed } = sampleAt(356);
    const [time, ...cells] = await rows.nth(5).locator('th, td').allTextContents();
    expect([time, ...cells.slice(0, 4).map(Number)]).toEqual(['05:56', waiting, inFlight, running, needed]);
    expect(cells.slice(4)).toEqual([expect.stringMatching(/ s$/), expect.stringMatching(/ s$/)]);
  });

  it('connects again by itself, and shows the run as it is then', async () => {
    await open();
    const { page } = tab;
    await page.getByRole('button', { name: /Scale out 1 → 7/ }).click();
    const port = Number(new URL(served.url).port);
    await served.close();
    await page.locator('#connection[data-state=lost]').waitFor();
    feed.addSample(sampleAt(640, { waiting: 77 }));
    served = await startPage({ feed, hands: notingHands(feed).hands, port });
    await page.locator('#connection[data-state=running]').waitFor();
    await poll(() => page.locator('#now-waiting').textContent()).toBe('77');
    // What was open stays open.
    await page.getByRole('table', { name: 'How the count was found' }).waitFor();
  });

  it('keeps what it shows when the run is over, with the verdict, and lets go', async () => {
    await open();
    const { page } = tab;
    feed.setRun({
      phase: 'over',
      ending: {
        verdict: 'disturbed',
        sentence: 'The loop is closed, although the run was disturbed.',
        details: ['action 1001 failed: it was made to fail'],
        figures: [{ name: 'Jobs', value: '60 of 60 done' }],
      },
    });
    await served.close();
    await page.getByRole('heading', { name: 'The loop is closed, although' }).waitFor();
    expect(await page.locator('#connection').textContent()).toBe('Run ended');
    expect(await page.locator('#ending').textContent()).toContain('action 1001 failed: it was made to fail');
    await page.getByRole('button', { name: 'Deploy the stack' }).click({ force: true });
    await page.getByText('The run is not live.').waitFor();
    await page.getByRole('button', { name: /Scale out 1 → 7/ }).click();
    await page.getByRole('table', { name: 'How the count was found' }).waitFor();
    expect(moves).toEqual([]);
    expect(tab.complaints).toEqual([]);
  });
});
