/** What went wrong at AWS, in the program's own words. Pure. */
import type { Reading, ReadingProblem } from '../domain.ts';

/** A reading without a value. */
export type Failure = Exclude<Reading<never>, { readonly kind: 'ok' }>;

/** Longest detail of a reading: it goes into every decision record. */
const MAX_DETAIL_CHARACTERS = 300;

/** Codes of the operating system: the connection failed, perhaps in the middle of an answer. */
const CONNECTION = /^E[A-Z_]+$/;
const ACCESS_DENIED =
  /AccessDenied|Unauthorized|InvalidClientToken|UnrecognizedClient|Signature|ExpiredToken|MissingAuthentication|InvalidAccessKey|OptInRequired|Credentials|InvalidSecurity|KmsAccess/;
const NOT_FOUND = /NonExistentQueue|QueueDoesNotExist|ParameterNotFound|NotFound|InvalidAddress/;
const THROTTLED = /Throttl|TooManyRequests|RequestLimitExceeded|LimitExceeded/;
const UNAVAILABLE =
  /Timeout|Abort|OutOfTime|ServiceUnavailable|InternalServer|InternalFailure|InternalError|InternalService/;
const MALFORMED = /SyntaxError|TypeError|Validation|Invalid|MissingParameter|Malformed|Unsupported/;

/** A hint to programmers that the SDK adds to messages. */
const SDK_HINT = /\s*Deserialization error: to see the raw response.*$/s;

/** Errors whose message repeats the request that was signed, session token included. */
const TELLS_SECRETS = /Signature/;

/**
 * The problem that an error of the AWS SDK, or of the connection below it, stands for.
 * Names: SQS and CloudWatch API references, "Common errors" and the errors of each action.
 */
export function problemOf(error: unknown): ReadingProblem {
  const { name, status } = describe(error);
  if (CONNECTION.test(name)) return 'unavailable';
  if (THROTTLED.test(name) || status === 429) return 'throttled';
  if (ACCESS_DENIED.test(name) || status === 401 || status === 403) return 'access_denied';
  if (NOT_FOUND.test(name) || status === 404) return 'not_found';
  if (UNAVAILABLE.test(name) || (status !== undefined && status >= 500)) return 'unavailable';
  if (MALFORMED.test(name) || status !== undefined) return 'malformed';
  return 'unavailable';
}

/** Whether AWS understood the request and found its content invalid; asking the same again cannot help. */
export function isRefusedAsInvalid(error: unknown): boolean {
  return describe(error).status === 400 && problemOf(error) === 'malformed';
}

/** A failed reading that says what was asked and what came back. */
export function failureOf(what: string, error: unknown): Failure {
  return { kind: 'failed', why: problemOf(error), detail: detailOf(what, error) };
}

/** A failed reading for an answer that arrived and made no sense. */
export function malformed(what: string, found: string): Failure {
  return { kind: 'failed', why: 'malformed', detail: shorten(`${what}: ${found}`) };
}

/** One line on an error: what was asked, its name, its HTTP status and its message, as far as that is safe to repeat. */
export function detailOf(what: string, error: unknown): string {
  const { name, status, message } = describe(error);
  const answered = status === undefined ? name : `${name} (HTTP ${status})`;
  return shorten(TELLS_SECRETS.test(name) ? `${what}: ${answered}` : `${what}: ${answered}: ${message}`);
}

/** On one line and within the length that records allow. */
export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= MAX_DETAIL_CHARACTERS ? line : `${line.slice(0, MAX_DETAIL_CHARACTERS - 1)}…`;
}

interface Described {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
}

function describe(error: unknown): Described {
  if (!(error instanceof Error)) return { name: 'Error', status: undefined, message: String(error) };
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: unknown } };
  // A refused connection is a plain Error, or, where several addresses were tried, an AggregateError without a message.
  const plain = error.name === 'Error' || error.name === 'AggregateError';
  const name = plain && typeof code === 'string' ? code : error.name;
  const status = $metadata?.httpStatusCode;
  const message = error.message.replace(SDK_HINT, '');
  return { name, status: typeof status === 'number' ? status : undefined, message };
}
