/** The workers of a pass: counted now for the stacks whose turn it is, remembered for the others. */
import type { Placement, Reading, Target } from '../domain.ts';
import { type StackTurn, stacksToCount } from '../policy/turns.ts';
import { sideBySide } from './concurrently.ts';
import type { Memory } from './memory.ts';
import { noAnswer } from './observe.ts';
import type { Clock, ProcessHost, QueueReader } from './ports.ts';

/** What was read of the queues, by target id. */
export type Depths = Awaited<ReturnType<QueueReader['depths']>>;

/** What counting needs. */
interface CountPorts {
  readonly clock: Clock;
  readonly host: ProcessHost;
  readonly memory: Memory;
}

/** Workers by target id, and the stacks of the targets with the most urgent first. */
export interface Counts {
  readonly placements: ReadonlyMap<string, Reading<Placement>>;
  /** How many process lists were asked for. */
  readonly asked: number;
  /** Stacks whose counting struck a bug of ours: their targets come to no decision. */
  readonly errors: ReadonlyMap<string, unknown>;
  readonly stacks: readonly (readonly [string, readonly Target[]])[];
}

/**
 * Counts the workers of the stacks whose turn it is: one process list for all targets of a stack. Without `countsInTurn` none
 * has its turn: only those are counted that never were, or are moving.
 */
export async function countWorkers(
  targets: readonly Target[],
  depths: Depths,
  ports: CountPorts,
  signal: AbortSignal,
  countsInTurn: boolean,
): Promise<Counts> {
  const stacks = new Map(Map.groupBy(targets, ({ stackUid }) => stackUid));
  const turns = [...stacks].map(([stackUid, its]) => turnOf(stackUid, its, depths, ports));
  const placements = new Map<string, Reading<Placement>>();
  const errors = new Map<string, unknown>();
  const due = turnsOfAccounts(
    turns.filter(({ state, countedAtMs }) => countsInTurn || state === 'moving' || countedAtMs === null),
    ports,
  );
  await sideBySide(due, async (stackUid) => {
    try {
      const read = await count(stackUid, stacks.get(stackUid) ?? [], ports, signal);
      for (const [id, reading] of read) placements.set(id, reading);
    } catch (error) {
      errors.set(stackUid, error);
    }
  });
  for (const target of targets) {
    const remembered = placements.get(target.id) ?? ports.memory.placement(target);
    placements.set(target.id, remembered ?? NOT_ITS_TURN);
  }
  const urgent = turns.toSorted((a, b) => Number(a.state === 'quiet') - Number(b.state === 'quiet'));
  const ordered = urgent.map(({ stackUid }) => [stackUid, stacks.get(stackUid) ?? []] as const);
  return { placements, errors, asked: due.length, stacks: ordered };
}

const NOT_ITS_TURN: Reading<never> = {
  kind: 'missing',
  why: 'over_budget',
  detail: 'The workers were never counted, and no call is left for that in this hour.',
};

/** Each account has its own calls to spend. */
function turnsOfAccounts(turns: readonly StackTurn[], { clock, host }: CountPorts): readonly string[] {
  const nowMs = clock.nowMs();
  const accounts = Map.groupBy(turns, ({ stackUid }) => host.allowance(stackUid).account);
  return [...accounts.values()].flatMap((its) => {
    const [first] = its;
    return first === undefined ? [] : stacksToCount(its, nowMs, host.allowance(first.stackUid));
  });
}

function turnOf(stackUid: string, targets: readonly Target[], depths: Depths, ports: CountPorts): StackTurn {
  const { memory, clock } = ports;
  const nowMs = clock.nowMs();
  let countedAtMs: number | null = Number.POSITIVE_INFINITY;
  let state: StackTurn['state'] = 'quiet';
  for (const target of targets) {
    const known = memory.placement(target);
    if (countedAtMs !== null) countedAtMs = known?.kind === 'ok' ? Math.min(countedAtMs, known.observedAtMs) : null;
    if (memory.attention(target.id).awake || memory.isExpecting(target, nowMs)) state = 'moving';
    else if (state === 'quiet' && isBreaching(target, depths)) state = 'breaching';
  }
  return { stackUid, countedAtMs, state };
}

function isBreaching({ id, alarm }: Target, depths: Depths): boolean {
  const depth = depths.get(id);
  return depth?.kind === 'ok' && depth.value.visible + depth.value.inFlight >= alarm.threshold;
}

async function count(
  stackUid: string,
  targets: readonly Target[],
  { host, memory }: CountPorts,
  signal: AbortSignal,
): Promise<readonly (readonly [string, Reading<Placement>])[]> {
  const names = targets.map(({ processName }) => processName);
  const read = await host.placements(stackUid, names, signal, 'if_known');
  return targets.flatMap((target) => {
    const reading = read.get(target.processName) ?? noAnswer('placement');
    memory.keepPlacement(target, reading);
    // Not to have been allowed to ask says nothing against the last count.
    const isOnlyUnasked = reading.kind !== 'ok' && reading.why === 'over_budget';
    return isOnlyUnasked && memory.placement(target) !== null ? [] : [[target.id, reading] as const];
  });
}
