import type { Context } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LAST_MARGIN_MS, lambdaHandler, WORK_MARGIN_MS } from '../../lib/lambda/middleware.ts';
import { SCALE_TIMEOUT_MS } from '../../lib/lambda/wire.ts';
import { limitsOf } from '../../lib/queue/connection.ts';
import type { PassSignals } from '../../lib/reconcile/reconcile.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { logged } from './logged.ts';

/** What Lambda gives a handler, as far as ours look. */
function contextOf(remainingMs: number): Context {
  return { awsRequestId: 'request-1', getRemainingTimeInMillis: () => remainingMs } as Context;
}

function surroundings() {
  const { logger, records } = logged();
  const written: string[] = [];
  const metrics = createMetrics({ write: (line) => written.push(line), clock: { nowMs: () => 0 }, service: 'test' });
  return { logger, metrics, records, written };
}

describe('a handler', () => {
  it('gets the event, and its lines carry the request id', async () => {
    const { records, ...parts } = surroundings();
    const handler = lambdaHandler<{ n: number }, number>(async ({ n }, _signals, logger) => {
      logger.info('hello');
      return n + 1;
    }, parts);
    expect(await handler({ n: 1 }, contextOf(60_000))).toBe(2);
    expect(records).toMatchObject([{ message: 'hello', requestId: 'request-1' }]);
  });

  it('that throws leaves a record, and the error goes on to the platform', async () => {
    const { records, ...parts } = surroundings();
    const error = new Error('trouble');
    const handler = lambdaHandler<unknown, void>(() => Promise.reject(error), parts);
    await expect(handler({}, contextOf(60_000))).rejects.toBe(error);
    expect(records).toMatchObject([
      { level: 'error', message: 'The invocation failed.', requestId: 'request-1', error: { message: 'trouble' } },
    ]);
  });

  it.each([true, false])('has its metrics written once, whether it succeeds or not (%s)', async (succeeds) => {
    const { written, ...parts } = surroundings();
    const handler = lambdaHandler<unknown, void>(async () => {
      parts.metrics.count('Holds');
      if (!succeeds) throw new Error('trouble');
    }, parts);
    const ended = await Promise.allSettled([handler({}, contextOf(60_000))]);
    expect(ended[0]?.status).toBe(succeeds ? 'fulfilled' : 'rejected');
    expect(written).toHaveLength(1);
  });
});

describe('the time limits of an invocation', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Invokes a handler that lasts until a test is done with it; `at` tells the signals after so many seconds. */
  function invoked(remainingMs: number) {
    const seen: PassSignals[] = [];
    let end = () => {};
    const handler = lambdaHandler<unknown, void>(async (_event, signals) => {
      seen.push(signals);
      await new Promise<void>((resolve) => {
        end = resolve;
      });
    }, surroundings());
    const running = handler({}, contextOf(remainingMs));
    const states = () => seen.map(({ work, last }) => [work.aborted, last.aborted]);
    return { states, seen, running, end: () => end() };
  }

  /** Of a function with the scale function's 75 s: seconds from its start, then whether work and last have ended. */
  it.each([
    [0, [false, false]],
    [59.999, [false, false]],
    [60, [true, false]],
    [72.999, [true, false]],
    [73, [true, true]],
  ])('after %d of 75 s are %j: first new work ends, then everything', async (seconds, ended) => {
    const { states, running, end } = invoked(75_000);
    await vi.advanceTimersByTimeAsync(seconds * 1000);
    expect(states()).toEqual([ended]);
    end();
    await running;
  });

  it.each([
    [14_999, [true, false]],
    [2_001, [true, false]],
    [2_000, [true, true]],
    [0, [true, true]],
    [-5, [true, true]],
  ])('that begins with %d ms left are %j at once', async (remainingMs, ended) => {
    const { states, running, end } = invoked(remainingMs);
    await vi.advanceTimersByTimeAsync(0);
    expect(states()).toEqual([ended]);
    end();
    await running;
  });

  it('say why they ended, and leave no timer behind', async () => {
    const { seen, running, end } = invoked(75_000);
    await vi.advanceTimersByTimeAsync(73_000);
    expect(String(seen[0]?.work.reason)).toContain('too little time is left');
    expect(String(seen[0]?.last.reason)).toContain('about to time out');
    end();
    await running;
    const second = invoked(75_000);
    await vi.advanceTimersByTimeAsync(1000);
    second.end();
    await second.running;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leave time for a scale call that uses up its own, and for storing what it was answered, before the function is killed', () => {
    const storingMs = limitsOf({ region: 'us-east-1' }).requestTimeoutSeconds * 1000;
    expect(LAST_MARGIN_MS).toBeGreaterThanOrEqual(1000);
    expect(WORK_MARGIN_MS - LAST_MARGIN_MS).toBeGreaterThanOrEqual(SCALE_TIMEOUT_MS + storingMs);
  });
});
