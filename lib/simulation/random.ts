/**
 * The only source of randomness of the simulated world: seeded, so that every run can be repeated.
 *
 * The generator is xoshiro128** 1.1 (David Blackman and Sebastiano Vigna, https://prng.di.unimi.it/), its state filled
 * from the seed by SplitMix32 (the 32-bit form of Guy Steele's SplitMix with the murmur3 finalizer), as its authors advise.
 */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), with 53 random bits. */
  next(): number;
  /** Uniform integer in [low, high], both included. Throws RangeError unless both are safe integers and low <= high. */
  integer(low: number, high: number): number;
  /** True with the given probability; 0 is never, 1 is always. */
  chance(probability: number): boolean;
  /** One element, each equally likely. Throws RangeError on an empty list. */
  pick<T>(items: readonly T[]): T;
  /** Exponential with the given mean: times between independent events. */
  exponential(mean: number): number;
  /** Normal with the given mean and standard deviation. */
  normal(mean: number, deviation: number): number;
  /** Lognormal with the given mean and coefficient of variation (deviation / mean): durations of jobs. */
  lognormal(mean: number, cv: number): number;
  /** Beta with whole-number parameters: a shape on [0, 1]. Throws RangeError unless both are integers >= 1. */
  beta(alpha: number, beta: number): number;
  /**
   * A stream of its own for one source of noise. It depends on the seed and the label only, never on how much was drawn
   * before, so a new source of noise does not disturb the others.
   */
  fork(label: string): Random;
}

/** A random stream for a seed; the same seed gives the same numbers, for ever. */
export function createRandom(seed: number | string): Random {
  const path = String(seed);
  const bits = xoshiro128StarStar(hash(path));
  const next = (): number => ((bits() >>> 5) * 2 ** 26 + (bits() >>> 6)) / 2 ** 53;

  const normal = (mean: number, deviation: number): number => {
    // Box-Muller; 1 - next() is in (0, 1], where the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * next());
  };

  const integer = (low: number, high: number): number => {
    if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || low > high) {
      throw new RangeError(`integer(${low}, ${high}): expected two integers, the lower one first`);
    }
    return low + Math.floor(next() * (high - low + 1));
  };

  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]): T => {
      if (items.length === 0) throw new RangeError('pick(): expected at least one item');
      return items[integer(0, items.length - 1)] as T;
    },
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal,
    lognormal: (mean, cv) => {
      const variance = Math.log(1 + cv * cv);
      return Math.exp(normal(Math.log(mean) - variance / 2, Math.sqrt(variance)));
    },
    beta: (alpha, beta) => orderStatistic(next, alpha, alpha + beta - 1),
    fork: (label) => createRandom(`${path}/${label}`),
  };
}

/** The k-th smallest of n uniform numbers, which is distributed as Beta(k, n + 1 - k). */
function orderStatistic(next: () => number, k: number, n: number): number {
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || n < k) {
    throw new RangeError(`beta(${k}, ${n - k + 1}): expected two integers >= 1`);
  }
  const drawn = Array.from({ length: n }, next).sort((left, right) => left - right);
  return drawn[k - 1] as number;
}

/** FNV-1a over the UTF-16 units: spreads labels that differ in one character over the seeds. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

function splitMix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** Unsigned 32-bit numbers with a period of 2^128 - 1. */
function xoshiro128StarStar(seed: number): () => number {
  const fill = splitMix32(seed);
  let a = fill();
  let b = fill();
  let c = fill();
  let d = fill();
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  };
}
