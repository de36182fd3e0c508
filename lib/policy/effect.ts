/**
 * More workers do not always help: the bottleneck may be a database or an API behind them. Then more of them only add
 * load and cost, and the honest answer is to stop and say so.
 */
import type { Look, RateHistory } from '../domain.ts';
import { hold, pass, type RatedSituation, type Rule } from './ruling.ts';

/** Scale outs that must have landed before their effect is doubted ... */
const MIN_RAISES = 2;
/** ... to this many times the workers. */
const MIN_GROWTH = 1.5;
/** Recorded minutes of completions that are compared, before the first raise and after the last one. */
const MIN_MINUTES = 3;
/** Completions must have grown by this share, or the raises had no effect. */
const MIN_GAIN = 0.1;

/**
 * Holds a further scale out when the last ones, by half as many workers again at least, left completions per minute where
 * they were and the backlog did not fall. It rests on looks of the last ten minutes, so it tries again by itself after that,
 * and knows nothing after a cold start.
 */
export const expectEffect: Rule<RatedSituation> = ({ observation, currentCount }, count) => {
  const { looks, rates } = observation;
  if (count <= currentCount || looks.kind !== 'ok' || rates.kind !== 'ok') return pass(count);
  const raises = raisesOf(looks.value);
  const [first, last] = [raises[0], raises.at(-1)];
  if (!first || !last || raises.length < MIN_RAISES || currentCount < MIN_GROWTH * first.from) return pass(count);
  const isGrowing = (looks.value.at(-1)?.visible ?? 0) >= last.visible && last.visible > 0;
  const before = meanDeleted(rates.value, Number.NEGATIVE_INFINITY, first.atMs);
  const after = meanDeleted(rates.value, last.atMs, Number.POSITIVE_INFINITY);
  if (before === null || after === null || !isGrowing || after > (1 + MIN_GAIN) * before) return pass(count);
  const why =
    `From ${first.from} to ${currentCount} workers, ${before.toFixed(0)} jobs a minute became ${after.toFixed(0)}, ` +
    'and the backlog did not fall: something behind the workers is the bottleneck.';
  return hold('effect', count, currentCount, 'scale_out_ineffective', why);
};

interface Raise {
  readonly atMs: number;
  readonly from: number;
  /** Messages that waited when it had landed. */
  readonly visible: number;
}

function raisesOf(looks: readonly Look[]): readonly Raise[] {
  return looks.flatMap((look, index) => {
    const earlier = looks[index - 1];
    if (!earlier || look.workers <= earlier.workers) return [];
    return [{ atMs: look.atMs, from: earlier.workers, visible: look.visible }];
  });
}

/** Mean of the newest recorded minutes that lie wholly between two times; null when too few are there. */
function meanDeleted({ startMs, periodSeconds, deleted }: RateHistory, fromMs: number, toMs: number): number | null {
  const periodMs = periodSeconds * 1000;
  const within = deleted.filter((_, index) => {
    const atMs = startMs + index * periodMs;
    return atMs >= fromMs && atMs + periodMs <= toMs;
  });
  const known = within.filter((value) => value !== null).slice(-MIN_MINUTES);
  if (known.length < MIN_MINUTES) return null;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}
