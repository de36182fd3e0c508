/** What the stack's action log says about one process. The log does not name the process; our own note on it does. */
import type { Action, Observation } from '../domain.ts';

const PREFIX = 'cloud66-autoscaler';
const NOTE = new RegExp(`^${PREFIX}:([^:]+):(\\d{1,6})-(\\d{1,6}):(.+)$`);

/** What the note on one of our scale calls says. */
export interface OwnNote {
  readonly decisionId: string;
  readonly processName: string;
  /** Workers before and after. */
  readonly previousCount: number;
  readonly desiredCount: number;
}

/**
 * The note that a scale call carries, so that its action can be recognized, and followed even when its record was lost:
 * `cloud66-autoscaler:DECISION:FROM-TO:PROCESS`.
 */
export function userReferenceFor({ processName, decisionId, previousCount, desiredCount }: OwnNote): string {
  return `${PREFIX}:${decisionId}:${previousCount}-${desiredCount}:${processName}`;
}

/** What a note of ours says; null when it is missing or somebody else's. */
export function noteOf(userReference: string | null): OwnNote | null {
  const parts = NOTE.exec(userReference ?? '');
  if (parts === null) return null;
  const [, decisionId = '', previousCount, desiredCount, processName = ''] = parts;
  return { decisionId, processName, previousCount: Number(previousCount), desiredCount: Number(desiredCount) };
}

/** The process a note names; null when the note is missing or somebody else's. */
export function processOfReference(userReference: string | null): string | null {
  return noteOf(userReference)?.processName ?? null;
}

/** True for scale actions that are, or could be, of this process: where nothing tells, the answer is yes. */
export function mayConcern(action: Action, processName: string): boolean {
  if (!action.kind.includes('scale')) return false;
  const named = processOfReference(action.userReference);
  return named === null || named === processName;
}

/** A change that took longer was stuck, and tells nothing about the next one. */
const STUCK_SECONDS = 400;
const CHANGES_REMEMBERED = 8;

/** How long finished changes took, newest first, by the process in their note; null: any process of the stack, for all we know. */
export type ChangeTimes = ReadonlyMap<string | null, readonly number[]>;

/** How long the last changes in a log took. A change that failed, got stuck or is a dry run's own idea tells nothing. */
export function changeTimes(actions: readonly Action[]): ChangeTimes {
  const times = new Map<string | null, number[]>();
  for (const { id, kind, startedAtMs, finishedAtMs, success, userReference } of actions) {
    if (!kind.includes('scale') || id < 0 || success === false || startedAtMs === null || finishedAtMs === null)
      continue;
    const seconds = (finishedAtMs - startedAtMs) / 1000;
    const processName = processOfReference(userReference);
    const all = times.get(processName) ?? [];
    if (seconds < 0 || seconds > STUCK_SECONDS || all.length >= CHANGES_REMEMBERED) continue;
    times.set(processName, [...all, seconds]);
  }
  return times;
}

/** Those that certainly are of the process, then those that may be. */
export function changeSecondsOf(times: ChangeTimes, processName: string): readonly number[] {
  return [...(times.get(processName) ?? []), ...(times.get(null) ?? [])].slice(0, CHANGES_REMEMBERED);
}

/** How long the last changes of the process took: as the log shows where it was read, else as remembered. */
export function lastChangeSeconds(
  { actions, changeSeconds }: Pick<Observation, 'actions' | 'changeSeconds'>,
  processName: string,
): readonly number[] {
  const shown = actions.kind === 'ok' ? changeSecondsOf(changeTimes(actions.value), processName) : [];
  if (shown.length > 0) return shown;
  return changeSeconds?.kind === 'ok' ? changeSeconds.value : [];
}

/** End of the newest finished scale action that may concern the process; null when the log shows none. */
export function lastFinishedScaleMs(actions: readonly Action[], processName: string): number | null {
  const ends = actions
    .filter((action) => mayConcern(action, processName))
    .flatMap(({ finishedAtMs }) => (finishedAtMs === null ? [] : [finishedAtMs]));
  return ends.length === 0 ? null : Math.max(...ends);
}

/**
 * The newest finished scale action that may concern the process and is certainly not ours; null when the log shows none. It
 * is documented nowhere that a scale call's note is shown in the log: only where one of ours is does a missing note prove
 * anything, and a strange one always does.
 */
export function lastScaleByHand(actions: readonly Action[], processName: string): Action | null {
  const isOurs = ({ userReference }: Action) => processOfReference(userReference) !== null;
  // One that runs may be in this list because we have just begun it, see `addAction`.
  const showsNotes = actions.some((action) => isOurs(action) && action.finishedAtMs !== null);
  const byHand = actions.filter(
    (action) =>
      mayConcern(action, processName) &&
      !isOurs(action) &&
      (showsNotes || action.userReference !== null) &&
      action.finishedAtMs !== null &&
      action.success !== false,
  );
  return byHand.toSorted((a, b) => (b.finishedAtMs ?? 0) - (a.finishedAtMs ?? 0))[0] ?? null;
}

/** Which actions stand in the way. */
export interface BlockingOptions {
  /** An action that has run for longer is stuck and must not hold a process for ever. */
  readonly timeoutSeconds: number;
  /** Whether a scale action that we know to be of another process stands in the way too. */
  readonly isSerial?: boolean | undefined;
}

/** Actions that still run and may keep the process from being scaled. */
export function blockingActions(
  actions: readonly Action[],
  processName: string,
  now: number,
  { timeoutSeconds, isSerial = false }: BlockingOptions,
): readonly Action[] {
  return actions.filter((action) => {
    if (action.finishedAtMs !== null) return false;
    const startedAtMs = latestStartMs(action, actions);
    if (startedAtMs !== null && now - startedAtMs > timeoutSeconds * 1000) return false;
    if (mayConcern(action, processName)) return true;
    // Without a start its age cannot be limited; should it really be in the way, Cloud 66 answers that it is busy.
    return startedAtMs !== null && (isSerial || !action.kind.includes('scale'));
  });
}

/** When the action started at the latest: ids grow, so it started before the newer ones did. Null = nothing tells. */
function latestStartMs(action: Action, actions: readonly Action[]): number | null {
  if (action.startedAtMs !== null) return action.startedAtMs;
  const newer = actions.flatMap(({ id, startedAtMs }) => (id > action.id && startedAtMs !== null ? [startedAtMs] : []));
  return newer.length === 0 ? null : Math.min(...newer);
}
