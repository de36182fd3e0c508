/**
 * The dry run: the same reads, the same decisions, and not one write. What is ordered changes virtual counts, which the
 * decisions then see in place of the real ones, after as long as a real change takes: so cooldowns, limits and steps play out as
 * they would. The real count stands beside the virtual one in every placement.
 *
 * Virtual counts live in the memory of one execution environment. A cold start, every few hours or at a deployment, begins again
 * at the real count, and an alarm that is looked at while a tick still watches is in another environment with counts of its own;
 * the record of each look says which count was which.
 */
import type { Action, Placement, Reading, ServerCounts } from '../domain.ts';
import { totalWorkers } from '../policy/distribute.ts';
import { leadSeconds } from '../policy/recommend/latency-rates.ts';
import type { Clock, ProcessHost, Scaler } from './ports.ts';

/** Virtual actions that are remembered per process: as many as a cooldown can ask for. */
const MAX_REMEMBERED = 20;

interface VirtualProcess {
  /** What the last landed change asked for. */
  counts: ServerCounts | null;
  /** Newest first; the first may still run. */
  actions: readonly VirtualAction[];
}

interface VirtualAction {
  readonly action: Action;
  readonly landsAtMs: number;
  readonly counts: ServerCounts;
}

/** The two ports of Cloud 66 as a dry run has them. */
export interface Shadow {
  readonly host: ProcessHost;
  readonly scaler: Scaler;
}

/** A shadow of a host: reads go through, scale calls end here. */
export function createShadow({ host, clock }: { readonly host: ProcessHost; readonly clock: Clock }): Shadow {
  const processes = new Map<string, VirtualProcess>();
  let ordered = 0;
  const keyOf = (stackUid: string, processName: string) => `${stackUid} ${processName}`;

  const landed = (stackUid: string, processName: string): ServerCounts | null => {
    const known = processes.get(keyOf(stackUid, processName));
    const newest = known?.actions.find(({ landsAtMs }) => landsAtMs <= clock.nowMs());
    return newest?.counts ?? known?.counts ?? null;
  };
  const virtualActions = (stackUid: string): readonly Action[] =>
    [...processes].flatMap(([key, { actions }]) =>
      key.startsWith(`${stackUid} `)
        ? actions.map(({ action, landsAtMs }) =>
            landsAtMs <= clock.nowMs() ? { ...action, finishedAtMs: landsAtMs, success: true } : action,
          )
        : [],
    );

  return {
    host: {
      ...host,
      async placements(stackUid, processNames, signal, servers) {
        // Virtual counts are kept by the uid of servers, which a mere count does not show.
        const isVirtual = processNames.some((name) => landed(stackUid, name) !== null);
        const needed = isVirtual && servers === 'if_known' ? 'recent' : servers;
        const real = await host.placements(stackUid, processNames, signal, needed);
        return new Map([...real].map(([name, reading]) => [name, overlaid(reading, landed(stackUid, name))]));
      },
      async actions(stackUid, signal, sinceMs) {
        const real = await host.actions(stackUid, signal, sinceMs);
        return real.kind === 'ok' ? { ...real, value: [...virtualActions(stackUid), ...real.value] } : real;
      },
    },
    scaler: {
      async scale({ stackUid, processName, counts, userReference }) {
        const nowMs = clock.nowMs();
        ordered += 1;
        const action: Action = {
          // Negative: no number of a real action, and never newer than one.
          id: -ordered,
          kind: 'virtual_process_scale',
          startedAtMs: nowMs,
          finishedAtMs: null,
          success: null,
          message: null,
          userReference,
        };
        const landsAtMs = nowMs + leadSeconds([]) * 1000;
        const known = processes.get(keyOf(stackUid, processName));
        const actions = [{ action, landsAtMs, counts }, ...(known?.actions ?? [])];
        processes.set(keyOf(stackUid, processName), {
          counts: landed(stackUid, processName),
          actions: actions.slice(0, MAX_REMEMBERED),
        });
        return { kind: 'not_sent' };
      },
    },
  };
}

/** The real placement with virtual counts; servers that are gone take their virtual workers with them. */
function overlaid(reading: Reading<Placement>, counts: ServerCounts | null): Reading<Placement> {
  if (reading.kind !== 'ok') return reading;
  const actualCount = totalWorkers(reading.value);
  const servers =
    counts === null
      ? reading.value.servers
      : reading.value.servers.map((server) => ({ ...server, count: counts[server.uid] ?? 0 }));
  return { ...reading, value: { ...reading.value, servers, actualCount } };
}
