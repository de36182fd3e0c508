/**
 * The simulated Cloud 66 on a port of this machine: `http://127.0.0.1:{port}/api/3`, paths with and without `.json`.
 * Real sockets, so that a client meets real resets, half answers and silence.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from '../random.ts';
import type { Cloud66Account } from './account.ts';
import type { Call } from './call-log.ts';
import { answerInstead, type FaultDecision, type HttpFault, keepsCallAway, reset, sendHalf } from './http-faults.ts';
import { createReplyForms, type ReplyForm } from './reply-forms.ts';
import { type Api, type ApiReply, answer, BASE_PATH } from './routes.ts';

/** Bytes of a request body; a scale call for a hundred servers has a tenth of it. */
const MAX_BODY_BYTES = 65_536;

export interface ServerOptions {
  readonly account: Cloud66Account;
  readonly random: Random;
  readonly replyForm: ReplyForm;
  /** 0 or nothing: a free one. */
  readonly port?: number;
  readonly pageSize?: number;
  readonly faults?: FaultDecision;
}

export interface Cloud66Server {
  /** Base URL of the API, without a slash at the end. */
  readonly url: string;
  /** What was asked so far, oldest first; the account's own log. */
  readonly requests: readonly Call[];
  /** Ends open connections and pending answers too. The account lives on. */
  close(): Promise<void>;
}

/** Starts serving the account. Rejects when the port is taken. */
export async function startCloud66Server(options: ServerOptions): Promise<Cloud66Server> {
  const { account, random, replyForm, port = 0, pageSize, faults = () => null } = options;
  const forms = createReplyForms(replyForm, random.fork('reply-form'));
  const api: Api = { account, forms, ...(pageSize === undefined ? {} : { pageSize }) };
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = urlOf(request).pathname;
    const method = request.method ?? 'GET';
    const fault = faults({ method, path, index: requests, atMs: account.clock.nowMs() });
    requests += 1;
    const record = (status: number | null, user: string | null): void =>
      account.calls.record({ atMs: account.clock.nowMs(), method, path, status, user, fault: fault?.kind ?? null });

    const body = await readBody(request);
    if (fault !== null && keepsCallAway(fault)) {
      record(answerInstead(fault, response), null);
      return;
    }
    const reply = replyTo(api, request, body);
    record(fault?.kind === 'lose_answer' ? null : reply.status, reply.user);
    if (fault?.kind === 'delay') await wait(fault.delayMs, timers);
    send(response, reply, fault);
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => crash(response, error));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: boundPort } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${boundPort}${BASE_PATH}`,
    requests: account.calls.all(),
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Never ends when the timers are cleared; the connection is closed then, and nobody waits. */
function wait(delayMs: number, timers: Set<NodeJS.Timeout>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      resolve();
    }, delayMs);
    timers.add(timer);
  });
}

function urlOf(request: IncomingMessage): URL {
  return new URL(request.url ?? '/', 'http://127.0.0.1');
}

/** Null when the body is too large. Rejects when the caller goes away in the middle. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size <= MAX_BODY_BYTES ? Buffer.concat(chunks).toString('utf8') : null;
}

function replyTo(api: Api, request: IncomingMessage, body: string | null): ApiReply {
  const url = urlOf(request);
  return answer(api, {
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    authorization: request.headers.authorization,
    // Too large a body is answered like one that cannot be understood.
    body: body ?? 'too large',
  });
}

function send(response: ServerResponse, reply: ApiReply, fault: HttpFault | null): void {
  const padding = fault?.kind === 'oversized' ? ' '.repeat(fault.extraBytes) : '';
  const body = Buffer.from(JSON.stringify(reply.body) + padding);
  response.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json');
  if (fault?.kind === 'lose_answer') reset(response);
  else if (fault?.kind === 'cut_body') sendHalf(response, body);
  else response.end(body);
}

/** A mistake of the simulator itself must not look like a network fault. */
function crash(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  response.writeHead(500, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: 'simulator_error', error_description: 'The simulator failed.', details }));
}
