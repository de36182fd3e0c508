/**
 * Strategy `latency`, scale in: how many workers may stop, and whether stopping them is worth a change.
 *
 * Only one change runs at a time. While one lands, whatever else is wanted has to wait, so a change has a price: a share of
 * the most workers that this hour calls for, for as long as a landing takes. (What was foreseen counts as well: its order
 * waits like any other.) Workers that were idle for a while go as soon as their idling has cost that price, as ski rental
 * advises: many of them at once, a few of them later, and all after `KEEP_TIMES` times the usual while in any case.
 */
import { DEAD_BAND, wholeWorkers, workersThatWouldHaveDone } from './latency-need.ts';
import { EXPLAINED_FACTOR, expectedAt, isFresh, keepSeconds, type Picture } from './latency-picture.ts';

/** The price of a change, as a share of the most workers of the hour for the time of a landing. */
const CHANGE_PRICE = 0.3;
/** Idle workers stay up to so many times as long as is usual. */
const KEEP_TIMES = 4;

/** What a scale in would come to. */
export interface ScaleIn {
  /**
   * `stop`: `exact` workers are enough, and were for `idleSeconds`. `wait`: they would be, but the `idle` others stay until that
   * has cost the price of a change. `none`: nobody is idle, or too few for a change.
   */
  readonly kind: 'stop' | 'wait' | 'none';
  readonly exact: number;
  /** Workers that were needed within `idleSeconds`. */
  readonly kept: number;
  readonly idleSeconds: number;
  readonly idle: number;
  readonly longestSeconds: number;
  readonly price: ChangePrice;
}

/** `workerSeconds` = CHANGE_PRICE × most workers × seconds of a landing; less where the next look can still see to it. */
interface ChangePrice {
  readonly mostWorkers: number;
  readonly workerSeconds: number;
}

/** How many workers may stop while `floor` of them stay whatever was needed lately. */
export function scaleIn(picture: Picture, floor: number): ScaleIn {
  const { workers, bounds, load, rates } = picture;
  const periodSeconds = rates?.periodSeconds ?? 0;
  const [usual, longest] = [recordedPeriods(picture, 1), recordedPeriods(picture, KEEP_TIMES)];
  const recorded = recordedCounts(rates);
  const surprises = surprisingCounts(picture, recorded);
  const price = changePrice(picture, recorded);
  let wait: ScaleIn | null = null;
  for (let periods = usual; ; periods += 1) {
    const kept = workersThatWouldHaveDone(
      surprises.slice(-periods - 1),
      periodSeconds,
      load.perWorker,
      slackSeconds(load),
    );
    const exact = Math.max(floor, kept);
    const enough = wholeWorkers(exact);
    // Those below the minimum can go at no price.
    const idle = workers - Math.max(enough, bounds.min);
    const idleSeconds = periods * periodSeconds;
    const found = { exact, kept, idleSeconds, idle, longestSeconds: longest * periodSeconds, price };
    if (workers - enough < Math.max(1, DEAD_BAND * workers)) return wait ?? { kind: 'none', ...found };
    const isPaid = idle <= 0 || idle * idleSeconds >= price.workerSeconds || periods >= longest;
    // A record that is missing or old allows no scale in at all: that is for the rules to say, not for the price.
    if (isPaid || !isFresh(picture)) return { kind: 'stop', ...found };
    wait ??= { kind: 'wait', ...found };
  }
}

/** Periods of so many times the usual while, but no more than are recorded. */
function recordedPeriods(picture: Picture, times: number): number {
  const { rates } = picture;
  if (rates === null) return 0;
  return Math.min(Math.ceil((times * keepSeconds(picture)) / rates.periodSeconds), rates.sent.length);
}

function changePrice({ workers, load, rates, bounds }: Picture, recorded: readonly number[]): ChangePrice {
  const seconds = rates?.periodSeconds ?? 0;
  const called = workersThatWouldHaveDone(recorded, seconds, load.perWorker, slackSeconds(load));
  const mostWorkers = Math.max(workers, Math.min(called, bounds.max));
  return { mostWorkers, workerSeconds: CHANGE_PRICE * mostWorkers * load.foresight * load.leadSeconds };
}

function slackSeconds({ targetSeconds, leadSeconds }: Picture['load']): number {
  return Math.max(0, targetSeconds - leadSeconds);
}

/** A minute that is not there is not a minute without jobs: it is taken to be like the busier of those beside it. */
function recordedCounts(rates: Picture['rates']): readonly number[] {
  const sent = rates?.sent ?? [];
  return sent.map((count, at) => {
    if (count !== null) return count;
    const before = sent.findLast((value, index) => index < at && value !== null) ?? 0;
    return Math.max(before, sent.find((value, index) => index > at && value !== null) ?? 0);
  });
}

/** What was recorded, without what came as foreseen; and last of all what is not recorded yet. */
function surprisingCounts(picture: Picture, recorded: readonly number[]): readonly number[] {
  const { now, rates, arrivals } = picture;
  if (rates === null) return [];
  const { startMs, periodSeconds } = rates;
  const counts = recorded.map((count, at) => {
    const expected = expectedAt(picture, startMs + at * periodSeconds * 1000);
    return count <= EXPLAINED_FACTOR * expected ? 0 : count;
  });
  // What CloudWatch has not shown yet came at the newest rate, unless it was foreseen.
  const unseenSeconds = Math.max(20, (now - startMs) / 1000 - recorded.length * periodSeconds);
  const foreseen = expectedAt(picture, now) > 0 || expectedAt(picture, now - 60_000) > 0;
  counts.push(foreseen ? 0 : arrivals.newest * unseenSeconds);
  return counts;
}
