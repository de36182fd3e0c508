import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { lambdaHandler } from '../../lib/lambda/middleware.ts';
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

/** Runs a handler that only tells its signals, and waits for them as long as the test wants. */
function signalsAt(remainingMs: number): Promise<PassSignals> {
  return lambdaHandler<unknown, PassSignals>(async (_event, signals) => {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    return signals;
  }, surroundings())({}, contextOf(remainingMs)) as Promise<PassSignals>;
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
  it('are open while there is time', async () => {
    const { work, last } = await signalsAt(60_000);
    expect([work.aborted, last.aborted]).toEqual([false, false]);
  });

  it('end new work while there is still time to record an action', async () => {
    const { work, last } = await signalsAt(15_001);
    expect([work.aborted, last.aborted]).toEqual([true, false]);
    expect(String(work.reason)).toContain('too little time is left');
  });

  it('end everything shortly before the function is killed', async () => {
    const { work, last } = await signalsAt(2_001);
    expect([work.aborted, last.aborted]).toEqual([true, true]);
    expect(String(last.reason)).toContain('about to time out');
  });

  it('are there at once when an invocation begins too late', async () => {
    const { work, last } = await signalsAt(0);
    expect([work.aborted, last.aborted]).toEqual([true, true]);
  });
});
