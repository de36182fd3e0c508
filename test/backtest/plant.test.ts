import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expandJobs, type Jobs } from '../../lib/backtest/jobs.ts';
import type { Plant } from '../../lib/backtest/plant.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { exactPlant, jobsOf, standardPlant } from './plants.ts';

const looks = ({ visible, inFlight, oldestAgeSeconds }: Plant) => ({ visible, inFlight, oldestAgeSeconds });

describe('plant: one worker by hand', () => {
  const jobs = jobsOf(
    [
      [0, 10],
      [1, 10],
      [2, 10],
      [50, 4],
    ],
    60,
  );

  it('serves first come, first served and shows what waits and what runs', () => {
    const plant = exactPlant(jobs);
    plant.advance(5);
    expect(looks(plant)).toEqual({ visible: 2, inFlight: 1, oldestAgeSeconds: 4 });
    plant.advance(10);
    expect(looks(plant)).toEqual({ visible: 1, inFlight: 1, oldestAgeSeconds: 8 });
    expect([plant.arrivedJobs, plant.startedJobs, plant.finishedJobs]).toEqual([3, 2, 1]);
    plant.advance(40);
    expect(looks(plant)).toEqual({ visible: 0, inFlight: 0, oldestAgeSeconds: 0 });
    plant.advance(60);
    expect([...plant.waitSeconds]).toEqual([0, 9, 18, 0]);
    expect(plant.workedOff).toBe(true);
    expect(plant.finish()).toBe(60);
  });

  it('runs on until the last job is done and pays for that', () => {
    const plant = exactPlant(jobsOf([[55, 20]], 60));
    plant.advance(60);
    expect(plant.finish()).toBe(75);
  });

  it('runs as many jobs at once as a worker has threads, and counts the worker once', () => {
    const plant = exactPlant(jobs, { concurrency: 2 });
    plant.advance(5);
    expect({ ...looks(plant), busy: plant.busyWorkers, running: plant.runningWorkers }).toEqual({
      visible: 1,
      inFlight: 2,
      oldestAgeSeconds: 3,
      busy: 1,
      running: 1,
    });
    plant.advance(60);
    expect([...plant.waitSeconds]).toEqual([0, 0, 8, 0]);
  });

  it('records the highest depth and the counts of each minute, and shows them late', () => {
    const plant = exactPlant(jobs);
    plant.advance(60);
    expect(plant.minutes.newestDue(79)).toBe(-1);
    plant.advance(80);
    expect(plant.minutes.newestDue(80)).toBe(0);
    expect(plant.minutes.published(0, 79)).toBeNull();
    expect(plant.minutes.published(0, 80)).toEqual({
      startSeconds: 0,
      visible: 1, // sampled at 15, 30, 45 and 60 s
      inFlight: 1,
      inFlightMean: 0.25,
      sent: 4,
      deleted: 4,
      oldestAgeSeconds: 0,
      runningWorkers: 1,
    });
  });
});

describe('plant: the lever', () => {
  it('changes the count when the action ends, pays from its acceptance, and takes one action at a time', () => {
    const plant = exactPlant(jobsOf([[0, 1]], 100));
    plant.advance(10);
    expect(plant.order(3)).toMatchObject({ acceptedAt: 10, endsAt: 40, count: 3 });
    expect(plant.order(5)).toBeNull();
    plant.advance(39);
    expect(plant.workers).toBe(1);
    plant.advance(40);
    expect([plant.workers, plant.runningWorkers, plant.workerStarts]).toEqual([3, 3, 2]);
    plant.advance(100);
    expect(plant.finish()).toBe(100 + 2 * 90);
  });

  it('starts waiting jobs the moment a worker comes up', () => {
    const plant = exactPlant(
      jobsOf(
        [
          [0, 100],
          [1, 5],
        ],
        200,
      ),
    );
    plant.order(2);
    plant.advance(200);
    expect([...plant.waitSeconds]).toEqual([0, 29]);
  });

  it('lets a stopping worker finish its job, pays it to the end, and gives it nothing new', () => {
    const jobs = jobsOf(
      [
        [0, 50],
        [1, 50],
        [35, 5],
      ],
      100,
    );
    const plant = exactPlant(jobs, { initialWorkers: 2 });
    plant.order(1);
    plant.advance(30);
    expect({ ...looks(plant), running: plant.runningWorkers, busy: plant.busyWorkers }).toEqual({
      visible: 0,
      inFlight: 2,
      oldestAgeSeconds: 0,
      running: 1,
      busy: 1,
    });
    plant.advance(100);
    expect(plant.waitSeconds[2]).toBe(15);
    // One of the two, started with the first or the second job, is paid to the end of that job.
    const paid = plant.finish();
    expect([100 + 50, 100 + 51]).toContain(paid);
  });

  it('stops an idle worker at once and a worker on its way before it is up', () => {
    const plant = exactPlant(jobsOf([[90, 1]], 100), { initialWorkers: 3, startupSeconds: 15 });
    plant.order(1);
    plant.advance(100);
    expect(plant.finish()).toBe(100 + 2 * 30);
  });

  it('changes nothing when the action fails, and says so only at its end', () => {
    const plant = exactPlant(jobsOf([[0, 1]], 100), {
      actuator: { minSeconds: 30, spreadSeconds: 0, failureShare: 1, stuckShare: 0, stuckSeconds: 600 },
    });
    plant.order(3);
    plant.advance(29);
    expect(plant.actuator.running).not.toBeNull();
    plant.advance(30);
    expect([plant.actuator.running, plant.workers]).toEqual([null, 1]);
  });

  it('keeps a stuck action for its whole time', () => {
    const plant = exactPlant(jobsOf([[0, 1]], 100), {
      actuator: { minSeconds: 30, spreadSeconds: 0, failureShare: 0, stuckShare: 1, stuckSeconds: 600 },
    });
    expect(plant.order(3)?.endsAt).toBe(600);
  });

  it('holds orders within the bounds and refuses what is no count', () => {
    const plant = exactPlant(jobsOf([[0, 1]], 100), { minWorkers: 1, maxWorkers: 4 });
    expect(plant.order(9)?.count).toBe(4);
    expect(() => plant.order(1.5)).toThrow('1.5 workers: expected a whole number >= 0.');
  });

  it('takes 60 s on average with the usual settings', () => {
    const plant = standardPlant(jobsOf([[0, 1]], 1), {});
    const actions = Array.from({ length: 4000 }, () => {
      const action = plant.actuator.accept(1, 0);
      plant.actuator.end();
      return action;
    });
    const usual = actions.flatMap((action) => (action === null || action.endsAt === 600 ? [] : [action.endsAt]));
    const mean = usual.reduce((sum, seconds) => sum + seconds, 0) / usual.length;
    expect(mean).toBeGreaterThan(59);
    expect(mean).toBeLessThan(61);
    expect(Math.min(...usual)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...usual)).toBeLessThanOrEqual(120);
    const failed = actions.filter((action) => action?.succeeds === false).length / actions.length;
    expect(failed).toBeGreaterThan(0.01);
    expect(failed).toBeLessThan(0.03);
  });
});

/** Poisson arrivals and exponential service at `workers` × `utilization`. */
function poissonJobs(workers: number, utilization: number, count: number): Jobs {
  const random = createRandom(7);
  const arrivals = random.fork('a');
  const services = random.fork('s');
  let at = 0;
  const pairs = Array.from({ length: count }, () => {
    at += arrivals.exponential(1 / (workers * utilization));
    return [at, services.exponential(1)] as const;
  });
  return jobsOf(pairs, Math.ceil(at) + 1);
}

/** Erlang C: the chance that a job has to wait in M/M/c. */
function erlangC(workers: number, utilization: number): number {
  const offered = workers * utilization;
  let blocked = 1;
  for (let n = 1; n <= workers; n += 1) blocked = (offered * blocked) / (n + offered * blocked);
  return blocked / (1 - utilization * (1 - blocked));
}

describe('plant: queueing theory', () => {
  it.each([
    [1, 0.7],
    [4, 0.8],
    [20, 0.9],
  ])('with %i workers at %f waits as M/M/c does', (workers, utilization) => {
    const plant = exactPlant(poissonJobs(workers, utilization, 300_000), { initialWorkers: workers });
    plant.advance(plant.jobs.durationSeconds);
    plant.finish();
    const waits = plant.waitSeconds;
    const waiting = waits.filter((wait) => wait > 0).length / waits.length;
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    const expectedWaiting = erlangC(workers, utilization);
    const expectedMean = expectedWaiting / (workers * (1 - utilization));
    expect(waiting / expectedWaiting).toBeCloseTo(1, 1);
    expect(Math.abs(mean / expectedMean - 1)).toBeLessThan(0.05);
  });
});

const order = fc.record({ at: fc.integer({ min: 0, max: 3000 }), count: fc.integer({ min: 0, max: 12 }) });

describe('plant: whatever is ordered', () => {
  const trace = { name: 't', binSeconds: 60, startSeconds: 0, arrivals: new Float64Array(40).fill(20) };
  const service = { meanSeconds: 6, cv: 1, measuredSeconds: null, driftFactor: 1 };

  it('every job runs exactly once, nobody is paid less than the work, and the counts add up', () => {
    fc.assert(
      fc.property(fc.array(order, { maxLength: 20 }), fc.integer({ min: 1, max: 3 }), (orders, concurrency) => {
        const jobs = expandJobs(trace, service, 'uniform', createRandom(3));
        const plant = standardPlant(jobs, { minWorkers: 1, concurrency });
        for (const { at, count } of orders.toSorted((a, b) => a.at - b.at)) {
          plant.advance(at);
          plant.order(count);
          expect(plant.arrivedJobs).toBe(plant.visible + plant.inFlight + plant.finishedJobs);
          expect(plant.runningWorkers).toBeLessThanOrEqual(plant.workers);
          expect(plant.busyWorkers).toBeLessThanOrEqual(plant.runningWorkers);
        }
        for (let at = 2400; !plant.workedOff; at += 60) plant.advance(at);
        const paid = plant.finish();
        expect([plant.startedJobs, plant.finishedJobs, plant.inFlight]).toEqual([jobs.count, jobs.count, 0]);
        expect(paid * concurrency).toBeGreaterThanOrEqual(jobs.workSeconds - 1e-6);
        expect(plant.waitSeconds.every((wait) => wait >= 0)).toBe(true);
        const recorded = plant.minutes.sent.reduce((sum, sent) => sum + sent, 0);
        expect(recorded).toBe(jobs.count);
      }),
      { numRuns: 60 },
    );
  });

  it('the same jobs, actions and lags come to every policy', () => {
    const jobs = () => expandJobs(trace, service, 'uniform', createRandom(3));
    expect(jobs()).toEqual(jobs());
    const calm = standardPlant(jobs());
    const busy = standardPlant(jobs());
    for (let at = 0; at <= 2400; at += 60) {
      calm.advance(at);
      busy.advance(at);
      busy.order(1 + ((at / 60) % 5));
      if (at % 600 === 0) calm.order(1);
    }
    const seconds = (plant: Plant) => plant.actuator.actions.map(({ acceptedAt, endsAt }) => endsAt - acceptedAt);
    const fewer = seconds(calm);
    expect(fewer.length).toBeGreaterThan(3);
    const difference = seconds(busy)
      .slice(0, fewer.length)
      .map((each, index) => Math.abs(each - (fewer[index] ?? 0)));
    expect(Math.max(...difference)).toBeLessThan(1e-6);
    expect(calm.minutes.newestDue(2000)).toBe(busy.minutes.newestDue(2000));
  });
});
