import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { HttpFault } from '../../../lib/simulation/cloud66/http-faults.ts';
import { startCloud66Server } from '../../../lib/simulation/cloud66/server.ts';
import { createRandom } from '../../../lib/simulation/random.ts';
import { serve, WISH } from './served.ts';

describe('network faults', () => {
  const PATH = '/stacks/shop/processes.json';

  it.each<[HttpFault, number | null, number]>([
    [{ kind: 'reset' }, null, 0],
    [{ kind: 'lose_answer' }, null, 1],
    [{ kind: 'cut_body' }, 200, 1],
  ])('breaks the connection: %o', async (fault, status, actions) => {
    const { post, account, server } = await serve({}, { faults: () => fault });
    await expect(post(PATH, WISH).then((answer) => answer.text())).rejects.toThrow();
    expect(account.stack('shop').actions()).toHaveLength(actions);
    expect(server.requests).toMatchObject([{ status, fault: fault.kind }]);
  });

  it.each<[HttpFault, number, RegExp, number]>([
    [{ kind: 'garbage' }, 200, /^<html>/, 0],
    [{ kind: 'status', status: 502 }, 502, /^<html><body>502/, 0],
    [{ kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:9/' }, body: 'gone' }, 302, /^gone$/, 0],
    [{ kind: 'delay', delayMs: 5 }, 200, /^\{"response"/, 1],
    [{ kind: 'oversized', extraBytes: 100_000 }, 200, / {100000}$/, 1],
  ])('answers otherwise: %o', async (fault, status, text, actions) => {
    const { server, account } = await serve({}, { faults: () => fault });
    const answer = await fetch(`${server.url}${PATH}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { authorization: 'Bearer all' },
      body: JSON.stringify(WISH),
    });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toMatch(text);
    expect(account.stack('shop').actions()).toHaveLength(actions);
  });

  it('is asked for each request, with its number', async () => {
    const { get } = await serve({}, { faults: ({ index }) => (index < 2 ? { kind: 'status', status: 500 } : null) });
    const statuses = [];
    for (let call = 0; call < 3; call += 1) statuses.push((await get('/stacks/shop.json')).status);
    expect(statuses).toEqual([500, 500, 200]);
  });

  it.each<HttpFault>([{ kind: 'hang' }, { kind: 'delay', delayMs: 600_000 }])(
    'ends what hangs when it is closed: %o',
    async (fault) => {
      const asked: string[] = [];
      const { get, server } = await serve({}, { faults: ({ path }) => (asked.push(path) ? fault : null) });
      const hanging = get('/stacks/shop.json');
      while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([expect(hanging).rejects.toThrow(), server.close()]);
    },
  );

  it('says so when the simulation itself fails, so that it does not pass for a fault', async () => {
    const { get } = await serve(
      {},
      {
        faults: () => {
          throw new Error('a mistake in the test');
        },
      },
    );
    const answer = await get('/stacks/shop.json');
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({
      error: 'simulator_error',
      details: expect.stringContaining('a mistake in the test'),
    });
  });

  it('lives on when a caller goes away in the middle of its request', async () => {
    const { get, server } = await serve();
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write('POST /api/3/stacks/shop/processes HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"process');
    socket.destroy();
    await once(socket, 'close');
    expect((await get('/stacks/shop.json')).status).toBe(200);
    expect(server.requests.map((request) => request.method)).toEqual(['GET']);
  });

  it('rejects when the port is taken', async () => {
    const { server, account } = await serve();
    const port = Number(new URL(server.url).port);
    const second = startCloud66Server({ account, random: createRandom(1), replyForm: 'go', port });
    await expect(second).rejects.toThrow('EADDRINUSE');
  });
});
