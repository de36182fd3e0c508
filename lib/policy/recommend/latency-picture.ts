/** Strategy `latency`: all that one decision works with, put together from the observation. */
import type { Backlog, LatencyStrategy, RateHistory } from '../../domain.ts';
import { lastChangeSeconds } from '../actions.ts';
import type { Situation } from '../ruling.ts';
import { foresightOf, type Load, normalQuantile } from './latency-need.ts';
import {
  type ArrivalRates,
  arrivalRates,
  leadSeconds,
  longestLeadSeconds,
  serviceSeconds,
  trueShareInHand,
} from './latency-rates.ts';

/** A scale out begins when this much more than the share of the target would pass: sized to one, begun at the other. */
const TRIGGER_MARGIN = 0.2;
/** Shortest time that idle workers are kept: one recorded minute. */
const MIN_KEEP_SECONDS = 60;

/**
 * `drainShare` is made for a lead of about the target. A longer lead leaves no second chance within it: the share shrinks as
 * the lead grows beyond so many targets. And where the target leaves time to wait and see, what is still to come is not
 * provided for, so this part of the share is left for it: with the default of 0.5, a target of several leads is drained within
 * 0.42 of it.
 */
const LEAD_IN_TARGETS = 1.15;
const SPARED_SHARE = 0.16;
/**
 * A jump since the last look began at an unknown moment: half the interval ago on average, so the true rate is twice the one
 * seen, with a long tail; and the order must last until the next one lands two leads from now. It counts so many times the rise.
 */
const JUMP_WEIGHT = 6;
/** Arrivals up to this many times the foreseen ones are those foreseen. */
export const EXPLAINED_FACTOR = 2;

/** All that one decision works with, per second. */
export interface Picture {
  readonly now: number;
  readonly strategy: LatencyStrategy;
  readonly workers: number;
  readonly bounds: Situation['bounds'];
  readonly backlog: Backlog;
  readonly arrivals: ArrivalRates;
  readonly jobSeconds: number;
  readonly load: Load;
  /** The load as it would be without a forecast: the least that a scale in leaves workers for. */
  readonly reactive: Load;
  readonly rates: RateHistory | null;
  readonly forecast: Situation['observation']['forecast'];
  /** 1 where the target leaves no time to react, less where it does. */
  readonly haste: number;
  /** Share of the target within which what waits is to be worked off. */
  readonly share: number;
  readonly shareToBegin: number;
  /** What must not come late is ordered so long ahead. */
  readonly longestLeadSeconds: number;
  /** True while the newest arrivals are those that were foreseen. */
  readonly explained: boolean;
  readonly maxAgeSeconds: number;
}

/** The picture of one moment. Rates and forecast that are not there leave it poorer, never wrong. */
export function pictureOf(situation: Situation, strategy: LatencyStrategy, backlog: Backlog): Picture {
  const { now, observation, currentCount: workers, placement, bounds } = situation;
  const looks = observation.looks.kind === 'ok' ? observation.looks.value : [];
  const rates = observation.rates.kind === 'ok' ? observation.rates.value : null;
  const inHand = trueShareInHand(backlog, workers, looks, strategy.jobsPerWorker);
  const jobSeconds = serviceSeconds(strategy, rates) * inHand;
  const arrivals = arrivalRates(now, backlog, looks, rates ?? silenceOf(observation.rates), jobSeconds);
  const changeSeconds = lastChangeSeconds(observation, placement.processName);
  const lead = leadSeconds(changeSeconds);
  const foresight = foresightOf(strategy.targetSeconds, lead);
  const haste = Math.min(1, lead / strategy.targetSeconds);
  const { forecast } = observation;
  const due = dueJobs({ now, forecast, strategy });
  const explained = due.perSecond > 0 && arrivals.newest <= EXPLAINED_FACTOR * due.perSecond;
  const reactive: Load = {
    visible: backlog.visible,
    perWorker: strategy.jobsPerWorker / jobSeconds,
    arrivals: risen(arrivals, strategy.surgeFactor),
    leadSeconds: lead,
    targetSeconds: strategy.targetSeconds,
    foresight,
    headroom: (strategy.headroom ?? normalQuantile(strategy.targetPercent)) * haste,
  };
  const usual = Math.min(arrivals.best, arrivals.usual);
  const load: Load = {
    ...reactive,
    visible: backlog.visible + due.stillToCome,
    arrivals: explained ? usual : reactive.arrivals,
  };
  const patience = 1 - SPARED_SHARE * (1 - foresight);
  const share = (strategy.drainShare * patience) / Math.max(1, lead / (LEAD_IN_TARGETS * strategy.targetSeconds));
  return {
    now,
    strategy,
    workers,
    bounds,
    backlog,
    arrivals,
    jobSeconds,
    load,
    reactive,
    rates,
    forecast,
    haste,
    share,
    shareToBegin: share + TRIGGER_MARGIN,
    longestLeadSeconds: longestLeadSeconds(changeSeconds),
    explained,
    maxAgeSeconds: situation.policy.metricMaxAgeSeconds,
  };
}

/** SQS published nothing of the queue for an hour: it was empty. Nothing is on record, which is more than no record. */
function silenceOf(rates: Situation['observation']['rates']): RateHistory | null {
  if (rates.kind !== 'missing' || rates.why !== 'asleep') return null;
  return { startMs: 0, periodSeconds: 60, sent: [], deleted: [], inFlight: [] };
}

/** What clearly began to rise is taken to rise further. */
function risen({ best, rise, jump }: ArrivalRates, surgeFactor: number): number {
  return best + (surgeFactor - 1) * (rise + JUMP_WEIGHT * jump);
}

/** Jobs that were foreseen for about now: their rate over this minute or the last, and those of this minute still to come. */
function dueJobs(picture: Foresight): { readonly perSecond: number; readonly stillToCome: number } {
  const { now } = picture;
  const [current, before] = [expectedAt(picture, now), expectedAt(picture, now - 60_000)];
  const elapsed = (now / 60_000) % 1;
  return { perSecond: Math.max(current, before) / 60, stillToCome: current * (1 - elapsed) };
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

type Foresight = Pick<Picture, 'now' | 'forecast' | 'strategy'>;

/** What was foreseen for a time; 0 where nothing was. */
export function expectedAt({ forecast, strategy }: Foresight, atMs: number): number {
  if (forecast.kind !== 'ok' || !strategy.learnPatterns) return 0;
  const { startMs, periodSeconds, expected } = forecast.value;
  return expected[Math.floor((atMs - startMs) / 1000 / periodSeconds)] ?? 0;
}
