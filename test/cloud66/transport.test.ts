/** One exchange on a real connection: its limits hold whatever the garbage collector takes meanwhile, and what becomes of it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeFetch } from '../../lib/cloud66/node-fetch.ts';
import { exchange } from '../../lib/cloud66/transport.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Long enough for headers and half a body on a busy machine that collects garbage all the while. */
const LIMIT_MS = 1000;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** The server, where it is, and when the connection of a request was closed. */
async function serverThat(answer: (response: ServerResponse) => void) {
  const closed = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    response.on('close', closed.resolve);
    answer(response);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, closed: closed.promise };
}

const halfABody = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"response":');
};

/** What became of a GET, with garbage collected all the while. */
async function collecting(url: string, timeoutMs: number, signal: AbortSignal) {
  const timer = setInterval(collectGarbage, 10);
  const limits = { timeoutMs, maxReplyBytes: 1000 };
  try {
    return await exchange({ method: 'GET', url, body: null }, 'token', limits, signal, nodeFetch);
  } finally {
    clearInterval(timer);
  }
}

describe('the limits of an exchange', () => {
  const never = new AbortController().signal;

  it('end one whose headers do not come, and close the connection', async () => {
    const { url, closed } = await serverThat(() => {});
    expect(await collecting(url, LIMIT_MS, never)).toEqual({ kind: 'timeout', sent: true });
    await closed;
  });

  it('end a body that stops in the middle, keep what came, and close the connection', async () => {
    const { url, closed } = await serverThat(halfABody);
    const reply = await collecting(url, LIMIT_MS, never);
    expect(reply).toMatchObject({ kind: 'reply', status: 200, text: '{"response":', bodyFault: 'timeout' });
    await closed;
  });

  it('end it when the caller stops, too', async () => {
    const controller = new AbortController();
    const { url, closed } = await serverThat((response) => {
      halfABody(response);
      setTimeout(() => controller.abort(), LIMIT_MS);
    });
    const reply = await collecting(url, 60_000, controller.signal);
    expect(reply).toMatchObject({ kind: 'reply', text: '{"response":', bodyFault: 'stopped' });
    await closed;
  });

  it('end a body that is too long, and close the connection', async () => {
    const { url, closed } = await serverThat((response) => response.writeHead(200).write('x'.repeat(2000)));
    expect(await collecting(url, 60_000, never)).toMatchObject({ kind: 'reply', bodyFault: 'oversized' });
    await closed;
  });
});

describe('the connection of an exchange', () => {
  const never = new AbortController().signal;
  const limits = { timeoutMs: 20_000, maxReplyBytes: 1000 };
  const get = (url: string) => exchange({ method: 'GET', url, body: null }, 'the-token', limits, never, nodeFetch);

  it('takes no encoded body, serves the next one, and is closed when none comes', async () => {
    const { server, url } = await serverThat((response) => response.end('{}'));
    // Not by the server.
    server.keepAliveTimeout = 60_000;
    const sockets = new Set<Socket>();
    const closed = Promise.withResolvers<void>();
    const encodings = new Set<unknown>();
    server.on('request', ({ headers }: IncomingMessage) => encodings.add(headers['accept-encoding']));
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => closed.resolve());
    });
    for (let calls = 0; calls < 3; calls += 1) expect(await get(url)).toMatchObject({ kind: 'reply', text: '{}' });
    expect([sockets.size, [...encodings]]).toEqual([1, ['identity']]);
    await closed.promise;
  }, 20_000);

  it('is closed after a status without a body, whatever follows', async () => {
    const { url, closed } = await serverThat((response) => response.writeHead(205).write('x'.repeat(2000)));
    expect(await get(url)).toMatchObject({ kind: 'reply', status: 205, text: '', bodyFault: null });
    await closed;
  });

  it('is closed after a status that does not exist', async () => {
    const { url, closed } = await serverThat((response) => response.writeHead(999).write('x'));
    expect(await get(url)).toEqual({ kind: 'failed', sent: true, why: 'the connection failed (RangeError)' });
    await closed;
  });

  it('is never a plain one where the URL says https', async () => {
    const seen: Buffer[] = [];
    const server = createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes: Buffer) => {
        seen.push(bytes);
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const answer = await get(`https://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    server.close();
    expect(answer).toMatchObject({ kind: 'failed' });
    const TLS_HANDSHAKE = 22;
    expect(seen[0]?.[0]).toBe(TLS_HANDSHAKE);
    expect(Buffer.concat(seen).includes('the-token')).toBe(false);
  });
});
