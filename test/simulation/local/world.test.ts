import { describe, expect, it } from 'vitest';
import { startWorld, type WorldOptions } from '../../../lib/simulation/local/world.ts';

/** A stack without functions, so that nothing has to be packaged. */
const packaged = {
  template: { Resources: { Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'mine' } } } },
  artifactsFolder: '/nowhere',
};
const options: WorldOptions = {
  packaged,
  stacks: [
    {
      uid: 'shop',
      servers: [{ uid: 'a', name: 'lion' }],
      processes: [{ name: 'worker', counts: { a: 2 } }],
    },
  ],
  queueOf: { worker: 'jobs' },
  jobSeconds: 0.01,
  seed: 1,
  account: { scaleLatencySeconds: () => 0, startUpSeconds: () => 0 },
};

describe('a world', () => {
  it('has the queues of the template and of the processes, and as many workers as Cloud 66 says', async () => {
    const world = await startWorld(options);
    try {
      expect(world.cloud.queues.list().map(({ name }) => name)).toEqual(['mine', 'jobs']);
      await world.cloud.queues.send('jobs', '{}');
      expect(world.account.stack('shop').workers('worker')).toBe(2);
      expect(world.consumers.get('worker')).toBeDefined();
    } finally {
      world.cloud.queues.wake();
      await world.close();
      await world.close();
    }
    await expect(fetch(world.cloud66.url)).rejects.toThrow('fetch failed');
    await expect(fetch(world.cloud.endpoint)).rejects.toThrow('fetch failed');
  });

  it('that does not start leaves nothing behind', async () => {
    const template = { Resources: { X: { Type: 'AWS::Unheard::Of', Properties: {} } } };
    const servers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;
    const before = servers();
    await expect(startWorld({ ...options, packaged: { ...packaged, template } })).rejects.toThrow('AWS::Unheard::Of');
    // A closed server is let go of a moment later.
    await expect.poll(servers).toBe(before);
  });
});
