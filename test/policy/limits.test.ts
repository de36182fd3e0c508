import { describe, expect, it } from 'vitest';
import type { DecisionInput, Look, RateHistory, ScheduleWindow } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import { limitsAt } from '../../lib/policy/schedule.ts';
import { depthOf, inputOf, LATENCY, NOW, observationOf, ok } from '../support/observations.ts';

const HOUR_MS = 3_600_000;

function windowOf(changes: Partial<ScheduleWindow>): ScheduleWindow {
  return { startMs: NOW - HOUR_MS, endMs: NOW + HOUR_MS, minWorkers: null, maxWorkers: null, ...changes };
}

describe('limits by the clock', () => {
  const wish = { minWorkers: 1, maxWorkers: 10 };
  it.each<[string, ScheduleWindow[], number, number]>([
    ['are the own ones while no window is open', [windowOf({ startMs: NOW + 1, minWorkers: 4 })], 1, 10],
    ['end with the window', [windowOf({ endMs: NOW, minWorkers: 4 })], 1, 10],
    ['rise to the highest floor', [windowOf({ minWorkers: 4 }), windowOf({ minWorkers: 6 })], 6, 10],
    ['fall to the lowest ceiling', [windowOf({ maxWorkers: 4 }), windowOf({ maxWorkers: 3 })], 1, 3],
    ['never leave the own ones', [windowOf({ minWorkers: 20, maxWorkers: 30 })], 10, 10],
    ['let the ceiling win over a floor', [windowOf({ minWorkers: 6 }), windowOf({ maxWorkers: 2 })], 2, 2],
  ])('%s', (_title, windows, min, max) => {
    expect(limitsAt(wish, windows, NOW)).toMatchObject({ minWorkers: min, maxWorkers: max });
  });

  it('are put into force at once, with the time until which they hold', () => {
    const input = { ...inputOf(observationOf(1, 0)), windows: [windowOf({ minWorkers: 4 })] };
    const decision = decide(input);
    expect(decision).toMatchObject({ action: 'scale_out', desiredCount: 4, reason: 'below_minimum' });
    expect(JSON.stringify(decision)).toContain('SCHEDULE, until 2026-06-01T13:00:00.000Z');
  });

  it('hold a wish for more under a ceiling', () => {
    const input = { ...inputOf(observationOf(2, 500)), windows: [windowOf({ maxWorkers: 2 })] };
    expect(decide(input)).toMatchObject({ action: 'hold', reason: 'at_maximum' });
  });
});

describe('a scale in that could cut jobs short', () => {
  const long = { maxJobSeconds: 600, stopSeconds: 90 };

  it('is refused while anything runs, when the user says so', () => {
    const busy = observationOf(6, 15);
    expect(decide(inputOf(busy, { ...long, longJobs: 'refuse' }))).toMatchObject({ reason: 'jobs_outlast_stop' });
  });

  it('goes through when nothing waits or runs', () => {
    const idle = observationOf(6, 0);
    expect(decide(inputOf(idle, { ...long, longJobs: 'refuse' }))).toMatchObject({ action: 'scale_in' });
  });

  it('is made with a warning otherwise', () => {
    const decision = decide(inputOf(observationOf(6, 15), long));
    expect(decision).toMatchObject({ action: 'scale_in' });
    expect(JSON.stringify(decision)).toContain('killed after 90 s');
  });

  it('is no matter when jobs end in time', () => {
    const decision = decide(inputOf(observationOf(6, 15), { maxJobSeconds: 90, longJobs: 'refuse' }));
    expect(decision).toMatchObject({ action: 'scale_in' });
  });
});

describe('a scale out after others that had no effect', () => {
  /** Workers 2 -> 4 -> 6 during the last nine minutes, with these completions a minute before and after. */
  function inputWith(before: number, after: number, visibleNow: number): DecisionInput {
    const workers = [2, 2, 4, 4, 6, 6, 6, 6, 6];
    const looks: Look[] = workers.map((count, index) => ({
      atMs: NOW - (workers.length - index) * 60_000,
      visible: index === workers.length - 1 ? visibleNow : 300,
      inFlight: count,
      workers: count,
    }));
    const startMs = NOW - 20 * 60_000;
    const deleted = Array.from({ length: 20 }, (_, index) => (index < 13 ? before : after));
    const rates: RateHistory = {
      startMs,
      periodSeconds: 60,
      sent: Array<number>(20).fill(60),
      deleted,
      inFlight: Array<number>(20).fill(6),
    };
    const observation = observationOf(6, visibleNow, {
      backlog: ok(depthOf(visibleNow, 6)),
      looks: ok(looks),
      rates: ok(rates),
    });
    return inputOf(observation, { strategy: LATENCY, maxWorkers: 100 });
  }

  it('is held: something behind the workers is the bottleneck', () => {
    const decision = decide(inputWith(20, 20, 400));
    expect(decision).toMatchObject({ action: 'hold', reason: 'scale_out_ineffective' });
    expect(JSON.stringify(decision)).toContain('From 2 to 6 workers, 20 jobs a minute became 20');
  });

  it.each<[string, DecisionInput]>([
    ['completions rose', inputWith(20, 60, 400)],
    ['the backlog falls', inputWith(20, 20, 290)],
    [
      'too little is recorded',
      {
        ...inputWith(20, 20, 400),
        observation: { ...inputWith(20, 20, 400).observation, looks: { kind: 'not_read' } },
      },
    ],
  ])('is made when %s', (_title, input) => {
    expect(decide(input)).toMatchObject({ action: 'scale_out' });
  });
});
