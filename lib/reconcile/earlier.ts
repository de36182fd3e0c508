/**
 * The targets of a stack come one after the other, and its action log is read when a decision asks for it: what it shows of
 * those that had their turn on an older log, or on none, is followed as well. Also of one that this environment has searched
 * before, since another may have made a change and died.
 */
import type { Action, Evidence, Target } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { type AdoptPorts, adopt } from './adopt.ts';
import type { TargetResult } from './ports.ts';
import type { PassSignals } from './reconcile.ts';

type ActionLog = Evidence<readonly Action[]>;

/** Those of a stack that had their turn in this pass. */
export interface EarlierTargets {
  add(target: Target, result: TargetResult): void;
  /** Looks through a log that none of them has seen; what cannot be stored makes its target's result a failure. Never throws. */
  look(log: ActionLog, results: Map<string, TargetResult>, signals: PassSignals): Promise<void>;
}

/** None yet; `first` is the log that all of them will see. */
export function createEarlierTargets(ports: AdoptPorts, first: ActionLog): EarlierTargets {
  const earlier = new Map<Target, TargetResult>();
  let seenAtMs = readAtMs(first);
  return {
    add: (target, result) => {
      if (!hasFailedToFollow(result)) earlier.set(target, result);
    },
    look: async (log, results, signals) => {
      if (readAtMs(log) === seenAtMs) return;
      seenAtMs = readAtMs(log);
      if (log.kind !== 'ok') return;
      for (const [target, result] of earlier) {
        try {
          await adopt(target, log, ports, signals);
        } catch (error) {
          results.set(target.id, alsoFailed(result, error));
          earlier.delete(target); // the next pass tries again
        }
        // What a 409 was about may be listed a little later.
        if (isBusy(result)) ports.memory.keepSearched(target.id, false);
      }
    },
  };
}

/** True when Cloud 66 refused the change, or would have. */
export function isBusy({ kind, decision }: TargetResult): boolean {
  return kind === 'held' && decision.reason === 'stack_busy';
}

function readAtMs(log: ActionLog): number | null {
  return log.kind === 'ok' ? log.observedAtMs : null;
}

/**
 * True when a change or its record failed in the target's turn: that is tried again by the next pass. A reading that failed
 * (then the decision is a hold) is no reason to leave an action unfollowed.
 */
function hasFailedToFollow({ kind, decision }: TargetResult): boolean {
  return kind === 'failed' && decision?.action !== 'hold';
}

/** What the turn came to stays known. */
function alsoFailed(result: TargetResult, error: unknown): TargetResult {
  const { kind, decision } = result;
  const cause = asError(error);
  if (kind !== 'failed') return { kind: 'failed', decision, error: cause };
  const both = new AutoscalerError(`${result.error.message}; ${cause.message}`, { cause });
  return { kind: 'failed', decision, error: both };
}
