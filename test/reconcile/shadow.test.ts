import { describe, expect, it } from 'vitest';
import type { Action } from '../../lib/domain.ts';
import { totalWorkers } from '../../lib/policy/distribute.ts';
import { reconcile } from '../../lib/reconcile/reconcile.ts';
import { createShadow } from '../../lib/reconcile/shadow.ts';
import { actionOf, depthOf, historyOf, NOW, ok, placementOf, serverOf, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf } from '../support/ports.ts';

const signal = new AbortController().signal;

/** A world in which nothing is sent; `look` passes over the target once, some seconds later. */
function dryWorld(visible: number) {
  const world = fakeWorld({ placements: { worker: ok(placementOf(serverOf('a', 2), serverOf('b', 1))) } });
  const shadow = createShadow({ host: world.ports.host, clock: world.ports.clock });
  const look = async (afterSeconds: number) => {
    world.answers.nowMs += afterSeconds * 1000;
    world.answers.depths.worker = ok(depthOf(visible), world.answers.nowMs);
    await reconcile([targetOf('worker')], { ...world.ports, ...shadow }, openSignals());
    return world.results.at(-1)?.[1];
  };
  const placement = async () => {
    const reading = (await shadow.host.placements('stack-1', ['worker'], signal)).get('worker');
    if (reading?.kind !== 'ok') throw new Error('no placement');
    return reading.value;
  };
  return { ...world, shadow, look, placement };
}

describe('a dry run', () => {
  it('counts virtually once a change would have landed, and sends nothing', async () => {
    const { look, placement, requests, records } = dryWorld(60);
    expect(await look(0)).toMatchObject({ kind: 'dry_run', decision: { currentCount: 3, desiredCount: 6 } });
    expect(totalWorkers(await placement())).toBe(3);
    expect(await look(20)).toMatchObject({ kind: 'held', decision: { reason: 'action_in_progress', currentCount: 3 } });
    expect(await look(100)).toMatchObject({ kind: 'held', decision: { reason: 'on_target', currentCount: 6 } });
    const { actualCount, servers } = await placement();
    expect(actualCount).toBe(3);
    expect(servers.map(({ count }) => count)).toEqual([3, 3]);
    expect(requests).toEqual([]);
    expect(records).toEqual([]);
  });

  it('asks for servers where virtual counts have to be put on them', async () => {
    const { look, shadow, ports } = dryWorld(60);
    const asked: unknown[] = [];
    const host = {
      ...ports.host,
      placements: (...args: Parameters<typeof ports.host.placements>) => {
        asked.push(args[3]);
        return ports.host.placements(...args);
      },
    };
    await look(0);
    const again = createShadow({ host, clock: ports.clock });
    await again.host.placements('stack-1', ['worker'], signal, 'if_known');
    await again.scaler.scale(
      { stackUid: 'stack-1', processName: 'worker', counts: { a: 3, b: 3 }, userReference: 'r' },
      signal,
    );
    await look(100);
    await again.host.placements('stack-1', ['worker'], signal, 'if_known');
    expect(asked).toEqual(['if_known', 'recent']);
    expect((await shadow.host.placements('stack-1', ['worker'], signal, 'if_known')).get('worker')?.kind).toBe('ok');
  });

  it('goes virtually in as well as out', async () => {
    const { look, answers } = dryWorld(0);
    const calm = (seconds: number) => {
      answers.histories.worker = ok(historyOf(Array<number>(10).fill(0), answers.nowMs + seconds * 1000));
      return look(seconds);
    };
    expect(await calm(0)).toMatchObject({ kind: 'dry_run', decision: { action: 'scale_in', desiredCount: 1 } });
    expect(await calm(100)).toMatchObject({ decision: { currentCount: 1, reason: 'at_minimum' } });
  });

  it('shows its virtual changes beside the real ones, with numbers that no real one has', async () => {
    const real = actionOf({ finishedAtMs: NOW - 900_000 });
    const { look, shadow, answers } = dryWorld(60);
    answers.actions = ok([real]);
    await look(0);
    const actionsNow = async () => {
      const reading = await shadow.host.actions('stack-1', signal);
      return reading.kind === 'ok' ? reading.value : [];
    };
    const shown = (actions: readonly Action[]) => actions.map(({ id, kind, finishedAtMs }) => [id, kind, finishedAtMs]);
    expect(shown(await actionsNow())).toEqual([
      [-1, 'virtual_process_scale', null],
      [7, 'process_scale', NOW - 900_000],
    ]);
    answers.nowMs += 600_000;
    const [virtual] = await actionsNow();
    expect(virtual?.finishedAtMs).toBeGreaterThan(NOW);
    expect(virtual?.success).toBe(true);
  });

  it('loses virtual workers with their server, and says nothing where nothing is known', async () => {
    const { look, placement, answers, shadow } = dryWorld(60);
    await look(0);
    answers.nowMs += 600_000;
    answers.placements.worker = ok(placementOf(serverOf('a', 2)));
    expect(totalWorkers(await placement())).toBe(3);
    answers.placements.worker = unknown('failed');
    expect((await shadow.host.placements('stack-1', ['worker'], signal)).get('worker')).toMatchObject({
      kind: 'failed',
    });
  });
});
