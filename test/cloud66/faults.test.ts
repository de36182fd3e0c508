import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Cloud66Client } from '../../lib/cloud66/client.ts';
import {
  Cloud66Error,
  ConflictError,
  ForbiddenError,
  MalformedReplyError,
  NotFoundError,
  ThrottledError,
  TrialExpiredError,
  UnauthorizedError,
  UnavailableError,
  UnknownOutcomeError,
} from '../../lib/cloud66/errors.ts';
import { AutoscalerError } from '../../lib/errors.ts';
import { type ScriptedReply, type ScriptedServer, startScriptedServer } from '../support/http-server.ts';
import { calm, clientOf, errorFrom, fixture, QUICK, STACK, TOKEN } from './support.ts';

let server: ScriptedServer;
let client: Cloud66Client;
beforeAll(async () => {
  server = await startScriptedServer();
});
beforeEach(() => {
  client = clientOf(server.url);
});
afterAll(async () => {
  await server.close();
});

const wish = { processName: 'worker', serverCount: { aa: 1 } };
const read = (signal = calm()) => client.getStack(STACK, signal);
const scale = (signal = calm()) => client.scaleProcess(STACK, wish, signal);
const good: ScriptedReply = { body: fixture('stack') };
const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** Faults on the way: a read may be tried again, of a change nobody knows what became of it. */
const ON_THE_WAY: readonly (readonly [string, ScriptedReply, string])[] = [
  ['a reset connection', { fault: 'reset' }, 'the connection failed (ECONNRESET)'],
  ['bytes that are not HTTP', { fault: 'garbage' }, 'the connection failed (HPE_INVALID_CONSTANT)'],
  ['another protocol', { status: 101, headers: { upgrade: 'h2c', connection: 'upgrade' } }, '(ECONNRESET)'],
  ['no answer', { fault: 'hang' }, 'no answer in time'],
  ['a body cut in the middle', { fault: 'cut', body: fixture('stack') }, 'the reply broke off'],
  ['a body that stalls', { fault: 'stall', body: fixture('stack') }, 'the reply did not end in time'],
  ['an error of the server', { status: 500, body: { error: 'boom' } }, 'Cloud 66 answered 500 (boom)'],
  ['a proxy without a server behind it', { status: 502, body: '<html>bad gateway' }, '502 (<html>bad gateway)'],
  ['a 503 of unknown kind', { status: 503, body: '' }, 'Cloud 66 answered 503'],
  ['a 503 whose body is cut', { fault: 'cut', status: 503, body: '{"error":"throttled"}' }, 'Cloud 66 answered 503'],
  ['time_out', { status: 408, body: { error: 'time_out' } }, 'Cloud 66 answered 408 (time_out)'],
];

/** Answers that came and make no sense: not tried again. */
const NONSENSE: readonly (readonly [string, ScriptedReply, string])[] = [
  ['a body larger than the limit', { fault: 'oversized', bytes: 300_000 }, 'is larger than the limit'],
  ['JSON that is nested too deep', { body: deep }, 'is nested deeper than 64'],
  ['a page of HTML', { body: '<html>\u0007hello' }, 'is not JSON: "<html> hello"'],
  ['half of a JSON text', { body: '{"response": [' }, 'is not JSON'],
  ['nothing', { status: 204 }, 'is not JSON: ""'],
  ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/login' } }, 'elsewhere.example/login'],
  ['a redirect to nowhere', { status: 304 }, 'this 304 points to nowhere'],
];

describe('a read', () => {
  it.each(ON_THE_WAY)('survives %s once', async (_, fault) => {
    server.script(fault, good);
    expect(await read()).toEqual({ status: 1, maintenanceMode: false });
    expect(server.requests).toHaveLength(2);
  });

  it.each(ON_THE_WAY)('gives up after three tries of %s', async (_, fault, message) => {
    server.script(fault);
    const error = await errorFrom(read());
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/: GET http:\S+\.json$/);
    expect(server.requests).toHaveLength(3);
  });

  it.each(NONSENSE)('refuses %s at once', async (_, fault, message) => {
    client = clientOf(server.url, { limits: { maxReplyBytes: 250_000 } });
    server.script(fault);
    const error = await errorFrom(read());
    expect(error).toBeInstanceOf(MalformedReplyError);
    expect(error.message).toContain(message);
    expect(server.requests).toHaveLength(1);
  });

  it('is not misled by brackets and quotes within texts', async () => {
    server.script({ body: { status: 1, name: `${'['.repeat(200)}\\"${'{'.repeat(200)}` } });
    expect(await read()).toMatchObject({ status: 1 });
  });

  it('never follows a redirect, which would carry the token away', async () => {
    const thief = await startScriptedServer();
    thief.script(good);
    for (const status of [301, 302, 303, 307, 308]) {
      server.script({ status, headers: { location: `${thief.url}/steal` } });
      expect(await errorFrom(read())).toBeInstanceOf(MalformedReplyError);
    }
    expect(thief.requests).toHaveLength(0);
    await thief.close();
  });

  it('ends when its total time is used up, whatever tries are left', async () => {
    let nowMs = 0;
    client = clientOf(server.url, { clock: { nowMs: () => nowMs }, limits: { totalMs: 1000 } });
    server.answer(() => {
      nowMs += 600;
      return { fault: 'reset' };
    });
    expect(await errorFrom(read())).toBeInstanceOf(UnavailableError);
    expect(server.requests).toHaveLength(2);
  });

  it('ends at once when its caller stops it, before, during and between tries', async () => {
    server.script({ fault: 'hang' });
    const early = await errorFrom(read(AbortSignal.abort()));
    expect(early.message).toContain('the call was stopped before an answer came');
    expect(server.requests).toHaveLength(0);

    client = clientOf(server.url, { limits: { tryTimeoutMs: 60_000, totalMs: 60_000, retryDelayMs: 30_000 } });
    const stopWhile = async (fault: ScriptedReply): Promise<Error> => {
      const stop = new AbortController();
      server.answer(() => {
        setTimeout(() => stop.abort(), 20);
        return fault;
      });
      return errorFrom(read(stop.signal));
    };
    expect((await stopWhile({ fault: 'hang' })).message).toContain('the call was stopped');
    expect((await stopWhile({ fault: 'stall', body: '{}' })).message).toContain('the call was stopped');
    expect((await stopWhile({ fault: 'reset' })).message).toContain('the call was stopped');
    expect(server.requests).toHaveLength(1);
  });

  it('does not try again what is not implemented over there', async () => {
    server.script({ status: 503, body: { error: 'not_implemented', details: 'No such thing yet.' } });
    const error = await errorFrom(read());
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain('Cloud 66 answered 503 (No such thing yet.)');
    expect(server.requests).toHaveLength(1);
  });

  it('does not wait for a server that asks for minutes', async () => {
    server.script({ status: 502, headers: { 'retry-after': '120' } });
    expect(await errorFrom(read())).toMatchObject({ name: 'UnavailableError', status: 502 });
    expect(server.requests).toHaveLength(1);
  });

  it('says that nobody is there when nobody is there', async () => {
    const gone = await startScriptedServer();
    await gone.close();
    const error = await errorFrom(clientOf(gone.url).getStack(STACK, calm()));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain('the connection failed (ECONNREFUSED)');
  });
});

describe('a scale call', () => {
  it.each([...ON_THE_WAY, ...NONSENSE])(
    'is sent once and has an unknown outcome after %s',
    async (_, fault, message) => {
      client = clientOf(server.url, { limits: { maxReplyBytes: 250_000 } });
      server.script(fault);
      const error = await errorFrom(scale());
      expect(error).toBeInstanceOf(UnknownOutcomeError);
      expect(error.message).toContain(message);
      expect(error.message).toMatch(/the change may or may not have been carried out: POST http:\S+\/processes\.json$/);
      expect(server.requests).toHaveLength(1);
    },
  );

  it('has an unknown outcome when it is stopped on the way', async () => {
    const stop = new AbortController();
    server.answer(() => {
      setTimeout(() => stop.abort(), 20);
      return { fault: 'hang' };
    });
    client = clientOf(server.url, { limits: { scaleTimeoutMs: 60_000 } });
    expect(await errorFrom(scale(stop.signal))).toBeInstanceOf(UnknownOutcomeError);
  });

  it('is known not to be carried out when it never reached anybody', async () => {
    const gone = await startScriptedServer();
    await gone.close();
    client = clientOf(gone.url);
    expect(await errorFrom(scale())).toBeInstanceOf(UnavailableError);
    expect(await errorFrom(scale(AbortSignal.abort()))).toBeInstanceOf(UnavailableError);
  });

  it('is known not to be carried out when that is not implemented or throttled', async () => {
    server.script({ status: 503, body: { error: 'not_implemented' } });
    expect(await errorFrom(scale())).toBeInstanceOf(UnavailableError);
    server.script({ status: 503, body: { error: 'throttled' }, headers: { 'retry-after': '0' } });
    expect(await errorFrom(scale())).toBeInstanceOf(ThrottledError);
    expect(server.requests).toHaveLength(1);
  });
});

describe('a refusal', () => {
  const body = { error: 'id', error_description: 'Said shortly.', details: 'Said in full.' };

  it.each([
    [400, Cloud66Error, 'Cloud 66 answered 400 (Said in full.)'],
    [401, UnauthorizedError, 'Cloud 66 answered 401 (Said in full.): the API token is not accepted'],
    [402, TrialExpiredError, 'Cloud 66 answered 402 (Said in full.)'],
    [403, ForbiddenError, 'Cloud 66 answered 403 (Said in full.): the API token needs the scope "public"'],
    [404, NotFoundError, 'Cloud 66 answered 404 (Said in full.)'],
    [409, ConflictError, 'Cloud 66 answered 409 (Said in full.)'],
    [422, Cloud66Error, 'Cloud 66 answered 422 (Said in full.)'],
  ])('with status %i has its own class where callers act differently', async (status, kind, message) => {
    server.script({ status, body });
    const error = await errorFrom(read());
    expect(error.constructor).toBe(kind);
    expect(error).toMatchObject({ name: kind.name, status });
    expect(error.message).toMatch(/: GET http:\S+\.json$/);
    expect(error.message.startsWith(`${message}: GET `)).toBe(true);
    expect(server.requests).toHaveLength(1);
  });

  it('names the scope that a scale call needs', async () => {
    server.script({ status: 403, body });
    expect(await errorFrom(scale())).toMatchObject({ name: 'ForbiddenError', scope: 'admin' });
  });

  it.each([
    [{ error: 'id', error_description: 'Said shortly.', details: '' }, '(Said shortly.)'],
    [{ error: 'id', error_description: null }, '(id)'],
    [{ error: 'id', details: { field: ['is bad'] } }, '({"field":["is bad"]})'],
    [{}, '({})'],
    ['plain\u0000 text\nof a proxy', '(plain text of a proxy)'],
    ['x'.repeat(500), `(${'x'.repeat(300)}…)`],
    ['', 'answered 404: GET'],
  ])('tells the best text of %j', async (told, message) => {
    server.script({ status: 404, body: told });
    expect((await errorFrom(read())).message).toContain(message);
  });

  it('keeps its class when its body breaks off', async () => {
    server.script({ fault: 'cut', status: 409, body: '{"error":"conflict"}' });
    expect(await errorFrom(scale())).toBeInstanceOf(ConflictError);
  });
});

describe('throttling', () => {
  const HOUR = 3_600_000;
  const NOW = 10 * HOUR + 60_000;
  const throttled = (headers: Record<string, string>, status = 503): ScriptedReply => ({
    status,
    headers,
    body: { error: 'throttled', details: 'Too many requests.' },
  });

  it.each([
    ['the seconds of Retry-After', { 'retry-after': '90' }, NOW + 90_000],
    ['the date of Retry-After', { 'retry-after': new Date(NOW + 60_000).toUTCString() }, NOW + 60_000],
    ['the reset of the limit in seconds from now', { 'x-ratelimit-reset': '120' }, NOW + 120_000],
    ['Retry-After rather than the reset', { 'retry-after': '90', 'x-ratelimit-reset': '120' }, NOW + 90_000],
    ['an hour at most', { 'retry-after': '999999' }, NOW + HOUR],
  ])('comes back at %s', async (_, headers, retryAtMs) => {
    for (const status of [503, 429]) {
      client = clientOf(server.url, { clock: { nowMs: () => NOW } });
      server.script(throttled(headers, status));
      expect(await errorFrom(read())).toMatchObject({ name: 'ThrottledError', retryAtMs, status });
      expect(server.requests).toHaveLength(1);
    }
  });

  it.each([
    ['a minute after a 429', 429, NOW, NOW + 60_000],
    ['five minutes after a 503', 503, NOW, NOW + 300_000],
    ['the next hourly interval after a 503, when that is sooner', 503, 11 * HOUR - 10_000, 11 * HOUR],
  ])('that names no time, or none that can be read, comes back %s', async (_, status, nowMs, retryAtMs) => {
    for (const headers of [{}, { 'retry-after': 'soon' }]) {
      client = clientOf(server.url, { clock: { nowMs: () => nowMs } });
      server.script(throttled(headers, status));
      expect(await errorFrom(read())).toMatchObject({ name: 'ThrottledError', retryAtMs, status });
    }
  });

  it('reads a reset that is a time of day, and understands a 429 without a body', async () => {
    const nowMs = Date.UTC(2026, 0, 1, 12, 30);
    client = clientOf(server.url, { clock: { nowMs: () => nowMs } });
    server.script({ status: 429, headers: { 'x-ratelimit-reset': String(nowMs / 1000 + 300) } });
    expect(await errorFrom(read())).toMatchObject({ name: 'ThrottledError', retryAtMs: nowMs + 300_000 });
  });

  it('is waited for when it is short', async () => {
    server.script(throttled({ 'retry-after': '0' }), throttled({ 'retry-after': '0' }), good);
    expect(await read()).toMatchObject({ status: 1 });
    expect(server.requests).toHaveLength(3);
  });

  it('is said once, and then no read is made until it is over', async () => {
    let nowMs = NOW;
    client = clientOf(server.url, { clock: { nowMs: () => nowMs } });
    server.script(throttled({}), good);
    await errorFrom(read());
    const held = await errorFrom(read());
    expect(held).toMatchObject({ name: 'ThrottledError', retryAtMs: NOW + 300_000, status: null });
    expect(held.message).toContain('not asked, because Cloud 66 throttles until 1970-01-01T10:06:00.000Z: GET');
    expect(server.requests).toHaveLength(1);
    expect(client.budget.remaining(nowMs)).toBe(0);
    nowMs = NOW + 300_000;
    expect(await read()).toMatchObject({ status: 1 });
    expect(server.requests).toHaveLength(2);
  });
});

describe('the token', () => {
  /** Everything that a log or a debugger could show of an error, whatever is hidden in it. */
  const everything = (error: Error): string =>
    [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 20, showHidden: true })].join('\n');

  it('is in no error, whatever the server answers and wherever it repeats it', async () => {
    const text = fc.constantFrom(TOKEN, `Bearer ${TOKEN}`, `${'x'.repeat(290)}${TOKEN}`, `\u0000${TOKEN}\n${TOKEN}`);
    const status = fc.constantFrom(200, 302, 400, 401, 403, 404, 408, 409, 429, 500, 503);
    const echo = fc.record({ error: text, details: fc.option(text), [TOKEN]: text });
    const process = fc.record({ name: fc.option(text), servers: fc.dictionary(text, fc.oneof(text, fc.nat())) });
    const body = fc.oneof(text, echo, fc.record({ response: fc.array(fc.oneof(text, echo, process)) }));
    const fault = fc.oneof(
      fc.constantFrom<ScriptedReply>({ fault: 'reset' }, { fault: 'garbage' }, { fault: 'cut', body: TOKEN }),
      fc.record({ status, body, headers: fc.record({ location: fc.constant(`/?t=${TOKEN}`) }) }),
    );
    await fc.assert(
      fc.asyncProperty(fault, async (reply) => {
        server.script(reply);
        const quick = clientOf(server.url, { limits: { maxTries: 1 } });
        const calls = [() => quick.getProcess(STACK, 'none', calm()), () => quick.scaleProcess(STACK, wish, calm())];
        for (const call of calls) {
          const error = await errorFrom(call());
          expect(error).toBeInstanceOf(AutoscalerError);
          expect(everything(error)).not.toContain(TOKEN);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is in no error of a hanging, refused or stopped call', async () => {
    server.script({ fault: 'hang' });
    const quick = clientOf(server.url, { limits: { ...QUICK, maxTries: 1, tryTimeoutMs: 20, scaleTimeoutMs: 20 } });
    const calls = [
      () => quick.getStack(STACK, calm()),
      () => quick.scaleProcess(STACK, wish, calm()),
      () => quick.getStack(STACK, AbortSignal.abort()),
      () => clientOf('http://127.0.0.1:1', { limits: { maxTries: 1 } }).getStack(STACK, calm()),
    ];
    for (const call of calls) expect(everything(await errorFrom(call()))).not.toContain(TOKEN);
  });

  it.each(['two words', 'line\nbreak', 'ümlaut', ''])('is not quoted when it cannot be one (%j)', async (secret) => {
    const token = { name: null, get: async () => secret, refresh: async () => secret };
    const error = await errorFrom(clientOf(server.url, { token }).getStack(STACK, calm()));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toMatch(/^the API token has characters that no token can have: GET \S+$/);
  });

  it('that cannot be read is said with its reason when the reason is ours to show', async () => {
    const failing = (error: unknown) => ({
      name: null,
      get: () => Promise.reject(error),
      refresh: () => Promise.reject(error),
    });
    const reason = async (error: unknown): Promise<string> =>
      (await errorFrom(clientOf(server.url, { token: failing(error) }).scaleProcess(STACK, wish, calm()))).message;
    expect(await reason(new AutoscalerError('no permission to read it'))).toContain('(no permission to read it): POST');
    expect(await reason(new TypeError(TOKEN))).toContain('could not be read (TypeError): POST');
    expect(await reason('odd')).toContain('could not be read (unknown): POST');
  });
});
