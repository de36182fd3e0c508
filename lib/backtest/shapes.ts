/** Traffic that nobody has recorded: named shapes with random arrivals around them, repeatable from a seed. */
import { createRandom, type Random } from '../simulation/random.ts';
import type { Trace } from './trace.ts';

/** The level of a shape at a minute of `minutes`; any scale, it is brought to a mean of 1. */
type Profile = (minute: number, minutes: number) => number;

const DAY_MINUTES = 1440;

/** Whether a position falls into the stretch [from, to) of the whole, both as shares. */
function within(minute: number, minutes: number, from: number, to: number): boolean {
  return minute >= from * minutes && minute < to * minutes;
}

/** What each shape looks like, and what it asks of a policy. */
const PROFILES = {
  /** A third of the time at one level, then four times that for good. */
  step: (minute, minutes) => (within(minute, minutes, 0, 1 / 3) ? 1 : 4),
  /** From a low level to eight times that, steadily. */
  ramp: (minute, minutes) => 1 + (7 * minute) / minutes,
  /** A low level with three spikes of five minutes at 20 times that. */
  spike: (minute, minutes) => ([0.25, 0.5, 0.75].some((at) => isSoonAfter(minute, at * minutes, 5)) ? 20 : 1),
  /** A day and a night: between 0.1 and 1.9. */
  sine: (minute) => 1 - 0.9 * Math.cos((2 * Math.PI * minute) / DAY_MINUTES),
  /** A crowd arrives within ten minutes, at 15 times the usual level, and loses interest with an hour's half-life. */
  flash: (minute, minutes) => {
    const since = minute - 0.4 * minutes;
    if (since < 0) return 1;
    return since < 10 ? 1 + 1.4 * since : 1 + 14 * 2 ** (-(since - 10) / 60);
  },
  /** Rises for an hour and drops at once, over and over. */
  sawtooth: (minute) => 0.2 + (minute % 60) / 30,
  /** On for ten minutes, off for twenty. */
  bursts: (minute) => (minute % 30 < 10 ? 1 : 0),
  /** All of the work in the first minute of every half hour. */
  'cron-batch': (minute) => (minute % 30 === 0 ? 1 : 0),
  /** Nothing arrives for two hours, then all that was held back arrives within five minutes. */
  'outage-dump': (minute, minutes) => {
    const since = minute - 0.4 * minutes;
    const length = Math.min(120, 0.1 * minutes);
    if (since < 0 || since >= length + 5) return 1;
    return since < length ? 0 : 1 + length / 5;
  },
  /** The same low rate all the time. */
  trickle: () => 1,
} as const satisfies Record<string, Profile>;

export type ShapeName = keyof typeof PROFILES;

export const SHAPE_NAMES = Object.keys(PROFILES) as readonly ShapeName[];

function isSoonAfter(minute: number, at: number, minutes: number): boolean {
  return minute >= at && minute < at + minutes;
}

export interface ShapeOptions {
  readonly shape: ShapeName;
  readonly minutes: number;
  /** Jobs per minute on average over the whole. */
  readonly meanPerMinute: number;
  readonly seed: number;
}

const MAX_MINUTES = 525_600;
const MAX_PER_MINUTE = 10_000_000;

/**
 * Draws a trace in minutes: Poisson counts around the shape.
 *
 * @throws RangeError unless 1 <= minutes <= a year, and 0 < meanPerMinute <= 10 million.
 */
export function syntheticTrace({ shape, minutes, meanPerMinute, seed }: ShapeOptions): Trace {
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_MINUTES) {
    throw new RangeError(`${minutes} minutes: expected a whole number from 1 to ${MAX_MINUTES}.`);
  }
  if (!(meanPerMinute > 0 && meanPerMinute <= MAX_PER_MINUTE)) {
    throw new RangeError(`${meanPerMinute} jobs per minute: expected a number above 0, up to ${MAX_PER_MINUTE}.`);
  }
  const random = createRandom(seed).fork(`shape/${shape}`);
  const profile: Profile = PROFILES[shape];
  const levels = Float64Array.from({ length: minutes }, (_, minute) => profile(minute, minutes));
  const mean = levels.reduce((sum, level) => sum + level, 0) / minutes;
  const arrivals = levels.map((level) => poisson((level / mean) * meanPerMinute, random));
  return { name: shape, binSeconds: 60, startSeconds: 0, arrivals };
}

/** Counting exponential gaps is exact; long means are cut into pieces, whose counts add up. */
function poisson(mean: number, random: Random): number {
  let count = 0;
  for (let rest = mean; rest > 0; rest -= 500) {
    const floor = Math.exp(-Math.min(rest, 500));
    for (let product = random.next(); product > floor; product *= random.next()) count += 1;
  }
  return count;
}
