/**
 * Pareto labels of the plan search: what a count can have cost so far against the backlog it has left. A list holds the
 * labels of one count in order of rising backlog and falling cost; everything else is dominated, since with less backlog
 * no later job starts later.
 */

/** A list with a fixed room. */
export interface Labels {
  size: number;
  readonly backlog: Float64Array;
  readonly cost: Float64Array;
  /** The label of the slot before that this one came from. */
  readonly parent: Int32Array;
}

export function labels(room: number): Labels {
  return {
    size: 0,
    backlog: new Float64Array(room),
    cost: new Float64Array(room),
    parent: new Int32Array(room),
  };
}

/** Appends a label whose backlog is not less than the last one's, unless it is dominated or dominates the last. */
export function append(list: Labels, backlog: number, cost: number, parent: number): void {
  const last = list.size - 1;
  if (last >= 0) {
    if (cost >= (list.cost[last] ?? 0)) return;
    if (backlog <= (list.backlog[last] ?? 0)) list.size = last;
  }
  list.backlog[list.size] = backlog;
  list.cost[list.size] = cost;
  list.parent[list.size] = parent;
  list.size += 1;
}

/** Writes into `into` what is not dominated of two lists, where all of `second` costs `extra` more. */
export function merge(into: Labels, first: Labels, second: Labels, extra: number): void {
  into.size = 0;
  let one = 0;
  let two = 0;
  while (one < first.size || two < second.size) {
    const firstBacklog = one < first.size ? (first.backlog[one] ?? 0) : Infinity;
    const secondBacklog = two < second.size ? (second.backlog[two] ?? 0) : Infinity;
    if (firstBacklog <= secondBacklog) {
      append(into, firstBacklog, first.cost[one] ?? 0, first.parent[one] ?? 0);
      one += 1;
    } else {
      append(into, secondBacklog, (second.cost[two] ?? 0) + extra, second.parent[two] ?? 0);
      two += 1;
    }
  }
}

/** Keeps `room` labels, spread evenly and with both ends. Answers whether any was dropped. */
export function thin(list: Labels, room: number): boolean {
  if (list.size <= room) return false;
  for (let index = 0; index < room; index += 1) {
    const kept = Math.round((index * (list.size - 1)) / (room - 1));
    list.backlog[index] = list.backlog[kept] ?? 0;
    list.cost[index] = list.cost[kept] ?? 0;
    list.parent[index] = list.parent[kept] ?? 0;
  }
  list.size = room;
  return true;
}
