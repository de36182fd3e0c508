import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBudget } from '../../lib/cloud66/budget.ts';
import type { Cloud66Client } from '../../lib/cloud66/client.ts';
import { createProcessHost, createScaler } from '../../lib/cloud66/process-host.ts';
import type { Placement, Reading } from '../../lib/domain.ts';
import type { ProcessHost } from '../../lib/reconcile/ports.ts';
import { type ScriptedReply, type ScriptedServer, startScriptedServer } from '../support/http-server.ts';
import { calm, clientOf, errorFrom, fixture, STACK } from './support.ts';

/** A stack whose lists tests change, served over HTTP, and a clock that they move. */
let server: ScriptedServer;
let host: ProcessHost;
let nowMs: number;
let processes: unknown[];
let servers: unknown[];
let warnings: string[];

const process = (name: string, counts: Record<string, number>, pauses?: Record<string, number>) => ({
  name,
  servers: counts,
  ...(pauses === undefined ? {} : { servers_pauses: pauses }),
});
const serverOf = (name: string, uid: string, health_state: unknown = 3) => ({ uid, name, health_state });

beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(async () => {
  await server.close();
});
beforeEach(() => {
  nowMs = 1_700_000_000_000;
  warnings = [];
  processes = [process('worker', { web: 2 }), process('mailer', { jobs: 1 })];
  servers = [serverOf('web', 'bb'), serverOf('jobs', 'aa')];
  server.answer(({ path }) => ({ body: { response: path.includes('/servers') ? servers : processes } }));
  host = hostOf();
});

function hostOf(): ProcessHost {
  const clock = { nowMs: () => nowMs };
  const client = clientOf(server.url, { clock, limits: { maxTries: 1 } });
  return createProcessHost({ client, clock, onWarning: (warning) => warnings.push(warning) });
}

async function placementOf(name: string, signal = calm()): Promise<Reading<Placement>> {
  const reading = (await host.placements(STACK, [name], signal)).get(name);
  if (reading === undefined) throw new Error(`no answer for ${name}`);
  return reading;
}

const asked = (kind: 'servers' | 'processes'): number =>
  server.requests.filter(({ path }) => path.includes(`/${kind}`)).length;

describe('placements', () => {
  it('join server names to uids, in the order of the uid, every server of the stack included', async () => {
    processes = [process('worker', { web: 2, jobs: 0 }, { web: 0, spare: 3 }), process('mailer', { jobs: 1 })];
    servers = [serverOf('web', 'bb'), serverOf('spare', 'cc'), serverOf('idle', 'dd'), serverOf('jobs', 'aa')];
    const row = { healthy: true, pausedCount: 0 };
    expect(await placementOf('worker')).toEqual({
      kind: 'ok',
      observedAtMs: nowMs,
      value: {
        processName: 'worker',
        servers: [
          { ...row, uid: 'aa', name: 'jobs', count: 0, listed: true, runsCode: true },
          { ...row, uid: 'bb', name: 'web', count: 2, listed: true, runsCode: true },
          { ...row, uid: 'cc', name: 'spare', count: 0, pausedCount: 3, listed: true, runsCode: true },
          { ...row, uid: 'dd', name: 'idle', count: 0, listed: false, runsCode: false },
        ],
      },
    });
  });

  it('answer for every process of the stack with one process list and one server list', async () => {
    const readings = await host.placements(STACK, ['worker', 'mailer', 'ghost'], calm());
    expect([...readings].map(([name, { kind }]) => [name, kind])).toEqual([
      ['worker', 'ok'],
      ['mailer', 'ok'],
      ['ghost', 'failed'],
    ]);
    expect(server.requests).toHaveLength(2);
  });

  it('name the missing process and those that exist', async () => {
    const detail = 'process "ghost" is not in the stack, which has: worker, mailer';
    expect(await placementOf('ghost')).toEqual({ kind: 'failed', why: 'not_found', detail });
    processes = [];
    expect(await placementOf('ghost')).toMatchObject({
      detail: 'process "ghost" is not in the stack, which has: none',
    });
  });

  it('keep the server list for 300 seconds, and never the process list', async () => {
    await placementOf('worker');
    nowMs += 299_999;
    await placementOf('worker');
    expect([asked('processes'), asked('servers')]).toEqual([2, 1]);
    nowMs += 1;
    await placementOf('worker');
    expect([asked('processes'), asked('servers')]).toEqual([3, 2]);
  });

  it('count with the servers of the last quarter of an hour where no list is read for it, and without them after that', async () => {
    const counted = async () => (await host.placements(STACK, ['worker'], calm(), 'if_known')).get('worker');
    expect(await counted()).toMatchObject({ kind: 'ok', value: { countsOnly: true } });
    servers = [serverOf('web', 'bb', 4), serverOf('jobs', 'aa')];
    await placementOf('worker');
    servers = [serverOf('web', 'bb'), serverOf('jobs', 'aa')];
    nowMs += 899_999;
    expect(await counted()).toMatchObject({ value: { servers: [{}, { name: 'web', healthy: false }] } });
    // From then on a decision that rests on the failed server asks anew, and sees it recovered.
    nowMs += 1;
    expect(await counted()).toMatchObject({ value: { countsOnly: true } });
    expect(asked('servers')).toBe(1);
  });

  it('read both lists anew for a caller that asks for fresh ones, so that a failed server is seen at once', async () => {
    const { signal } = new AbortController();
    await placementOf('worker');
    servers = [serverOf('web', 'bb', 4), serverOf('jobs', 'aa')];
    expect(await placementOf('worker')).toMatchObject({ value: { servers: [{}, { name: 'web', healthy: true }] } });
    const underway = placementOf('worker', signal);
    const fresh = (await host.placements(STACK, ['worker'], signal, 'anew')).get('worker');
    expect(fresh).toMatchObject({ value: { servers: [{ healthy: true }, { name: 'web', healthy: false }] } });
    expect([asked('processes'), asked('servers')]).toEqual([4, 2]);
    await underway;
    expect(await placementOf('worker')).toMatchObject({ value: { servers: [{}, { name: 'web', healthy: false }] } });
    expect(asked('servers')).toBe(2);
  });

  it('read the server list again at once when a process runs on a server that it does not know', async () => {
    await placementOf('worker');
    processes = [process('worker', { web: 2, fresh: 1 })];
    servers = [...servers, serverOf('fresh', 'ff')];
    expect(await placementOf('worker')).toMatchObject({ kind: 'ok' });
    expect(asked('servers')).toBe(2);
  });

  it('fail when the server stays unknown, but not over one that is gone and ran nothing', async () => {
    processes = [process('worker', { web: 2, ghost: 1 }), process('mailer', { jobs: 1, ghost: 0 })];
    expect(await placementOf('worker')).toEqual({
      kind: 'failed',
      why: 'malformed',
      detail: 'process "worker" runs on server "ghost", which is not in the stack\'s server list',
    });
    expect(await placementOf('mailer')).toMatchObject({ kind: 'ok' });
    processes = [process('worker', { web: 2 }, { ghost: 1 })];
    expect(await placementOf('worker')).toMatchObject({ why: 'malformed' });
  });

  it('fail when two servers share a name or a uid, or a process is listed twice', async () => {
    servers = [serverOf('web', 'aa'), serverOf('web', 'bb')];
    expect(await placementOf('worker')).toMatchObject({ why: 'malformed', detail: expect.stringContaining('"web"') });
    host = hostOf();
    servers = [serverOf('web', 'aa'), serverOf('jobs', 'aa')];
    expect(await placementOf('worker')).toMatchObject({ why: 'malformed', detail: expect.stringContaining('"aa"') });
    host = hostOf();
    servers = [serverOf('web', 'aa')];
    processes = [process('worker', { web: 1 }), process('worker', { web: 2 })];
    const detail = 'process "worker" is listed twice';
    expect(await placementOf('worker')).toEqual({ kind: 'failed', why: 'malformed', detail });
  });

  it.each([
    [4, false],
    ['4', false],
    ['failed', false],
    ['HLT_BROKEN', false],
    [' Unreachable ', false],
    [0, true],
    [1, true],
    [2, true],
    [3, true],
    [9, true],
    ['fine', true],
    [null, true],
  ])('take a server of health %j for healthy: %j', async (health, healthy) => {
    servers = [serverOf('web', 'aa', health)];
    expect(await placementOf('worker')).toMatchObject({ kind: 'ok', value: { servers: [{ healthy }] } });
  });
});

describe('an item that cannot be read', () => {
  it.each([
    ['servers: null', { name: 'mailer', servers: null }, 'servers: expected'],
    ['servers: []', { name: 'mailer', servers: [] }, 'servers: expected'],
    ['no name', { servers: {} }, 'name: is missing'],
    ['nothing at all', null, 'it: expected an object, found null'],
  ])('of another process (%s) does not stop a process that can be read, and is told', async (_, odd, told) => {
    processes = [odd, process('worker', { web: 2 })];
    expect(await placementOf('worker')).toMatchObject({ kind: 'ok', value: { servers: [{ count: 0 }, { count: 2 }] } });
    expect(warnings).toEqual([expect.stringMatching(/^process ("mailer"|without a name) could not be read: /)]);
    expect(warnings[0]).toContain(told);
  });

  it('is a failed reading of that very process, naming the field', async () => {
    processes = [{ name: 'mailer', servers: null }, process('worker', { web: 2 })];
    expect(await placementOf('mailer')).toEqual({
      kind: 'failed',
      why: 'malformed',
      detail: expect.stringContaining('process "mailer" could not be read: response[0].servers: expected an object'),
    });
    processes = [process('mailer', { web: 1 }), { name: 'mailer', servers: [] }];
    expect(await placementOf('mailer')).toMatchObject({ why: 'malformed' });
  });

  it('and has no name may be the process that is asked for', async () => {
    processes = [{ name: null, servers: { web: 1 } }, process('worker', { web: 2 })];
    expect(await placementOf('mailer')).toMatchObject({
      why: 'malformed',
      detail: expect.stringContaining('"mailer" is not among those that could be read: response[0].name: '),
    });
    expect(await placementOf('worker')).toMatchObject({ kind: 'ok' });
  });

  it('of the servers matters only to a process that runs there', async () => {
    servers = [serverOf('web', 'bb'), serverOf('jobs', '../x')];
    expect(await placementOf('worker')).toMatchObject({ kind: 'ok', value: { servers: [{ name: 'web' }] } });
    expect(await placementOf('mailer')).toMatchObject({
      why: 'malformed',
      detail: expect.stringMatching(/runs on server "jobs", which is not in .* as far as .*response\[1\]\.uid/),
    });
    expect(warnings[0]).toContain('server "jobs" could not be read: uid: expected a server uid');
    host = hostOf();
    servers = [{}];
    processes = [process('worker', { web: 0 })];
    expect(await placementOf('worker')).toMatchObject({
      why: 'malformed',
      detail: expect.stringContaining('no server could be read: response[0].uid: is missing'),
    });
  });

  it('of the action log runs unless its end can be read', async () => {
    const time = '2024-01-15T10:30:00Z';
    const response = [
      { id: 9, action: 'Process_scale', finished_at: time },
      { id: 8, action: null, started_at: time, finished_at: time },
      { id: 7, action: 'Process_scale', started_at: time, finished_at: '' },
      'nonsense',
    ];
    server.script({ body: { response } });
    expect(await host.actions(STACK, calm())).toMatchObject({
      kind: 'ok',
      value: [
        { id: 9 },
        { id: 8, kind: 'unknown', finishedAtMs: Date.UTC(2024, 0, 15, 10, 30) },
        { id: 7, kind: 'process_scale', startedAtMs: Date.UTC(2024, 0, 15, 10, 30), finishedAtMs: null },
      ],
    });
    expect(warnings).toEqual([
      'action 8 could not be read and is taken as finished: action: expected a kind of action, found null',
      'action 7 could not be read and is taken as running: finished_at: expected a time or null, found ""',
      'action without a number could not be read and is taken as left out: it: expected an object, found "nonsense"',
    ]);
  });
});

describe('sharing', () => {
  it('gives callers of one pass one answer', async () => {
    const { signal } = new AbortController();
    await Promise.all([placementOf('worker', signal), placementOf('mailer', signal), placementOf('worker', signal)]);
    expect(server.requests).toHaveLength(2);
  });

  it('does not hand the answer of one pass to another', async () => {
    await Promise.all([placementOf('worker'), placementOf('worker')]);
    expect(asked('processes')).toBe(2);
  });

  it('never shows the workers from before an action was seen finished', async () => {
    const { signal } = new AbortController();
    const before = placementOf('worker', signal);
    const ask = server.requests.length;
    server.answer(({ path }) => {
      if (path.includes('/actions')) {
        processes = [process('worker', { web: 5 })];
        return {
          body: { id: 7, action: 'Process_scale', finished_at: '2026-01-01T00:00:00Z', finished_success: true },
        };
      }
      return { body: { response: path.includes('/servers') ? servers : processes } };
    });
    await host.action(STACK, 7, signal);
    expect(await placementOf('worker', signal)).toMatchObject({ value: { servers: [{ count: 0 }, { count: 5 }] } });
    expect(ask).toBeLessThanOrEqual(2);
    await before;
  });

  it('forgets server lists rather than keeping one for every stack there is', async () => {
    for (let stack = 0; stack <= 300; stack += 1) await host.placements(`stack${stack}`, ['worker'], calm());
    await host.placements('stack0', ['worker'], calm());
    expect(asked('servers')).toBe(302);
  });
});

describe('trouble', () => {
  it.each<[string, ScriptedReply, string]>([
    ['throttling', { status: 429 }, 'throttled'],
    ['a refused token', { status: 401 }, 'access_denied'],
    ['a missing scope', { status: 403 }, 'access_denied'],
    ['an ended trial', { status: 402 }, 'access_denied'],
    ['an unknown stack', { status: 404 }, 'not_found'],
    ['a bad request', { status: 400 }, 'unavailable'],
    ['a broken server', { status: 500 }, 'unavailable'],
    ['a reset', { fault: 'reset' }, 'unavailable'],
    ['nonsense', { body: 'hello' }, 'malformed'],
  ])('with %s is a failed reading for placements, stack and actions', async (_, reply, why) => {
    server.script(reply);
    for (const read of [placementOf('worker'), host.stack(STACK, calm()), host.actions(STACK, calm())]) {
      const reading = await read;
      expect(reading).toMatchObject({ kind: 'failed', why });
      expect('detail' in reading && reading.detail).toContain(': GET http');
    }
  });

  it('with the settings is a failed reading too', async () => {
    const readings = await host.placements('not a uid', ['worker'], calm());
    expect(readings.get('worker')).toMatchObject({ kind: 'failed', why: 'not_found' });
  });

  it('in our own code is not taken for trouble outside', async () => {
    const broken = {
      budget: createBudget(),
      getStack: () => Promise.reject(new TypeError('bug')),
    } as Partial<Cloud66Client> as Cloud66Client;
    const brokenHost = createProcessHost({ client: broken, clock: { nowMs: () => 0 } });
    expect((await errorFrom(brokenHost.stack(STACK, calm()))).message).toBe('bug');
    expect((await errorFrom(brokenHost.action(STACK, 1, calm()))).name).toBe('TypeError');
  });
});

describe('the stack', () => {
  it.each([
    [0, 'queued'],
    [1, 'deployed'],
    [2, 'failed'],
    [3, 'analysing'],
    [4, 'analysed'],
    [5, 'queued_for_deploying'],
    [6, 'deploying'],
    [7, 'terminal_failure'],
    [8, 'unknown'],
  ])('with status %i is %s', async (status, expected) => {
    server.script({ body: { response: { status, maintenance_mode: true } } });
    const value = { status: expected, maintenanceMode: true };
    expect(await host.stack(STACK, calm())).toEqual({ kind: 'ok', value, observedAtMs: nowMs });
  });
});

describe('actions', () => {
  it.each([
    ['Process_scale', 'process_scale'],
    ['process-scale', 'process_scale'],
    ['Process  Scale', 'process_scale'],
    [' STACK_REDEPLOY ', 'stack_redeploy'],
  ])('of kind %j are %s', async (action, kind) => {
    server.script({ body: { response: [{ id: 1, action }] } });
    expect(await host.actions(STACK, calm())).toMatchObject({ value: [{ id: 1, kind }] });
  });

  it('come newest first, from the first page only', async () => {
    const response = [3, 9, 5].map((id) => ({ id, action: 'x' }));
    server.script({ body: { response, pagination: { current: 1, next: 2 } } });
    const reading = await host.actions(STACK, calm());
    expect(reading).toMatchObject({ kind: 'ok', observedAtMs: nowMs, value: [{ id: 9 }, { id: 5 }, { id: 3 }] });
    expect(server.requests).toHaveLength(1);
  });

  describe('since a time', () => {
    const hourMs = 3_600_000;
    /** Three actions a page, one an hour, the newest first. */
    const log = (pages: number) =>
      server.answer((_, index) => ({
        body: {
          response: [0, 1, 2].map((row) => {
            const startedAt = new Date(nowMs - (index * 3 + row) * hourMs).toISOString();
            return { id: 1000 - index * 3 - row, action: 'x', started_at: startedAt, finished_at: startedAt };
          }),
          pagination: { current: index + 1, next: index + 1 < pages ? index + 2 : null },
        },
      }));
    const idsSince = async (hours: number) => {
      const reading = await host.actions(STACK, calm(), nowMs - hours * hourMs);
      return reading.kind === 'ok' ? reading.value.map(({ id }) => id) : reading;
    };

    it('are read page by page until one is older', async () => {
      log(9);
      expect(await idsSince(3.5)).toEqual([1000, 999, 998, 997, 996, 995]);
      expect(server.requests).toHaveLength(2);
    });

    it('are one page where that leads back far enough, or is all there is', async () => {
      log(9);
      await idsSince(1.5);
      expect(server.requests).toHaveLength(1);
      log(1);
      expect(await idsSince(24)).toEqual([1000, 999, 998]);
      expect(warnings).toEqual([]);
    });

    it('end with the fifth page, and that is told', async () => {
      log(9);
      expect(await idsSince(24)).toHaveLength(15);
      expect(server.requests).toHaveLength(5);
      expect(warnings).toEqual([expect.stringContaining('the action log is longer')]);
    });
  });

  it('are found, gone or unreadable when looked at one by one', async () => {
    server.script({ body: fixture('action-unwrapped') });
    expect(await host.action(STACK, 78_901, calm())).toEqual({
      kind: 'found',
      action: {
        id: 78_901,
        kind: 'update_settings',
        startedAtMs: Date.UTC(2024, 1, 15, 10, 30),
        finishedAtMs: Date.UTC(2024, 1, 15, 10, 32, 45),
        success: true,
        message: 'Stack settings updated successfully',
        userReference: null,
      },
    });
    server.script({ status: 404, body: { error: 'not_found' } });
    expect(await host.action(STACK, 1, calm())).toMatchObject({ kind: 'gone', detail: expect.stringContaining('404') });
    server.script({ status: 500 });
    expect(await host.action(STACK, 1, calm())).toMatchObject({
      kind: 'unreadable',
      why: expect.stringContaining('500'),
    });
  });
});

describe('the scaler', () => {
  const request = { stackUid: STACK, processName: 'worker', counts: { aa: 1, bb: 2 }, userReference: 'decision-1' };
  const scaler = () => createScaler({ client: clientOf(server.url) });

  it('sends the counts and the reference, and gives the number of the action', async () => {
    server.script({ body: fixture('process-scale') });
    expect(await scaler().scale(request, calm())).toEqual({ kind: 'accepted', actionId: 10 });
    expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({
      process_name: 'worker',
      server_count: { aa: 1, bb: 2 },
      user_reference: 'decision-1',
    });
  });

  it.each<[string, ScriptedReply, object]>([
    ['a busy stack', { status: 409, body: { error: 'conflict' } }, { kind: 'busy', detail: expect.any(String) }],
    ['a missing scope', { status: 403 }, { kind: 'refused', error: { scope: 'admin' } }],
    [
      'throttling',
      { status: 503, body: { error: 'throttled' } },
      { kind: 'refused', error: { name: 'ThrottledError' } },
    ],
    ['a reset', { fault: 'reset' }, { kind: 'unknown', error: { name: 'UnknownOutcomeError' } }],
    ['no action', { body: { response: [] } }, { kind: 'unknown', error: { name: 'UnknownOutcomeError' } }],
  ])('answers to %s', async (_, reply, answer) => {
    server.script(reply);
    expect(await scaler().scale(request, calm())).toMatchObject(answer);
    expect(server.requests).toHaveLength(1);
  });

  it('refuses counts that no stack can have', async () => {
    const answer = await scaler().scale({ ...request, counts: { aa: -1 } }, calm());
    expect(answer).toMatchObject({ kind: 'refused', error: { name: 'InvalidInputError' } });
  });

  it.each([new TypeError('bug'), 'bug'])(
    'does not claim that nothing happened after a bug of ours (%s)',
    async (bug) => {
      const broken = { scaleProcess: () => Promise.reject(bug) } as Partial<Cloud66Client> as Cloud66Client;
      const answer = await createScaler({ client: broken }).scale(request, calm());
      expect(answer).toMatchObject({ kind: 'unknown', error: { message: expect.stringContaining('bug') } });
    },
  );
});
