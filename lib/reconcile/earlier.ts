/**
 * The targets of a stack come one after the other, and its action log is read when a decision asks for it: those that had
 * their turn on an older log, or on none, are looked for in the newest one when all have had their turn. Also those that this
 * environment has searched before, since another may have made a change and died.
 */
import type { Target } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { type AdoptPorts, adopt } from './adopt.ts';
import type { OwedRecord } from './ledger.ts';
import type { StackEvidence } from './observe.ts';
import type { TargetResult } from './ports.ts';
import type { PassSignals } from './reconcile.ts';

type ActionLog = StackEvidence['newestLog'];

/** What a target's turn came to. */
export interface Turn {
  readonly target: Target;
  readonly result: TargetResult;
  /** The newest log of that time: what it shows of the target is followed. */
  readonly seen: ActionLog;
}

/**
 * Stores what is missing of targets that have seen another log than the newest one. Where that fails, the target's result
 * becomes a failure, and the next pass looks again. Never throws.
 */
export async function adoptEarlier(
  turns: readonly Turn[],
  newest: ActionLog,
  results: Map<string, TargetResult>,
  ports: AdoptPorts,
  signals: PassSignals,
): Promise<void> {
  const { memory } = ports;
  for (const { target, result, seen } of turns) {
    if (seen === newest || hasFailedToStore(result, memory.owed(target.id))) continue;
    const wasSearched = memory.isSearched(target.id);
    try {
      await adopt(target, newest, ports, signals);
    } catch (error) {
      results.set(target.id, alsoFailed(result, error));
    }
    // What a 409 was about may be listed a little later.
    if (!wasSearched && isBusy(result)) memory.keepSearched(target.id, false);
  }
}

/** True when this turn made a change whose record is owed: the next pass tries again, not this one. */
function hasFailedToStore({ kind, decision }: TargetResult, owed: readonly OwedRecord[]): boolean {
  return owed.length > 0 && kind === 'failed' && decision?.action !== 'hold';
}

/** True when Cloud 66 refused the change, or would have. */
export function isBusy({ kind, decision }: TargetResult): boolean {
  return kind === 'held' && decision.reason === 'stack_busy';
}

/** The decision of the turn stays known, and the error it ended with. */
function alsoFailed(result: TargetResult, error: unknown): TargetResult {
  const { kind, decision } = result;
  const cause = asError(error);
  if (kind !== 'failed') return { kind: 'failed', decision, error: cause };
  const both = new AutoscalerError(`${result.error.message}; ${cause.message}`, { cause });
  return { kind: 'failed', decision, error: both };
}
