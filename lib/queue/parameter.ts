/** One secret from the SSM parameter store (the Cloud 66 token), read at run time so that it is in no setting. */
import { AutoscalerError } from '../errors.ts';
import { defaultEndpoint, withTimeLimit } from './connection.ts';
import { AwsAnswerError, answerError, pause } from './json-call.ts';
import { fieldsOf } from './json-fields.ts';
import { detailOf, problemOf } from './problems.ts';
import type { SignedPost } from './signed-post.ts';

/** Where the parameter store is, and who signs. */
export interface ParameterStorePlace {
  readonly signedPost: SignedPost;
  readonly region: string;
  /** Value of `AWS_ENDPOINT_URL_SSM` or `AWS_ENDPOINT_URL`, when set. */
  readonly endpoint?: string | undefined;
}

/** What the reader needs, and its limits. */
export interface ParameterReaderSettings extends ParameterStorePlace {
  /** For the whole read, retries included. */
  readonly limitSeconds?: number;
  readonly maxAttempts?: number;
  /** First pause before a retry; doubles each time. */
  readonly pauseMs?: number;
}

/** Reads parameters. */
export interface ParameterReader {
  /**
   * The decrypted value of a parameter, without white space around it (a value piped in by `echo` ends in a newline).
   * @throws AutoscalerError that names the parameter and the problem, never the value
   */
  read(name: string, signal: AbortSignal): Promise<string>;
  /** The same for a parameter that need not exist: null when it does not. */
  readIfAny(name: string, signal: AbortSignal): Promise<string | null>;
}

/** Source: AWS Systems Manager API Reference, GetParameter. */
export function createParameterReader(settings: ParameterReaderSettings): ParameterReader {
  const { limitSeconds = 8, maxAttempts = 3, pauseMs = 200 } = settings;

  async function attempt(name: string, signal: AbortSignal): Promise<string> {
    return secretIn(await askParameterStore(settings, 'GetParameter', { Name: name, WithDecryption: true }, signal));
  }

  async function attempts(name: string, signal: AbortSignal): Promise<string> {
    for (let made = 1; ; made += 1) {
      try {
        return await attempt(name, signal);
      } catch (error) {
        const temporary = ['throttled', 'unavailable'].includes(problemOf(error));
        if (!temporary || made >= maxAttempts || signal.aborted) throw error;
        await pause(pauseMs * 2 ** (made - 1), signal);
      }
    }
  }

  async function read(name: string, signal: AbortSignal): Promise<string> {
    try {
      return await withTimeLimit('GetParameter', limitSeconds, signal, (limited) => attempts(name, limited));
    } catch (error) {
      throw new AutoscalerError(`${detailOf(`SSM parameter ${name}`, error)}${hintFor(error)}`, { cause: error });
    }
  }

  return {
    read,
    async readIfAny(name, signal) {
      try {
        return await read(name, signal);
      } catch (error) {
        if (isParameterMissing((error as AutoscalerError).cause)) return null;
        throw error;
      }
    },
  };
}

/**
 * The text of the store's answer to one call.
 * @throws AwsAnswerError for a refusal, and what the connection throws
 */
export async function askParameterStore(
  { signedPost, region, endpoint = defaultEndpoint('ssm', region) }: ParameterStorePlace,
  operation: 'GetParameter' | 'PutParameter',
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<string> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AmazonSSM.${operation}` };
  const answer = await signedPost({ service: 'ssm', endpoint, headers, body: JSON.stringify(body) }, signal);
  if (answer.status !== 200) throw answerError(answer.status, answer.text);
  return answer.text;
}

/** True for the store's own word that there is no such parameter. */
export function isParameterMissing(error: unknown): boolean {
  return error instanceof AwsAnswerError && error.name === 'ParameterNotFound';
}

function secretIn(text: string): string {
  const parameter = fieldsOf(text)?.Parameter;
  const value = typeof parameter === 'object' && parameter !== null && 'Value' in parameter ? parameter.Value : null;
  if (typeof value !== 'string') throw new TypeError('the answer holds no Parameter.Value; expected a text');
  const trimmed = value.trim();
  if (trimmed === '') throw new TypeError('the value is empty; expected a secret');
  return trimmed;
}

function hintFor(error: unknown): string {
  const problem = problemOf(error);
  if (problem === 'access_denied') {
    return ' (the function needs ssm:GetParameter on it, and kms:Decrypt on its key if that is not aws/ssm)';
  }
  return problem === 'not_found' ? ' (expected a SecureString of this name in the same account and region)' : '';
}
