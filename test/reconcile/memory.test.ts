import { describe, expect, it } from 'vitest';
import type { Action, Look } from '../../lib/domain.ts';
import { createMemory } from '../../lib/reconcile/memory.ts';
import { actionOf, NOW, ok, ratesOf, unknown } from '../support/observations.ts';

const WORKER = { stackUid: 'stack-1', processName: 'worker' };
const lookAt = (atMs: number): Look => ({ atMs, visible: 1, inFlight: 2, workers: 3 });

describe('the memory of an execution environment', () => {
  it('is empty after a cold start', () => {
    const memory = createMemory();
    expect(memory.looks('a', NOW)).toEqual({ kind: 'not_read' });
    expect(memory.rates('a', NOW)).toBeNull();
    expect(memory.forecast('a', NOW, 'working')).toBeNull();
    expect(memory.attention('a')).toEqual({ awake: false });
    expect(memory.changeSeconds(WORKER)).toBeNull();
  });

  it('knows how long the changes of each process took, from the last log that could be read', () => {
    const memory = createMemory();
    const took = (seconds: number, processName: string): Action =>
      actionOf({
        startedAtMs: NOW - 900_000,
        finishedAtMs: NOW - 900_000 + seconds * 1000,
        userReference: `cloud66-autoscaler:d:1-2:${processName}`,
      });
    memory.keepLog('stack-1', ok([took(50, 'worker'), took(80, 'mailer'), took(70, 'worker')]));
    memory.keepLog('stack-1', unknown('failed'));
    expect(memory.changeSeconds(WORKER)).toEqual(ok([50, 70]));
    expect(memory.changeSeconds({ ...WORKER, processName: 'mailer' })).toEqual(ok([80]));
    expect(memory.changeSeconds({ ...WORKER, stackUid: 'stack-2' })).toBeNull();
    // A busy neighbour fills the log.
    memory.keepLog('stack-1', ok(Array<Action>(50).fill(took(90, 'mailer'))));
    expect(memory.changeSeconds({ ...WORKER, processName: 'mailer' })).toEqual(ok(Array(8).fill(90)));
    expect(memory.changeSeconds(WORKER)).toEqual(ok([50, 70]));
  });

  it('gives looks oldest first, per target, and forgets them after ten minutes', () => {
    const memory = createMemory();
    const looks = [700, 300, 60].map((ago) => lookAt(NOW - ago * 1000));
    for (const look of looks) memory.addLook('a', look);
    expect(memory.looks('a', NOW)).toEqual({ kind: 'ok', value: looks.slice(1), observedAtMs: NOW - 60_000 });
    expect(memory.looks('b', NOW)).toEqual({ kind: 'not_read' });
  });

  it('keeps no more than sixty looks', () => {
    const memory = createMemory();
    for (let at = 0; at < 200; at += 1) memory.addLook('a', lookAt(NOW - 200_000 + at * 1000));
    const looks = memory.looks('a', NOW);
    expect(looks.kind === 'ok' && looks.value.length).toBe(60);
  });

  it('gives a kept reading again until it is old, and none that failed or lies in the future', () => {
    const memory = createMemory();
    const rates = ok(ratesOf([1]));
    memory.keepRates('a', rates, NOW);
    expect(memory.rates('a', NOW + 29_000)).toBe(rates);
    expect(memory.rates('a', NOW + 30_000)).toBeNull();
    expect(memory.rates('a', NOW - 1)).toBeNull();
    memory.keepRates('b', unknown('failed'), NOW);
    expect(memory.rates('b', NOW)).toBeNull();
  });

  it('learns a queue that was never used again as soon as work has come', () => {
    const memory = createMemory();
    const nothing = ok({ startMs: NOW, periodSeconds: 60, expected: [], cycleMinutes: [] });
    memory.keepForecast('a', nothing, NOW, true);
    const later = NOW + 3_600_000;
    expect(memory.forecast('a', later, 'resting')).toBe(nothing);
    memory.addLook('a', { ...lookAt(later), visible: 0, inFlight: 0 });
    expect(memory.forecast('a', later, 'resting')).toBe(nothing);
    memory.addLook('a', lookAt(later));
    expect(memory.forecast('a', later, 'resting')).toBeNull();
  });

  it('remembers what the last pass said about looking again', () => {
    const memory = createMemory();
    memory.keepAttention('a', { awake: true, why: 'A change was ordered.' });
    expect(memory.attention('a')).toEqual({ awake: true, why: 'A change was ordered.' });
  });
});
