import { describe, expect, it } from 'vitest';
import { buildCell, type CellOptions, fly, USUAL_CELL, USUAL_ROUGHNESS } from '../../lib/backtest/cell.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import type { DecisionEvent } from '../../lib/backtest/plant-ports.ts';

const trace = (arrivals: readonly number[], binSeconds = 60, startSeconds = 0) => ({
  name: 't',
  binSeconds,
  startSeconds,
  arrivals: Float64Array.from(arrivals),
});
const built = (changes: Partial<CellOptions>) =>
  buildCell({
    ...USUAL_CELL,
    trace: trace([100, 600, 100]),
    scaling: { kind: 'factor', factor: 1 },
    seed: 1,
    ...changes,
  });

describe('buildCell', () => {
  it('leaves room for 1.25 times the busiest minute, and for 20 workers at least', () => {
    // 600 jobs of 6 s within a minute need 60 workers, half as many with two threads each.
    expect(built({}).workload).toMatchObject({ minWorkers: 1, maxWorkers: 75, jobSeconds: 6, actionSeconds: 60 });
    expect(built({ concurrency: 2 }).workload.maxWorkers).toBe(38);
    expect(built({ scaling: { kind: 'factor', factor: 0.1 } }).workload.maxWorkers).toBe(20);
    expect(built({ maxWorkers: 7 }).workload.maxWorkers).toBe(7);
  });

  it('knows what day it is when the trace says so, and begins on a Monday when it does not', () => {
    expect(new Date(built({}).startMs).toISOString()).toBe('2024-01-01T00:00:00.000Z');
    const dated = trace([1, 1], 60, Date.UTC(2025, 5, 4, 12) / 1000);
    expect(new Date(built({ trace: dated }).startMs).toISOString()).toBe('2025-06-04T12:00:00.000Z');
  });

  it('takes the mean of measured durations for the job time', () => {
    const cell = built({ measuredSeconds: [2, 4] });
    expect(cell.workload.jobSeconds).toBe(3);
    expect(new Set(cell.jobs.serviceSeconds)).toEqual(new Set([2, 4]));
  });

  it('places batches in the first seconds of each minute even where the trace has wider bins', () => {
    const { jobs } = built({ trace: trace([500, 500], 300), placing: 'batch' });
    expect(jobs.count).toBe(1000);
    expect(jobs.arrivalSeconds.every((at) => at % 60 < 5)).toBe(true);
    expect(new Set(jobs.arrivalSeconds.map((at) => Math.floor(at / 60))).size).toBe(10);
  });

  it('makes the plant rougher on demand', () => {
    const roughness = { latencyFactor: 2, lagFactor: 2, failureShare: 0.05, driftFactor: 1.5 };
    const [usual, rough] = [built({ roughness: USUAL_ROUGHNESS }), built({ roughness })];
    expect(rough.plant.actuator).toEqual({
      ...usual.plant.actuator,
      minSeconds: 40,
      spreadSeconds: 200,
      failureShare: 0.05,
    });
    expect(rough.plant.metric).toMatchObject({ lagMinSeconds: 40, lagMaxSeconds: 180 });
    expect(rough.plant.startupSeconds).toBe(30);
    expect(rough.jobs.workSeconds).toBeGreaterThan(1.2 * usual.jobs.workSeconds);
    expect(rough.workload.actionSeconds).toBe(120);
  });
});

describe('a flight', () => {
  it('can begin with other workers than the minimum, on several servers, and be watched', async () => {
    const cell = built({ servers: 2 });
    const [policy] = policiesNamed('step');
    if (policy === undefined) throw new Error('The strategy step is gone.');
    const events: DecisionEvent[] = [];
    const { plant } = await fly(cell, policy, {
      league: 'E',
      settings: policy.byTheBook(cell.workload),
      initialWorkers: 5,
      onDecision: (event) => void events.push(event),
    });
    const first = events[0]?.input.observation.placement;
    expect(first?.kind === 'ok' && first.value.servers.map(({ count }) => count)).toEqual([3, 2]);
    expect(plant.mostWorkers).toBeGreaterThanOrEqual(5);
    expect(plant.minutes.count).toBeGreaterThanOrEqual(3);
  });
});
