import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  currentTimeSettings,
  installScaledTime,
  type ScaledTime,
  timeEnvironment,
  timeSettingsFrom,
  wall,
} from '../../lib/simulation/time.ts';

const ORIGIN_MS = Date.parse('2030-01-01T00:00:00Z');
let installed: ScaledTime | null = null;

function install(speed: number): void {
  installed = installScaledTime({ speed, originRealMs: wall.nowMs(), originMs: ORIGIN_MS });
}

afterEach(() => {
  installed?.uninstall();
  installed = null;
});

describe('scaled time', () => {
  it('starts the clock at the origin and keeps dates ordinary dates', () => {
    const before = new Date();
    install(1000);
    const now = new Date();
    expect(now.toISOString().slice(0, 10)).toBe('2030-01-01');
    expect(Date().startsWith('Tue Jan 01 2030')).toBe(true);
    expect(before).toBeInstanceOf(Date);
    expect(structuredClone(now)).toBeInstanceOf(Date);
    expect(new Date(0).constructor).toBe(Date);
    expect(new Date('2026-02-03T04:05:06Z').getTime()).toBe(Date.UTC(2026, 1, 3, 4, 5, 6));
  });

  it('lets a timer fire no earlier than one real millisecond before it is due', async () => {
    install(500);
    for (const waitMs of [1, 499, 500, 501, 5000]) {
      const startedAtMs = Date.now();
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(waitMs - 500);
    }
  });

  it('scales every way of waiting: callbacks, intervals, promises, abort signals', async () => {
    install(2000);
    const realStart = wall.nowMs();
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    await promisify(setTimeout)(60_000);
    await sleep(60_000);
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        clearInterval(timer);
        resolve();
      }, 60_000);
    });
    await new Promise((resolve) => AbortSignal.timeout(60_000).addEventListener('abort', resolve));
    expect(Date.now() - ORIGIN_MS).toBeGreaterThanOrEqual(4 * 60_000);
    // Five simulated minutes take 150 real milliseconds; unscaled, each one alone would outlast the test.
    expect(wall.nowMs() - realStart).toBeLessThan(15_000);
  });

  it('can be cleared like any timer and hands its arguments on', async () => {
    install(1000);
    const cleared = setTimeout(() => expect.unreachable(), 10);
    clearTimeout(cleared);
    const word = await new Promise((resolve) => setTimeout(resolve, 10, 'handed on'));
    expect(word).toBe('handed on');
  });

  it('changes nothing at speed 1 from the present moment, and puts everything back when it is removed', () => {
    const real = { Date, setTimeout, setInterval };
    const nowMs = wall.nowMs();
    installScaledTime({ speed: 1, originRealMs: nowMs, originMs: nowMs }).uninstall();
    expect(globalThis.Date).toBe(real.Date);
    install(10);
    expect(globalThis.Date).not.toBe(real.Date);
    expect(currentTimeSettings().speed).toBe(10);
    installed?.uninstall();
    installed = null;
    expect({ Date, setTimeout, setInterval }).toEqual(real);
    expect(new Date().constructor).toBe(real.Date);
    expect(currentTimeSettings().speed).toBe(1);
  });

  it('refuses a speed that is not a positive number, and a second installation', () => {
    for (const speed of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => installScaledTime({ speed, originRealMs: 0, originMs: 0 })).toThrow(/speed: found/);
    }
    install(2);
    expect(() => installScaledTime({ speed: 3, originRealMs: 0, originMs: 0 })).toThrow(/already installed/);
  });

  it('carries its settings through the environment unchanged', () => {
    const milliseconds = fc.integer({ min: 0, max: 4_000_000_000_000 });
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 10_000, noNaN: true }),
        milliseconds,
        milliseconds,
        (speed, real, own) => {
          const settings = { speed, originRealMs: real, originMs: own };
          expect(timeSettingsFrom(timeEnvironment(settings))).toEqual(settings);
        },
      ),
    );
    expect(timeSettingsFrom({})).toBeNull();
    expect(() => timeSettingsFrom({ SIMULATION_TIME: 'fast' })).toThrow(/expected "speed,originRealMs,originMs"/);
  });

  it('gives a child process the same clock when it is preloaded', () => {
    const preload = fileURLToPath(new URL('../../lib/simulation/time-preload.ts', import.meta.url));
    const settings = { speed: 100, originRealMs: wall.nowMs(), originMs: ORIGIN_MS };
    const program = 'const s = Date.now(); setTimeout(() => console.log(s, Date.now() - s), 30000)';
    const output = execFileSync(process.execPath, ['--import', preload, '--no-warnings', '-e', program], {
      env: timeEnvironment(settings),
      encoding: 'utf8',
    });
    const [startedAtMs = 0, waitedMs = 0] = output.split(' ').map(Number);
    installed = installScaledTime(settings);
    expect(startedAtMs).toBeGreaterThan(ORIGIN_MS);
    expect(startedAtMs + waitedMs).toBeLessThanOrEqual(Date.now());
    expect(waitedMs).toBeGreaterThanOrEqual(29_800);
  });
});
