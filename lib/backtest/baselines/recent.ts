/**
 * The memory that many rules share: samples of the last so many seconds of simulated time.
 */

/** More samples than any rule looks back over (an hour at one a second); older ones go first. */
const MAX_SAMPLES = 3600;

export interface Sample {
  readonly atSeconds: number;
  readonly value: number;
}

export interface Recent {
  /** Remembers a sample and forgets those that are older than the window; a sample exactly that old is forgotten too. */
  add(atSeconds: number, value: number): void;
  /** Samples younger than `seconds` (the whole window unless told), oldest first. */
  within(nowSeconds: number, seconds?: number): readonly Sample[];
  /** Changes every remembered value. */
  change(by: number): void;
}

/** A window over the last `windowSeconds` seconds. */
export function recent(windowSeconds: number): Recent {
  let samples: Sample[] = [];
  return {
    add(atSeconds, value) {
      let first = samples.length >= MAX_SAMPLES ? 1 : 0;
      while (first < samples.length && (samples[first]?.atSeconds ?? 0) <= atSeconds - windowSeconds) first += 1;
      if (first > 0) samples = samples.slice(first);
      samples.push({ atSeconds, value });
    },
    within(nowSeconds, seconds = windowSeconds) {
      return samples.filter((sample) => sample.atSeconds > nowSeconds - seconds);
    },
    change(by) {
      samples = samples.map((sample) => ({ atSeconds: sample.atSeconds, value: sample.value + by }));
    },
  };
}

/** Largest value; `fallback` if there is none. */
export function largest(samples: readonly Sample[], fallback: number): number {
  return samples.length === 0 ? fallback : samples.reduce((best, sample) => Math.max(best, sample.value), -Infinity);
}

/** Smallest value; `fallback` if there is none. */
export function smallest(samples: readonly Sample[], fallback: number): number {
  return samples.length === 0 ? fallback : samples.reduce((best, sample) => Math.min(best, sample.value), Infinity);
}

/** Mean value; `fallback` if there is none. */
export function mean(samples: readonly Sample[], fallback: number): number {
  if (samples.length === 0) return fallback;
  return samples.reduce((sum, sample) => sum + sample.value, 0) / samples.length;
}
