/** From minutes to what fits on a screen: the lowest and the highest value of each bucket, so that no spike is smoothed away. */

/** Lowest and highest value per bucket; `min` is null where a bucket is one minute and both are the same. */
export interface Band {
  readonly min: readonly number[] | null;
  readonly max: readonly number[];
}

/** Equal stretches of time that together cover a number of minutes. */
export class Buckets {
  readonly minutes: number;
  /** Minutes in a bucket. */
  readonly width: number;
  readonly count: number;

  /** @throws RangeError unless both are at least 1. */
  constructor(minutes: number, mostBuckets: number) {
    if (!(minutes >= 1 && mostBuckets >= 1)) throw new RangeError(`${minutes} minutes in ${mostBuckets} buckets.`);
    this.minutes = Math.ceil(minutes);
    this.width = Math.ceil(this.minutes / mostBuckets);
    this.count = Math.ceil(this.minutes / this.width);
  }

  /** Calls `visit` with the minutes [first, end) of each bucket, in order. */
  map<T>(visit: (first: number, end: number) => T): T[] {
    return Array.from({ length: this.count }, (_, index) => {
      const first = index * this.width;
      return visit(first, Math.min(first + this.width, this.minutes));
    });
  }
}

/** Reduces a column of minutes; minutes beyond its end count as `beyond`. */
export function bandOf(column: ArrayLike<number>, buckets: Buckets, beyond: number): Band {
  const at = (minute: number): number => (minute < column.length ? (column[minute] as number) : beyond);
  const extreme = (better: (one: number, other: number) => boolean): number[] =>
    buckets.map((first, end) => {
      let found = at(first);
      for (let minute = first + 1; minute < end; minute += 1) if (better(at(minute), found)) found = at(minute);
      return rounded(found);
    });
  const max = extreme((one, other) => one > other);
  return { min: buckets.width === 1 ? null : extreme((one, other) => one < other), max };
}

/** Two decimals are more than a screen can show. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
