import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { IS_MISSING, launch } from '../simulation/page/chromium.ts';
import { runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'autoscaler-shadow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two targets for three hours; one of them has a hostile name. */
const HOSTILE = '</script><b>x';
const LOG = ['worker', HOSTILE]
  .flatMap((targetId) =>
    Array.from({ length: 180 }, (_, minute) =>
      JSON.stringify({
        timestamp: new Date(Date.UTC(2026, 5, 1, 12, minute)).toISOString(),
        level: 'info',
        message: `${targetId}: …`,
        event: 'shadow',
        targetId,
        virtualCount: minute % 60 < 20 ? 4 : 1,
        actualCount: 4,
        visible: minute % 60 < 20 ? 12 : 0,
        inFlight: 1,
        jobSeconds: 6,
        jobsPerWorker: 1,
        ordered: null,
      }),
    ),
  )
  .join('\n');
const file = join(folder, 'scale.log');
writeFileSync(file, LOG);

describe('npm run shadow-report', () => {
  it('tells what would have been, as text', async () => {
    const { code, stdout } = await runCommand(['shadow-report', '--log', file], {});
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^worker: 6\.0 worker-hours instead of 11\.9 in 3\.0 h, longest wait about \d+ s instead of \d+ s, 5 changes\.$/m,
    );
  });

  it('as JSON, from standard input', async () => {
    const { stdout } = await runCommand(['shadow-report', '--log', '-', '--json'], {}, LOG);
    expect(JSON.parse(stdout)).toMatchObject({
      targets: [{ targetId: 'worker', virtual: { changes: 5 } }, {}],
      notes: [],
    });
  });

  it('says what to do when there is nothing to tell of', async () => {
    const { code, stderr } = await runCommand(['shadow-report', '--log', '-'], {}, '{"event":"decision"}\n');
    expect(code).toBe(1);
    expect(stderr).toContain('deploy with DRY_RUN=true');
  });

  it.each([
    [['--hours', 'many', '--log', file], /--hours: found "many"/],
    [['--log', join(folder, 'nowhere.log')], /--log: .*nowhere.log could not be read/],
  ])('names what is wrong: %j', async (options, message) => {
    const { code, stderr } = await runCommand(['shadow-report', ...options], {});
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});

describe.skipIf(IS_MISSING)('the page of the shadow report', () => {
  it.each(['light', 'dark'] as const)(
    'draws its charts in %s, asks nobody for anything and complains of nothing',
    async (colorScheme) => {
      const report = join(folder, 'shadow.html');
      await runCommand(['shadow-report', '--log', file, '--report', report], {});
      expect(readFileSync(report, 'utf8')).not.toContain('<b>x');
      const browser = await launch();
      try {
        const page = await browser.newPage({ colorScheme, viewport: { width: 900, height: 800 } });
        const complaints: string[] = [];
        page.on('console', (message) => complaints.push(message.text()));
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('request', (request) => {
          if (!request.url().startsWith('file:')) complaints.push(request.url());
        });
        await page.goto(pathToFileURL(report).href);
        expect(await page.locator('.chart canvas').count()).toBe(6);
        const colors: number[] = await page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
        const { width, height } = canvas;
        return new Set(new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer)).size;
      })`);
        for (const count of colors) expect(count).toBeGreaterThan(3);
        expect(await page.locator('.verdict').first().textContent()).toContain('worker-hours instead of');
        expect(complaints).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});
