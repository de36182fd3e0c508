/**
 * How this folder talks to AWS: limits of every connection, and a time limit around every call. Shared by the SQS and
 * the CloudWatch client, so that the numbers stand in one place.
 */
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import type { SignatureV4 } from '@smithy/signature-v4';
import { AutoscalerError } from '../errors.ts';

/** Access key of AWS. */
interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where AWS is and how long to wait for it. */
export interface AwsConnection {
  readonly region: string;
  /** Normally unset: the service's own, or what `environment` says. */
  readonly endpoint?: string;
  /** Where Lambda puts the key of the function's role, and where `AWS_ENDPOINT_URL` and its variants are looked up. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Or where to get it; normally unset, for what `environment` holds. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  readonly limits?: Partial<AwsLimits>;
  /** Carries the requests instead of sockets: a simulation answers in the same process. */
  readonly requestHandler?: RequestHandler;
  /** Signs the requests instead of the SDK's signer: nobody reads the signatures of a simulation. */
  readonly signer?: RequestSigner;
}

type RequestSigner = Pick<SignatureV4, 'sign'>;

/** The SDK's HTTP, as far as it is used. */
type RequestHandler = Pick<NodeHttpHandler, 'handle' | 'destroy'>;

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
  return {
    region: connection.region,
    ...(connection.endpoint === undefined ? {} : { endpoint: connection.endpoint }),
    ...(connection.credentials === undefined ? {} : { credentials: connection.credentials }),
    maxAttempts: limitsOf(connection).maxAttempts,
    logger: SILENT,
    requestHandler: requestHandlerSettings(connection),
  };
}

/** The same for the SDK's HTTP alone. */
export function requestHandlerSettings(connection: AwsConnection) {
  const limits = limitsOf(connection);
  const agent = { keepAlive: true, maxSockets: limits.maxSockets };
  return {
    connectionTimeout: limits.connectTimeoutSeconds * 1000,
    requestTimeout: limits.requestTimeoutSeconds * 1000,
    // Without this the SDK only prints a warning when the request timeout passes.
    throwOnRequestTimeout: true,
    // The request timeout ends at the headers; a body that stops in the middle is cut off by the socket's own.
    socketTimeout: limits.requestTimeoutSeconds * 1000,
    httpAgent: agent,
    httpsAgent: agent,
    logger: SILENT,
  };
}

/**
 * The key to sign with, asked for at each call.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, reserved variables
 */
export function credentialsOf({ credentials, environment = {} }: AwsConnection) {
  if (credentials !== undefined) return credentials;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  const { AWS_SESSION_TOKEN: sessionToken } = environment;
  if (!accessKeyId || !secretAccessKey) return () => Promise.reject(new CredentialsProviderError());
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** Named as the SDK names the same. */
class CredentialsProviderError extends AutoscalerError {
  override readonly name = 'CredentialsProviderError';

  constructor() {
    super('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment');
  }
}

/**
 * Where a service is: what the connection or its environment says, else the service's public endpoint.
 *
 * @param variable as in `AWS_ENDPOINT_URL_…`
 */
export function endpointOf(
  { endpoint, environment = {}, region }: AwsConnection,
  service: string,
  variable: string,
): string {
  const named = environment[`AWS_ENDPOINT_URL_${variable}`] || environment['AWS_ENDPOINT_URL'];
  return endpoint ?? (named || defaultEndpoint(service, region));
}

/** Source: https://docs.aws.amazon.com/general/latest/gr/rande.html, "Regional endpoints". */
export function defaultEndpoint(service: string, region: string): string {
  return `https://${service}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
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
