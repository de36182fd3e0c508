/**
 * What surrounds both handlers: a log context per request, an error record, and the time limits that are handed down to
 * every call. The only importer of middy.
 */
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { PassSignals } from '../reconcile/reconcile.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** No new work begins when less than this is left of the function's own timeout: time for one slow scale call. */
export const WORK_MARGIN_MS = 15_000;

/** Until this long before the timeout an accepted action may still be recorded. */
export const LAST_MARGIN_MS = 2_000;

/** A handler of this program: the event, the time limits and a logger that knows the request. */
export type Business<E, R> = (event: E, signals: PassSignals, logger: Logger) => Promise<R>;

/** What the handlers share. */
export interface Surroundings {
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Wraps a handler as Lambda calls it. Whatever it throws is recorded and thrown on: the platform must see the failure.
 */
export function lambdaHandler<E, R>(business: Business<E, R>, { logger, metrics }: Surroundings) {
  return middy<E, R>({ timeoutEarlyInMillis: 0 })
    .use(errorRecord(logger))
    .use(flushMetrics(metrics))
    .handler(async (event, context) => {
      const limits = timeLimits(context);
      const requestLogger = logger.child({ requestId: context.awsRequestId });
      try {
        return await business(event, limits.signals, requestLogger);
      } finally {
        limits.clear();
      }
    });
}

/**
 * Signals that fire shortly before Lambda would kill the invocation. Built on setTimeout rather than on
 * AbortSignal.timeout so that a process whose time is scaled scales them too.
 */
function timeLimits(context: Pick<Context, 'getRemainingTimeInMillis'>): { signals: PassSignals; clear: () => void } {
  const remainingMs = context.getRemainingTimeInMillis();
  const work = abortAfter(remainingMs - WORK_MARGIN_MS, 'too little time is left in this invocation');
  const last = abortAfter(remainingMs - LAST_MARGIN_MS, 'the invocation is about to time out');
  return {
    signals: { work: work.signal, last: last.signal },
    clear: () => {
      work.clear();
      last.clear();
    },
  };
}

function abortAfter(delayMs: number, why: string): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`Stopped: ${why}.`)), Math.max(0, delayMs));
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

function errorRecord(logger: Logger) {
  return {
    onError: ({ error, context }: { error: unknown; context: Context }) => {
      logger.error('The invocation failed.', { requestId: context.awsRequestId, error });
    },
  };
}

/** One metrics line per invocation, written whether it went well or not. */
function flushMetrics(metrics: Metrics) {
  const flush = () => metrics.flush();
  return { after: flush, onError: flush };
}
