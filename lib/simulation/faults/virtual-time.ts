/**
 * Virtual time for code that uses the global timers: time stands still while anything can go on without it, then jumps to
 * the next timer. `Date`, `setTimeout`, `clearTimeout`, `setImmediate` and `Math.random` are replaced; only the simulation
 * installs this.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { VirtualClock } from '../clock.ts';
import type { Random } from '../random.ts';

const real = { Date, setTimeout, clearTimeout, setImmediate };
const { random: realRandom } = Math;

/** Runs everything up to `untilMs`. Whoever knows that nothing was started since the last run says so, and saves turns. */
export async function runUntil(clock: VirtualClock, untilMs: number, isStill = false): Promise<void> {
  if (!isStill) await settle();
  for (; ; await settle()) {
    const nextMs = clock.nextAtMs();
    if (nextMs === null || nextMs > untilMs) break;
    clock.advanceTo(Math.max(nextMs, clock.nowMs()));
  }
  clock.advanceTo(untilMs);
}

/** A turn of the event loop, after which nothing goes on without time: all that is awaited are promises. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => {
    real.setImmediate(resolve);
  });
}

/** Replaces the globals until the answer is called. */
export function installVirtualTime(clock: VirtualClock, random: Random): () => void {
  const cancels = new Map<number, () => void>();
  let timers = 0;
  const start = (callback: (...values: unknown[]) => void, delayMs = 0, ...values: unknown[]) => {
    const inContext = AsyncLocalStorage.snapshot();
    timers += 1;
    const id = timers;
    const run = () => {
      cancels.delete(id);
      inContext(() => callback(...values));
    };
    cancels.set(id, clock.schedule(clock.nowMs() + Math.max(1, delayMs), run));
    return { id, unref() {}, ref() {} };
  };
  const stop = (timer: unknown) => {
    if (typeof timer !== 'object' || timer === null || !('id' in timer) || typeof timer.id !== 'number') return;
    cancels.get(timer.id)?.();
    cancels.delete(timer.id);
  };
  Object.assign(globalThis, {
    Date: virtualDate(clock),
    setTimeout: start,
    clearTimeout: stop,
    // Whoever waits for a turn of the event loop goes on in the present one, or time would jump meanwhile.
    setImmediate: (callback: () => void) => queueMicrotask(callback),
  });
  Math.random = () => random.next();
  return () => {
    Object.assign(globalThis, real);
    Math.random = realRandom;
  };
}

/** A `Date` of this clock that makes real ones, so that either is an instance of both: a proxy costs a day a tenth of its time. */
function virtualDate(clock: VirtualClock) {
  function VirtualDate(...parts: [] | [number]): Date {
    return parts.length === 0 ? new real.Date(clock.nowMs()) : new real.Date(...parts);
  }
  const { parse, UTC, prototype } = real.Date;
  return Object.assign(VirtualDate, { now: () => clock.nowMs(), parse, UTC, prototype });
}
