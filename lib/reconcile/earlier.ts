/**
 * The targets of a stack come one after the other, and its action log is read when a decision asks for it: those that had
 * their turn on an older log, or on none, are looked for in the newest one when all have had their turn. Also those that this
 * environment has searched before, since another may have made a change and died.
 */
import type { Target } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { type AdoptPorts, adopt } from './adopt.ts';
import type { StackEvidence } from './observe.ts';
import type { TargetResult } from './ports.ts';
import type { PassSignals } from './reconcile.ts';

type ActionLog = StackEvidence['newestLog'];

/**
 * Stores what is missing of targets that have `seen` another log than the newest one. Where that fails, the target's result
 * becomes a failure, and the next pass looks again. Never throws.
 */
export async function adoptEarlier(
  seen: ReadonlyMap<Target, ActionLog>,
  newest: ActionLog,
  results: Map<string, TargetResult>,
  ports: AdoptPorts,
  signals: PassSignals,
): Promise<void> {
  const { memory } = ports;
  for (const [target, log] of seen) {
    const result = results.get(target.id);
    // What is owed failed in this pass: it is tried again by the next one, which reads the log for it.
    if (log === newest || result === undefined || memory.owed(target.id).length > 0) continue;
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
