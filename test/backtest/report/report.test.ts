import { describe, expect, it } from 'vitest';
import { buildCell, fly, USUAL_CELL } from '../../../lib/backtest/cell.ts';
import { policiesNamed } from '../../../lib/backtest/contenders.ts';
import { Buckets, bandOf } from '../../../lib/backtest/report/buckets.ts';
import { MAX_DECISIONS, ordersOf } from '../../../lib/backtest/report/decision-log.ts';
import { renderReport } from '../../../lib/backtest/report/html.ts';
import { lateStretches } from '../../../lib/backtest/report/late-stretches.ts';
import { scriptJson } from '../../../lib/backtest/report/markup.ts';
import { createRecorder } from '../../../lib/backtest/report/recording.ts';
import { clockText } from '../../../lib/backtest/report/time-text.ts';
import { runBacktest } from '../../../lib/backtest/run.ts';
import { flownReport, HOSTILE_NAME, smallTrace } from './flown-report.ts';

const ASSETS = { scripts: ['const one = 1;', 'const two = 2;'], styles: ['p { margin: 0 }'] };

describe('minutes on a screen', () => {
  it('keep the lowest and highest value of each bucket, and nothing after their end', () => {
    const buckets = new Buckets(7, 3);
    expect(buckets).toMatchObject({ width: 3, count: 3 });
    expect(bandOf(Float64Array.of(1, 9, 2, 0, 0), buckets)).toEqual({ min: [1, 0, null], max: [9, 0, null] });
  });

  it('stay as they are where a bucket is a minute', () => {
    expect(bandOf(Float64Array.of(1, 2.345, 3), new Buckets(3, 10))).toEqual({ min: null, max: [1, 2.35, 3] });
  });

  it('are refused when there are none', () => {
    expect(() => new Buckets(0, 10)).toThrow(RangeError);
  });
});

describe('moments', () => {
  it('are dates where the trace has one, else days of the run', () => {
    expect(clockText(90_061, null)).toBe('day 2 01:01');
    expect(clockText(60, { startMs: Date.UTC(2026, 2, 1) })).toBe('2026-03-01 00:01');
  });
});

describe('the recording of a backtest', () => {
  it('draws every flight of the first seed on the same minutes', async () => {
    const recorder = createRecorder();
    expect(recorder.recording()).toBeNull();
    await runBacktest({
      cell: { ...USUAL_CELL, trace: smallTrace('recorded'), scaling: { kind: 'load', busyWorkers: 2 } },
      seeds: [7, 8],
      league: 'N',
      policies: policiesNamed('latency,keda'),
      settingsFrom: 'defaults',
      recorder,
    });
    const recording = recorder.recording();
    expect(recording).toMatchObject({ seed: 7, bucketSeconds: 60, buckets: 126, dated: false });
    expect(recording?.flights.map(({ policy }) => policy)).toEqual(['latency', 'keda']);
    for (const flight of recording?.flights ?? []) {
      const columns = [flight.backlog.max, flight.workers.max, flight.p95WaitSeconds, flight.maxWaitSeconds];
      expect(columns.map(({ length }) => length)).toEqual([126, 126, 126, 126]);
      expect(flight.decisions.some(({ action }) => action === 'scale_out')).toBe(true);
    }
    const [ours, peer] = recording?.flights ?? [];
    expect(ours?.decisions[0]).toMatchObject({ reason: expect.any(String) });
    expect(ours?.decisions[0]?.steps.length).toBeGreaterThan(0);
    expect(peer?.decisions[0]).toMatchObject({ reason: null, steps: [], outcome: expect.stringMatching(/ s$/) });
    const need = recording?.need.max ?? [];
    expect(need.slice(120).every((value) => value === 0)).toBe(true);
    expect(need.reduce<number>((sum, value) => sum + (value ?? 0), 0) / 120).toBeCloseTo(2, 0);
  });

  it('keeps the largest changes when there are too many', () => {
    const actions = Array.from({ length: MAX_DECISIONS + 10 }, (_, index) => ({
      id: index + 1,
      acceptedAt: index * 60,
      endsAt: index * 60 + 30,
      succeeds: index !== 1,
      count: index === MAX_DECISIONS ? 50 : 1 + (index % 2),
    }));
    const { kept, leftOut } = ordersOf(actions, 1);
    expect({ kept: kept.length, leftOut }).toEqual({ kept: MAX_DECISIONS, leftOut: 10 });
    expect(kept.find(({ to }) => to === 50)).toMatchObject({ action: 'scale_out', outcome: 'took effect after 30 s' });
    expect(kept.map(({ atSeconds }) => atSeconds)).toEqual(
      kept.map(({ atSeconds }) => atSeconds).toSorted((a, b) => a - b),
    );
    expect(ordersOf(actions.slice(0, 3), 1).kept[1]).toMatchObject({ outcome: 'failed, known after 30 s' });
  });

  it('finds when jobs were late, worst first', async () => {
    const cell = buildCell({
      ...USUAL_CELL,
      trace: smallTrace('late'),
      scaling: { kind: 'load', busyWorkers: 3 },
      seed: 1,
    });
    const [policy] = policiesNamed('backlog');
    if (policy === undefined) throw new Error('no policy');
    const { plant, score } = await fly(cell, policy, { league: 'N', settings: policy.defaults(cell.workload) });
    const stretches = lateStretches(plant, 60);
    const late = stretches.map(({ lateJobs }) => lateJobs);
    expect(late).toEqual(late.toSorted((a, b) => b - a));
    const listed = late.reduce((sum, jobs) => sum + jobs, 0);
    expect(listed).toBeLessThanOrEqual(Math.round(score.lateShare * score.jobs));
    expect(listed).toBeGreaterThan(0.9 * score.lateShare * score.jobs);
    expect(Math.max(...stretches.map(({ maxWaitSeconds }) => maxWaitSeconds))).toBeCloseTo(score.waitSeconds.max, 0);
    expect(lateStretches(plant, 1e9)).toEqual([]);
  });
});

describe('the page', () => {
  it('allows its own script and style, and no text can become markup', async () => {
    const html = renderReport(await flownReport(HOSTILE_NAME), ASSETS);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.replaceAll('&#39;', "'");
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-\S+'; style-src 'sha256-\S+'; base-uri 'none'/);
    expect(/<img|<script>alert|(?:src|href)="?https?:/.exec(html)).toBeNull();
    expect(html.includes('&lt;img src=x onerror=alert(1)&gt;')).toBe(true);
    expect(html.match(/<script/g)).toHaveLength(2);
  });

  it('carries what it draws as JSON that is read back as it was', async () => {
    const input = await flownReport('plain');
    const html = renderReport(input, ASSETS);
    const json = /id="report-data">(.*?)<\/script>/s.exec(html)?.[1] ?? '';
    expect(JSON.parse(json)).toMatchObject({ shown: 'latency', other: 'keda', waitSeconds: 60 });
    expect(JSON.parse(scriptJson({ text: '</script><!-- & \u2028' }))).toEqual({ text: '</script><!-- & \u2028' });
  });

  it('says when it is a part only, and does without charts when nothing was flown', async () => {
    const input = await flownReport('partial');
    const empty = { ...input.result, policies: [], complete: false };
    const html = renderReport({ ...input, result: empty, recording: null, losses: [] }, ASSETS);
    const said = ['Partial result', 'there is nothing to say', 'id="workers"'].map((text) => html.includes(text));
    expect(said).toEqual([true, true, false]);
  });

  it('is refused with a script that would end its own element', async () => {
    const input = await flownReport('plain');
    expect(() => renderReport(input, { ...ASSETS, scripts: ["'</script>'"] })).toThrow('</script');
  });
});
