import { describe, expect, it } from 'vitest';
import { serve, WISH } from './served.ts';

describe('calls', () => {
  it.each([
    ['an object', { process_name: 'worker', server_count: { 'uid-a': 4, 'uid-b': 0 } }, ''],
    ['an object with counts as text', { process_name: 'worker', server_count: { 'uid-a': '4', 'uid-b': '0' } }, ''],
    ['the documented text', { process_name: 'worker', server_count: 'uid-a:4,uid-b:0' }, ''],
    ['query parameters', '', '?process_name=worker&server_count=uid-a:4,uid-b:0'],
  ])('takes server_count as %s', async (_name, body, query) => {
    const { post, account } = await serve();
    expect((await post(`/stacks/shop/processes.json${query}`, body)).status).toBe(200);
    expect(account.stack('shop').actions()[0]?.requestedCounts).toEqual({ 'uid-a': 4, 'uid-b': 0 });
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{"process_name":', 'the body is not a JSON object'],
    ['a JSON list', '[]', 'the body is not a JSON object'],
    ['too large a body', `{"process_name": "${'x'.repeat(70_000)}"}`, 'the body is not a JSON object'],
    ['no process name', { server_count: { 'uid-a': 1 } }, 'process_name: missing'],
    ['no counts', { process_name: 'worker' }, 'server_count: missing, expected {server_uid: count}'],
    ['counts as a list', { process_name: 'worker', server_count: [1] }, 'server_count: missing'],
    ['counts without a number', { process_name: 'worker', server_count: 'uid-a' }, 'with whole numbers'],
    ['a count that is no number', { process_name: 'worker', server_count: { 'uid-a': 'four' } }, 'with whole numbers'],
    ['a server name', { process_name: 'worker', server_count: { lion: 1 } }, 'no server lion'],
    ['a negative count', { process_name: 'worker', server_count: { 'uid-a': -2 } }, '-2 for server uid-a'],
  ])('refuses %s with 400 in the documented envelope', async (_name, body, details) => {
    const { post, account } = await serve();
    const answer = await post('/stacks/shop/processes.json', body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({
      error: 'bad_request',
      error_description: 'The request was invalid or cannot be served.',
      details: expect.stringContaining(details),
    });
    expect(account.stack('shop').actions()).toEqual([]);
  });

  it.each([
    ['a wrong token', '/stacks/shop.json', 'wrong', 401, 'unauthenticated'],
    ['a token without the scope', '/stacks/shop.json', 'other', 403, 'forbidden'],
    ['an unknown stack', '/stacks/blog.json', 'all', 404, 'not_found'],
    ['an unknown process', '/stacks/shop/processes/mailer.json', 'all', 404, 'not_found'],
    ['an unknown server', '/stacks/shop/processes.json?server_uid=lion', 'all', 404, 'not_found'],
    ['an unknown action', '/stacks/shop/actions/7.json', 'all', 404, 'not_found'],
    ['an action that is no number', '/stacks/shop/actions/first.json', 'all', 404, 'not_found'],
    ['an unknown endpoint', '/stacks/shop/formations.json', 'all', 404, 'not_found'],
    ['a path outside the API', '/../2/stacks/shop.json', 'all', 404, 'not_found'],
  ])('refuses %s', async (_name, path, token, status, error) => {
    const { get } = await serve();
    const answer = await get(path, token);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error });
  });

  it('refuses a scale call without the scope admin, and one to a busy stack', async () => {
    const { post, account } = await serve();
    expect((await post('/stacks/shop/processes.json', WISH, 'read')).status).toBe(403);
    expect((await post('/stacks/shop/processes.json', WISH)).status).toBe(200);
    const busy = await post('/stacks/shop/processes.json', WISH);
    expect(busy.status).toBe(409);
    expect(await busy.json()).toMatchObject({ error: 'conflict' });
    expect(account.stack('shop').actions()).toHaveLength(1);
  });

  it('shows the budget on every answer and throttles when it is used up, until the next hour', async () => {
    const { get, clock, account } = await serve({ callsPerHour: 3 });
    account.spend('robot@example.com');
    const first = await get('/stacks/shop.json');
    expect(first.headers.get('x-ratelimit-limit')).toBe('3');
    expect(first.headers.get('x-ratelimit-remaining')).toBe('1');
    expect((await get('/stacks/blog.json', 'read')).headers.get('x-ratelimit-remaining')).toBe('0');
    const throttled = await get('/stacks/shop.json');
    expect(throttled.status).toBe(503);
    expect(await throttled.json()).toMatchObject({ error: 'throttled' });
    clock.advanceBySeconds(3600);
    expect((await get('/stacks/shop.json')).status).toBe(200);
  });

  it('throttles with 429 and Retry-After, when set to', async () => {
    const { get, clock } = await serve({ callsPerHour: 0, throttledStatus: 429 });
    clock.advanceBySeconds(3000);
    const throttled = await get('/stacks/shop.json');
    expect(throttled.status).toBe(429);
    expect(throttled.headers.get('retry-after')).toBe('600');
  });

  it('answers 402 when the trial has expired, and warns', async () => {
    const { get } = await serve({ trialExpired: true, warning: 'this API version goes away' });
    const answer = await get('/stacks/shop.json');
    expect(answer.status).toBe(402);
    expect(answer.headers.get('x-cloud66-warning')).toBe('this API version goes away');
  });
});

describe('the call log', () => {
  it('counts reads and writes, with status and user, and holds no token', async () => {
    const { get, post, server, account } = await serve();
    await get('/stacks/shop.json?page=1');
    await post('/stacks/shop/processes.json', WISH);
    await get('/stacks/shop.json', 'wrong');
    expect(server.requests).toEqual([
      expect.objectContaining({
        method: 'GET',
        path: '/api/3/stacks/shop.json',
        status: 200,
        user: 'robot@example.com',
      }),
      expect.objectContaining({ method: 'POST', status: 200, fault: null }),
      expect.objectContaining({ method: 'GET', status: 401, user: null }),
    ]);
    expect([account.calls.reads(), account.calls.writes()]).toEqual([2, 1]);
    expect(JSON.stringify(server.requests)).not.toContain('wrong');
  });
});
