import { describe, expect, it } from 'vitest';
import { lossesOf, oursOf, percent, ranked, seconds, verdictOf } from '../../../lib/backtest/report/verdict.ts';
import type { BacktestResult, PolicyResult } from '../../../lib/backtest/run.ts';

const WAITS = { p50: 1, p95: 30, p99: 60, max: 100 };
const policy = (
  name: string,
  costRatio: number,
  lateShare: number,
  more: Partial<PolicyResult> = {},
): PolicyResult => ({
  name,
  title: name,
  ours: name === 'latency' || name === 'backlog',
  settings: {},
  costRatio,
  lateShare,
  meetsSlo: lateShare <= 0.05,
  waitSeconds: WAITS,
  actionsPerHour: 4,
  workerStarts: 10,
  maxWorkers: 8,
  utilization: 0.5,
  jobs: 1000,
  unfinishedJobs: 0,
  elasticity: { underAccuracy: 0, overAccuracy: 0, underTimeshare: 0, overTimeshare: 0, instability: 0 },
  complete: true,
  ...more,
});
const reference = (costRatio: number) => ({ costRatio, lateShare: null, waitSeconds: null });
const result = (policies: readonly PolicyResult[], more: Partial<BacktestResult> = {}): BacktestResult => ({
  trace: { name: 'trace', durationSeconds: 3600, jobs: 1000 },
  slo: { waitSeconds: 60, share: 0.95 },
  league: 'N',
  seeds: [1],
  workload: {
    jobSeconds: 6,
    concurrency: 1,
    minWorkers: 1,
    maxWorkers: 20,
    waitTargetSeconds: 60,
    waitTargetPercent: 95,
    actionSeconds: 60,
  },
  policies,
  references: {
    work: reference(1),
    lpBound: reference(1.1),
    oraclePlan: reference(1.2),
    staticBest: { ...reference(2.5), workers: 8 },
  },
  complete: true,
  ...more,
});

describe('the verdict', () => {
  it.each<[string, readonly PolicyResult[], string]>([
    [
      'a win',
      [policy('latency', 1.5, 0.02), policy('keda', 2, 0.01)],
      '25 % less than the cheapest other policy that keeps it, keda at 2.00 ×',
    ],
    ['a loss', [policy('latency', 2, 0.02), policy('keda', 1.6, 0.01)], '25 % more than'],
    ['a draw', [policy('latency', 2, 0.02), policy('keda', 2.01, 0.01)], 'which is as much as'],
    [
      'a target missed',
      [policy('latency', 2, 0.2), policy('keda', 1.6, 0.01)],
      'latency misses the target of 60 s for 95 %',
    ],
    [
      'others that miss it',
      [policy('latency', 2, 0.02), policy('keda', 1.6, 0.1)],
      'none of the 1 other policies keeps it (nearest: keda, 10 % late at 1.60 ×)',
    ],
    ['nobody to compare with', [policy('latency', 2, 0.02)], 'at 2.00 × the cost of the work (2 % late).'],
    ['no policy of ours', [policy('keda', 2, 0.02)], 'keda keeps the target at the lowest cost, 2.00 ×'],
    ['none that keeps it', [policy('keda', 2, 0.2)], 'None of the 1 policies flown keeps the target'],
    ['nothing flown', [], 'there is nothing to say'],
  ])('tells of %s', (_name, policies, text) => {
    expect(verdictOf(result(policies))[0]).toContain(text);
  });

  it('names what no policy can beat, and the price of not knowing the future', () => {
    expect(verdictOf(result([policy('latency', 1.5, 0.02)]))[1]).toBe(
      'A plan made with the traffic known costs 1.20 ×, no plan can cost less than 1.10 × and the best fixed count of 8 workers costs 2.50 ×, so not knowing the future costs 0.30 × the work here.',
    );
  });

  it.each([
    [true, 'The optimum was not computed.'],
    [false, 'stopped before the optimum was computed'],
  ])('says so when there is no optimum (complete: %s)', (complete, text) => {
    const references = { work: reference(1), lpBound: null, oraclePlan: null, staticBest: null };
    expect(verdictOf(result([policy('latency', 2, 0)], { references, complete }))[1]).toContain(text);
  });

  it('is about latency when several of ours were flown', () => {
    expect(oursOf([policy('backlog', 1, 0), policy('latency', 2, 0)])?.name).toBe('latency');
    expect(oursOf([policy('backlog', 1, 0)])?.name).toBe('backlog');
  });
});

describe('the order', () => {
  it('puts the cheapest that keep the target first, then the least late', () => {
    const all = [policy('a', 1, 0.4), policy('b', 3, 0), policy('c', 2, 0.01), policy('d', 5, 0.2)];
    expect(ranked(all).map(({ name }) => name)).toEqual(['c', 'b', 'd', 'a']);
  });
});

describe('where ours loses', () => {
  it('lists who is cheaper at the target, who is faster for the same money, and when jobs were late', () => {
    const fast = policy('fast', 2, 0.01, { waitSeconds: { ...WAITS, p95: 5 } });
    const all = [policy('latency', 2, 0.02), policy('cheap', 1.5, 0.03), fast, policy('late', 1, 0.5)];
    const stretch = {
      fromSeconds: 3600,
      toSeconds: 4200,
      lateJobs: 1234,
      maxWaitSeconds: 300,
      peakBacklog: 2000,
      workersBefore: 2,
      workersMost: 9,
    };
    expect(lossesOf(result(all), [stretch], null)).toEqual([
      'cheap keeps the target 25 % cheaper (1.50 ×, 3 % late, p95 30 s).',
      'fast has shorter waits for no more money (2.00 ×, 1 % late, p95 5 s).',
      'day 1 01:00 to 01:10: 1,234 late jobs, longest wait 5 min, backlog up to 2,000, workers 2 → 9.',
    ]);
  });

  it('begins with a target that was missed', () => {
    const losses = lossesOf(result([policy('latency', 2, 0.2), policy('keda', 3, 0)]), [], null);
    expect(losses).toEqual([
      'latency misses the target: 20 % late, 5 % allowed.',
      'keda keeps the target (3.00 ×, 0 % late, p95 30 s).',
    ]);
  });

  it('is empty when nobody does better, or none of ours was flown', () => {
    expect(lossesOf(result([policy('latency', 1, 0), policy('keda', 3, 0)]), [], null)).toEqual([]);
    expect(lossesOf(result([policy('keda', 3, 0)]), [], null)).toEqual([]);
  });
});

describe('numbers as text', () => {
  it('are as exact as they deserve', () => {
    expect([0, 0.0001, 0.002, 0.05, 0.0994, 0.5].map(percent)).toEqual([
      '0 %',
      '< 0.1 %',
      '0.2 %',
      '5 %',
      '9.9 %',
      '50 %',
    ]);
    expect([3.4, 119, 600, 9000, 86_400, 1_209_600].map(seconds)).toEqual([
      '3 s',
      '119 s',
      '10 min',
      '2.5 h',
      '24 h',
      '14 days',
    ]);
  });
});
