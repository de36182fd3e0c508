/**
 * One execution environment of a function: a Node process and the Runtime API server that it talks to. Runs one
 * invocation at a time. Not emulated: Lambda freezes the process between invocations, here it goes on running.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { currentTimeSettings, timeEnvironment, wall } from '../time.ts';

/** What an environment is started with. */
export interface EnvironmentOptions {
  readonly nodePath: string;
  readonly functionArn: string;
  readonly timeoutSeconds: number;
  /** All variables of the process; nothing is inherited. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** How one invocation ended. A function error carries the payload that a caller of Lambda would see. */
export type InvocationResult =
  | { readonly kind: 'succeeded'; readonly payload: unknown }
  | { readonly kind: 'failed'; readonly payload: FunctionError };

/** The payload of a failed invocation. */
interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** A running environment. */
export interface ExecutionEnvironment {
  /** False once the process has ended; the environment is then of no more use. */
  readonly alive: boolean;
  /** Runs one event. Never called again before it has answered; never throws for what the function does. */
  invoke(requestId: string, event: unknown): Promise<InvocationResult>;
  /** Ends the process and the server. */
  stop(): Promise<void>;
}

/** Lambda gives a process this long to load. Real time: loading does not get faster when the clock does. */
const INIT_MAX_REAL_MS = 10_000;
/** Lambda's limit for a response. */
const RESPONSE_MAX_BYTES = 6 * 1024 * 1024;

const RUNTIME_FILE = fileURLToPath(new URL('runtime.ts', import.meta.url));
const TIME_PRELOAD_FILE = fileURLToPath(new URL('../time-preload.ts', import.meta.url));

interface Job {
  readonly requestId: string;
  readonly event: unknown;
  readonly end: (result: InvocationResult) => void;
  deadline: NodeJS.Timeout | null;
  /** Known before the job ends: the process must also ask for its next event, or be gone, to be of use again. */
  result: InvocationResult | null;
}

/** Starts the process. It loads while the first invocation waits; a failure to load is that invocation's result. */
export async function startEnvironment(options: EnvironmentOptions): Promise<ExecutionEnvironment> {
  const environment = new Environment(options);
  await environment.start();
  return environment;
}

class Environment implements ExecutionEnvironment {
  readonly #options: EnvironmentOptions;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  /** The request of the process for its next event, while it waits for one. */
  #waiting: ServerResponse | null = null;
  #job: Job | null = null;
  #initError: FunctionError | null = null;
  #initTimer: NodeJS.Timeout | null = null;
  alive = true;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = this.#server.address() as AddressInfo;
    const time = currentTimeSettings();
    const child = spawn(
      this.#options.nodePath,
      ['--import', TIME_PRELOAD_FILE, '--disable-warning=ExperimentalWarning', RUNTIME_FILE],
      {
        env: {
          ...this.#options.variables,
          AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}`,
          ...(time.speed === 1 ? {} : timeEnvironment(time)),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own: Ctrl-C in the terminal then reaches the local run alone, which ends its processes itself.
        detached: true,
      },
    );
    this.#child = child;
    this.#collect(child.stdout);
    this.#collect(child.stderr);
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => this.#ended(`could not be started: ${error.message}`, resolve));
      // `close` rather than `exit`: by then the last lines have been read.
      child.once('close', (code, signal) => this.#ended(`exit status ${code ?? signal}`, resolve));
    });
    this.#initTimer = wall.after(INIT_MAX_REAL_MS, () => this.#fail('Sandbox.Timedout', 'Init timed out'));
  }

  invoke(requestId: string, event: unknown): Promise<InvocationResult> {
    return new Promise((end) => {
      this.#job = { requestId, event, end, deadline: null, result: null };
      if (this.alive) {
        this.#dispatch();
      } else {
        this.#endJob(this.#exitError('the process has ended'));
      }
    });
  }

  async stop(): Promise<void> {
    this.#clearInitTimer();
    this.#kill();
    await this.#exited;
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** Hands the waiting event to the waiting process; the function's time counts from here. */
  #dispatch(): void {
    const [job, waiting] = [this.#job, this.#waiting];
    if (job === null || waiting === null) {
      return;
    }
    this.#waiting = null;
    const timeoutMs = this.#options.timeoutSeconds * 1000;
    job.deadline = setTimeout(() => {
      const seconds = this.#options.timeoutSeconds.toFixed(2);
      this.#fail('Sandbox.Timedout', `Task timed out after ${seconds} seconds`);
    }, timeoutMs);
    waiting.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': job.requestId,
      'lambda-runtime-deadline-ms': String(Date.now() + timeoutMs),
      'lambda-runtime-invoked-function-arn': this.#options.functionArn,
    });
    waiting.end(JSON.stringify(job.event));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    if (request.method === 'GET' && path.endsWith('/runtime/invocation/next')) {
      this.#clearInitTimer();
      if (this.#job?.result) {
        this.#endJob();
      }
      this.#waiting = response;
      this.#dispatch();
      return;
    }
    const body: unknown = JSON.parse(await readText(request));
    response.writeHead(202).end();
    const [, requestId, outcome] = /\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
    if (path.endsWith('/runtime/init/error')) {
      this.#initError = body as FunctionError;
    } else if (this.#job !== null && requestId === this.#job.requestId) {
      this.#job.result =
        outcome === 'response'
          ? { kind: 'succeeded', payload: body }
          : { kind: 'failed', payload: body as FunctionError };
    }
  }

  #endJob(otherwise: FunctionError = this.#exitError('unknown')): void {
    const job = this.#job;
    this.#job = null;
    clearTimeout(job?.deadline ?? undefined);
    job?.end(job.result ?? { kind: 'failed', payload: otherwise });
  }

  /** Ends the process for something that it did not do in time. The job ends when the process is gone. */
  #fail(errorType: string, what: string): void {
    if (this.#job !== null) {
      const errorMessage = `RequestId: ${this.#job.requestId} Error: ${what}`;
      this.#job.result ??= { kind: 'failed', payload: { errorType, errorMessage } };
    }
    this.#kill();
  }

  #ended(how: string, resolve: () => void): void {
    this.alive = false;
    this.#clearInitTimer();
    this.#endJob(this.#initError ?? this.#exitError(how));
    resolve();
  }

  #exitError(how: string): FunctionError {
    const errorMessage = `RequestId: ${this.#job?.requestId ?? '-'} Error: Runtime exited with error: ${how}`;
    return { errorType: 'Runtime.ExitError', errorMessage };
  }

  #kill(): void {
    this.alive = false;
    this.#child?.kill('SIGKILL');
  }

  #clearInitTimer(): void {
    clearTimeout(this.#initTimer ?? undefined);
    this.#initTimer = null;
  }

  /** Lines go on as they were written: what a function prints through stdout is what CloudWatch Logs would store. */
  #collect(stream: Readable): void {
    createInterface({ input: stream }).on('line', (line) => this.#options.onLine(line));
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > RESPONSE_MAX_BYTES) {
      throw new Error(`function response: more than ${RESPONSE_MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
