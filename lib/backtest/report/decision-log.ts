/** The decisions of one flight that are worth reading: every change, and each hold that is held for a new reason. */
import type { Decision, Reason, Step } from '../../domain.ts';
import type { PlantAction } from '../actuator.ts';
import type { DecisionEvent } from '../plant-ports.ts';

/** One decision, with what became of it. */
export interface LoggedDecision {
  /** Seconds since the beginning of the run. */
  readonly atSeconds: number;
  readonly action: 'scale_out' | 'scale_in' | 'hold';
  readonly from: number | null;
  readonly to: number | null;
  /** Null for the rule of another product, which gives a number and no reason. */
  readonly reason: Reason | null;
  /** The working; empty for a peer, and for the smaller changes of a long run. */
  readonly steps: readonly Step[];
  /** How the action went; null for a hold. */
  readonly outcome: string | null;
}

/** Decisions that a report lists per policy: a change every five minutes of two weeks. */
export const MAX_DECISIONS = 4000;
/** Those of them that keep their working, at about a kilobyte each. */
const MAX_WORKINGS = 800;

interface Entry {
  readonly atMs: number;
  readonly decision: Decision;
  readonly actionId: number | null;
}

/** Collects the decisions of ours while they are made. */
export class DecisionLog {
  readonly #entries: Entry[] = [];
  #lastReason: Reason | null = null;

  add({ input, result }: DecisionEvent): void {
    const { decision } = result;
    if (decision === null) return;
    const isNews = decision.action !== 'hold' || decision.reason !== this.#lastReason;
    this.#lastReason = decision.reason;
    if (!isNews) return;
    this.#entries.push({ atMs: input.now, decision, actionId: result.kind === 'scaled' ? result.actionId : null });
  }

  /** The decisions in time, the most telling ones when there are too many. */
  decisions(startMs: number, actions: readonly PlantAction[]): { kept: LoggedDecision[]; leftOut: number } {
    const all = this.#entries.map(({ atMs, decision, actionId }): LoggedDecision => {
      const { action, currentCount, desiredCount, reason, steps } = decision;
      const taken = actionId === null ? undefined : actions[actionId - 1];
      return {
        atSeconds: Math.round((atMs - startMs) / 1000),
        action,
        from: currentCount,
        to: desiredCount,
        reason,
        steps,
        outcome: taken === undefined ? null : outcomeOf(taken),
      };
    });
    return mostTelling(all);
  }
}

/** What a peer ordered: all that can be known of a rule that only answers with a number. */
export function ordersOf(
  actions: readonly PlantAction[],
  initialWorkers: number,
): { kept: LoggedDecision[]; leftOut: number } {
  let from = initialWorkers;
  const all = actions.map((action): LoggedDecision => {
    const order: LoggedDecision = {
      atSeconds: Math.round(action.acceptedAt),
      action: action.count >= from ? 'scale_out' : 'scale_in',
      from,
      to: action.count,
      reason: null,
      steps: [],
      outcome: outcomeOf(action),
    };
    if (action.succeeds) from = action.count;
    return order;
  });
  return mostTelling(all);
}

function outcomeOf({ acceptedAt, endsAt, succeeds }: PlantAction): string {
  const seconds = Math.round(endsAt - acceptedAt);
  return succeeds ? `took effect after ${seconds} s` : `failed, known after ${seconds} s`;
}

/** Changes before holds, large ones before small ones; the kept ones in the order of time. */
function mostTelling(all: readonly LoggedDecision[]): { kept: LoggedDecision[]; leftOut: number } {
  const size = ({ from, to }: LoggedDecision): number => Math.abs((to ?? 0) - (from ?? 0));
  const kept = all
    .toSorted((a, b) => size(b) - size(a))
    .slice(0, MAX_DECISIONS)
    .map((decision, rank) => (rank < MAX_WORKINGS ? decision : { ...decision, steps: [] }))
    .toSorted((a, b) => a.atSeconds - b.atSeconds);
  return { kept, leftOut: all.length - kept.length };
}
