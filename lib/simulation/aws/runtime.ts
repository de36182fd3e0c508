/**
 * The runtime inside an execution environment: a program of its own, started by `environment.ts` in a fresh Node 24
 * process. Loads the handler and speaks Lambda's Runtime API, as AWS's runtime does.
 *
 * AWS's own runtime client (aws-lambda-ric) is not used, because installing it compiles curl and C++ code: without
 * cmake and a compiler the whole `npm ci` fails. This one keeps its visible behavior: where the handler is looked for,
 * the context, the form of errors, the end of the process after an unhandled error.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { existsSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Handler = (event: unknown, context: object) => unknown;

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const agent = new Agent({ keepAlive: true });
/** The invocation in progress, so that an unhandled error can be told as its result. */
let currentRequestId: string | null = null;

process.on('uncaughtException', (error) => void die('Runtime.UncaughtException', error));
process.on('unhandledRejection', (reason) => void die('Runtime.UnhandledPromiseRejection', reason));
await run();

async function run(): Promise<void> {
  let handler: Handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT ?? '', process.env._HANDLER ?? '');
  } catch (error) {
    await post('/init/error', errorBody(error));
    process.exit(1);
  }
  for (;;) {
    const { headers, text } = await call('GET', '/invocation/next');
    await invoke(handler, headers, text);
  }
}

async function invoke(handler: Handler, headers: IncomingHttpHeaders, text: string): Promise<void> {
  const requestId = String(headers['lambda-runtime-aws-request-id']);
  currentRequestId = requestId;
  try {
    const result = await handler(JSON.parse(text), context(headers));
    await post(`/invocation/${requestId}/response`, result === undefined ? null : result);
  } catch (error) {
    await post(`/invocation/${requestId}/error`, errorBody(error));
  }
  currentRequestId = null;
}

function context(headers: IncomingHttpHeaders): object {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

/** `folder/module.name` → the export `name` of `folder/module` with any of the endings that AWS tries, in its order. */
async function loadHandler(taskRoot: string, handlerString: string): Promise<Handler> {
  const file = basename(handlerString);
  const dot = file.indexOf('.');
  if (dot < 1 || handlerString.includes('..')) {
    throw named('Runtime.MalformedHandlerName', `Bad handler: ${handlerString}`);
  }
  const path = resolve(taskRoot, dirname(handlerString), file.slice(0, dot));
  const found = ['.js', '.mjs', '.cjs'].map((ending) => `${path}${ending}`).find((candidate) => existsSync(candidate));
  if (found === undefined) {
    throw named('Runtime.ImportModuleError', `Error: Cannot find module '${path}'`);
  }
  const loaded: Record<string, unknown> = await import(pathToFileURL(found).href);
  const exports = [loaded, loaded.default as Record<string, unknown> | undefined];
  const handler = exports.map((from) => from?.[file.slice(dot + 1)]).find((value) => value !== undefined);
  if (typeof handler !== 'function') {
    throw named('Runtime.HandlerNotFound', `${handlerString} is undefined or not exported`);
  }
  // Node 24 on Lambda refuses handlers with a callback parameter.
  if (handler.length >= 3) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      `${handlerString} takes a callback, which nodejs24.x does not have`,
    );
  }
  return handler as Handler;
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function errorBody(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
    : { errorType: typeof error, errorMessage: String(error), trace: [] };
}

/** Tells the platform and ends the process: after an unhandled error nothing in it can be relied on. */
async function die(errorType: string, reason: unknown): Promise<never> {
  const path = currentRequestId === null ? '/init/error' : `/invocation/${currentRequestId}/error`;
  const body = errorBody(reason);
  // Without an answer from the platform there is nobody left to tell.
  await post(path, { ...body, errorType, errorMessage: `${body.errorType}: ${body.errorMessage}` }).catch(() => {});
  process.exit(1);
}

async function post(path: string, body: unknown): Promise<void> {
  await call('POST', path, JSON.stringify(body));
}

/** A failed call ends the process through the handlers above: the platform is gone, and the process must not stay. */
function call(method: string, path: string, body?: string): Promise<{ headers: IncomingHttpHeaders; text: string }> {
  return new Promise((done, fail) => {
    const sent = request(`${api}${path}`, { method, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => done({ headers: response.headers, text: Buffer.concat(chunks).toString('utf8') }));
      response.on('error', fail);
    });
    sent.on('error', fail);
    sent.end(body);
  });
}
