/** Strategy `latency`: all that one decision works with, put together from the observation. */
import type { Backlog, LatencyStrategy, RateHistory } from '../../domain.ts';
import type { Situation } from '../ruling.ts';
import { foresightOf, type Load, normalQuantile } from './latency-need.ts';
import { type ArrivalRates, arrivalRates, leadSeconds, serviceSeconds, trueShareInHand } from './latency-rates.ts';

/** A scale out begins when this much more than `drainShare` of the target would pass: sized to one, begun at the other. */
const TRIGGER_MARGIN = 0.2;
/** Shortest time that idle workers are kept: one recorded minute. */
const MIN_KEEP_SECONDS = 60;

/** All that one decision works with, per second. */
export interface Picture {
  readonly now: number;
  readonly strategy: LatencyStrategy;
  readonly workers: number;
  readonly backlog: Backlog;
  readonly arrivals: ArrivalRates;
  readonly jobSeconds: number;
  readonly load: Load;
  readonly rates: RateHistory | null;
  readonly forecast: Situation['observation']['forecast'];
  /** 1 where the target leaves no time to react, less where it does. */
  readonly haste: number;
  readonly shareToBegin: number;
  readonly maxAgeSeconds: number;
}

/** The picture of one moment. Rates and forecast that are not there leave it poorer, never wrong. */
export function pictureOf(situation: Situation, strategy: LatencyStrategy, backlog: Backlog): Picture {
  const { now, observation, currentCount: workers, placement } = situation;
  const looks = observation.looks.kind === 'ok' ? observation.looks.value : [];
  const rates = observation.rates.kind === 'ok' ? observation.rates.value : null;
  const inHand = trueShareInHand(backlog, workers, looks, strategy.jobsPerWorker);
  const jobSeconds = serviceSeconds(strategy, rates) * inHand;
  const arrivals = arrivalRates(now, backlog, looks, rates, jobSeconds);
  const lead = leadSeconds(observation.actions, placement.processName);
  const foresight = foresightOf(strategy.targetSeconds, lead);
  const haste = Math.min(1, lead / strategy.targetSeconds);
  const load: Load = {
    visible: backlog.visible,
    perWorker: strategy.jobsPerWorker / jobSeconds,
    arrivals: arrivals.best + (strategy.surgeFactor - 1) * arrivals.rise,
    leadSeconds: lead,
    targetSeconds: strategy.targetSeconds,
    foresight,
    headroom: (strategy.headroom ?? normalQuantile(strategy.targetPercent)) * haste,
  };
  const shareToBegin = strategy.drainShare + TRIGGER_MARGIN;
  const { forecast } = observation;
  const { metricMaxAgeSeconds: maxAgeSeconds } = situation.policy;
  return {
    now,
    strategy,
    workers,
    backlog,
    arrivals,
    jobSeconds,
    load,
    rates,
    forecast,
    haste,
    shareToBegin,
    maxAgeSeconds,
  };
}

/** True when a recorded minute ended so lately that it can vouch for a scale in. */
export function isFresh({ now, rates, maxAgeSeconds }: Picture): boolean {
  if (rates === null) return false;
  const newest = rates.sent.findLastIndex((count) => count !== null);
  const endMs = rates.startMs + (newest + 1) * rates.periodSeconds * 1000;
  return newest >= 0 && now - endMs <= maxAgeSeconds * 1000;
}

/** The part of a rate to build on: all of it where the target leaves no time to wait and see, else what was usual. */
export function lasting({ arrivals, load }: Picture, rate: number): number {
  return load.foresight * rate + (1 - load.foresight) * Math.min(rate, arrivals.usual);
}

/** How long idle workers are kept. */
export function keepSeconds({ strategy, haste }: Picture): number {
  return Math.max(MIN_KEEP_SECONDS, strategy.keepIdleSeconds * haste);
}

/** What was foreseen for a time; 0 where nothing was. */
export function expectedAt({ forecast, strategy }: Picture, atMs: number): number {
  if (forecast.kind !== 'ok' || !strategy.learnPatterns) return 0;
  const { startMs, periodSeconds, expected } = forecast.value;
  return expected[Math.floor((atMs - startMs) / 1000 / periodSeconds)] ?? 0;
}
