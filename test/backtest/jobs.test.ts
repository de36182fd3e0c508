import { describe, expect, it } from 'vitest';
import { expandJobs, type ServiceTimes } from '../../lib/backtest/jobs.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const trace = { name: 't', binSeconds: 60, startSeconds: 0, arrivals: Float64Array.from([4000, 0, 6000]) };
const service: ServiceTimes = { meanSeconds: 6, cv: 1, measuredSeconds: null, driftFactor: 1 };

describe('expandJobs', () => {
  it('places jobs in their bins in ascending order, evenly spread', () => {
    const { arrivalSeconds, count } = expandJobs(trace, service, 'uniform', createRandom(1));
    expect(count).toBe(10_000);
    expect(arrivalSeconds.every((at, job) => job === 0 || at >= (arrivalSeconds[job - 1] ?? 0))).toBe(true);
    const first = arrivalSeconds.subarray(0, 4000);
    const last = arrivalSeconds.subarray(4000);
    expect(first.every((at) => at > 0 && at < 60) && last.every((at) => at > 120 && at < 180)).toBe(true);
    // The largest distance from the uniform distribution (Kolmogorov and Smirnov) at one in a thousand: 1.95 / sqrt(n).
    const distance = Math.max(...first.map((at, job) => Math.abs(at / 60 - (job + 0.5) / 4000)));
    expect(distance).toBeLessThan(1.95 / Math.sqrt(4000));
  });

  it('puts a batch into the first five seconds of its bin', () => {
    const { arrivalSeconds } = expandJobs(trace, service, 'batch', createRandom(1));
    expect(arrivalSeconds.every((at) => at % 60 < 5)).toBe(true);
  });

  it('draws lognormal service times with the mean and variation that were asked for', () => {
    const { serviceSeconds, workSeconds, count } = expandJobs(trace, service, 'uniform', createRandom(1));
    const mean = workSeconds / count;
    const variance = serviceSeconds.reduce((sum, each) => sum + (each - mean) ** 2, 0) / count;
    expect(mean / 6).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance) / mean).toBeGreaterThan(0.9);
    expect(Math.sqrt(variance) / mean).toBeLessThan(1.1);
    expect(serviceSeconds.toSorted()[count / 2]).toBeCloseTo(6 / Math.SQRT2, 0);
  });

  it('takes measured durations, equal ones, and lets the second half drift', () => {
    const measured = expandJobs(trace, { ...service, measuredSeconds: [1, 3] }, 'uniform', createRandom(1));
    expect(new Set(measured.serviceSeconds)).toEqual(new Set([1, 3]));
    const equal = expandJobs(trace, { ...service, cv: 0, driftFactor: 1.5 }, 'uniform', createRandom(1));
    expect(new Set(equal.serviceSeconds.subarray(0, 4000))).toEqual(new Set([6]));
    expect(new Set(equal.serviceSeconds.subarray(4000))).toEqual(new Set([9]));
    expect(equal.workSeconds).toBe(4000 * 6 + 6000 * 9);
  });

  it('gives a job the same service time whatever its arrival', () => {
    const [uniform, batch] = (['uniform', 'batch'] as const).map((placing) =>
      expandJobs(trace, service, placing, createRandom(1)),
    );
    expect(uniform?.serviceSeconds).toEqual(batch?.serviceSeconds);
  });

  it('refuses more jobs than it has room for', () => {
    const huge = { ...trace, arrivals: Float64Array.from([200_000_000]) };
    expect(() => expandJobs(huge, service, 'uniform', createRandom(1))).toThrow('200000000 jobs are too many');
  });
});
