/** The eyes of a pass: what was read becomes an observation; what is asked for later is read once per stack. */
import type {
  Action,
  Backlog,
  Evidence,
  EvidenceName,
  Look,
  Observation,
  Placement,
  Reading,
  StackState,
  Target,
} from '../domain.ts';
import type { Memory } from './memory.ts';
import type { Clock, ProcessHost, QueueReader } from './ports.ts';
import { readRecorded } from './recorded.ts';

/** Evidence of the stack is shared by its targets for this long. */
const SHARED_SECONDS = 5;

/** Evidence that all targets of a stack share. Filled in on first use. */
export interface StackEvidence {
  stack: Evidence<StackState>;
  actions: Evidence<readonly Action[]>;
  /** The newest log that could be read in this pass, as it was read: a later reading that failed does not make it untrue. */
  newestLog: Evidence<readonly Action[]>;
  /** How far back the actions were asked for. */
  actionsSinceMs?: number;
  /** A change of ours may still run. Then the log is read before the state of the stack, which is seldom needed. */
  readonly isChanging: boolean;
}

/** An action that was begun after the log was read is in it for those whose turn comes later. */
export function addAction(shared: StackEvidence, action: Action): void {
  if (shared.actions.kind === 'ok') shared.actions = { ...shared.actions, value: [action, ...shared.actions.value] };
}

/** Puts a target's share of the batched readings together; a reading that is not there is missing, not zero. */
export function observe(
  target: Target,
  depths: ReadonlyMap<string, Reading<Backlog>>,
  placement: Reading<Placement>,
  looks: Observation['looks'],
): Observation {
  return {
    backlog: depths.get(target.id) ?? noAnswer('queue depth'),
    placement,
    history: { kind: 'not_read' },
    rates: { kind: 'not_read' },
    forecast: { kind: 'not_read' },
    looks,
    stack: { kind: 'not_read' },
    actions: { kind: 'not_read' },
  };
}

/** Where evidence comes from. */
export interface EvidencePorts {
  readonly clock: Clock;
  readonly queue: QueueReader;
  readonly host: ProcessHost;
  readonly memory: Memory;
}

/** What this pass saw, as later passes will want to know it; null when something could not be read. */
export function lookOf({ backlog, placement }: Observation, nowMs: number): Look | null {
  if (backlog.kind !== 'ok' || placement.kind !== 'ok') return null;
  const workers = placement.value.servers.reduce((sum, { count }) => sum + count, 0);
  return { atMs: nowMs, visible: backlog.value.visible, inFlight: backlog.value.inFlight, workers };
}

/** Reads the evidence that a decision asked for, side by side; evidence of the stack is read once and shared. */
export async function readEvidence(
  wanted: readonly EvidenceName[],
  target: Target,
  shared: StackEvidence,
  ports: EvidencePorts,
  signal: AbortSignal,
): Promise<Partial<Pick<Observation, EvidenceName>>> {
  const recorded = readRecorded([{ target, wanted }], ports, signal).then((read) => read.get(target.id) ?? {});
  const isLogFirst = shared.isChanging && wanted.includes('actions');
  const first = isLogFirst ? wanted.filter((name) => name !== 'stack') : wanted;
  const reads = first.map(async (name): Promise<Partial<Pick<Observation, EvidenceName>>> => {
    switch (name) {
      case 'history':
      case 'rates':
      case 'forecast':
        return {};
      case 'placement':
        return { placement: await countAnew(target, ports, signal) };
      case 'stack':
        if (!isRecent(shared.stack, ports.clock)) shared.stack = await ports.host.stack(target.stackUid, signal);
        return { stack: shared.stack };
      case 'actions':
        return { actions: await readActions(target, shared, ports, signal) };
    }
  });
  return Object.assign({}, ...(await Promise.all([recorded, ...reads])));
}

/** The workers and their servers as they are now. */
async function countAnew(target: Target, { host, memory }: EvidencePorts, signal: AbortSignal) {
  const placements = await host.placements(target.stackUid, [target.processName], signal, 'anew');
  const placement = placements.get(target.processName) ?? noAnswer('placement');
  memory.keepPlacement(target, placement);
  return placement;
}

/** The log back to whatever may still hold this target: the end of a change within its cooldown, or an action that runs. */
export async function readActions(
  { stackUid, policy }: Target,
  shared: StackEvidence,
  { clock, host, memory }: EvidencePorts,
  signal: AbortSignal,
): Promise<StackEvidence['actions']> {
  const { scaleInCooldownSeconds, manualChangeHoldSeconds, deployGraceSeconds, actionTimeoutSeconds } = policy;
  const quietSeconds = Math.max(scaleInCooldownSeconds, manualChangeHoldSeconds, deployGraceSeconds);
  const sinceMs = clock.nowMs() - (quietSeconds + actionTimeoutSeconds) * 1000;
  if (!isRecent(shared.actions, clock) || sinceMs < (shared.actionsSinceMs ?? sinceMs)) {
    shared.actionsSinceMs = sinceMs;
    const log = await host.actions(stackUid, signal, sinceMs);
    memory.keepLog(stackUid, log);
    shared.actions = log;
    if (log.kind === 'ok') shared.newestLog = log;
  }
  return shared.actions;
}

/** The targets of a stack come one after the other, and each may take seconds: by then the world may have changed. */
function isRecent(evidence: Evidence<unknown>, clock: Clock): boolean {
  return evidence.kind === 'ok' && clock.nowMs() - evidence.observedAtMs < SHARED_SECONDS * 1000;
}

/** A reading that nobody gave: missing, not zero. */
export function noAnswer(what: string): Reading<never> {
  return { kind: 'missing', why: 'no_points', detail: `No answer about the ${what}.` };
}
