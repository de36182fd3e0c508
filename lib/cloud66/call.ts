/**
 * One call to the API as its caller sees it: token, budget, tries, time. A GET is tried again within bounds; a POST is
 * sent once, except after a 401, which says that nothing was carried out.
 */
import { AutoscalerError } from '../errors.ts';
import type { ApiBudget, RateLimit } from './budget.ts';
import { type Call, type Scope, ThrottledError, UnauthorizedError, UnavailableError } from './errors.ts';
import type { Fetch } from './node-fetch.ts';
import type { TokenSource } from './token.ts';
import { exchange, type WireRequest } from './transport.ts';
import { excerpt, judge, readRateLimit } from './verdict.ts';

/** Every bound of the client. */
export interface ClientLimits {
  /** One try of a GET, from the connection to the end of the body. */
  readonly tryTimeoutMs: number;
  /** The one try of a scale call. */
  readonly scaleTimeoutMs: number;
  /** All tries of one GET and the waits between them. */
  readonly totalMs: number;
  readonly maxTries: number;
  /** Wait before the second try; doubled before each further one. */
  readonly retryDelayMs: number;
  /** A reply that asks for a longer wait than this is not waited for. */
  readonly maxWaitMs: number;
  readonly maxReplyBytes: number;
  /** Nesting of objects and arrays in a reply. */
  readonly maxDepth: number;
  /** Pages of one list; more is an error, because half a list is a wrong list. */
  readonly maxPages: number;
}

export const DEFAULT_LIMITS: ClientLimits = {
  tryTimeoutMs: 10_000,
  scaleTimeoutMs: 30_000,
  totalMs: 20_000,
  maxTries: 3,
  retryDelayMs: 250,
  maxWaitMs: 2_000,
  maxReplyBytes: 4 * 1024 * 1024,
  maxDepth: 64,
  maxPages: 20,
};

/** What a call needs from outside. */
export interface CallContext {
  readonly token: TokenSource;
  readonly clock: { nowMs(): number };
  readonly limits: ClientLimits;
  readonly budget: ApiBudget;
  readonly fetch: Fetch;
  readonly onWarning: (warning: string) => void;
  readonly onRateLimit: (rateLimit: RateLimit) => void;
}

/** A request with what its errors need to say. */
export interface ApiRequest extends WireRequest {
  readonly scope: Scope;
}

/** The answer, with a way to clean pieces of it before they go into a message. */
export interface Answer {
  readonly json: unknown;
  readonly clean: (text: string) => string;
}

/**
 * Makes the call.
 * @throws Cloud66Error or one of its subclasses; nothing else
 */
export async function callApi(request: ApiRequest, context: CallContext, signal: AbortSignal): Promise<Answer> {
  const secrets = [await readToken(() => context.token.get(), request)];
  const ask = async (): Promise<Answer> => ({
    json: await tryRepeatedly(request, secrets, context, signal),
    clean: (text) => excerpt(text, secrets),
  });
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    const fresh = await readToken(() => context.token.refresh(), request);
    if (fresh === secrets[0]) throw error;
    holdWithinReserve(request, context);
    secrets.unshift(fresh);
    return await ask();
  }
}

/** The token, fit for a header. A token that cannot be had means that nothing was sent. */
async function readToken(read: () => Promise<string>, call: Call): Promise<string> {
  const unavailable = (text: string): UnavailableError => new UnavailableError(text, call, null, { retryable: false });
  let token: string;
  try {
    token = await read();
  } catch (error) {
    // Messages of our own errors are safe to show; of others only the name is.
    const why = error instanceof AutoscalerError ? error.message : error instanceof Error ? error.name : 'unknown';
    throw unavailable(`the API token could not be read (${why})`);
  }
  // RFC 6750: what a bearer token may consist of. Anything else would be quoted by the HTTP library's own error.
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw unavailable('the API token has characters that no token can have');
  return token;
}

/** Tries a GET until it is answered, refused, or out of tries or time. The newest token stands first. */
async function tryRepeatedly(
  request: ApiRequest,
  secrets: readonly string[],
  context: CallContext,
  signal: AbortSignal,
): Promise<unknown> {
  const { clock, limits } = context;
  const isGet = request.method === 'GET';
  const deadlineMs = clock.nowMs() + (isGet ? limits.totalMs : limits.scaleTimeoutMs);
  const maxTryMs = isGet ? limits.tryTimeoutMs : limits.scaleTimeoutMs;
  for (let tries = 1; ; tries += 1) {
    const timeoutMs = Math.max(1, Math.min(maxTryMs, deadlineMs - clock.nowMs()));
    try {
      return await tryOnce(request, secrets, context, timeoutMs, signal);
    } catch (error) {
      const leftMs = deadlineMs - clock.nowMs();
      const waitMs = isGet && tries < limits.maxTries ? retryWaitMs(error, tries, context) : null;
      if (waitMs === null || waitMs >= leftMs || signal.aborted) throw error;
      await pause(waitMs, signal);
      // Meanwhile another call may have been told that only the part of the reserve is left that is never ours.
      if (!(error instanceof ThrottledError) && !context.budget.allows('change', clock.nowMs())) throw error;
    }
  }
}

/** How long to wait before the next try; null when another try is no use. */
function retryWaitMs(error: unknown, tries: number, { clock, limits }: CallContext): number | null {
  const isWorthIt = error instanceof ThrottledError || (error instanceof UnavailableError && error.retryable);
  if (!isWorthIt) return null;
  const askedMs = error.retryAtMs === null ? 0 : error.retryAtMs - clock.nowMs();
  if (askedMs > limits.maxWaitMs) return null;
  return Math.max(askedMs, limits.retryDelayMs * 2 ** (tries - 1));
}

async function tryOnce(
  request: ApiRequest,
  secrets: readonly string[],
  context: CallContext,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  const { budget, clock, limits, fetch } = context;
  if (request.method === 'GET') holdWhileThrottled(request, context);
  budget.called(clock.nowMs());
  const [token = ''] = secrets;
  const bounds = { timeoutMs, maxReplyBytes: limits.maxReplyBytes };
  const result = await exchange(request, token, bounds, signal, fetch);
  const nowMs = clock.nowMs();
  if (result.kind === 'reply') noteHeaders(result.headers, nowMs, secrets, context);
  try {
    return judge(result, {
      call: request,
      scope: request.scope,
      tokenName: context.token.name,
      nowMs,
      secrets,
      maxDepth: limits.maxDepth,
    });
  } catch (error) {
    if (error instanceof ThrottledError) budget.throttled(error.retryAtMs);
    throw error;
  }
}

/** Calls that would only be refused are not made: each would count, and none would tell anything new. */
function holdWhileThrottled(call: Call, { budget, clock }: CallContext): void {
  const untilMs = budget.throttledUntilMs(clock.nowMs());
  if (untilMs === null) return;
  const until = new Date(untilMs).toISOString();
  throw new ThrottledError(`not asked, because Cloud 66 throttles until ${until}`, call, null, untilMs);
}

/**
 * Before a further call for what was begun with more calls left: others may have used them up meanwhile.
 *
 * @throws ThrottledError when only the part of the reserve is left that is never ours
 */
export function holdWithinReserve(call: Call, { budget, clock }: CallContext): void {
  const nowMs = clock.nowMs();
  if (budget.allows('change', nowMs)) return;
  const left = `${budget.remaining(nowMs)} of ${budget.limit()} calls are left, and those are kept for others`;
  throw new ThrottledError(`not asked again, because ${left}`, call, null, budget.allowance(nowMs).resetAtMs);
}

/** Rate limit and warning, which any reply may carry. */
function noteHeaders(headers: Headers, nowMs: number, secrets: readonly string[], context: CallContext): void {
  const rateLimit = readRateLimit(headers, nowMs);
  if (rateLimit !== null) {
    context.budget.seen(rateLimit);
    context.onRateLimit(rateLimit);
  }
  const warning = headers.get('x-cloud66-warning');
  if (warning !== null) context.onWarning(excerpt(warning, secrets));
}

/** Waits; shorter when the caller stops the call. */
async function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done);
  });
}
