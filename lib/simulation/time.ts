/**
 * Scaled time: lets a whole process live faster than the wall clock, so that a simulated minute takes a few seconds.
 * Lives here: the replacement of the process's clock and timers. May not live here: anything that knows what the time
 * is used for. Only the local run and tests install it; deployed code never sees this file.
 *
 * Scaled are `Date`, `setTimeout`, `setInterval`, `node:timers`, `node:timers/promises` and `AbortSignal.timeout`. Not
 * scaled are `setImmediate` (it has no duration), `performance.now` (it measures real work), and the timers that Node
 * keeps inside itself (sockets, keep-alive).
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import type nodeTimers from 'node:timers';
import type nodeTimersPromises from 'node:timers/promises';
import { promisify } from 'node:util';

/** How simulated time follows from real time: `originMs + (real - originRealMs) * speed`. */
export interface ScaledTimeSettings {
  /** Simulated milliseconds per real millisecond, above 0. */
  readonly speed: number;
  /** Real time, in milliseconds since the epoch, at which simulated time was `originMs`. */
  readonly originRealMs: number;
  readonly originMs: number;
}

/** Installed scaled time; `uninstall` puts the real clock and timers back. */
export interface ScaledTime extends ScaledTimeSettings {
  uninstall(): void;
}

interface RealTime {
  readonly Date: DateConstructor;
  readonly setTimeout: typeof globalThis.setTimeout;
  readonly setInterval: typeof globalThis.setInterval;
}

interface Installed {
  readonly settings: ScaledTime;
  readonly real: RealTime;
}

/** Kept on the global object, because a bundler or test runner may load this module more than once. */
const INSTALLED = Symbol.for('worker-autoscaler.scaled-time');
const holder = globalThis as { [INSTALLED]?: Installed | undefined };
const real: RealTime = holder[INSTALLED]?.real ?? {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  setInterval: globalThis.setInterval,
};
const require = createRequire(import.meta.url);

/** The clock on the wall, whatever is installed: for what takes real time, such as starting a process. */
export const wall: {
  nowMs(): number;
  /** Calls back after so many real milliseconds. */
  after(realMs: number, callback: () => void): NodeJS.Timeout;
} = {
  nowMs: () => real.Date.now(),
  after: (realMs, callback) => real.setTimeout(callback, realMs),
};

/**
 * Makes this process live `speed` times faster from now on. With speed 1 and equal origins nothing is replaced.
 * Throws a RangeError for a speed that is not a positive number, and an Error when scaled time is already installed.
 */
export function installScaledTime(settings: ScaledTimeSettings): ScaledTime {
  if (!(settings.speed > 0 && Number.isFinite(settings.speed))) {
    throw new RangeError(`speed: found ${settings.speed}, expected a number above 0`);
  }
  if (holder[INSTALLED] !== undefined) {
    throw new Error('Scaled time is already installed in this process');
  }
  const unchanged = settings.speed === 1 && settings.originMs === settings.originRealMs;
  const restore = unchanged ? () => {} : replaceAll(settings);
  const scaled: ScaledTime = {
    speed: settings.speed,
    originRealMs: settings.originRealMs,
    originMs: settings.originMs,
    uninstall() {
      restore();
      holder[INSTALLED] = undefined;
    },
  };
  holder[INSTALLED] = { settings: scaled, real };
  return scaled;
}

/** The settings in force in this process; real time (speed 1) where none were installed. */
export function currentTimeSettings(): ScaledTimeSettings {
  return holder[INSTALLED]?.settings ?? { speed: 1, originRealMs: 0, originMs: 0 };
}

const ENVIRONMENT_NAME = 'SIMULATION_TIME';

/** The environment variables from which `time-preload.ts` installs the same time in a child process. */
export function timeEnvironment(settings: ScaledTimeSettings): Record<string, string> {
  return { [ENVIRONMENT_NAME]: `${settings.speed},${settings.originRealMs},${settings.originMs}` };
}

/** Reads what `timeEnvironment` wrote; null where there is nothing. Throws an Error for anything but three numbers. */
export function timeSettingsFrom(env: Readonly<Record<string, string | undefined>>): ScaledTimeSettings | null {
  const text = env[ENVIRONMENT_NAME];
  if (text === undefined) {
    return null;
  }
  const [speed = Number.NaN, originRealMs = Number.NaN, originMs = Number.NaN, ...rest] = text.split(',').map(Number);
  if (rest.length > 0 || ![speed, originRealMs, originMs].every(Number.isFinite)) {
    throw new Error(`${ENVIRONMENT_NAME}: found "${text}", expected "speed,originRealMs,originMs"`);
  }
  return { speed, originRealMs, originMs };
}

function replaceAll(settings: ScaledTimeSettings): () => void {
  // Rounded up: a timer may be late, but early by no more than the real clock's one millisecond.
  const toRealMs = (ms: number | undefined): number => Math.ceil((ms ?? 0) / settings.speed);
  const undo = [replaceDate(settings), replaceTimers(toRealMs), replaceAbortTimeout(toRealMs)];
  syncBuiltinESMExports();
  return () => {
    for (const step of undo) {
      step();
    }
    syncBuiltinESMExports();
  };
}

/** A proxy rather than a subclass: dates made elsewhere (files, structured clones) stay `instanceof Date`. */
function replaceDate(settings: ScaledTimeSettings): () => void {
  const nowMs = (): number =>
    Math.floor(settings.originMs + (real.Date.now() - settings.originRealMs) * settings.speed);
  const ScaledDate = new Proxy(real.Date, {
    construct: (target, parts: unknown[], newTarget) =>
      Reflect.construct(target, parts.length === 0 ? [nowMs()] : parts, newTarget),
    apply: (target) => new target(nowMs()).toString(),
    get: (target, key, receiver) => (key === 'now' ? nowMs : Reflect.get(target, key, receiver)),
  });
  globalThis.Date = ScaledDate;
  real.Date.prototype.constructor = ScaledDate;
  return () => {
    globalThis.Date = real.Date;
    real.Date.prototype.constructor = real.Date;
  };
}

function replaceTimers(toRealMs: (ms: number | undefined) => number): () => void {
  const timers: typeof nodeTimers = require('node:timers');
  const promises: typeof nodeTimersPromises = require('node:timers/promises');
  const original = { ...promises, wait: promises.scheduler.wait };
  const sleep = <T>(ms?: number, value?: T, options?: Parameters<typeof original.setTimeout>[2]): Promise<T> =>
    original.setTimeout(toRealMs(ms), value, options) as Promise<T>;
  const setTimeout = ((callback: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) =>
    real.setTimeout(callback, toRealMs(ms), ...values)) as typeof globalThis.setTimeout;
  const setInterval = ((callback: (...values: unknown[]) => void, ms?: number, ...values: unknown[]) =>
    real.setInterval(callback, toRealMs(ms), ...values)) as typeof globalThis.setInterval;
  Object.defineProperty(setTimeout, promisify.custom, { value: sleep });
  const put = (timeout: typeof setTimeout, interval: typeof setInterval, waits: Partial<typeof promises>): void => {
    Object.assign(globalThis, { setTimeout: timeout, setInterval: interval });
    Object.assign(timers, { setTimeout: timeout, setInterval: interval });
    Object.assign(promises, waits);
  };
  put(setTimeout, setInterval, {
    setTimeout: sleep as typeof original.setTimeout,
    setInterval: (ms, value, options) => original.setInterval(toRealMs(ms), value, options),
  });
  promises.scheduler.wait = (ms, options) => original.setTimeout(toRealMs(ms), undefined, options);
  return () => {
    put(real.setTimeout, real.setInterval, { setTimeout: original.setTimeout, setInterval: original.setInterval });
    promises.scheduler.wait = original.wait;
  };
}

function replaceAbortTimeout(toRealMs: (ms: number) => number): () => void {
  const original = AbortSignal.timeout;
  AbortSignal.timeout = (ms) => original.call(AbortSignal, toRealMs(ms));
  return () => {
    AbortSignal.timeout = original;
  };
}
