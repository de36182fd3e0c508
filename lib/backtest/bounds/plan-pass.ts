/**
 * One pass of the plan search: the cheapest schedule when a late job has a price. A dynamic program over slots and
 * counts; jobs are served first come, first served, and a count serves as much as it can.
 */
import { append, type Labels, labels, merge, thin } from './labels.ts';
import type { Fluid } from './problem.ts';

export interface PassInput {
  readonly fluid: Fluid;
  readonly waitSlots: number;
  /** Counts to choose from, ascending; the first is the one before the first slot. */
  readonly counts: readonly number[];
  readonly slotSeconds: number;
  readonly startSeconds: number;
  /** Worker-seconds that a late job costs. */
  readonly latePrice: number;
  /** Labels kept per count. */
  readonly room: number;
}

export interface Pass {
  /** The count of each slot. */
  readonly workers: Float64Array;
  /** Cost with the price of the late jobs. */
  readonly priced: number;
  /** True when no label had to be dropped: then no schedule of these counts is cheaper. */
  readonly complete: boolean;
}

/** Labels of all slots, for the way back. */
interface Trail {
  parents: Int32Array;
  counts: Int16Array;
  size: number;
}

/** Smaller than any backlog that matters, larger than what rounding leaves. */
const NOTHING = 1e-7;

/** Runs one pass over the trace and its tail; in the tail workers cost only while there is something to serve. */
export function planPass(input: PassInput): Pass {
  const { fluid, counts, room } = input;
  const size = counts.length;
  // Merging two full lists at most doubles them, twice in a row.
  const lists = (): Labels[] => counts.map(() => labels(4 * room));
  let now = lists();
  let next = lists();
  const scratch = { down: lists(), up: lists(), both: labels(4 * room) };
  const trail: Trail = { parents: new Int32Array(1 << 16), counts: new Int16Array(1 << 16), size: 0 };
  const first = now[0];
  if (first !== undefined) append(first, 0, 0, -1);
  let complete = true;
  for (let slot = 0; slot < fluid.cumulative.length; slot += 1) {
    reach(input, now, scratch);
    for (let index = 0; index < size; index += 1) {
      const target = next[index];
      const down = scratch.down[index];
      const up = scratch.up[index];
      if (target === undefined || down === undefined || up === undefined) continue;
      merge(scratch.both, down, up, 0);
      serve(input, slot, counts[index] ?? 0, scratch.both, target);
      if (thin(target, room)) complete = false;
      remember(trail, target, index);
    }
    [now, next] = [next, now];
  }
  return { ...back(input, now, trail), complete };
}

/** Every count from every other: going down is free, going up costs a start per worker. */
function reach(input: PassInput, now: readonly Labels[], scratch: { down: Labels[]; up: Labels[] }): void {
  const { counts, startSeconds, room } = input;
  const none = labels(0);
  for (let index = counts.length - 1; index >= 0; index -= 1) {
    const [into, own] = [scratch.down[index], now[index]];
    if (into === undefined || own === undefined) continue;
    merge(into, own, scratch.down[index + 1] ?? none, 0);
    thin(into, 2 * room);
  }
  for (let index = 0; index < counts.length; index += 1) {
    const [into, own] = [scratch.up[index], now[index]];
    if (into === undefined || own === undefined) continue;
    const climb = ((counts[index] ?? 0) - (counts[index - 1] ?? 0)) * startSeconds;
    merge(into, own, scratch.up[index - 1] ?? none, climb);
    thin(into, 2 * room);
  }
}

/** One slot with `count` workers: what they serve, what it costs, and who was late. */
function serve(input: PassInput, slot: number, count: number, from: Labels, into: Labels): void {
  const { fluid, waitSlots, slotSeconds, latePrice } = input;
  const { cumulative, capacity } = fluid;
  const before = cumulative[slot - 1] ?? 0;
  const arrived = cumulative[slot] ?? 0;
  // Jobs up to this one are late when they start only now.
  const due = cumulative[slot - waitSlots - 1] ?? 0;
  into.size = 0;
  for (let index = 0; index < from.size; index += 1) {
    const backlog = from.backlog[index] ?? 0;
    const started = before - backlog;
    const left = Math.max(0, backlog + arrived - before - capacity * count);
    const late = Math.max(0, Math.min(arrived - left, due) - started);
    const idle = slot >= fluid.traceSlots && backlog <= NOTHING;
    const paid = idle ? 0 : count * slotSeconds;
    append(
      into,
      left <= NOTHING ? 0 : left,
      (from.cost[index] ?? 0) + paid + latePrice * late,
      from.parent[index] ?? 0,
    );
  }
}

/** Stores the labels of a count; from here on each is known by where it is stored. */
function remember(trail: Trail, list: Labels, count: number): void {
  if (trail.size + list.size > trail.parents.length) {
    const parents = new Int32Array(2 * trail.parents.length);
    parents.set(trail.parents);
    const counts = new Int16Array(2 * trail.counts.length);
    counts.set(trail.counts);
    trail.parents = parents;
    trail.counts = counts;
  }
  for (let index = 0; index < list.size; index += 1) {
    trail.parents[trail.size] = list.parent[index] ?? -1;
    trail.counts[trail.size] = count;
    list.parent[index] = trail.size;
    trail.size += 1;
  }
}

/** The cheapest schedule that has served everything, or the one with the least left when none has. */
function back({ fluid, counts }: PassInput, last: readonly Labels[], trail: Trail): Omit<Pass, 'complete'> {
  let best = { backlog: Infinity, cost: Infinity, at: -1 };
  for (const list of last) {
    if (list.size === 0) continue;
    const [backlog = 0, cost = 0, at = -1] = [list.backlog[0], list.cost[0], list.parent[0]];
    if (backlog < best.backlog || (backlog === best.backlog && cost < best.cost)) best = { backlog, cost, at };
  }
  const workers = new Float64Array(fluid.cumulative.length);
  let at = best.at;
  for (let slot = workers.length - 1; slot >= 0 && at >= 0; slot -= 1) {
    workers[slot] = counts[trail.counts[at] ?? 0] ?? 0;
    at = trail.parents[at] ?? -1;
  }
  return { workers, priced: best.cost };
}
