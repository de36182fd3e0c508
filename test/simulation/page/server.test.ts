/** The page's server, asked over HTTP as browsers, other pages and strangers would. */
import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Page, startPage } from '../../../lib/simulation/page/server.ts';
import { createFeed, type Feed } from '../../../lib/simulation/page/state.ts';
import { feedUnderWay, notingHands, sampleAt } from './shown.ts';

let page: Page | undefined;
afterEach(async () => {
  await page?.close();
  page = undefined;
});

async function serve(feed: Feed = feedUnderWay()) {
  const { hands, moves } = notingHands(feed);
  page = await startPage({ feed, hands, port: 0 });
  const { url } = page;
  const press = (control: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${url}/controls/${control}`, {
      method: 'POST',
      headers: { origin: url, 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  return { url, feed, moves, press };
}

/** Status of a request with a Host header of our choice, which fetch does not allow. */
function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', reject)
      .end();
  });
}

/** Reads events until so many have come. */
async function eventsOf(response: Response, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk);
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    found.push(...parts.filter((part) => part.startsWith('event:')));
    if (found.length >= count) break;
  }
  return found;
}

describe('what the page is made of', () => {
  it.each([
    ['/', 'text/html'],
    ['/page.css', 'text/css'],
    ['/uplot.css', 'text/css'],
    ['/main.js', 'text/javascript'],
    ['/uplot.js', 'text/javascript'],
    ['/icon.svg', 'image/svg+xml'],
  ])('%s is served as %s, to be shown by this page alone', async (path, type) => {
    const { url } = await serve();
    const response = await fetch(url + path);
    expect(response.status).toBe(200);
    expect((await response.text()).length).toBeGreaterThan(100);
    const { headers } = response;
    expect(headers.get('content-type')).toContain(type);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('content-security-policy')).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('names nothing outside itself', async () => {
    const { url } = await serve();
    for (const path of ['/', '/page.css', '/main.js', '/charts.js', '/entry.js']) {
      const text = await (await fetch(url + path)).text();
      expect(text.match(/(?:https?:)?\/\/[a-z]+\.[a-z]/gi) ?? [], path).toEqual([]);
    }
  });

  it.each(['/nothing', '/index.html', '/../package.json', '/..%2f..%2fserver.ts', '/assets/main.js'])(
    'there is nothing at %s',
    async (path) => {
      const { url } = await serve();
      expect((await fetch(url + path)).status).toBe(404);
    },
  );

  it('answers GET, HEAD and POST only', async () => {
    const { url } = await serve();
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    const refused = await fetch(url, { method: 'DELETE' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
  });

  it('says which port is taken', async () => {
    const { url, feed } = await serve();
    const port = Number(new URL(url).port);
    await expect(startPage({ feed, hands: notingHands(feed).hands, port })).rejects.toThrow(`--port ${port}: `);
  });
});

describe('strangers', () => {
  it.each(['example.com', '127.0.0.1', '127.0.0.1:1'])(
    'a request for the host "%s" is refused, however it got here',
    async (host) => {
      const { url } = await serve();
      for (const path of ['/', '/events']) expect(await statusWithHost(url + path, host)).toBe(421);
    },
  );

  it('is answered under both names of this machine', async () => {
    const { url } = await serve();
    expect(await statusWithHost(url, url.replace('http://127.0.0.1', 'localhost'))).toBe(200);
  });

  it.each([
    ['another page', { origin: 'http://example.com' }, 403],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
  ])('%s cannot press a button', async (_name, headers, status) => {
    const { press, moves } = await serve();
    expect((await press('deployment', {}, headers)).status).toBe(status);
    expect(moves).toEqual([]);
  });

  it('nor does a request without an origin', async () => {
    const { url, moves } = await serve();
    const response = await fetch(`${url}/controls/deployment`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(response.status).toBe(403);
    expect(moves).toEqual([]);
  });
});

describe('buttons', () => {
  it.each([
    ['jobs', { count: 50 }, 'jobs 50'],
    ['deployment', {}, 'deployment'],
    ['outage', { on: true }, 'outage true'],
    ['failing-action', { on: false }, 'failing false'],
    ['by-hand', { serverUid: 'a', count: 3 }, 'by hand a 3'],
  ])('%s does what it says', async (control, body, move) => {
    const { press, moves } = await serve();
    const response = await press(control, body);
    expect([response.status, await response.json()]).toEqual([200, { done: `done: ${move}` }]);
    expect(moves).toEqual([move]);
  });

  it.each([
    ['an unknown button', 'explode', {}, 404],
    ['no number', 'jobs', { count: 'many' }, 400],
    ['nothing', 'outage', '', 400],
    ['no JSON', 'outage', '{"on":', 400],
    ['a novel', 'outage', JSON.stringify({ on: true, more: 'x'.repeat(2000) }), 400],
  ])('%s is refused with a sentence', async (_name, control, body, status) => {
    const { press, moves } = await serve();
    const response = await press(control, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.stringMatching(/\w+/) });
    expect(moves).toEqual([]);
  });

  it('do nothing before the run is live and after it is over', async () => {
    const { press, moves, feed } = await serve(createFeed({ load: '', speed: 1 }));
    expect((await press('deployment', {})).status).toBe(409);
    feed.setRun({ phase: 'over' });
    expect((await press('deployment', {})).status).toBe(409);
    expect(moves).toEqual([]);
  });
});

describe('events', () => {
  it('begin with the whole state, for everyone who connects, and go on with every change', async () => {
    const { url, feed } = await serve();
    for (const _connection of [1, 2]) {
      const response = await fetch(`${url}/events`);
      expect(response.headers.get('content-type')).toContain('text/event-stream');
      const coming = eventsOf(response, 2);
      feed.addSample(sampleAt(700));
      const [state = '', sample = ''] = await coming;
      expect(state).toMatch(/^event: state\ndata: \{/);
      expect(JSON.parse(state.split('data: ')[1] ?? '')).toMatchObject({
        run: { phase: 'running' },
        entries: [{ tone: 'out' }, { tone: 'good' }, { tone: 'quiet' }, { tone: 'you' }],
      });
      expect(sample).toMatch(/^event: sample\ndata: \{"atSeconds":700,/);
    }
  });

  it('end with the last change when the page closes', async () => {
    const { url, feed } = await serve();
    const coming = eventsOf(await fetch(`${url}/events`), 10);
    feed.setRun({ phase: 'over' });
    await page?.close();
    expect((await coming).at(-1)).toMatch(/^event: run\ndata: .*"phase":"over"/);
  });

  it('go to a few pages at the same time, not to any number', async () => {
    const { url } = await serve();
    const stop = new AbortController();
    const statuses: number[] = [];
    for (let index = 0; index < 21; index += 1) {
      statuses.push((await fetch(`${url}/events`, { signal: stop.signal })).status);
    }
    stop.abort();
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(503);
  });
});
