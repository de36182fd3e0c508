/**
 * Trouble for a local run, drawn from a seed: the faults of the simulated days (`lib/simulation/faults/plan.ts`) with the same
 * chances, as far as a run of twenty minutes over real sockets has room for them. What comes by the minute there comes ten
 * times as often here, so that a run sees some of it.
 */
import type { FaultHook } from '../aws/gateway.ts';
import type { FaultDecision } from '../cloud66/http-faults.ts';
import type { ActionFault, ActionView } from '../cloud66/model.ts';
import { createDice, type Dice, type FaultName } from '../faults/plan.ts';
import { createRandom, type Random } from '../random.ts';
import type { Visitor } from './visitor.ts';

const FAULTY_SECONDS = 600;
const BY_THE_MINUTE = 10;
const SLOW_MS = 4_000;
const OUTAGE_MINUTES = 2;
const MOST_BY_HAND = 4;

/** What of AWS fails, by operation, as a refusal that is not tried again within a call. */
const AWS_FAULTS: Readonly<Record<string, FaultName>> = {
  GetQueueAttributes: 'queue_read_fails',
  SendMessage: 'send_refused',
  ChangeMessageVisibility: 'visibility_refused',
  GetMetricData: 'metrics_fail',
  GetParameter: 'parameter_throttled',
};

export class Gremlin {
  readonly seed: number;
  readonly #dice: Dice;
  readonly #random: Random;
  readonly #visitor: Visitor;
  #outageMinutes = 0;

  constructor(seed: number, visitor: Visitor) {
    this.seed = seed;
    this.#random = createRandom(`faults-${seed}`);
    this.#dice = createDice(this.#random.fork('dice'));
    this.#visitor = visitor;
  }

  /** For the world: what happens to a request to Cloud 66. */
  readonly apiFault: FaultDecision = () => {
    const strikes = (name: FaultName) => this.#dice.strikes(name);
    if (strikes('cloud66_reset')) return { kind: 'reset' };
    if (strikes('cloud66_hang')) return { kind: 'hang' };
    if (strikes('cloud66_error')) return { kind: 'status', status: 502 };
    if (strikes('cloud66_garbage')) return { kind: 'garbage' };
    if (strikes('cloud66_unauthorized')) return { kind: 'status', status: 401, body: '{"error":"unauthenticated"}' };
    if (strikes('cloud66_slow')) return { kind: 'delay', delayMs: SLOW_MS };
    if (strikes('cloud66_answer_lost')) return { kind: 'lose_answer' };
    return strikes('cloud66_cut_body') ? { kind: 'cut_body' } : null;
  };

  /** For the world: what happens to an action that starts. */
  readonly actionFault = (action: ActionView): ActionFault | null => {
    if (action.kind !== 'process_scale') return null;
    if (this.#dice.strikes('action_fails')) {
      this.#visitor.diary.noteBroken(action.id);
      return { kind: 'fails', message: 'The process could not be started (a fault of the run)' };
    }
    if (this.#dice.strikes('action_vanishes')) return { kind: 'vanishes', afterSeconds: 30, appliesChange: true };
    return this.#dice.strikes('action_does_nothing') ? { kind: 'changes_nothing' } : null;
  };

  /** For the world: what happens to a request of a function to AWS. */
  readonly awsFault: FaultHook = ({ operation, functionName }) => {
    const name = AWS_FAULTS[operation];
    if (functionName === null || name === undefined || !this.#dice.strikes(name)) return null;
    return { kind: 'error', status: 400, code: 'AccessDenied', message: 'a fault of the run' };
  };

  /** A simulated minute goes by; after ten nothing begins to go wrong any more. */
  minute(serverUids: readonly string[], atSeconds: number): void {
    if (atSeconds > FAULTY_SECONDS) this.#dice.calm();
    const strikes = (name: FaultName) =>
      Array.from({ length: BY_THE_MINUTE }, () => this.#dice.strikes(name)).some(Boolean);
    if (strikes('deployment') && !this.#visitor.isDeploying()) this.#visitor.deploy();
    if (strikes('count_by_hand')) {
      this.#visitor.changeByHand(this.#random.pick(serverUids), this.#random.integer(0, MOST_BY_HAND));
    }
    this.#outage(strikes('cloud66_outage'));
  }

  /** Ends its own outages only: a person may have made one from the page. */
  #outage(begins: boolean): void {
    if (begins && !this.#visitor.hasOutage()) {
      this.#visitor.setOutage(true);
      this.#outageMinutes = OUTAGE_MINUTES;
      return;
    }
    if (this.#outageMinutes === 0) return;
    this.#outageMinutes -= 1;
    if (this.#outageMinutes === 0) this.#visitor.setOutage(false);
  }

  /** What happened, for people. */
  interventions(atSeconds: number): readonly { readonly atSeconds: number; readonly text: string }[] {
    const counts = [...this.#dice.counts].toSorted(([a], [b]) => a.localeCompare(b));
    const told = counts.map(([name, count]) => `${name} ${count}`).join(', ') || 'none';
    return [{ atSeconds: Math.round(atSeconds), text: `faults of seed ${this.seed}: ${told}` }];
  }
}
