import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RateLimit } from '../../lib/cloud66/budget.ts';
import { MalformedReplyError, NotFoundError, UnknownOutcomeError } from '../../lib/cloud66/errors.ts';
import type { TokenSource } from '../../lib/cloud66/token.ts';
import { InvalidInputError } from '../../lib/errors.ts';
import { type ScriptedServer, startScriptedServer } from '../support/http-server.ts';
import { calm, clientOf, errorFrom, fixture, STACK, TOKEN } from './support.ts';

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(async () => {
  await server.close();
});

const process = (name: string, servers: Record<string, number>) => ({ md5: 'x', name, command: 'run', servers });
const pageOf = (response: readonly unknown[], current: number, next: number | string | null) => ({
  body: { response, count: response.length, pagination: { previous: null, next, current, per_page: 30, pages: 3 } },
});

describe('documented replies', () => {
  it('reads the process list of the documentation', async () => {
    server.script({ body: fixture('processes-list') });
    expect(await clientOf(server.url).listProcesses(STACK, {}, calm())).toEqual([
      { name: 'worker', counts: new Map([['server_name', 1]]), pausedCounts: new Map() },
      { name: 'scheduler', counts: new Map([['server_name', 1]]), pausedCounts: new Map() },
    ]);
    expect(server.requests).toMatchObject([
      {
        method: 'GET',
        path: `/api/3/stacks/${STACK}/processes.json`,
        body: '',
        headers: { accept: 'application/json' },
      },
    ]);
  });

  it('picks one process by name out of the array of all that the documentation shows', async () => {
    server.script({ body: fixture('process-single') });
    const found = await clientOf(server.url).getProcess(STACK, 'scheduler', calm());
    expect(found.counts).toEqual(new Map([['server_name1', 3]]));
    expect(server.requests[0]?.path).toBe(`/api/3/stacks/${STACK}/processes/scheduler.json`);
  });

  it('reads one process as the object that the Go client decodes, wrapped or bare, with its pauses', async () => {
    const worker = { ...process('worker', { web: 2 }), servers_pauses: { web: 3 } };
    for (const body of [{ response: worker }, worker, [worker]]) {
      server.script({ body });
      const found = await clientOf(server.url).getProcess(STACK, 'worker', calm());
      expect(found).toEqual({ name: 'worker', counts: new Map([['web', 2]]), pausedCounts: new Map([['web', 3]]) });
    }
  });

  it('finds a single process on a later page of the array', async () => {
    server.script(pageOf([process('a', {})], 1, 2), pageOf([process('z', { web: 1 })], 2, null));
    expect((await clientOf(server.url).getProcess(STACK, 'z', calm())).name).toBe('z');
  });

  it('names the processes that exist when the one asked for does not', async () => {
    server.script({ body: fixture('process-single') });
    const error = await errorFrom(clientOf(server.url).getProcess(STACK, 'wroker', calm()));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toContain('no process "wroker" among worker, scheduler: GET http://127.0.0.1');
  });

  it('reads the answer to a scale call as the array of the documentation and as the object of the Go client', async () => {
    const documented = fixture('process-scale');
    const { response } = JSON.parse(documented) as { response: unknown[] };
    for (const body of [documented, { response: response[0] }, response[0]]) {
      server.script({ body });
      const wish = { processName: 'worker', serverCount: { e63e859d5ab72b0bcf14321f0ffb013d: 4 } };
      expect(await clientOf(server.url).scaleProcess(STACK, wish, calm())).toEqual({
        id: 10,
        kind: 'Process_scale',
        startedAtMs: Date.UTC(2016, 0, 1, 19, 8, 5),
        finishedAtMs: null,
        success: null,
        message: null,
        userReference: null,
      });
    }
  });

  it('sends the counts as a JSON object of server uid to count, and the reference when there is one', async () => {
    server.script({ body: fixture('process-scale') });
    const wish = { processName: 'worker', serverCount: { aa: 2, bb: 0 }, userReference: 'decision-1' };
    await clientOf(server.url).scaleProcess(STACK, wish, calm());
    const [request] = server.requests;
    expect(request).toMatchObject({ method: 'POST', path: `/api/3/stacks/${STACK}/processes.json` });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      process_name: 'worker',
      server_count: { aa: 2, bb: 0 },
      user_reference: 'decision-1',
    });
    await clientOf(server.url).scaleProcess(STACK, { processName: 'worker', serverCount: { aa: 2 } }, calm());
    expect(JSON.parse(server.requests[1]?.body ?? '')).toEqual({ process_name: 'worker', server_count: { aa: 2 } });
  });

  it('reads servers, stack and actions as documented', async () => {
    const client = clientOf(server.url);
    server.script({ body: fixture('servers-list') });
    expect(await client.listServers(STACK, calm())).toEqual([
      { uid: 'f8468fc145ea49bac474b30a8fea888d', name: 'Caribou', healthState: 3 },
    ]);
    server.script({ body: fixture('stack') });
    expect(await client.getStack(STACK, calm())).toEqual({ status: 1, maintenanceMode: false });
    expect(server.requests[0]?.path).toBe(`/api/3/stacks/${STACK}.json`);
    server.script({ body: fixture('actions-list') });
    expect(await client.listActions(STACK, { maxPages: 1 }, calm())).toMatchObject([
      { id: 10, kind: 'clear_caches', finishedAtMs: Date.UTC(2014, 8, 1, 19, 8, 9), success: true },
    ]);
  });

  it('reads an action unwrapped as in the newer documentation and wrapped as in the Go client', async () => {
    const unwrapped = fixture('action-unwrapped');
    for (const body of [unwrapped, { response: JSON.parse(unwrapped) as unknown }]) {
      server.script({ body });
      expect(await clientOf(server.url).getAction(STACK, 78_901, calm())).toMatchObject({
        id: 78_901,
        success: true,
        message: 'Stack settings updated successfully',
      });
    }
    expect(server.requests[0]?.path).toBe(`/api/3/stacks/${STACK}/actions/78901.json`);
  });

  it('refuses the answer about another action than the one asked for', async () => {
    server.script({ body: fixture('action-unwrapped') });
    const error = await errorFrom(clientOf(server.url).getAction(STACK, 5, calm()));
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect(error.message).toContain('id: expected action 5, found 78901');
  });
});

describe('paging', () => {
  it('follows next while it is larger than current, also when it is digits', async () => {
    server.script(
      pageOf([process('a', {})], 1, '2'),
      pageOf([process('b', {})], 2, 3),
      pageOf([process('c', {})], 3, null),
    );
    const processes = await clientOf(server.url).listProcesses(STACK, { serverUid: 'e63e' }, calm());
    expect(processes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(server.requests.map(({ path }) => path.split('?')[1])).toEqual([
      'server_uid=e63e',
      'server_uid=e63e&page=2',
      'server_uid=e63e&page=3',
    ]);
  });

  it('stops where next does not lead on', async () => {
    server.script(pageOf([process('a', {})], 1, 1));
    expect(await clientOf(server.url).listProcesses(STACK, {}, calm())).toHaveLength(1);
    server.script(pageOf([process('a', {})], 1, 2), { body: { response: [process('b', {})] } });
    expect(await clientOf(server.url).listProcesses(STACK, {}, calm())).toHaveLength(2);
  });

  it('refuses a server that answers with the first page again and again', async () => {
    server.script(pageOf([process('a', {})], 1, 2));
    const error = await errorFrom(clientOf(server.url).listProcesses(STACK, {}, calm()));
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect(error.message).toContain('pagination: expected page 2, found 1');
    expect(server.requests).toHaveLength(2);
  });

  it('would rather fail than give half a list when there are too many pages', async () => {
    server.answer((_, index) => pageOf([process(`p${index}`, {})], index + 1, index + 2));
    const client = clientOf(server.url, { limits: { maxPages: 3 } });
    const error = await errorFrom(client.listProcesses(STACK, {}, calm()));
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect(error.message).toContain('expected at most 3 pages');
    expect(server.requests).toHaveLength(3);
  });

  it('gives the first pages of the actions and asks for no more', async () => {
    const action = (id: number) => ({ id, action: 'Process_scale' });
    server.answer((_, index) => pageOf([action(100 - index)], index + 1, index + 2));
    const actions = await clientOf(server.url).listActions(STACK, { maxPages: 2 }, calm());
    expect(actions.map(({ id }) => id)).toEqual([100, 99]);
    expect(server.requests).toHaveLength(2);
  });
});

describe('replies of the wrong shape', () => {
  it('lists every problem by its path', async () => {
    const pauses = { ...process('c', {}), servers_pauses: 'none' };
    server.script(
      pageOf(
        [process('a', { web: 1.5, db: -1 }), { name: 7 }, null, process('b', { web: 10_001 }), pauses],
        1,
        -2 as never,
      ),
    );
    const error = await errorFrom(clientOf(server.url).listProcesses(STACK, {}, calm()));
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect(error instanceof MalformedReplyError ? error.problems : []).toEqual([
      { field: 'response[0].servers.web', message: 'expected an integer from 0 to 10000, found 1.5' },
      { field: 'response[0].servers.db', message: 'expected an integer from 0 to 10000, found -1' },
      { field: 'response[1].name', message: 'expected a process name, found 7' },
      { field: 'response[1].servers', message: 'is missing' },
      { field: 'response[2]', message: 'expected an object, found null' },
      { field: 'response[3].servers.web', message: 'expected an integer from 0 to 10000, found 10001' },
      { field: 'response[4].servers_pauses', message: 'expected an object of server name to count, found "none"' },
      { field: 'pagination.next', message: 'expected a page number or null, found -2' },
    ]);
    expect(error.message).toMatch(/: GET http:\/\/127\.0\.0\.1:\d+\/api\/3\/stacks\/\w+\/processes\.json$/);
  });

  it('counts the problems that are too many to tell', async () => {
    server.script({ body: { response: Array.from({ length: 30 }, () => null) } });
    const error = await errorFrom(clientOf(server.url).listProcesses(STACK, {}, calm()));
    expect(error.message).toContain('response[19]: expected an object, found null; and 10 more: GET');
  });

  it.each([
    ['null instead of a list', { response: null }],
    ['an error with status 200', { error: 'oops' }],
    ['a text', '"hello"'],
    ['a number', '42'],
  ])('refuses %s rather than reading no processes', async (_, body) => {
    server.script({ body });
    expect(await errorFrom(clientOf(server.url).listProcesses(STACK, {}, calm()))).toBeInstanceOf(MalformedReplyError);
  });

  it('takes an empty list for what it is', async () => {
    server.script({ body: { response: [] } });
    expect(await clientOf(server.url).listProcesses(STACK, {}, calm())).toEqual([]);
  });

  it('is not fooled by keys that mean something to JavaScript', async () => {
    server.script({ body: '{"response":[{"name":"a","servers":{"__proto__":{"polluted":1}}}]}' });
    const error = await errorFrom(clientOf(server.url).listProcesses(STACK, {}, calm()));
    expect(error.message).toContain('expected a server name, found "__proto__"');
    server.script({
      body: '{"response":[{"name":"a","__proto__":{"servers":{"web":9}},"servers":{"constructor":2}}]}',
    });
    const [found] = await clientOf(server.url).listProcesses(STACK, {}, calm());
    expect(found?.counts).toEqual(new Map([['constructor', 2]]));
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it('refuses two objects where there must be one', async () => {
    server.script({ body: { response: [{ status: 1 }, { status: 2 }] } });
    const error = await errorFrom(clientOf(server.url).getStack(STACK, calm()));
    expect(error.message).toContain('response: expected one object, found 2');
  });

  it.each([
    ['no action', { response: [] }],
    ['an action without id', { response: [{ action: 'Process_scale' }] }],
    ['two actions', { response: [1, 2].map((id) => ({ id, action: 'Process_scale' })) }],
  ])('calls the outcome of a scale call unknown when it was answered with %s', async (_, body) => {
    server.script({ body });
    const wish = { processName: 'worker', serverCount: { aa: 1 } };
    const error = await errorFrom(clientOf(server.url).scaleProcess(STACK, wish, calm()));
    expect(error).toBeInstanceOf(UnknownOutcomeError);
    expect(error.message).toMatch(/the change was probably accepted: POST http:\S+processes\.json$/);
    expect(server.requests).toHaveLength(1);
  });
});

describe('arguments', () => {
  const call = () => clientOf('http://127.0.0.1:9');

  it.each(['', '../admin', 'a/b', 'a b', '__proto__', 'x'.repeat(65)])(
    'never puts the uid %j into a path',
    async (uid) => {
      expect(await errorFrom(call().listServers(uid, calm()))).toBeInstanceOf(InvalidInputError);
      expect(await errorFrom(call().listProcesses(STACK, { serverUid: uid }, calm()))).toBeInstanceOf(
        InvalidInputError,
      );
    },
  );

  it.each(['', '.', '..', 'a\nb', '\ud800', 'x'.repeat(256)])(
    'never puts the process name %j into a path',
    async (name) => {
      expect(await errorFrom(call().getProcess(STACK, name, calm()))).toBeInstanceOf(InvalidInputError);
    },
  );

  it('percent-encodes process names', async () => {
    server.script({ body: process('a/b?c #1', {}) });
    await clientOf(server.url).getProcess(STACK, 'a/b?c #1', calm());
    expect(server.requests[0]?.path).toBe(`/api/3/stacks/${STACK}/processes/a%2Fb%3Fc%20%231.json`);
  });

  it.each([-1, 1.5, Number.NaN])('refuses %s as the number of an action', async (id) => {
    expect(await errorFrom(call().getAction(STACK, id, calm()))).toBeInstanceOf(InvalidInputError);
  });

  it('lists everything that is wrong with a scale wish and sends nothing', async () => {
    const serverCount = { 'a b': 1, aa: 10_001, bb: Number.NaN };
    const wish = { processName: 'worker', serverCount, userReference: 'x'.repeat(256) };
    const error = await errorFrom(call().scaleProcess(STACK, wish, calm()));
    expect(error instanceof InvalidInputError ? error.problems.map(({ field }) => field) : []).toEqual([
      'serverCount.a b',
      'serverCount.aa',
      'serverCount.bb',
      'userReference',
    ]);
    const empty = await errorFrom(call().scaleProcess(STACK, { processName: 'worker', serverCount: {} }, calm()));
    expect(empty.message).toContain('serverCount: names no server');
  });

  it.each([
    'app.cloud66.com',
    'http://app.cloud66.com/api/3',
    'http://127.0.0.1.example.com/api/3',
    'ftp://127.0.0.1/',
    'https://user:word@app.cloud66.com',
    'https://app.cloud66.com/api/3?x=1',
    'https://app.cloud66.com/api/3#x',
  ])('refuses %s as the base of its URLs', (apiUrl) => {
    expect(() => clientOf('', { apiUrl })).toThrow(InvalidInputError);
  });

  it('takes https anywhere, plain http on this machine, and a slash at the end', async () => {
    for (const apiUrl of [
      'https://app.cloud66.com/api/3',
      'http://localhost:1/',
      'http://[::1]:1',
      'http://127.0.0.2',
    ]) {
      expect(() => clientOf('', { apiUrl })).not.toThrow();
    }
    server.script({ body: fixture('stack') });
    await clientOf(server.url, { apiUrl: `${server.url}/api/3//` }).getStack(STACK, calm());
    expect(server.requests[0]?.path).toBe(`/api/3/stacks/${STACK}.json`);
  });
});

describe('headers', () => {
  it('sends the token in the Authorization header and nowhere else', async () => {
    server.script({ body: fixture('stack') });
    await clientOf(server.url).getStack(STACK, calm());
    const { authorization, ...others } = server.requests[0]?.headers ?? {};
    expect(authorization).toBe(`Bearer ${TOKEN}`);
    expect(JSON.stringify([others, server.requests[0]?.path])).not.toContain(TOKEN);
    expect(others['user-agent']).toBe('cloud66-worker-autoscaler');
  });

  it('reads the rate limit from every reply, errors included', async () => {
    const seen: RateLimit[] = [];
    const client = clientOf(server.url, {
      clock: { nowMs: () => 1_000_000 },
      onRateLimit: (limit) => seen.push(limit),
    });
    const headers = { 'X-RateLimit-Limit': '3600', 'X-RateLimit-Remaining': '3597' };
    server.script({ body: fixture('stack'), headers });
    await client.getStack(STACK, calm());
    server.script({ status: 404, headers: { 'X-RateLimit-Remaining': '3596', 'X-RateLimit-Reset': '60' } });
    await errorFrom(client.getStack(STACK, calm()));
    server.script({ body: fixture('stack'), headers: { 'X-RateLimit-Limit': 'many' } });
    await client.getStack(STACK, calm());
    expect(seen).toEqual([
      { limit: 3600, remaining: 3597, resetAtMs: null, observedAtMs: 1_000_000 },
      { limit: null, remaining: 3596, resetAtMs: 1_060_000, observedAtMs: 1_000_000 },
    ]);
    expect(client.budget.remaining(1_000_000)).toBe(3595);
    expect(client.budget.calls()).toBe(3);
  });

  it('does not try again once only the part of the reserve is left that is never this program’s', async () => {
    const client = clientOf(server.url);
    const headers = { 'X-RateLimit-Limit': '3600', 'X-RateLimit-Remaining': '451' };
    server.script({ status: 502, headers }, { body: fixture('stack'), headers });
    await client.getStack(STACK, calm());
    expect(server.requests).toHaveLength(2);
    server.script({ status: 502, headers: { ...headers, 'X-RateLimit-Remaining': '450' } }, { body: fixture('stack') });
    expect(await errorFrom(client.getStack(STACK, calm()))).toMatchObject({ name: 'UnavailableError' });
    expect(server.requests).toHaveLength(1);
  });

  it('does not follow a list into that part of the reserve', async () => {
    const client = clientOf(server.url);
    const page = (left: number) => ({
      ...pageOf([process('worker', {})], 1, 2),
      headers: { 'X-RateLimit-Limit': '3600', 'X-RateLimit-Remaining': String(left) },
    });
    server.script(page(451), pageOf([process('mailer', {})], 2, null));
    expect(await client.listProcesses(STACK, {}, calm())).toHaveLength(2);
    server.script(page(450), pageOf([process('mailer', {})], 2, null));
    const error = await errorFrom(client.listProcesses(STACK, {}, calm()));
    expect(error).toMatchObject({ name: 'ThrottledError' });
    expect(error.message).toContain('450 of 3600 calls are left, and those are kept for others');
    expect(server.requests).toHaveLength(1);
  });

  it('does not ask again with a new token there either', async () => {
    const token = { name: '/token', get: async () => 'old', refresh: async () => 'new' };
    const headers = (left: number) => ({ 'X-RateLimit-Limit': '3600', 'X-RateLimit-Remaining': String(left) });
    const body = fixture('stack');
    server.script({ status: 401, headers: headers(451) }, { body });
    await clientOf(server.url, { token }).getStack(STACK, calm());
    expect(server.requests).toHaveLength(2);
    server.script({ status: 401, headers: headers(450) }, { body });
    expect(await errorFrom(clientOf(server.url, { token }).getStack(STACK, calm()))).toMatchObject({
      name: 'ThrottledError',
    });
    expect(server.requests).toHaveLength(1);
  });

  it('passes warnings on, on one line and without the token', async () => {
    const warnings: string[] = [];
    const client = clientOf(server.url, { onWarning: (warning) => warnings.push(warning) });
    server.script({ body: fixture('stack'), headers: { 'X-Cloud66-Warning': `${TOKEN} is about\tto be retired` } });
    await client.getStack(STACK, calm());
    expect(warnings).toEqual(['[token] is about to be retired']);
  });
});

describe('a token that is not accepted', () => {
  const tokens = (...values: readonly string[]): TokenSource & { refreshes: number } => ({
    refreshes: 0,
    name: null,
    get: async () => values[0] ?? '',
    async refresh() {
      this.refreshes += 1;
      return values[1] ?? values[0] ?? '';
    },
  });
  const onlyFor = (accepted: string, body: unknown) =>
    server.answer(({ headers }) => (headers.authorization === `Bearer ${accepted}` ? { body } : { status: 401 }));

  it('is read again once, and the call repeated with the new one, the scale call too', async () => {
    onlyFor('new', fixture('stack'));
    const token = tokens('old', 'new');
    expect(await clientOf(server.url, { token }).getStack(STACK, calm())).toMatchObject({ status: 1 });
    expect(token.refreshes).toBe(1);
    onlyFor('new', fixture('process-scale'));
    const wish = { processName: 'worker', serverCount: { aa: 1 } };
    expect(await clientOf(server.url, { token }).scaleProcess(STACK, wish, calm())).toMatchObject({ id: 10 });
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  it('is not tried again when it did not change, and the new one only once', async () => {
    onlyFor('other', {});
    const same = await errorFrom(clientOf(server.url, { token: tokens('old') }).getStack(STACK, calm()));
    expect(same.message).toContain('the API token is not accepted: GET');
    expect(server.requests).toHaveLength(1);
    await errorFrom(clientOf(server.url, { token: tokens('old', 'new') }).getStack(STACK, calm()));
    expect(server.requests).toHaveLength(3);
  });
});
