/**
 * Placement: a total becomes counts per server. As few workers as possible are started or stopped, because each stop can
 * cut a job short; ties are broken by server uid, so that the same input never shuffles workers around.
 */
import type { Placement, Policy, ServerCounts, ServerWorkers } from '../domain.ts';

type PlacementPolicy = Pick<Policy, 'servers' | 'maxWorkersPerServer'>;

/** One server while the workers are being placed. */
interface Slot {
  readonly server: ServerWorkers;
  /** Most workers that may run here; a server that may take no more is capped at what it has. */
  readonly cap: number;
  /** May workers be started here? */
  readonly open: boolean;
  /** Workers are neither started nor stopped here: somebody paused the process on this server. */
  readonly frozen: boolean;
  count: number;
}

/** Workers in total, over all servers. */
export function totalWorkers(placement: Placement): number {
  return placement.servers.reduce((sum, server) => sum + server.count, 0);
}

/** True when the process runs nowhere because somebody paused it. */
export function isPaused(placement: Placement): boolean {
  return totalWorkers(placement) === 0 && placement.servers.some((server) => server.pausedCount > 0);
}

/**
 * How many workers can be placed at most, and how few: paused servers are left as they are, so their workers are
 * beyond our reach in both directions. `most` is Infinity without a per-server cap and with an open server.
 */
export function capacityOf(placement: Placement, policy: PlacementPolicy): { most: number; fewest: number } {
  const slots = slotsOf(placement, policy);
  // Servers that are not known may take more: a change asks for them first.
  const most = placement.countsOnly ? Number.POSITIVE_INFINITY : slots.reduce((sum, slot) => sum + slot.cap, 0);
  const fewest = slots.reduce((sum, slot) => sum + (slot.frozen ? slot.count : 0), 0);
  return { most, fewest };
}

/**
 * Counts per server uid whose sum is `desiredCount`, for every server that runs the process or is to run it: a server
 * left out of a scale call has no documented meaning, so none is left out (paused ones excepted, to keep the pause).
 *
 * @throws RangeError when `desiredCount` does not fit; `decide` never asks for such a count.
 */
export function distribute(placement: Placement, desiredCount: number, policy: PlacementPolicy): ServerCounts {
  const slots = slotsOf(placement, policy);
  for (const slot of slots) if (!slot.frozen) slot.count = Math.min(slot.count, slot.cap);
  let missing = desiredCount - slots.reduce((sum, slot) => sum + slot.count, 0);
  for (; missing > 0; missing -= 1) slotForOneMore(slots, placement.processName).count += 1;
  for (; missing < 0; missing += 1) slotForOneLess(slots, placement.processName).count -= 1;
  const named = slots.filter(({ server, frozen, count }) => count > 0 || (runsProcess(server) && !frozen));
  return Object.fromEntries(named.map(({ server, count }) => [server.uid, count]));
}

/** Names of the servers that may run the process: the user's list, else those that do, else those with the code. */
function allowedServers(placement: Placement, policy: PlacementPolicy): readonly ServerWorkers[] {
  if (policy.servers !== null) return placement.servers.filter(({ name }) => policy.servers?.includes(name));
  const listed = placement.servers.filter(runsProcess);
  return listed.length > 0 ? listed : placement.servers.filter((server) => server.runsCode);
}

function runsProcess(server: ServerWorkers): boolean {
  return server.listed || server.count > 0;
}

function slotsOf(placement: Placement, policy: PlacementPolicy): Slot[] {
  const allowed = new Set(allowedServers(placement, policy).map(({ uid }) => uid));
  const perServer = policy.maxWorkersPerServer ?? Number.POSITIVE_INFINITY;
  return placement.servers
    .toSorted((a, b) => (a.uid < b.uid ? -1 : 1))
    .map((server) => {
      const frozen = server.pausedCount > 0;
      const open = allowed.has(server.uid) && server.healthy && !frozen;
      const cap = frozen ? server.count : open ? perServer : Math.min(server.count, perServer);
      return { server, cap, open, frozen, count: server.count };
    });
}

/** The least loaded open server; the smallest uid among equals. */
function slotForOneMore(slots: readonly Slot[], processName: string): Slot {
  const free = slots.filter((slot) => slot.open && slot.count < slot.cap);
  const [first, ...rest] = free;
  if (!first) throw new RangeError(`No server can take one more worker of "${processName}".`);
  return rest.reduce((best, slot) => (slot.count < best.count ? slot : best), first);
}

/** A server that should not run the process first, then the most loaded; the largest uid among equals. */
function slotForOneLess(slots: readonly Slot[], processName: string): Slot {
  const busy = slots.filter((slot) => !slot.frozen && slot.count > 0);
  const [first, ...rest] = busy;
  if (!first) throw new RangeError(`No server has a worker of "${processName}" that could be stopped.`);
  return rest.reduce((best, slot) => {
    if (slot.open !== best.open) return slot.open ? best : slot;
    return slot.count >= best.count ? slot : best;
  }, first);
}
