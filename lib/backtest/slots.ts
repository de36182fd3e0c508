/**
 * Places where a job can run, ordered by when each is free: a binary heap in two typed arrays. A first-come-first-served
 * queue needs nothing else: the next job starts on the place that is free first, so one heap operation per job replaces
 * the usual pair of arrival and completion events.
 */
export class Slots {
  #size = 0;
  readonly #freeAt: Float64Array;
  readonly #owner: Int32Array;

  constructor(capacity: number) {
    this.#freeAt = new Float64Array(capacity);
    this.#owner = new Int32Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** When the next place is free; Infinity without any place. */
  get earliest(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#freeAt[0] as number);
  }

  /** Adds a place of a worker. */
  add(freeAt: number, owner: number): void {
    let at = this.#size;
    this.#size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#freeAt[parent] as number) <= freeAt) break;
      this.#copy(parent, at);
      at = parent;
    }
    this.#freeAt[at] = freeAt;
    this.#owner[at] = owner;
  }

  /** The place that is free first takes a job and is free again at `freeAt`. */
  occupyEarliest(freeAt: number): void {
    this.#sink(0, freeAt, this.#owner[0] as number);
  }

  /** Places still occupied at `time`. */
  occupiedAt(time: number): number {
    let occupied = 0;
    for (let at = 0; at < this.#size; at += 1) if ((this.#freeAt[at] as number) > time) occupied += 1;
    return occupied;
  }

  /** Calls `visit` for each place, in no particular order. */
  each(visit: (freeAt: number, owner: number) => void): void {
    for (let at = 0; at < this.#size; at += 1) visit(this.#freeAt[at] as number, this.#owner[at] as number);
  }

  /** Takes out the places of some workers, telling for each when it is free. */
  remove(leaves: (owner: number) => boolean, left: (freeAt: number, owner: number) => void): void {
    let kept = 0;
    for (let at = 0; at < this.#size; at += 1) {
      const owner = this.#owner[at] as number;
      if (leaves(owner)) left(this.#freeAt[at] as number, owner);
      else this.#copy(at, kept++);
    }
    this.#size = kept;
    for (let at = (kept >> 1) - 1; at >= 0; at -= 1) {
      this.#sink(at, this.#freeAt[at] as number, this.#owner[at] as number);
    }
  }

  #sink(from: number, freeAt: number, owner: number): void {
    const keys = this.#freeAt;
    const size = this.#size;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (keys[child + 1] as number) < (keys[child] as number)) child += 1;
      if ((keys[child] as number) >= freeAt) break;
      this.#copy(child, at);
      at = child;
    }
    keys[at] = freeAt;
    this.#owner[at] = owner;
  }

  #copy(from: number, to: number): void {
    this.#freeAt[to] = this.#freeAt[from] as number;
    this.#owner[to] = this.#owner[from] as number;
  }
}
