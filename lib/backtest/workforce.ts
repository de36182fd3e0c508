/**
 * The workers of the plant and what they cost: who is up, who is coming up, who finishes a last job. Worker ids are
 * reused, so that a run of weeks needs no more memory than its largest moment.
 */
import type { Random } from '../simulation/random.ts';
import type { Slots } from './slots.ts';

const NEVER = Number.POSITIVE_INFINITY;

export class Workforce {
  /** Workers started by changes. */
  starts = 0;
  /** Most workers there were at once. */
  most = 0;
  readonly #slots: Slots;
  readonly #concurrency: number;
  readonly #startupSeconds: number;
  readonly #random: Random;
  /** Ids of the workers, oldest first. */
  readonly #ids: number[] = [];
  readonly #freeIds: number[] = [];
  /** When each worker began to be paid, when it comes up (past or future), and when its last job ends. */
  readonly #paidFrom: Float64Array;
  readonly #upAt: Float64Array;
  readonly #endsAt: Float64Array;
  readonly #marked: Uint8Array;
  /** Ids of workers that are not up yet. */
  #coming: number[] = [];
  #nextUpAt = NEVER;
  /** Ends of the jobs that stopping workers still have in hand. */
  #drainingUntil: number[] = [];
  #paidSeconds = 0;

  constructor(slots: Slots, maxWorkers: number, concurrency: number, startupSeconds: number, random: Random) {
    this.#slots = slots;
    this.#concurrency = concurrency;
    this.#startupSeconds = startupSeconds;
    this.#random = random;
    this.#paidFrom = new Float64Array(maxWorkers);
    this.#upAt = new Float64Array(maxWorkers);
    this.#endsAt = new Float64Array(maxWorkers);
    this.#marked = new Uint8Array(maxWorkers);
    for (let id = maxWorkers - 1; id >= 0; id -= 1) this.#freeIds.push(id);
  }

  /** Running and coming workers; stopping ones do not count. */
  get size(): number {
    return this.#ids.length;
  }
  /** When the next worker comes up; Infinity when none is on its way. */
  get nextUpAt(): number {
    return this.#nextUpAt;
  }

  /** Workers that are up from the very beginning. */
  begin(count: number): void {
    for (let added = 0; added < count; added += 1) this.#hire(0, 0);
    this.starts = 0;
    this.comeUp(0);
  }

  /** A change takes effect: new workers come up a little later, the youngest ones stop. */
  resize(count: number, nowSeconds: number, paidFromSeconds: number): void {
    while (this.#ids.length < count) {
      this.#hire(paidFromSeconds, nowSeconds + this.#startupSeconds * this.#random.next());
    }
    if (this.#ids.length > count) this.#stop(this.#ids.splice(count), nowSeconds);
  }

  /** Lets the workers whose time has come take jobs. */
  comeUp(nowSeconds: number): void {
    if (this.#nextUpAt > nowSeconds) return;
    this.#coming = this.#coming.filter((id) => {
      const upAt = this.#upAt[id] as number;
      if (upAt > nowSeconds) return true;
      for (let slot = 0; slot < this.#concurrency; slot += 1) this.#slots.add(upAt, id);
      return false;
    });
    this.#findNextUp();
  }

  /** Jobs in the hands of stopping workers. */
  drainingJobs(nowSeconds: number): number {
    if (this.#drainingUntil.length > 0) this.#drainingUntil = this.#drainingUntil.filter((end) => end > nowSeconds);
    return this.#drainingUntil.length;
  }

  /** Running workers with at least one job in hand. */
  busyWorkers(nowSeconds: number): number {
    if (this.#concurrency === 1) return this.#slots.occupiedAt(nowSeconds);
    const marked = this.#marked.fill(0);
    this.#slots.each((freeAt, id) => {
      if (freeAt > nowSeconds) marked[id] = 1;
    });
    return marked.reduce((sum, mark) => sum + mark, 0);
  }

  /** When the last job that has been started ends. */
  lastFreeAt(): number {
    let last = Math.max(0, ...this.#drainingUntil);
    this.#slots.each((freeAt) => {
      last = Math.max(last, freeAt);
    });
    return last;
  }

  /** Paid worker-seconds up to `seconds`, where stopping workers have been paid to their end already. */
  paidUntil(seconds: number): number {
    return this.#ids.reduce((sum, id) => sum + seconds - (this.#paidFrom[id] as number), this.#paidSeconds);
  }

  #hire(paidFromSeconds: number, upAt: number): void {
    const id = this.#freeIds.pop();
    if (id === undefined) throw new RangeError(`No room for more than ${this.#paidFrom.length} workers.`);
    this.#paidFrom[id] = paidFromSeconds;
    this.#upAt[id] = upAt;
    this.#ids.push(id);
    this.#coming.push(id);
    this.#nextUpAt = Math.min(this.#nextUpAt, upAt);
    this.starts += 1;
    this.most = Math.max(this.most, this.#ids.length);
  }

  #stop(ids: readonly number[], nowSeconds: number): void {
    const marked = this.#marked.fill(0);
    for (const id of ids) {
      marked[id] = 1;
      this.#endsAt[id] = nowSeconds;
    }
    this.#coming = this.#coming.filter((id) => marked[id] === 0);
    this.#findNextUp();
    this.#slots.remove(
      (id) => marked[id] === 1,
      (freeAt, id) => {
        if (freeAt <= nowSeconds) return;
        this.#drainingUntil.push(freeAt);
        this.#endsAt[id] = Math.max(this.#endsAt[id] as number, freeAt);
      },
    );
    for (const id of ids) {
      this.#paidSeconds += (this.#endsAt[id] as number) - (this.#paidFrom[id] as number);
      this.#freeIds.push(id);
    }
  }

  #findNextUp(): void {
    this.#nextUpAt = this.#coming.reduce((next, id) => Math.min(next, this.#upAt[id] as number), NEVER);
  }
}
