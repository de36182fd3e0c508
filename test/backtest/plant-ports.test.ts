import { describe, expect, it } from 'vitest';
import { plantPorts } from '../../lib/backtest/plant-ports.ts';
import { exactPlant, jobsOf } from './plants.ts';

const signal = new AbortController().signal;

function ports(changes: Parameters<typeof exactPlant>[1] = {}) {
  const plant = exactPlant(
    jobsOf(
      Array.from({ length: 5 }, () => [1, 100] as const),
      900,
    ),
    changes,
  );
  const onDecision = null;
  return { plant, ...plantPorts({ plant, startMs: 1_000_000, servers: 1, onDecision }) };
}

const request = (count: number) => ({
  stackUid: 's',
  processName: 'worker',
  counts: { 'server-001': count },
  userReference: `note-${count}`,
});

describe('the ports of the plant', () => {
  it('show the queue as it is, for every target that asks, in the time of the trace', async () => {
    const { plant, queue, clock } = ports();
    plant.advance(30);
    const query = { targetId: 'a', source: { kind: 'sqs_name', queueName: 'jobs' } as const, maxAgeSeconds: 60 };
    const depths = await queue.depths([query, { ...query, targetId: 'b' }], signal);
    const value = { visible: 4, inFlight: 1, delayed: 0 };
    expect([...depths]).toEqual(['a', 'b'].map((id) => [id, { kind: 'ok', value, observedAtMs: 1_030_000 }]));
    expect(clock.nowMs()).toBe(1_030_000);
  });

  it('tell the recorded minutes, and have empty columns for what was not asked for', async () => {
    const { plant, queue } = ports();
    plant.advance(400);
    const query = { targetId: 'a', source: { kind: 'sqs_name', queueName: 'jobs' } as const, maxAgeSeconds: 60 };
    const read = async (columns: 'all' | 'sent') =>
      (await queue.rates([{ ...query, windowSeconds: 300, columns }], signal)).get('a');
    const all = { sent: [0, 0, 0, 0, 0], deleted: [1, 0, 1, 0, 1], inFlight: [1, 1, 1, 1, 1] };
    expect(await read('all')).toMatchObject({ value: { startMs: 1_060_000, ...all } });
    expect(await read('sent')).toMatchObject({ value: { startMs: 1_060_000, ...all, deleted: [], inFlight: [] } });
  });

  it('accept one change at a time, say what became of it when it has ended, and carry our note', async () => {
    const { plant, host, scaler } = ports();
    plant.advance(10);
    expect(await scaler.scale(request(3), signal)).toEqual({ kind: 'accepted', actionId: 1 });
    expect(await scaler.scale(request(4), signal)).toMatchObject({ kind: 'busy' });
    const running = { id: 1, kind: 'process_scale', startedAtMs: 1_010_000, userReference: 'note-3', message: null };
    plant.advance(39);
    expect(await host.action('s', 1, signal)).toEqual({
      kind: 'found',
      action: { ...running, finishedAtMs: null, success: null },
    });
    plant.advance(40);
    expect(await host.actions('s', signal)).toMatchObject({
      value: [{ ...running, finishedAtMs: 1_040_000, success: true }],
    });
    const placements = await host.placements('s', ['worker'], signal);
    expect(placements.get('worker')).toMatchObject({ value: { servers: [{ count: 3 }] } });
    expect(await host.action('s', 2, signal)).toMatchObject({ kind: 'gone' });
  });

  it('leave the workers where they were when a change fails', async () => {
    const { plant, host, scaler } = ports({
      actuator: { minSeconds: 30, spreadSeconds: 0, failureShare: 1, stuckShare: 0, stuckSeconds: 600 },
    });
    await scaler.scale(request(3), signal);
    plant.advance(30);
    const placements = await host.placements('s', ['worker'], signal);
    expect(placements.get('worker')).toMatchObject({ value: { servers: [{ count: 1 }] } });
    expect(await host.action('s', 1, signal)).toMatchObject({ action: { success: false } });
  });

  it('refuse a count that the plant is not allowed to have: policy and plant must agree on the bounds', async () => {
    const { scaler } = ports({ maxWorkers: 2 });
    await expect(scaler.scale(request(3), signal)).rejects.toThrow(
      'Asked for 3 workers; the plant is bound to 0 to 2.',
    );
  });
});
