import { describe, expect, it } from 'vitest';
import type { Baseline, Sensed } from '../../lib/backtest/baselines/baseline.ts';
import { buildCell, type CellOptions, fly, USUAL_CELL } from '../../lib/backtest/cell.ts';
import type { DecisionEvent } from '../../lib/backtest/plant-ports.ts';
import { OUR_STRATEGIES, ourPolicy, peerPolicy, targetOf } from '../../lib/backtest/policies.ts';
import { type Attention, baselinePilot, ourPilot, replay } from '../../lib/backtest/replay.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';
import type { Attentive } from '../../lib/policy/attention.ts';
import { decide } from '../../lib/policy/decide.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { exactPlant, jobsOf } from './plants.ts';

const trace = syntheticTrace({ shape: 'bursts', minutes: 240, meanPerMinute: 30, seed: 1 });
const CELL: CellOptions = { ...USUAL_CELL, trace, scaling: { kind: 'load', busyWorkers: 3 }, seed: 1 };
const workload = {
  jobSeconds: 6,
  concurrency: 1,
  minWorkers: 0,
  maxWorkers: 20,
  waitTargetSeconds: 60,
  waitTargetPercent: 95,
  actionSeconds: 60,
};
const latency = OUR_STRATEGIES.find(({ name }) => name === 'latency');
const backlog = OUR_STRATEGIES.find(({ name }) => name === 'backlog');
if (backlog === undefined) throw new Error('The strategy backlog is gone.');
const ours = ourPolicy(backlog);
const random = createRandom(1);

/** Thirty jobs at once, then silence. */
const rush = jobsOf(
  Array.from({ length: 30 }, () => [1, 10] as const),
  900,
);

function rushPilot(attention: Attention | null, servers = 1) {
  const events: DecisionEvent[] = [];
  const slow = { minSeconds: 70, spreadSeconds: 0, failureShare: 0, stuckShare: 0, stuckSeconds: 600 };
  const plant = exactPlant(rush, { actuator: slow });
  const environment = {
    STRATEGY: 'backlog',
    SCALE_IN_COOLDOWN_SECONDS: '200',
    BACKLOG_PER_WORKER: '10',
    SCALE_IN_STABILIZATION_SECONDS: '120',
  };
  const target = targetOf(environment, workload);
  const onDecision = (event: DecisionEvent) => void events.push(event);
  const pilot = ourPilot({ target, plant, startMs: 0, servers, attention, random, onDecision });
  return { events, plant, pilot };
}

const seconds = ({ input }: DecisionEvent) => input.now / 1000;

describe('strategy latency in a backtest', () => {
  it('is given the whole objective, as a deployment would be', () => {
    const given = (percent: number) => {
      const asked = { ...workload, waitTargetSeconds: 300, waitTargetPercent: percent };
      return targetOf(latency?.environment({}, asked) ?? {}, asked).policy.strategy;
    };
    expect(given(99)).toMatchObject({ kind: 'latency', targetSeconds: 300, targetPercent: 99 });
    expect(given(99.99)).toMatchObject({ targetPercent: 99.9 });
  });

  it('is looked at as often as the deployed program does: between ticks while it is watched', () => {
    const target = targetOf({ STRATEGY: 'latency' }, workload);
    const held = { kind: 'failed', decision: null, error: new Error('not looked at') } as const;
    const nextLook = (attentive: Attentive) =>
      latency?.attention?.({ target, result: held, nowSeconds: 60, nextTickSeconds: 120, attentive });
    expect(nextLook({ awake: true, why: 'A change was ordered.' })).toBe(15);
    expect(nextLook({ awake: false, afterBurst: '100 came in a minute.' })).toBe(15);
    expect(nextLook({ awake: false })).toBeNull();
  });
});

describe('our policy on the plant', () => {
  it('runs the deployed reconcile: it scales out, holds while the action runs, and scales in when the window is calm', async () => {
    const { events, plant, pilot } = rushPilot(null);
    const end = await replay(plant, pilot);
    const told = events.map(({ result }) =>
      result.kind === 'failed' ? result.error.message : result.decision?.reason,
    );
    expect(told.slice(0, 2)).toEqual(['backlog_above_target', 'action_in_progress']);
    expect(told).toEqual(expect.arrayContaining(['stabilizing_scale_in', 'cooling_down', 'backlog_below_target']));
    expect(told).not.toContain('history_unknown');
    const [first] = plant.actuator.actions;
    expect(first).toMatchObject({ count: 3, succeeds: true });
    expect(end).toMatchObject({ complete: true, looks: events.length });
    expect(
      events.every((event, index) => index === 0 || seconds(event) - seconds(events[index - 1] ?? event) === 60),
    ).toBe(true);
  });

  it('decides as the pure core does on the same input: a recorded decision can be decided again', async () => {
    const { events, plant, pilot } = rushPilot(null);
    await replay(plant, pilot);
    for (const { input, result } of events) {
      if (result.kind !== 'held' && result.kind !== 'scaled') throw new Error(result.kind);
      expect(decide(input)).toEqual(result.decision);
    }
  });

  it('never shows the future: points and ends of actions appear when they are due', async () => {
    const { events, plant, pilot } = rushPilot(null);
    await replay(plant, pilot);
    const now = (event: DecisionEvent) => event.input.now;
    let seen = 0;
    for (const event of events) {
      const { history, actions } = event.input.observation;
      if (history.kind === 'ok') {
        seen += history.value.points.length;
        for (const { atMs } of history.value.points) expect(atMs + 80_000).toBeLessThanOrEqual(now(event));
      }
      if (actions.kind === 'ok') {
        for (const { startedAtMs, finishedAtMs, success } of actions.value) {
          expect(startedAtMs).toBeLessThan(now(event));
          expect(finishedAtMs ?? 0).toBeLessThanOrEqual(now(event));
          expect(success === null).toBe(finishedAtMs === null);
        }
      }
    }
    expect(seen).toBeGreaterThan(0);
  });

  it('spreads the workers over the servers and finds them where it put them', async () => {
    const { events, plant, pilot } = rushPilot(null, 3);
    await replay(plant, pilot);
    const scaled = events.filter(({ result }) => result.kind === 'scaled');
    expect(scaled[0]?.counts).toEqual({ 'server-001': 1, 'server-002': 1, 'server-003': 1 });
    const last = events.at(-1)?.input.observation.placement;
    if (last?.kind !== 'ok') throw new Error('The placement is always known.');
    expect(last.value.servers.reduce((sum, { count }) => sum + count, 0)).toBe(plant.workers);
  });

  it('looks again when it asks for it, and never skips a tick', async () => {
    const asked: number[] = [];
    const { events, plant, pilot } = rushPilot(({ result, target, nowSeconds, nextTickSeconds }) => {
      expect(target.policy.maxWorkers).toBe(20);
      asked.push(nextTickSeconds - nowSeconds);
      return result.kind === 'scaled' ? 45 : null;
    });
    await replay(plant, pilot);
    const gaps = events.slice(1).map((event, index) => seconds(event) - seconds(events[index] ?? event));
    expect(new Set(gaps)).toEqual(new Set([60, 45, 15]));
    expect(Math.max(...asked)).toBe(60);
  });

  it('meets the same world again with the same seed, and another one with another', async () => {
    const run = async (seed: number) => {
      const cell = buildCell({ ...CELL, seed });
      return (await fly(cell, ours, { league: 'E', settings: ours.byTheBook(cell.workload) })).score;
    };
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again).toEqual(first);
    expect(other.costRatio).not.toBe(first.costRatio);
  });

  it('takes settings by their names and refuses wrong ones, and the bounds', async () => {
    const cell = buildCell(CELL);
    const flight = (overrides: Record<string, string>) =>
      fly(cell, ours, { league: 'E', settings: ours.defaults(cell.workload), overrides });
    const [few, many] = [await flight({ BACKLOG_PER_WORKER: '2' }), await flight({ BACKLOG_PER_WORKER: '200' })];
    expect(few.score.costRatio).toBeGreaterThan(many.score.costRatio);
    await expect(flight({ BACKLOG_PER_WORKER: 'many' })).rejects.toThrow('BACKLOG_PER_WORKER');
    await expect(flight({ MAX_WORKERS: '5' })).rejects.toThrow('MAX_WORKERS: the bounds belong to the plant');
  });
});

/** A rule that orders what a list says, one entry per evaluation, and keeps what it was shown. */
function scripted(orders: readonly (number | null)[], changes: Partial<Baseline> = {}) {
  const shown: Sensed[] = [];
  const baseline: Baseline = {
    name: 'scripted',
    title: 'scripted',
    source: 'this test',
    knobs: [],
    defaults: () => ({}),
    byTheBook: () => ({}),
    nativeIntervalSeconds: 10,
    readsCloudWatch: false,
    start: () => (sensed) => {
      shown.push(sensed);
      return orders[shown.length - 1] ?? null;
    },
    ...changes,
  };
  return { baseline, shown };
}

describe('a peer on the plant', () => {
  const flight = { settings: {}, workload, random };

  it('is asked at its own cadence in league N and on the minute in league E', async () => {
    for (const [league, interval] of [
      ['N', 10],
      ['E', 60],
    ] as const) {
      const { baseline, shown } = scripted([]);
      const plant = exactPlant(rush);
      await replay(plant, baselinePilot({ ...flight, baseline, plant, league }));
      const gaps = shown.slice(1).map(({ nowSeconds }, index) => nowSeconds - (shown[index]?.nowSeconds ?? 0));
      expect(new Set(gaps)).toEqual(new Set([interval]));
    }
  });

  it('keeps its wish while an action runs and orders it afterwards', async () => {
    const { baseline, shown } = scripted([5, 2]);
    const plant = exactPlant(rush);
    await replay(plant, baselinePilot({ ...flight, baseline, plant, league: 'N' }));
    const actions = plant.actuator.actions.map(({ count, acceptedAt, endsAt }) => ({ count, acceptedAt, endsAt }));
    expect(actions.map(({ count }) => count)).toEqual([5, 2]);
    expect((actions[1]?.acceptedAt ?? 0) - (actions[0]?.endsAt ?? 0)).toBeLessThan(10);
    expect(shown[2]?.desiredWorkers).toBe(2);
    expect(shown[1]?.desiredWorkers).toBe(5);
  });

  it('orders again what has failed', async () => {
    const { baseline } = scripted([3]);
    const always = { minSeconds: 30, spreadSeconds: 0, failureShare: 1, stuckShare: 0, stuckSeconds: 600 };
    const plant = exactPlant(rush, { actuator: always });
    await replay(plant, baselinePilot({ ...flight, baseline, plant, league: 'E' }));
    expect(plant.actuator.actions.length).toBeGreaterThan(3);
    expect(new Set(plant.actuator.actions.map(({ count }) => count))).toEqual(new Set([3]));
  });

  it('is shown what happened since it last looked, and its orders are held within the bounds', async () => {
    const { baseline, shown } = scripted([100]);
    const plant = exactPlant(rush);
    await replay(plant, baselinePilot({ ...flight, baseline, plant, league: 'E' }));
    expect(shown.reduce((sum, { arrivedSinceLast }) => sum + arrivedSinceLast, 0)).toBe(30);
    expect(shown[1]?.desiredWorkers).toBe(20);
    expect(shown.every(({ runningWorkers, busyWorkers }) => busyWorkers <= runningWorkers)).toBe(true);
  });

  it('sees the newest published minute in league N and the live queue in its place in league E', async () => {
    const metrics = async (league: 'E' | 'N') => {
      const { baseline, shown } = scripted([], { nativeIntervalSeconds: 60, readsCloudWatch: true });
      const plant = exactPlant(rush);
      await replay(plant, baselinePilot({ ...flight, baseline, plant, league }));
      return shown.map(({ metric, visible, nowSeconds }) => ({ metric: metric?.visible ?? null, visible, nowSeconds }));
    };
    for (const { metric, visible } of await metrics('E')) expect(metric).toBe(visible);
    const home = await metrics('N');
    expect(home[0]?.metric).toBeNull();
    expect(home.filter(({ nowSeconds }) => nowSeconds >= 80).every(({ metric }) => metric !== null)).toBe(true);
    expect(home.some(({ metric, visible }) => metric !== visible)).toBe(true);
  });

  it('can be followed and stopped, and says that it was stopped', async () => {
    const { baseline } = scripted([], { nativeIntervalSeconds: 2 });
    const cell = buildCell(CELL);
    const stopper = new AbortController();
    const shares: number[] = [];
    const onProgress = (share: number) => {
      shares.push(share);
      if (share > 0.5) stopper.abort();
    };
    const hooks = { onProgress, signal: stopper.signal };
    const { score } = await fly(cell, peerPolicy(baseline), { league: 'N', settings: {}, hooks });
    expect(score.complete).toBe(false);
    expect(score.jobs).toBeLessThan(cell.jobs.count);
    expect(shares.length).toBe(2);
  });

  it('is given up a day after the end of the traffic when it leaves the queue alone', async () => {
    const { baseline } = scripted([0]);
    const cell = buildCell({ ...CELL, minWorkers: 0 });
    const { score } = await fly(cell, peerPolicy(baseline), { league: 'E', settings: {} });
    expect(score).toMatchObject({ unfinishedJobs: cell.jobs.count, lateShare: 1, complete: true });
  });
});
