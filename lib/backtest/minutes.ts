/**
 * The queue's past as CloudWatch would have recorded it: one point a minute, published late, some never. The plant
 * writes, sensors read; the whole run is kept in columns, for the report too.
 */
import type { Random } from '../simulation/random.ts';

/** How CloudWatch treats the points. */
export interface MetricSettings {
  /** A point becomes visible this long after the end of its minute: uniform between the two. */
  readonly lagMinSeconds: number;
  readonly lagMaxSeconds: number;
  /** Share of points that never come. */
  readonly missingShare: number;
}

/** What one minute looked like. */
export interface Minute {
  readonly startSeconds: number;
  /** Highest depth seen by the samples within the minute. */
  readonly visible: number;
  readonly inFlight: number;
  /** Mean of the samples within the minute. */
  readonly inFlightMean: number;
  readonly sent: number;
  readonly deleted: number;
  /** At the end of the minute. */
  readonly oldestAgeSeconds: number;
  readonly runningWorkers: number;
}

const MINUTE = 60;

/** Columns of a whole run, one value per minute. */
export class Minutes {
  /** Minutes written so far. */
  count = 0;
  readonly visible: Float64Array;
  readonly inFlight: Float64Array;
  readonly inFlightMean: Float64Array;
  readonly sent: Float64Array;
  readonly deleted: Float64Array;
  readonly oldestAgeSeconds: Float64Array;
  readonly runningWorkers: Float64Array;
  readonly #publishedAt: Float64Array;
  readonly #missing: Uint8Array;
  readonly #lagMinSeconds: number;

  /** `minutes`: the most that can ever be written. */
  constructor(minutes: number, { lagMinSeconds, lagMaxSeconds, missingShare }: MetricSettings, random: Random) {
    const column = (): Float64Array => new Float64Array(minutes);
    this.visible = column();
    this.inFlight = column();
    this.inFlightMean = column();
    this.sent = column();
    this.deleted = column();
    this.oldestAgeSeconds = column();
    this.runningWorkers = column();
    const lags = random.fork('lag');
    const gaps = random.fork('gap');
    this.#lagMinSeconds = lagMinSeconds;
    this.#publishedAt = column().map(
      (_, minute) => (minute + 1) * MINUTE + lagMinSeconds + (lagMaxSeconds - lagMinSeconds) * lags.next(),
    );
    this.#missing = new Uint8Array(minutes).map(() => (gaps.chance(missingShare) ? 1 : 0));
  }

  /** Writes the next minute. */
  write(minute: Omit<Minute, 'startSeconds'>): void {
    const at = this.count;
    this.visible[at] = minute.visible;
    this.inFlight[at] = minute.inFlight;
    this.inFlightMean[at] = minute.inFlightMean;
    this.sent[at] = minute.sent;
    this.deleted[at] = minute.deleted;
    this.oldestAgeSeconds[at] = minute.oldestAgeSeconds;
    this.runningWorkers[at] = minute.runningWorkers;
    this.count += 1;
  }

  /** Index of the newest minute that is due to be public at `nowSeconds`, whether its point came or not; -1 if none. */
  newestDue(nowSeconds: number): number {
    let minute = Math.min(this.count, Math.floor((nowSeconds - this.#lagMinSeconds) / MINUTE)) - 1;
    while (minute >= 0 && (this.#publishedAt[minute] as number) > nowSeconds) minute -= 1;
    return Math.max(-1, minute);
  }

  /** Whether CloudWatch shows the minute at `nowSeconds`: its point may be late or never come. */
  isPublished(minute: number, nowSeconds: number): boolean {
    if (minute < 0 || minute >= this.count || this.#missing[minute] === 1) return false;
    return (this.#publishedAt[minute] as number) <= nowSeconds;
  }

  /** Whether nothing about the minute will change any more: its point is out, or never comes. */
  isFinal(minute: number, nowSeconds: number): boolean {
    return minute < this.count && (this.#missing[minute] === 1 || this.isPublished(minute, nowSeconds));
  }

  /** The minute as CloudWatch shows it at `nowSeconds`; null when its point is late or never comes. */
  published(minute: number, nowSeconds: number): Minute | null {
    if (!this.isPublished(minute, nowSeconds)) return null;
    return {
      startSeconds: minute * MINUTE,
      visible: this.visible[minute] as number,
      inFlight: this.inFlight[minute] as number,
      inFlightMean: this.inFlightMean[minute] as number,
      sent: this.sent[minute] as number,
      deleted: this.deleted[minute] as number,
      oldestAgeSeconds: this.oldestAgeSeconds[minute] as number,
      runningWorkers: this.runningWorkers[minute] as number,
    };
  }
}

/**
 * One column as CloudWatch shows it, null for points that are not there. Two weeks of it are read often; all but the last
 * minutes no longer change: these are kept, and a window is a slice of them.
 */
export class ShownColumn {
  readonly #minutes: Minutes;
  readonly #values: Float64Array;
  readonly #final: (number | null)[] = [];

  constructor(minutes: Minutes, values: Float64Array) {
    this.#minutes = minutes;
    this.#values = values;
  }

  /** The minutes `first` to `end`, this one not included, as shown at `nowSeconds`, which never goes back. */
  window(first: number, end: number, nowSeconds: number): (number | null)[] {
    const final = this.#final;
    while (final.length < end && this.#minutes.isFinal(final.length, nowSeconds)) {
      final.push(this.#at(final.length, nowSeconds));
    }
    const shown = final.slice(first, end);
    for (let minute = first + shown.length; minute < end; minute += 1) shown.push(this.#at(minute, nowSeconds));
    return shown;
  }

  #at(minute: number, nowSeconds: number): number | null {
    return this.#minutes.isPublished(minute, nowSeconds) ? (this.#values[minute] as number) : null;
  }
}
