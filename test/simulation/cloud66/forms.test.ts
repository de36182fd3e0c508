import { describe, expect, it } from 'vitest';
import type { ReplyForm } from '../../../lib/simulation/cloud66/reply-forms.ts';
import { scaleCall } from './example.ts';
import { json, serve, WISH } from './served.ts';

describe('the documented forms', () => {
  it('lists processes by server name, with paging and without pauses', async () => {
    const { get } = await serve();
    expect(await json(get('/stacks/shop/processes.json'))).toEqual({
      response: [
        {
          md5: '3236f389b3756c477cc4adabb090cb1b',
          name: 'worker',
          command: 'bundle exec rake jobs:work',
          servers: { lion: 2, tiger: 1 },
        },
        {
          md5: expect.stringMatching(/^[0-9a-f]{32}$/),
          name: 'scheduler',
          command: 'bundle exec rake jobs:scheduler',
          servers: { lion: 1 },
        },
      ],
      count: 2,
      pagination: { previous: null, next: null, current: 1, per_page: 30, count: 2, pages: 1 },
    });
  });

  it('answers for one process with the list of all', async () => {
    const { get } = await serve();
    const body = await json(get('/stacks/shop/processes/scheduler.json'));
    expect(body.response.map((process) => process.name)).toEqual(['worker', 'scheduler']);
    expect(body.count).toBe(2);
  });

  it('answers a scale call with a list of one action, and an action without envelope', async () => {
    const { get, post, clock } = await serve();
    const { response } = await json(post('/stacks/shop/processes.json', WISH));
    expect(response).toEqual([
      {
        id: 1001,
        user: 'robot@example.com',
        resource_type: 'stack',
        action: 'Process_scale',
        resource_id: '283',
        started_via: 'api',
        started_at: '2026-05-01T12:00:00Z',
        finished_at: null,
        finished_success: null,
        finished_message: null,
        finished_result: null,
        metadata: { user_reference: 'note' },
      },
    ]);
    clock.advanceBySeconds(60);
    expect(await json(get('/stacks/shop/actions/1001.json'))).toMatchObject({
      id: 1001,
      finished_at: '2026-05-01T12:01:00Z',
      finished_success: 'true',
    });
  });
});

describe('the forms of the Go client', () => {
  it('answers with objects in an envelope, offsets in dates, booleans and pauses', async () => {
    const { get, post, clock, account } = await serve({}, { replyForm: 'go' });
    account.stack('shop').pause('scheduler');
    const one = await json(get('/stacks/shop/processes/scheduler.json'));
    expect(one.response).toMatchObject({ name: 'scheduler', servers: { lion: 0 }, servers_pauses: { lion: 1 } });
    const accepted = await json(post('/stacks/shop/processes.json', WISH));
    expect(accepted.response).toMatchObject({ action: 'process_scale', started_at: '2026-05-01T12:00:00+00:00' });
    clock.advanceBySeconds(60);
    const { response } = await json(get(`/stacks/shop/actions/${accepted.response.id}.json`));
    expect(response).toMatchObject({ finished_at: '2026-05-01T12:01:00+00:00', finished_success: true });
  });
});

describe('the mixed forms', () => {
  it('takes both sides of every disagreement, the same ones for the same seed', async () => {
    const shapes = async () => {
      const { get, post } = await serve({ whenBusy: 'queue' }, { replyForm: 'mixed' });
      const seen: string[] = [];
      for (let round = 0; round < 12; round += 1) {
        const one = await json(get('/stacks/shop/processes/worker.json'));
        const accepted = await json(post('/stacks/shop/processes.json', WISH));
        const action = await json(get('/stacks/shop/actions/1001.json'));
        seen.push(`${Array.isArray(one.response)} ${Array.isArray(accepted.response)} ${'response' in action}`);
      }
      return seen;
    };
    const [first, second] = [await shapes(), await shapes()];
    expect(first).toEqual(second);
    for (const position of [0, 1, 2]) {
      expect(new Set(first.map((shape) => shape.split(' ')[position]))).toEqual(new Set(['true', 'false']));
    }
  });
});

describe('every form', () => {
  it.each<ReplyForm>(['documented', 'go', 'mixed'])('%s: lists servers and shows the stack', async (replyForm) => {
    const { get, account } = await serve({}, { replyForm });
    const servers = await json(get('/stacks/shop/servers.json'));
    expect(servers.response[1]).toMatchObject({
      uid: 'uid-b',
      name: 'tiger',
      server_roles: ['web', 'worker'],
      server_group_id: 2,
      has_agent: false,
      health_state: 3,
    });
    expect(servers.response[2]?.health_state).toBe(4);
    account.stack('shop').setMaintenanceMode(true);
    account.stack('shop').deploy(60);
    expect((await json(get('/stacks/shop.json'))).response).toMatchObject({
      uid: 'shop',
      status: 6,
      health: 1,
      maintenance_mode: true,
      created_at: '2026-05-01 12:00:00 UTC',
    });
  });

  it('serves paths with and without .json, and process names that need encoding', async () => {
    const { get } = await serve({}, { replyForm: 'go' });
    expect((await json(get('/stacks/shop/processes/worker'))).response.name).toBe('worker');
    expect((await get('/stacks/shop/processes/%77orker.json')).status).toBe(200);
    expect((await get('/stacks/shop/processes/%ZZ.json')).status).toBe(400);
  });

  it('pages lists and filters them', async () => {
    const { get, account } = await serve({}, { pageSize: 2, replyForm: 'go' });
    for (let change = 0; change < 5; change += 1) account.stack('shop').changeByHand('worker', { 'uid-a': change });
    account.stack('shop').scale(scaleCall({ 'uid-a': 1 }));
    const ids = async (query: string) => {
      const { response, pagination } = await json(get(`/stacks/shop/actions.json${query}`));
      return { ids: response.map((action) => action.id), ...pagination };
    };
    expect(await ids('')).toMatchObject({ ids: [1006, 1005], previous: null, current: 1, next: 2, pages: 3, count: 6 });
    expect(await ids('?page=3')).toMatchObject({ ids: [1002, 1001], previous: 2, current: 3, next: null });
    expect(await ids('?page=4')).toMatchObject({ ids: [], next: null });
    expect(await ids('?user_reference=note')).toMatchObject({ ids: [1006], count: 1 });
    expect((await get('/stacks/shop/actions.json?page=0')).status).toBe(400);
    const onTiger = await json(get('/stacks/shop/processes.json?server_uid=uid-b'));
    expect(onTiger.response).toMatchObject([{ name: 'worker', servers: { tiger: 1 } }]);
  });
});
