/**
 * What laravel-queue-autoscale estimates from the queue: the arrival rate with its confidence, and the workers that
 * drain the backlog in time. Rates are jobs per second.
 */
import { mean, recent, type Sample } from './recent.ts';

const HISTORY_SECONDS = 300;
const MAX_SNAPSHOTS = 30;
const MIN_CONFIDENCE = 0.5;
const MIN_FIT = 0.6;
const MIN_POINTS = 5;
const HORIZON_SECONDS = 60;
const BLEND = 0.5;

/** Change of the backlog per second over the snapshots; each pair weighs double the one before it. */
export function backlogGrowth(snapshots: readonly Sample[]): number {
  let weighted = 0;
  let weights = 0;
  let weight = 1;
  for (const [index, later] of snapshots.entries()) {
    const earlier = snapshots[index - 1];
    if (earlier === undefined || later.atSeconds <= earlier.atSeconds) continue;
    weighted += (weight * (later.value - earlier.value)) / (later.atSeconds - earlier.atSeconds);
    weights += weight;
    weight *= 2;
  }
  return weights === 0 ? 0 : weighted / weights;
}

/** Trust in the growth, 0 to 1: by the span of the latest pair, the number of pairs and the size of the change. */
export function growthConfidence(snapshots: readonly Sample[]): number {
  const later = snapshots.at(-1);
  const earlier = snapshots.at(-2);
  if (later === undefined || earlier === undefined) return 0;
  const span = later.atSeconds - earlier.atSeconds;
  const bySpan = span >= 5 && span <= 30 ? 0.9 : span >= 2 && span <= 60 ? 0.7 : 0.5;
  const byPairs = 0.8 + 0.2 * Math.min((snapshots.length - 1) / 3, 1);
  const change = Math.abs(later.value - earlier.value);
  return bySpan * byPairs * (change < 3 ? 0.6 : 0.7 + 0.3 * Math.min(change / 10, 1));
}

/** Least-squares line through the points, read at `atSeconds`; null if there are too few or they do not lie on one. */
export function projected(points: readonly Sample[], atSeconds: number): number | null {
  if (points.length < MIN_POINTS) return null;
  const meanTime = points.reduce((sum, point) => sum + point.atSeconds, 0) / points.length;
  const meanValue = mean(points, 0);
  let timeTime = 0;
  let timeValue = 0;
  let valueValue = 0;
  for (const point of points) {
    const time = point.atSeconds - meanTime;
    const value = point.value - meanValue;
    timeTime += time * time;
    timeValue += time * value;
    valueValue += value * value;
  }
  if (timeTime === 0 || valueValue === 0) return null;
  const fit = (timeValue * timeValue) / (timeTime * valueValue);
  return fit < MIN_FIT ? null : Math.max(0, meanValue + (timeValue / timeTime) * (atSeconds - meanTime));
}

export interface RateInput {
  readonly nowSeconds: number;
  readonly backlog: number;
  /** Completions per second. */
  readonly throughput: number;
  readonly oldestAgeSeconds: number;
}

/** Arrivals per second from completions and growth, blended with the trend; urgent where nothing has been served yet. */
export function arrivalRate(slaSeconds: number): (input: RateInput) => number {
  const snapshots = recent(HISTORY_SECONDS);
  const rates = recent(HISTORY_SECONDS);
  return ({ nowSeconds, backlog, throughput, oldestAgeSeconds }) => {
    snapshots.add(nowSeconds, backlog);
    const seen = snapshots.within(nowSeconds).slice(-MAX_SNAPSHOTS);
    const trusted = growthConfidence(seen) >= MIN_CONFIDENCE;
    const measured = trusted ? Math.max(0, throughput + backlogGrowth(seen)) : throughput;
    rates.add(nowSeconds, measured);
    const trend = projected(rates.within(nowSeconds).slice(-MAX_SNAPSHOTS), nowSeconds + HORIZON_SECONDS);
    const rate = trend === null ? measured : BLEND * trend + (1 - BLEND) * measured;
    if (rate > 0 || backlog < 3) return rate;
    const urgency = oldestAgeSeconds > 0 ? Math.min(oldestAgeSeconds / (0.5 * slaSeconds), 2) : 1;
    return (backlog / slaSeconds) * urgency;
  };
}

/** Workers that drain the backlog before the target is missed; none while the oldest job used less than half of it. */
export function drainWorkers(backlog: number, ageSeconds: number, slaSeconds: number, jobSeconds: number): number {
  if (backlog === 0) return 0;
  if (ageSeconds === 0) return backlog / Math.max(slaSeconds / jobSeconds, 1);
  const used = Math.min(ageSeconds / slaSeconds, 1.5);
  if (used < 0.5) return 0;
  const left = slaSeconds - ageSeconds;
  const base = left > 0 ? backlog / Math.max(left / jobSeconds, 1) : backlog / Math.max(jobSeconds, 0.1);
  return base * Math.min(5, 1 + 8 * (used - 0.5) ** 2);
}
