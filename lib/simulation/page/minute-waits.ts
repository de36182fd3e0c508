/** How long the jobs of the last minute waited, out of a list that only grows. */

const MINUTE_SECONDS = 60;

/** Looks at a growing list of waits, in seconds, and forgets those that were taken up longer than a minute ago. */
export class MinuteWaits {
  readonly #all: readonly number[];
  readonly #pieces: { readonly atSeconds: number; readonly waits: readonly number[] }[] = [];
  #seen = 0;

  constructor(all: readonly number[]) {
    this.#all = all;
  }

  /** Takes in what has come since the last look. */
  look(atSeconds: number): void {
    const waits = this.#all.slice(this.#seen);
    this.#seen = this.#all.length;
    if (waits.length > 0) this.#pieces.push({ atSeconds, waits });
    while ((this.#pieces[0]?.atSeconds ?? atSeconds) <= atSeconds - MINUTE_SECONDS) this.#pieces.shift();
  }

  /** Null when no job was taken up. */
  quantiles(): { readonly p50WaitSeconds: number | null; readonly p95WaitSeconds: number | null } {
    const sorted = this.#pieces.flatMap(({ waits }) => waits).sort((a, b) => a - b);
    const quantile = (share: number) => {
      const wait = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
      return wait === undefined ? null : Math.round(wait * 10) / 10;
    };
    return { p50WaitSeconds: quantile(0.5), p95WaitSeconds: quantile(0.95) };
  }
}
