/**
 * Calls of AWS services that speak AWS JSON 1.0, SQS and CloudWatch: tries, pauses between them, and errors that carry AWS's
 * name for what went wrong.
 * Source: https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
import * as v from 'valibot';
import { type AwsConnection, endpointOf, limitsOf, withTimeLimit } from './connection.ts';
import { fieldsOf } from './json-fields.ts';
import { problemOf } from './problems.ts';
import type { SignedPost } from './signed-post.ts';

/** A service and how its operations are named in `x-amz-target`. */
export interface JsonService {
  /** Name under which requests are signed, and first part of its host name. */
  readonly name: string;
  readonly targetPrefix: string;
  /** As in the variable `AWS_ENDPOINT_URL_…`. */
  readonly endpointVariable: string;
}

/** Makes one call; `schema` says what its answer must look like. Unknown fields of an answer are left out. */
export type JsonCall = <S extends v.GenericSchema>(
  operation: string,
  input: Readonly<Record<string, unknown>>,
  schema: S,
  signal: AbortSignal,
) => Promise<v.InferOutput<S>>;

/** An error that a service answered with, under the service's own name for it. */
export class AwsAnswerError extends Error {
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(name: string, message: string, status: number) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status };
  }
}

/** First pause before another try, which doubles each time; a throttled caller waits longer. The SDK's own figures. */
const PAUSE_MS = 100;
const THROTTLED_PAUSE_MS = 500;
/** A full answer of GetMetricData: 100,800 points of a time and a value each. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Calls of one service over the given connections, within the limits of `connection`. */
export function createJsonCall(signedPost: SignedPost, connection: AwsConnection, service: JsonService): JsonCall {
  const { callLimitSeconds, maxAttempts } = limitsOf(connection);
  const { name, targetPrefix, endpointVariable } = service;
  const endpoint = endpointOf(connection, name, endpointVariable);

  async function attempt(operation: string, body: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `${targetPrefix}.${operation}` };
    const request = { service: name, endpoint, headers, body, maxAnswerBytes: MAX_ANSWER_BYTES };
    const answer = await signedPost(request, signal);
    if (answer.status !== 200) throw answerError(answer.status, answer.text);
    // Operations without a result answer with an empty body.
    const fields = answer.text === '' ? {} : fieldsOf(answer.text);
    if (fields === null) throw new TypeError('the answer is no JSON object');
    return fields;
  }

  async function attempts(operation: string, body: string, signal: AbortSignal) {
    for (let made = 1; ; made += 1) {
      try {
        return await attempt(operation, body, signal);
      } catch (error) {
        const problem = problemOf(error);
        const temporary = problem === 'throttled' || problem === 'unavailable';
        if (!temporary || made >= maxAttempts || signal.aborted) throw error;
        await pause((problem === 'throttled' ? THROTTLED_PAUSE_MS : PAUSE_MS) * 2 ** (made - 1), signal);
      }
    }
  }

  return async (operation, input, schema, signal) => {
    const fields = await withTimeLimit(operation, callLimitSeconds, signal, (limited) =>
      attempts(operation, JSON.stringify(input), limited),
    );
    const parsed = v.safeParse(schema, fields);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    throw new TypeError(`the answer's ${v.getDotPath(issue) ?? 'form'} is wrong: ${issue.message}`);
  };
}

/** The error that an answer tells of. Its type may stand behind a namespace and a `#`. */
export function answerError(status: number, text: string): AwsAnswerError {
  const { __type: type, message, Message } = fieldsOf(text) ?? {};
  const name = typeof type === 'string' ? (type.split('#').at(-1) ?? type) : 'UnexpectedAnswer';
  const said = [message, Message].find((one) => typeof one === 'string');
  return new AwsAnswerError(name, said ?? 'no explanation was given', status);
}

/** Ends early, without an error, when the signal fires. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
