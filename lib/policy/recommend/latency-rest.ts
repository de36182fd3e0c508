/**
 * Strategy `latency`, scale in: how many workers may stop, and whether stopping them is worth a change.
 *
 * Only one change runs at a time. While one lands, whatever surprises has to wait, so a change has a price: a share of the
 * most workers that the last hour called for, for as long as a landing takes. Idle workers go as soon as they have been idle
 * for so many worker-seconds that this price is paid (ski rental: pay by the day until that has cost as much as buying):
 * many of them at once, a few of them later, the last ones after `PATIENCE` times the usual time in any case.
 */
import { wholeWorkers, workersThatWouldHaveDone } from './latency-need.ts';
import { EXPLAINED_FACTOR, expectedAt, keepSeconds, type Picture } from './latency-picture.ts';
import { RATES_WINDOW_SECONDS } from './latency-rates.ts';

/** Changes smaller than this share of the count are not worth an action, which blocks the lever for a minute. */
export const DEAD_BAND = 0.1;
/** The price of a change, as a share of the most workers of the last hour for the time of a landing. */
const CHANGE_PRICE = 0.3;
/** Idle workers are looked for over the usual time, and over so many times that. */
const PATIENCE = [1, 2, 4] as const;
const LONGEST = Math.max(...PATIENCE);

/** What a scale in would come to. */
export type Rest =
  /** So many workers are enough, and were for `idleSeconds`: the others may stop. */
  | { readonly kind: 'stop'; readonly count: number; readonly exact: number; readonly idleSeconds: number }
  /** `count` would do, but the `idle` others stay until that has cost the price of a change, or for `longestSeconds`. */
  | {
      readonly kind: 'spare';
      readonly count: number;
      readonly idle: number;
      /** In worker-seconds. */
      readonly priceSeconds: number;
      readonly longestSeconds: number;
    }
  /** No worker is idle, or too few to tell. */
  | { readonly kind: 'busy' };

/** How many workers may stop while `floor` of them stay whatever was needed lately. */
export function restOf(picture: Picture, floor: number): Rest {
  const { workers } = picture;
  const least = Math.max(1, DEAD_BAND * workers);
  if (workers - wholeWorkers(floor) < least) return { kind: 'busy' };
  const priceSeconds = changePrice(picture);
  const [usualSeconds, longestSeconds] = [idleFor(picture, 1), idleFor(picture, LONGEST)];
  let rest: Rest = { kind: 'busy' };
  for (const times of PATIENCE) {
    const idleSeconds = idleFor(picture, times);
    const exact = Math.max(floor, keptWorkers(picture, idleSeconds));
    const count = wholeWorkers(exact);
    const idle = workers - count;
    if (idle < least) break;
    if (times === LONGEST || idle * idleSeconds >= priceSeconds) return { kind: 'stop', count, exact, idleSeconds };
    if (idleSeconds === usualSeconds) rest = { kind: 'spare', count, idle, priceSeconds, longestSeconds };
  }
  return rest;
}

/** No longer than what is recorded can tell. */
function idleFor(picture: Picture, times: number): number {
  return Math.min(times * keepSeconds(picture), RATES_WINDOW_SECONDS);
}

/** Worker-seconds; nothing where the target leaves time for another change after this one. */
function changePrice({ workers, load, rates }: Picture): number {
  if (load.foresight === 0 || rates === null) return 0;
  const counts = rates.sent.map((count) => count ?? 0);
  const most = workersThatWouldHaveDone(counts, rates.periodSeconds, load.perWorker, slackSeconds(load));
  return CHANGE_PRICE * load.foresight * load.leadSeconds * Math.max(workers, most);
}

function slackSeconds({ targetSeconds, leadSeconds }: Picture['load']): number {
  return Math.max(0, targetSeconds - leadSeconds);
}

/** The fewest workers that would have done the surprising work of the last `seconds`. */
export function keptWorkers(picture: Picture, seconds: number): number {
  const { now, rates, load, arrivals } = picture;
  if (rates === null) return 0;
  const { startMs, periodSeconds, sent } = rates;
  const endMs = startMs + sent.length * periodSeconds * 1000;
  const periods = Math.ceil(seconds / periodSeconds);
  const counts: number[] = [];
  for (let at = Math.max(0, sent.length - periods); at < sent.length; at += 1) {
    const count = sent[at] ?? 0;
    const expected = expectedAt(picture, startMs + at * periodSeconds * 1000);
    counts.push(count <= EXPLAINED_FACTOR * expected ? 0 : count);
  }
  // What CloudWatch has not shown yet came at the newest rate, unless it was foreseen.
  const unseenSeconds = Math.max(20, (now - endMs) / 1000);
  const foreseen = expectedAt(picture, now) > 0 || expectedAt(picture, now - 60_000) > 0;
  counts.push(foreseen ? 0 : arrivals.newest * unseenSeconds);
  return workersThatWouldHaveDone(counts, periodSeconds, load.perWorker, slackSeconds(load));
}
