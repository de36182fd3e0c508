/**
 * Strategy `latency`, scale in: how many workers may stop, and whether stopping them is worth a change.
 *
 * Only one change runs at a time. While one lands, whatever else is wanted has to wait, so a change has a price: a share of
 * the most workers that may be wanted, as the last hour shows it, for as long as a landing takes. (What was foreseen counts as
 * well: its order waits like any other.) Workers that were idle for a while go as soon as their idling has cost that price, as
 * ski rental advises: many of them at once, a few of them later, and all after `KEEP_TIMES` times the usual while in any case.
 */
import type { RateHistory } from '../../domain.ts';
import { DEAD_BAND, wholeWorkers, workersThatWouldHaveDone } from './latency-need.ts';
import { EXPLAINED_FACTOR, expectedAt, isFresh, keepSeconds, type Picture } from './latency-picture.ts';
import { withoutGaps } from './latency-rates.ts';

/** The price of a change, as a share of the most workers that may be wanted for the time of a landing. */
const CHANGE_PRICE = 0.3;
/** Idle workers stay up to so many times as long as is usual. */
const KEEP_TIMES = 4;

/** What a scale in would come to: `exact` workers are enough, and `kept` of them were needed within `idleSeconds`. */
export type ScaleIn = {
  readonly exact: number;
  readonly kept: number;
  readonly idleSeconds: number;
} & (
  | { readonly kind: 'stop' }
  /** Nobody is idle, or too few for a change. */
  | { readonly kind: 'none' }
  /** The `idle` others stay until that has cost the price of a change. */
  | { readonly kind: 'later'; readonly idle: number; readonly longestSeconds: number; readonly price: ChangePrice }
);

/** `workerSeconds` = CHANGE_PRICE × most workers × seconds of a landing; less where the next look can still see to it. */
interface ChangePrice {
  readonly mostWorkers: number;
  readonly workerSeconds: number;
}

/**
 * How many workers may stop while `floor` of them stay whatever was needed lately. Without a record, or on an old one, all that
 * `floor` leaves: no scale in is made on it whatever it would be worth, and the rules say so.
 */
export function scaleIn(picture: Picture, floor: number): ScaleIn {
  const { workers, bounds, load, rates } = picture;
  if (rates === null) return { kind: canStop(workers, floor) ? 'stop' : 'none', exact: floor, kept: 0, idleSeconds: 0 };
  const { periodSeconds } = rates;
  const usual = recordedPeriods(picture, rates, 1);
  const longest = canStop(workers, floor) ? recordedPeriods(picture, rates, KEEP_TIMES) : usual;
  const surprises = surprisingCounts(picture, rates, longest);
  let later: Extract<ScaleIn, { kind: 'later' }> | null = null;
  for (let periods = usual; ; periods += 1) {
    const counts = surprises.slice(-periods - 1);
    const kept = workersThatWouldHaveDone(counts, periodSeconds, load.perWorker, slackSeconds(load));
    const exact = Math.max(floor, kept);
    const enough = wholeWorkers(exact);
    const found = { exact, kept, idleSeconds: periods * periodSeconds };
    if (!canStop(workers, enough)) return later ?? { kind: 'none', ...found };
    // Those below the minimum can go at no price.
    const idle = workers - Math.max(enough, bounds.min);
    if (idle <= 0 || periods >= longest || !isFresh(picture)) return { kind: 'stop', ...found };
    const price: ChangePrice = later?.price ?? changePrice(picture, rates);
    if (idle * found.idleSeconds >= price.workerSeconds) return { kind: 'stop', ...found };
    later ??= { kind: 'later', ...found, idle, longestSeconds: longest * periodSeconds, price };
  }
}

/** Too few are not worth a change at any time. */
function canStop(workers: number, enough: number): boolean {
  return workers - wholeWorkers(enough) >= Math.max(1, DEAD_BAND * workers);
}

/** Periods of so many times the usual while, but no more than are recorded. */
function recordedPeriods(picture: Picture, { periodSeconds, sent }: RateHistory, times: number): number {
  return Math.min(Math.ceil((times * keepSeconds(picture)) / periodSeconds), sent.length);
}

/** At stake is what runs, or what the hour called for within the limits, whichever is more. */
function changePrice({ workers, load, bounds }: Picture, { periodSeconds, sent }: RateHistory): ChangePrice {
  const called = workersThatWouldHaveDone(withoutGaps(sent), periodSeconds, load.perWorker, slackSeconds(load));
  const mostWorkers = Math.max(workers, Math.min(called, bounds.max));
  return { mostWorkers, workerSeconds: CHANGE_PRICE * mostWorkers * load.foresight * load.leadSeconds };
}

function slackSeconds({ targetSeconds, leadSeconds }: Picture['load']): number {
  return Math.max(0, targetSeconds - leadSeconds);
}

/** What was recorded in the last `periods`, without what came as foreseen; and last of all what is not recorded yet. */
function surprisingCounts(picture: Picture, rates: RateHistory, periods: number): readonly number[] {
  const { now, arrivals } = picture;
  const { startMs, periodSeconds, sent } = rates;
  let first = sent.length - periods;
  // A gap at the beginning is filled from what was before it.
  while (first > 0 && sent[first] === null) first -= 1;
  const surprises = sent.slice(first).map((count, at) => {
    const expected = expectedAt(picture, startMs + (first + at) * periodSeconds * 1000);
    return count !== null && count <= EXPLAINED_FACTOR * expected ? 0 : count;
  });
  // What CloudWatch has not shown yet came at the newest rate, unless it was foreseen.
  const unseenSeconds = Math.max(20, (now - startMs) / 1000 - sent.length * periodSeconds);
  const foreseen = expectedAt(picture, now) > 0 || expectedAt(picture, now - 60_000) > 0;
  const counts = withoutGaps(surprises).slice(surprises.length - periods);
  return [...counts, foreseen ? 0 : arrivals.newest * unseenSeconds];
}
