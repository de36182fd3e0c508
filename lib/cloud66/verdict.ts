/**
 * What a finished exchange means: a JSON value, or one of the errors of `errors.ts`. Knows statuses, headers and what may
 * have been carried out; does no I/O.
 */
import { nextHourMs, type RateLimit } from './budget.ts';
import {
  type Call,
  Cloud66Error,
  ConflictError,
  ForbiddenError,
  MalformedReplyError,
  NotFoundError,
  type Scope,
  ThrottledError,
  TrialExpiredError,
  UnauthorizedError,
  UnavailableError,
  UnknownOutcomeError,
} from './errors.ts';
import { parseErrorBody } from './schema.ts';
import type { Exchange, WireReply } from './transport.ts';

/** What the verdict needs to know besides the exchange. */
export interface Circumstances {
  readonly call: Call;
  /** Scope that the call needs. */
  readonly scope: Scope;
  /** Where the token comes from; null when that has no name. */
  readonly tokenName: string | null;
  readonly nowMs: number;
  /** Tokens in use, which are struck out of every text that came from outside. */
  readonly secrets: readonly string[];
  readonly maxDepth: number;
}

/** Longest piece of foreign text that goes into a message. */
const MAX_EXCERPT = 300;
/** A 429 that names no time: a limit that Cloud 66 does not document, and that may be over soon. */
const UNNAMED_429_MS = 60_000;
/** A 503 `throttled` that names no time: the limit is lifted hourly, but one look in five minutes sees it earlier. */
const UNNAMED_503_MS = 300_000;
/** Limits are lifted hourly; an answer that names a later time is not believed beyond this. */
const MAX_THROTTLE_MS = 3_600_000;

/**
 * The JSON of a successful reply.
 * @throws Cloud66Error or the subclass that says what went wrong
 */
export function judge(result: Exchange, about: Circumstances): unknown {
  if (result.kind !== 'reply') throw unanswered(result, about);
  if (result.status < 200 || result.status > 299) throw refusal(result, about);
  return readJson(result, about);
}

/** No reply at all. A change that may have arrived somewhere has an unknown outcome. */
function unanswered(result: Exclude<Exchange, WireReply>, { call }: Circumstances): Cloud66Error {
  const text = { timeout: 'no answer in time', stopped: 'the call was stopped before an answer came' };
  const why = result.kind === 'failed' ? result.why : text[result.kind];
  if (call.method === 'POST' && result.sent) return unknownOutcome(why, call, null);
  return new UnavailableError(why, call, null, { retryable: result.kind !== 'stopped' });
}

function unknownOutcome(why: string, call: Call, status: number | null): UnknownOutcomeError {
  return new UnknownOutcomeError(`${why}; the change may or may not have been carried out`, call, status);
}

/** A reply that is not a success. */
function refusal(reply: WireReply, about: Circumstances): Cloud66Error {
  const { call, nowMs } = about;
  const { status } = reply;
  const { id, text } = parseErrorBody(tryJson(reply.text));
  const told = excerpt(text ?? reply.text, about.secrets);
  const message = `Cloud 66 answered ${status}${told === '' ? '' : ` (${told})`}`;
  const retryAtMs = retryAt(reply.headers, nowMs);
  const isThrottled = status === 429 || (status === 503 && id === 'throttled');
  if (isThrottled) return new ThrottledError(message, call, status, retryAtMs ?? probeAt(status, nowMs));
  if (status === 503 && id === 'not_implemented') {
    return new UnavailableError(message, call, status, { retryable: false });
  }
  if (status < 400) return redirected(reply, about);
  if (status >= 500 || status === 408) {
    if (call.method === 'POST') return unknownOutcome(message, call, status);
    return new UnavailableError(message, call, status, { retryable: true, retryAtMs });
  }
  return clientRefusal(message, status, about);
}

/** The 4xx statuses: all of them say that nothing was carried out. */
function clientRefusal(message: string, status: number, { call, scope, tokenName }: Circumstances): Cloud66Error {
  const token = `the API token${tokenName === null ? '' : ` in ${tokenName}`}`;
  switch (status) {
    case 401:
      return new UnauthorizedError(`${message}: ${token} is not accepted`, call, status);
    case 402:
      return new TrialExpiredError(message, call, status);
    case 403:
      return new ForbiddenError(`${message}: ${token} needs the scope "${scope}"`, call, status, scope);
    case 404:
      return new NotFoundError(message, call, status);
    case 409:
      return new ConflictError(message, call, status);
    default:
      return new Cloud66Error(message, call, status);
  }
}

/** Redirects are not followed. A web application also answers a change that it made with one. */
function redirected({ status, headers }: WireReply, { call, secrets }: Circumstances): Cloud66Error {
  const target = excerpt(headers.get('location') ?? 'nowhere', secrets);
  const message = `redirects are not followed, and this ${status} points to ${target}`;
  if (call.method === 'POST') return unknownOutcome(message, call, status);
  return new MalformedReplyError([{ field: 'status', message }], call, status);
}

/** The JSON of a 2xx. A change that was answered with something else has an unknown outcome. */
function readJson({ status, text, bodyFault }: WireReply, about: Circumstances): unknown {
  const { call, secrets } = about;
  if (bodyFault !== null && bodyFault !== 'oversized') {
    const why = {
      cut: 'the reply broke off',
      timeout: 'the reply did not end in time',
      stopped: 'the call was stopped',
    };
    if (call.method === 'POST') throw unknownOutcome(why[bodyFault], call, status);
    throw new UnavailableError(why[bodyFault], call, status, { retryable: bodyFault !== 'stopped' });
  }
  if (bodyFault === 'oversized') throw malformed('is larger than the limit', about, status);
  if (isTooDeep(text, about.maxDepth)) throw malformed(`is nested deeper than ${about.maxDepth}`, about, status);
  const json = tryJson(text);
  if (json === undefined) throw malformed(`is not JSON: "${excerpt(text, secrets)}"`, about, status);
  return json;
}

function malformed(message: string, { call }: Circumstances, status: number): Cloud66Error {
  if (call.method === 'POST') return unknownOutcome(`the reply ${message}`, call, status);
  return new MalformedReplyError([{ field: 'reply', message }], call, status);
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** True when objects and arrays are nested deeper than that. Looks at the text, so that nothing deep is ever built. */
function isTooDeep(text: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length && depth <= maxDepth; index += 1) {
    const character = text[index];
    if (character === '"') inString = !inString;
    else if (inString) index += character === '\\' ? 1 : 0;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
  }
  return depth > maxDepth;
}

/** Foreign text on one line, without control characters and tokens; cut last, so that no piece of a token is left. */
export function excerpt(text: string, secrets: readonly string[]): string {
  // Control and format characters could forge log lines or hide text.
  let line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim();
  for (const form of new Set(secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]))) {
    line = line.replaceAll(form, '[token]');
  }
  return line.length > MAX_EXCERPT ? `${line.slice(0, MAX_EXCERPT)}…` : line;
}

// --- headers ----------------------------------------------------------------------------------------------------

/** What the reply says of the rate limit; null when it says nothing. */
export function readRateLimit(headers: Headers, nowMs: number): RateLimit | null {
  const limit = readDigits(headers.get('x-ratelimit-limit'));
  const remaining = readDigits(headers.get('x-ratelimit-remaining'));
  const resetAtMs = readReset(headers.get('x-ratelimit-reset'), nowMs);
  if (limit === null && remaining === null && resetAtMs === null) return null;
  return { limit, remaining, resetAtMs, observedAtMs: nowMs };
}

/** When a reply asks us to come back: Retry-After (RFC 9110), else the reset of the limit; never beyond an hour. */
function retryAt(headers: Headers, nowMs: number): number | null {
  const atMs = readRetryAfter(headers.get('retry-after'), nowMs) ?? readReset(headers.get('x-ratelimit-reset'), nowMs);
  return atMs === null ? null : Math.min(Math.max(atMs, nowMs), nowMs + MAX_THROTTLE_MS);
}

/** When to ask again after a throttling reply that names no time. */
function probeAt(status: number, nowMs: number): number {
  return status === 429 ? nowMs + UNNAMED_429_MS : Math.min(nowMs + UNNAMED_503_MS, nextHourMs(nowMs));
}

function readRetryAfter(value: string | null, nowMs: number): number | null {
  const seconds = readDigits(value);
  if (seconds !== null) return nowMs + seconds * 1000;
  const atMs = Date.parse(value ?? '');
  return Number.isNaN(atMs) ? null : atMs;
}

/** Not documented by Cloud 66; elsewhere either seconds from now or seconds since the epoch. Null when not ahead. */
function readReset(value: string | null, nowMs: number): number | null {
  const number = readDigits(value);
  if (number === null) return null;
  const atMs = number > 1_000_000_000 ? number * 1000 : nowMs + number * 1000;
  return atMs > nowMs && atMs <= nowMs + MAX_THROTTLE_MS ? atMs : null;
}

function readDigits(value: string | null): number | null {
  return value !== null && /^ *\d{1,15} *$/.test(value) ? Number(value) : null;
}
