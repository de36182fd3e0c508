/** From minutes to what fits on a screen: the lowest and the highest value of each bucket, so that no spike is smoothed away. */

/**
 * Lowest and highest value per bucket, null after the end of the column; `min` is null where a bucket is one minute and
 * both are the same.
 */
export interface Band {
  readonly min: readonly (number | null)[] | null;
  readonly max: readonly (number | null)[];
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

/** Reduces a column of minutes. */
export function bandOf(column: Float64Array, buckets: Buckets): Band {
  const extreme = (pick: (...values: readonly number[]) => number): (number | null)[] =>
    buckets.map((first, end) => {
      const values = column.subarray(first, end);
      return values.length === 0 ? null : rounded(pick(...values));
    });
  return { min: buckets.width === 1 ? null : extreme(Math.min), max: extreme(Math.max) };
}

/** Two decimals are more than a screen can show. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
