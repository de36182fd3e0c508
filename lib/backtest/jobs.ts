/**
 * From arrivals per bin to single jobs: when each arrives and how long it runs. Drawn once per trace and seed, and read
 * by every policy, so that all of them meet the very same jobs. Columns of numbers, no object per job.
 */
import type { Random } from '../simulation/random.ts';
import { durationSeconds, type Trace, totalArrivals } from './trace.ts';

/** All jobs of a run in the order of their arrival. */
export interface Jobs {
  readonly count: number;
  readonly arrivalSeconds: Float64Array;
  readonly serviceSeconds: Float32Array;
  /** Sum of all service times: the work that no policy can avoid paying for. */
  readonly workSeconds: number;
  /** Length of the recorded traffic; the last jobs may end later. */
  readonly durationSeconds: number;
}

/** How long jobs run. */
export interface ServiceTimes {
  readonly meanSeconds: number;
  /** Standard deviation / mean of the lognormal distribution; 0 = all jobs run equally long. */
  readonly cv: number;
  /** Measured durations to draw from instead of the lognormal distribution; null = use the distribution. */
  readonly measuredSeconds: readonly number[] | null;
  /** Jobs that arrive in the second half run this many times longer (1 = no drift). */
  readonly driftFactor: number;
}

/** Where in its bin a job arrives: anywhere, or in the first five seconds, as a batch that a scheduler enqueues. */
export type Placing = 'uniform' | 'batch';

const BATCH_SECONDS = 5;
const MAX_JOBS = 100_000_000;

/**
 * Expands a trace into jobs.
 *
 * @throws RangeError when the trace holds more than 100 million jobs.
 */
export function expandJobs(trace: Trace, service: ServiceTimes, placing: Placing, random: Random): Jobs {
  const count = totalArrivals(trace);
  if (count > MAX_JOBS) throw new RangeError(`${count} jobs are too many; at most ${MAX_JOBS}.`);
  const arrivalSeconds = placeArrivals(trace, count, placing, random.fork('arrivals'));
  const serviceSeconds = drawService(count, service, random.fork('service'));
  const duration = durationSeconds(trace);
  if (service.driftFactor !== 1) drift(arrivalSeconds, serviceSeconds, duration / 2, service.driftFactor);
  let workSeconds = 0;
  for (let job = 0; job < count; job += 1) workSeconds += serviceSeconds[job] as number;
  return { count, arrivalSeconds, serviceSeconds, workSeconds, durationSeconds: duration };
}

/** Uniform order statistics without sorting: the partial sums of exponential gaps, divided by their total. */
function placeArrivals(trace: Trace, count: number, placing: Placing, random: Random): Float64Array {
  const times = new Float64Array(count);
  const width = placing === 'batch' ? Math.min(BATCH_SECONDS, trace.binSeconds) : trace.binSeconds;
  let job = 0;
  for (let bin = 0; bin < trace.arrivals.length; bin += 1) {
    const last = job + (trace.arrivals[bin] as number);
    if (last === job) continue;
    let sum = 0;
    for (let index = job; index < last; index += 1) {
      sum -= Math.log(1 - random.next());
      times[index] = sum;
    }
    sum -= Math.log(1 - random.next());
    const start = bin * trace.binSeconds;
    const scale = width / sum;
    for (; job < last; job += 1) times[job] = start + (times[job] as number) * scale;
  }
  return times;
}

function drawService(count: number, { meanSeconds, cv, measuredSeconds }: ServiceTimes, random: Random): Float32Array {
  const service = new Float32Array(count);
  if (measuredSeconds !== null && measuredSeconds.length > 0) {
    for (let job = 0; job < count; job += 1) service[job] = random.pick(measuredSeconds);
    return service;
  }
  if (cv === 0) return service.fill(meanSeconds);
  const variance = Math.log(1 + cv * cv);
  const deviation = Math.sqrt(variance);
  const location = Math.log(meanSeconds) - variance / 2;
  // Box-Muller gives two independent normal numbers for two uniform ones.
  for (let job = 0; job < count; job += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    service[job] = Math.exp(location + radius * Math.cos(angle));
    if (job + 1 < count) service[job + 1] = Math.exp(location + radius * Math.sin(angle));
  }
  return service;
}

function drift(arrivalSeconds: Float64Array, serviceSeconds: Float32Array, fromSeconds: number, factor: number): void {
  for (let job = serviceSeconds.length - 1; job >= 0 && (arrivalSeconds[job] as number) >= fromSeconds; job -= 1) {
    serviceSeconds[job] = (serviceSeconds[job] as number) * factor;
  }
}
