import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../lib/cloud66/errors.ts';
import type { StackStatus } from '../../../lib/domain.ts';
import { connect, countsOf, FORMS, LION, NOW_MS, never, PUMA, STACK_UID, TIGER, workersOf } from './connect.ts';

describe.each(FORMS)('reading Cloud 66, $replyForm replies, seed $seed', (form) => {
  it('lists processes with their counts, on one page and on many', async () => {
    for (const pageSize of [30, 1, 2]) {
      const { client } = await connect(form, { serving: { pageSize } });
      const processes = await client.listProcesses(STACK_UID, {}, never());
      expect(processes.map((process) => [process.name, Object.fromEntries(process.counts)])).toEqual([
        ['worker', { lion: 2, tiger: 1 }],
        ['scheduler', { lion: 1 }],
        ['mailer: low/prio', { tiger: 4 }],
      ]);
    }
  });

  it('lists what one server runs', async () => {
    const { client } = await connect(form);
    const processes = await client.listProcesses(STACK_UID, { serverUid: TIGER }, never());
    expect(processes.map((process) => process.name)).toEqual(['worker', 'mailer: low/prio']);
  });

  it.each(['worker', 'scheduler', 'mailer: low/prio'])('finds the process %j by its name', async (name) => {
    const { client } = await connect(form, { serving: { pageSize: 2 } });
    expect((await client.getProcess(STACK_UID, name, never())).name).toBe(name);
  });

  it('says that a process does not exist', async () => {
    const { client } = await connect(form);
    await expect(client.getProcess(STACK_UID, 'nobody', never())).rejects.toThrow(NotFoundError);
  });

  it('lists servers, on one page and on many', async () => {
    for (const pageSize of [30, 2]) {
      const { client } = await connect(form, { serving: { pageSize } });
      expect(await client.listServers(STACK_UID, never())).toEqual([
        { uid: LION, name: 'lion', healthState: 3 },
        { uid: TIGER, name: 'tiger', healthState: 3 },
        { uid: PUMA, name: 'puma', healthState: 4 },
      ]);
    }
  });

  it('joins processes and servers into a placement', async () => {
    const { host, server } = await connect(form);
    const common = { pausedCount: 0, healthy: true, listed: true, runsCode: true };
    expect((await workersOf(host)).servers).toEqual([
      { ...common, uid: PUMA, name: 'puma', count: 0, healthy: false, listed: false, runsCode: false },
      { ...common, uid: LION, name: 'lion', count: 2 },
      { ...common, uid: TIGER, name: 'tiger', count: 1 },
    ]);
    expect(server.requests).toHaveLength(2);
  });

  it('sees at once what people change: counts, names and servers', async () => {
    const { host, stack } = await connect(form);
    await workersOf(host);
    stack.changeByHand('worker', { [LION]: 7 });
    stack.renameServer(LION, 'old-lion');
    stack.removeServer(PUMA);
    stack.addServer({ uid: '9f00', name: 'lynx' });
    stack.changeByHand('worker', { '9f00': 3 });
    expect(countsOf(await workersOf(host))).toEqual({ 'old-lion': 7, tiger: 1, lynx: 3 });
  });

  it('reads a process that was scaled to zero, whether or not its servers are still listed', async () => {
    for (const listsZeroCounts of [true, false]) {
      const { host, stack } = await connect(form, { settings: { listsZeroCounts } });
      stack.changeByHand('worker', { [LION]: 0, [TIGER]: 0 });
      const { servers } = await workersOf(host);
      expect(servers.map((server) => server.count)).toEqual([0, 0, 0]);
      expect(servers.filter((server) => server.listed)).toHaveLength(listsZeroCounts ? 2 : 0);
    }
  });

  it('counts a paused process as none, and shows the pause where the reply has it', async () => {
    const { host, stack } = await connect(form);
    stack.pause('worker');
    const { servers } = await workersOf(host);
    expect(servers.map((server) => server.count)).toEqual([0, 0, 0]);
    const paused = servers.reduce((total, server) => total + server.pausedCount, 0);
    expect(paused).toBe(form.replyForm === 'documented' ? 0 : 3);
  });

  it.each<StackStatus>([
    'queued',
    'deployed',
    'failed',
    'analysing',
    'analysed',
    'queued_for_deploying',
    'deploying',
    'terminal_failure',
    'unknown',
  ])('reads the stack status %s', async (status) => {
    const { host, stack } = await connect(form);
    stack.setStatus(status);
    stack.setMaintenanceMode(status === 'failed');
    expect(await host.stack(STACK_UID, never())).toEqual({
      kind: 'ok',
      value: { status, maintenanceMode: status === 'failed' },
      observedAtMs: NOW_MS,
    });
  });

  it('shows the budget that all callers share', async () => {
    const { client, account, clock } = await connect(form);
    account.spend('robot@example.com', 600);
    await client.getStack(STACK_UID, never());
    expect(client.budget.remaining(clock.nowMs())).toBe(2999);
  });

  it('is read again when a connection breaks', async () => {
    const { client, server } = await connect(form, {
      serving: { faults: ({ index }) => (index === 0 ? { kind: 'reset' } : null) },
    });
    expect((await client.getStack(STACK_UID, never())).status).toBe(1);
    expect(server.requests.map((request) => request.status)).toEqual([null, 200]);
  });
});
