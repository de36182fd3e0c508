/**
 * How a call to the Cloud 66 API can go wrong. There is a class only where a caller acts differently; every other refusal
 * (a 400, say) is a plain `Cloud66Error`. Messages end in method and URL and never hold the token: texts are cleaned
 * before they get here, and the errors of the HTTP library, which carry the request's headers, are not kept as causes.
 *
 * Statuses and error bodies: https://developers.cloud66.com/v3 (errors).
 */
import { AutoscalerError, type Problem } from '../errors.ts';

/** The call that failed. */
export interface Call {
  readonly method: 'GET' | 'POST';
  readonly url: string;
}

/** What a token must be allowed to do: `public` reads, `admin` scales. */
export type Scope = 'public' | 'admin';

/** Base of all errors of this client; by itself a refusal that no caller treats in a special way. */
export class Cloud66Error extends AutoscalerError {
  override readonly name: string = 'Cloud66Error';
  /** HTTP status of the reply; null when there was none. */
  readonly status: number | null;

  constructor(text: string, call: Call, status: number | null) {
    super(`${text}: ${call.method} ${call.url}`);
    this.status = status;
  }
}

/** The rate limit is used up (503 `throttled`, or 429). Nothing was carried out. */
export class ThrottledError extends Cloud66Error {
  override readonly name = 'ThrottledError';
  /** When to come back, in milliseconds since the epoch. */
  readonly retryAtMs: number;

  constructor(text: string, call: Call, status: number | null, retryAtMs: number) {
    super(text, call, status);
    this.retryAtMs = retryAtMs;
  }
}

/** The token is not accepted (401). Nothing was carried out. */
export class UnauthorizedError extends Cloud66Error {
  override readonly name = 'UnauthorizedError';
}

/** The token is accepted, but lacks a scope (403). Nothing was carried out. */
export class ForbiddenError extends Cloud66Error {
  override readonly name = 'ForbiddenError';
  /** The scope that this call needs. */
  readonly scope: Scope;

  constructor(text: string, call: Call, status: number, scope: Scope) {
    super(text, call, status);
    this.scope = scope;
  }
}

/** The stack is busy with something else (409). Nothing was carried out. */
export class ConflictError extends Cloud66Error {
  override readonly name = 'ConflictError';
}

/** The stack, process or action does not exist, or the token's owner may not see it (404). */
export class NotFoundError extends Cloud66Error {
  override readonly name = 'NotFoundError';
}

/** The account's trial is over (402). */
export class TrialExpiredError extends Cloud66Error {
  override readonly name = 'TrialExpiredError';
}

/** No usable answer for reasons on the way or over there, and certainly nothing was carried out. */
export class UnavailableError extends Cloud66Error {
  override readonly name = 'UnavailableError';
  /** When the reply asked us to come back; null when it did not say. */
  readonly retryAtMs: number | null;
  /** False when trying again at once cannot help (503 `not_implemented`, no token, the caller stopped it). */
  readonly retryable: boolean;

  constructor(
    text: string,
    call: Call,
    status: number | null,
    { retryable, retryAtMs = null }: { readonly retryable: boolean; readonly retryAtMs?: number | null },
  ) {
    super(text, call, status);
    this.retryable = retryable;
    this.retryAtMs = retryAtMs;
  }
}

/** Longest list of problems that goes into one message; the rest is counted. */
const MAX_PROBLEMS_TOLD = 20;

/** A reply that could not be understood. Lists every problem by its path in the JSON. */
export class MalformedReplyError extends Cloud66Error {
  override readonly name = 'MalformedReplyError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], call: Call, status: number | null) {
    super(`the reply could not be understood: ${tellProblems(problems)}`, call, status);
    this.problems = problems;
  }
}

/**
 * A change was sent and its fate is not known: it may or may not have been carried out. Never sent again in place; the
 * next look at the processes tells.
 */
export class UnknownOutcomeError extends Cloud66Error {
  override readonly name = 'UnknownOutcomeError';
}

/** All problems in one line. */
export function tellProblems(problems: readonly Problem[]): string {
  const told = problems.slice(0, MAX_PROBLEMS_TOLD).map((problem) => `${problem.field}: ${problem.message}`);
  const untold = problems.length - told.length;
  return untold > 0 ? `${told.join('; ')}; and ${untold} more` : told.join('; ');
}
