/**
 * A small real HTTP server whose replies are scripted, faults included, and which records what it was asked. Real
 * sockets, because only they break off, hang and talk nonsense.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the server does with one request. Replies are JSON unless `body` is a text. */
export type ScriptedReply =
  | {
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** A text goes out as it is; anything else as JSON. */
      readonly body?: unknown;
    }
  /** Closes the connection without a word. */
  | { readonly fault: 'reset' }
  /** Never answers. */
  | { readonly fault: 'hang' }
  /** Bytes that are not HTTP. */
  | { readonly fault: 'garbage' }
  /** Announces a whole body, sends the first half and closes (`cut`) or stays silent (`stall`). */
  | { readonly fault: 'cut' | 'stall'; readonly status?: number; readonly body: string }
  /** A body of that many bytes, in pieces. */
  | { readonly fault: 'oversized'; readonly bytes: number };

interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<IncomingMessage['headers']>;
  readonly body: string;
}

type Answerer = (request: RecordedRequest, index: number) => ScriptedReply;

export interface ScriptedServer {
  /** Base URL, without a slash at the end. */
  readonly url: string;
  readonly requests: readonly RecordedRequest[];
  /** Replies to the next requests in this order; the last one is repeated. Forgets earlier scripts and requests. */
  script(...replies: readonly ScriptedReply[]): void;
  /** Answers each request by a function of it. */
  answer(answerer: Answerer): void;
  close(): Promise<void>;
}

/** Starts on a free port of 127.0.0.1. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  let answerer: Answerer = () => ({ status: 500, body: 'nothing is scripted' });
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const recorded = { method, path, headers, body: Buffer.concat(pieces).toString() };
      requests.push(recorded);
      perform(answerer(recorded, requests.length - 1), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = (next: Answerer): void => {
    requests.length = 0;
    answerer = next;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer,
    script: (...replies) => answer((_, index) => replies[Math.min(index, replies.length - 1)] ?? { fault: 'reset' }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function perform(reply: ScriptedReply, response: ServerResponse): void {
  if (!('fault' in reply)) answerWhole(reply, response);
  else if (reply.fault === 'reset') response.socket?.resetAndDestroy();
  else if (reply.fault === 'garbage') response.socket?.end('\u0000\u0001 this is not HTTP\r\n\r\n');
  else if (reply.fault === 'oversized') answerOversized(reply.bytes, response);
  else if (reply.fault !== 'hang') answerHalf(reply, response);
}

function answerOversized(bytes: number, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  for (let sent = 0; sent < bytes; sent += 65_536) response.write(' '.repeat(65_536));
  response.end();
}

function answerWhole(reply: Exclude<ScriptedReply, { fault: string }>, response: ServerResponse): void {
  const { status = 200, headers = {}, body = '' } = reply;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function answerHalf(
  reply: { readonly fault: 'cut' | 'stall'; readonly status?: number; readonly body: string },
  response: ServerResponse,
): void {
  const { fault, status = 200, body } = reply;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) });
  response.write(body.slice(0, Math.ceil(body.length / 2)), () => {
    if (fault === 'cut') response.socket?.resetAndDestroy();
  });
}
