/**
 * How this folder talks to AWS: limits of every connection, and a time limit around every call. Shared by the SQS and
 * the CloudWatch client, so that the numbers stand in one place.
 */
import { AutoscalerError } from '../errors.ts';

/** Access key of AWS; only needed where the environment does not hold one. */
interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where AWS is and how long to wait for it. */
export interface AwsConnection {
  readonly region: string;
  /** Normally unset: the SDK then follows `AWS_ENDPOINT_URL` and its variants by itself. */
  readonly endpoint?: string;
  readonly credentials?: AwsCredentials;
  readonly limits?: Partial<AwsLimits>;
}

/** Limits of one call. Retries share the total: a call never takes longer than `callLimitSeconds`. */
export interface AwsLimits {
  readonly connectTimeoutSeconds: number;
  /** From the request to the first byte of the answer, and between two bytes of it. */
  readonly requestTimeoutSeconds: number;
  /** A whole call, retries and pauses between them included. */
  readonly callLimitSeconds: number;
  readonly maxAttempts: number;
  /** Connections kept open at once. */
  readonly maxSockets: number;
}

/** SQS and CloudWatch answer in 5 to 50 ms; three tries of two seconds leave most of a 30 s invocation to others. */
const DEFAULT_LIMITS: AwsLimits = {
  connectTimeoutSeconds: 1.5,
  requestTimeoutSeconds: 2.5,
  callLimitSeconds: 8,
  maxAttempts: 3,
  maxSockets: 25,
};

/** The limits of a connection, defaults filled in. */
export function limitsOf(connection: AwsConnection): AwsLimits {
  return { ...DEFAULT_LIMITS, ...connection.limits };
}

/** The SDK warns on the console where it has no logger; our log lines are JSON, and the errors say the same. */
const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Settings of an AWS SDK client: explicit limits, sockets kept alive, nothing printed. */
export function clientSettings(connection: AwsConnection) {
  const limits = limitsOf(connection);
  const agent = { keepAlive: true, maxSockets: limits.maxSockets };
  return {
    region: connection.region,
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...(connection.credentials === undefined ? {} : { credentials: connection.credentials }),
    maxAttempts: limits.maxAttempts,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: limits.connectTimeoutSeconds * 1000,
      requestTimeout: limits.requestTimeoutSeconds * 1000,
      // Without this the SDK only prints a warning when the request timeout passes.
      throwOnRequestTimeout: true,
      // The request timeout ends at the headers; a body that stops in the middle is cut off by the socket's own.
      socketTimeout: limits.requestTimeoutSeconds * 1000,
      httpAgent: agent,
      httpsAgent: agent,
      logger: SILENT,
    },
  };
}

/** No answer within the limit of the call, or the invocation ended. Temporary: the next look may succeed. */
export class OutOfTimeError extends AutoscalerError {
  override readonly name = 'OutOfTimeError';
}

/**
 * Runs one call with a signal that is aborted when the invocation's is, or after `limitSeconds`.
 * @throws OutOfTimeError when either happened; else whatever the call throws
 */
export async function withTimeLimit<T>(
  what: string,
  limitSeconds: number,
  signal: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new OutOfTimeError(`${what}: not started, the invocation is out of time`);
  const controller = new AbortController();
  const abort = () => controller.abort();
  signal.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(abort, limitSeconds * 1000);
  try {
    return await call(controller.signal);
  } catch (error) {
    if (signal.aborted) throw new OutOfTimeError(`${what}: stopped, the invocation is out of time`, { cause: error });
    if (!controller.signal.aborted) throw error;
    throw new OutOfTimeError(`${what}: no answer within ${limitSeconds} s`, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
