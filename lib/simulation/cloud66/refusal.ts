/** A call that the account turns down, in the terms of Cloud 66's error envelope. */

export type RefusalId =
  | 'bad_request'
  | 'unauthenticated'
  | 'trial_expired'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'throttled'
  | 'too_many_requests';

const STATUS: Readonly<Record<RefusalId, number>> = {
  bad_request: 400,
  unauthenticated: 401,
  trial_expired: 402,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  throttled: 503,
  too_many_requests: 429,
};

/** The documented sentence for each error id; `details` says what is wrong this time. */
const DESCRIPTION: Readonly<Record<RefusalId, string>> = {
  bad_request: 'The request was invalid or cannot be served.',
  unauthenticated: 'The authentication credentials are missing, or they are not valid.',
  trial_expired: 'The trial of this account has expired.',
  forbidden: 'The token does not have the scope for this resource.',
  not_found: 'The resource was not found.',
  conflict: 'The resource is busy.',
  throttled: 'The rate limit of this user is used up until the next hour.',
  too_many_requests: 'The rate limit of this user is used up.',
};

/** Thrown by the account's operations; the HTTP server turns it into an error envelope. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly id: RefusalId;
  readonly status: number;
  readonly description: string;
  readonly details: string;

  constructor(id: RefusalId, details: string) {
    super(`${STATUS[id]} ${id}: ${details}`);
    this.id = id;
    this.status = STATUS[id];
    this.description = DESCRIPTION[id];
    this.details = details;
  }
}
