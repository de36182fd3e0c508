/**
 * Time of the simulated world, as an argument. The same account of Cloud 66 lives on the virtual clock, where a day
 * passes in milliseconds and always in the same order, and on the real one, where the local run may have replaced
 * `Date` and `setTimeout` by faster ones.
 */

/** What simulated things know of time. */
export interface SimulationClock {
  nowMs(): number;
  /** Runs `run` once at `atMs`, or as soon as possible when that has passed. Returns how to cancel it. */
  schedule(atMs: number, run: () => void): () => void;
}

/** A clock that moves only when told to. */
export interface VirtualClock extends SimulationClock {
  /**
   * Runs everything that is due up to and including `atMs`, in order of time and then of scheduling, and stops there.
   * Throws RangeError when asked to go back, Error when called from a scheduled function or when the events never end.
   */
  advanceTo(atMs: number): void;
  advanceBySeconds(seconds: number): void;
  /** When the next scheduled function is due; null when nothing is. */
  nextAtMs(): number | null;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Functions that one advance may run: a function that schedules itself for the same moment is a mistake, not a load. */
const MAX_RUNS_PER_ADVANCE = 10_000_000;

/** A virtual clock that starts at the given time, in milliseconds since the epoch. */
export function createVirtualClock(startMs: number): VirtualClock {
  const entries: Entry[] = [];
  let nowMs = startMs;
  let order = 0;
  let advancing = false;

  const dropCancelled = (): Entry | undefined => {
    while (entries[0]?.cancelled) popFirst(entries);
    return entries[0];
  };

  const runUntil = (atMs: number): void => {
    for (let runs = 0; ; runs += 1) {
      const first = dropCancelled();
      if (first === undefined || first.atMs > atMs) return;
      if (runs === MAX_RUNS_PER_ADVANCE) throw new Error(`the clock ran ${runs} functions and more are due`);
      popFirst(entries);
      nowMs = Math.max(nowMs, first.atMs);
      first.run();
    }
  };

  const advanceTo = (atMs: number): void => {
    if (advancing) throw new Error('advanceTo() was called from a scheduled function');
    if (!(atMs >= nowMs)) throw new RangeError(`advanceTo(${atMs}): the clock is at ${nowMs} and cannot go back`);
    advancing = true;
    try {
      runUntil(atMs);
      nowMs = atMs;
    } finally {
      advancing = false;
    }
  };

  return {
    nowMs: () => nowMs,
    schedule: (atMs, run) => {
      if (!Number.isFinite(atMs)) throw new RangeError(`schedule(${atMs}): expected a time in milliseconds`);
      const entry: Entry = { atMs: Math.max(atMs, nowMs), order, run, cancelled: false };
      order += 1;
      push(entries, entry);
      return () => {
        entry.cancelled = true;
      };
    },
    advanceTo,
    advanceBySeconds: (seconds) => advanceTo(nowMs + seconds * 1000),
    nextAtMs: () => dropCancelled()?.atMs ?? null,
  };
}

/** The longest delay that setTimeout takes; a longer one fires at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The clock of this process. `Date` and `setTimeout` are looked up at each call, so that replaced ones are used. */
export function createRealClock(): SimulationClock {
  return {
    nowMs: () => Date.now(),
    schedule: (atMs, run) => {
      let timer: NodeJS.Timeout;
      const wait = (): void => {
        const remainingMs = Math.max(0, atMs - Date.now());
        timer = setTimeout(remainingMs > MAX_TIMEOUT_MS ? wait : run, Math.min(remainingMs, MAX_TIMEOUT_MS));
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}

// --- a binary heap, so that a long simulation with many pending functions stays quick ------------------------------

function isBefore(left: Entry, right: Entry): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length;
  heap.push(entry);
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as Entry;
    if (!isBefore(entry, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = entry;
}

function popFirst(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    if (left === undefined) break;
    const childIndex = right !== undefined && isBefore(right, left) ? 2 * index + 2 : 2 * index + 1;
    const child = heap[childIndex] as Entry;
    if (!isBefore(child, last)) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
}
