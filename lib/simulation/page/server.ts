/**
 * Serves the page on the loopback interface. A page somewhere else must neither read it nor press its buttons: the Host
 * header must be ours (against DNS rebinding), writes need our own Origin and JSON, and nobody may frame the page.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AutoscalerError, asError } from '../../errors.ts';
import { wall } from '../time.ts';
import { type Asset, readAssets } from './assets.ts';
import { controlOf, type Hands } from './controls.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import type { Feed } from './state.ts';

/** What a page is served from. */
export interface PageOptions {
  readonly feed: Feed;
  readonly hands: Hands;
  /** 0: a free one. */
  readonly port: number;
}

/** A page that is being served. */
export interface Page {
  readonly url: string;
  /** Ends open connections; what a browser shows stays there. */
  close(): Promise<void>;
}

const MOST_BODY_BYTES = 1024;
/** For a request to arrive as a whole; loopback is quick. */
const REQUEST_LIMIT_MS = 10_000;

/** For the last events to reach the browsers. */
const LAST_WORDS_MS = 200;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
} as const;

/** Starts serving. Throws AutoscalerError when the port is not free. */
export async function startPage({ feed, hands, port }: PageOptions): Promise<Page> {
  const assets = await readAssets();
  const streams = createEventStreams(feed);
  const server = createServer({ requestTimeout: REQUEST_LIMIT_MS, headersTimeout: REQUEST_LIMIT_MS });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (error) {
    streams.close();
    throw new AutoscalerError(`--port ${port}: ${asError(error).message}`);
  }
  const { port: bound } = server.address() as AddressInfo;
  const hosts = [`127.0.0.1:${bound}`, `localhost:${bound}`];
  server.on('request', (request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    answer({ request, response, assets, streams, feed, hands, hosts }).catch((error: unknown) => {
      // A browser that went away in the middle is nobody's fault; anything else is ours and must be seen.
      if (!response.headersSent) reply(response, 500, { error: asError(error).message });
    });
  });
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        streams.close();
        server.close(() => resolve());
        wall.after(LAST_WORDS_MS, () => server.closeAllConnections());
      }),
  };
}

interface Exchange extends Pick<PageOptions, 'feed' | 'hands'> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly streams: EventStreams;
  readonly hosts: readonly string[];
}

async function answer(exchange: Exchange): Promise<void> {
  const { request, response, hosts } = exchange;
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (!hosts.includes(request.headers.host ?? '')) {
    reply(response, 421, { error: `This page is served at http://${hosts[0]} only.` });
  } else if (request.method === 'GET' || request.method === 'HEAD') {
    show(exchange, path);
  } else if (request.method === 'POST') {
    await press(exchange, path);
  } else {
    reply(response.setHeader('allow', 'GET, HEAD, POST'), 405, { error: 'Only GET, HEAD and POST are answered.' });
  }
}

function show({ request, response, assets, streams }: Exchange, path: string): void {
  const asset = assets.get(path);
  if (asset) {
    response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.byteLength });
    response.end(request.method === 'HEAD' ? undefined : asset.body);
  } else if (path === '/events' && request.method === 'GET') {
    if (!streams.open(response)) reply(response, 503, { error: 'Too many pages are open.' });
  } else {
    reply(response, 404, { error: 'There is nothing here.' });
  }
}

async function press({ request, response, hosts, feed, hands }: Exchange, path: string): Promise<void> {
  const { origin } = request.headers;
  if (!hosts.some((host) => origin === `http://${host}`)) {
    return reply(response, 403, { error: 'Only this page itself may press its buttons.' });
  }
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return reply(response, 415, { error: 'Expected application/json.' });
  }
  const control = /^\/controls\/([a-z-]+)$/.exec(path)?.[1];
  const move = control === undefined ? undefined : controlOf(control);
  if (move === undefined) return reply(response, 404, { error: 'There is no such button.' });
  const body = await readJson(request);
  if (feed.state().run.phase !== 'running') return reply(response, 409, { error: 'The run is not going on.' });
  try {
    reply(response, 200, { done: await move(hands, body) });
  } catch (error) {
    if (!(error instanceof AutoscalerError)) throw error;
    reply(response, 400, { error: error.message });
  }
}

/** Undefined for what is too large or no JSON; the control says then what it expects. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size <= MOST_BODY_BYTES) chunks.push(chunk);
  }
  try {
    return size <= MOST_BODY_BYTES ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : undefined;
  } catch {
    return undefined;
  }
}

function reply(response: ServerResponse, status: number, body: Readonly<Record<string, string>>): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
