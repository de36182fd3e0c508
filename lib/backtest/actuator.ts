/**
 * The lever as Cloud 66 gives it: a change is accepted at once and takes effect much later, one at a time, sometimes
 * never. The k-th change of a run meets the same fate under every policy.
 */
import type { Random } from '../simulation/random.ts';

/** How changes behave. */
export interface ActuatorSettings {
  /** An action takes `minSeconds` to `minSeconds + spreadSeconds`, distributed as Beta(2, 3) between them. */
  readonly minSeconds: number;
  readonly spreadSeconds: number;
  /** Share of actions that end without effect, which is known only then. */
  readonly failureShare: number;
  /** Share of actions that take `stuckSeconds` instead. */
  readonly stuckShare: number;
  readonly stuckSeconds: number;
}

/** Mean time of an action that is not stuck: the mean of Beta(2, 3) is 2/5. */
export function meanActionSeconds({ minSeconds, spreadSeconds }: ActuatorSettings): number {
  return minSeconds + 0.4 * spreadSeconds;
}

/** One accepted change. */
export interface PlantAction {
  readonly id: number;
  readonly acceptedAt: number;
  /** When it ends; nobody may look at this before. */
  readonly endsAt: number;
  readonly succeeds: boolean;
  readonly count: number;
}

/** Accepts changes, one at a time. */
export class Actuator {
  /** Every change of the run, in order. */
  readonly actions: PlantAction[] = [];
  /** The change that has not ended; null when the lever is free. */
  running: PlantAction | null = null;
  readonly #settings: ActuatorSettings;
  readonly #delays: Random;
  readonly #fates: Random;

  constructor(settings: ActuatorSettings, random: Random) {
    this.#settings = settings;
    this.#delays = random.fork('delay');
    this.#fates = random.fork('fate');
  }

  /** When the running change ends; Infinity when there is none. */
  get endsAt(): number {
    return this.running?.endsAt ?? Number.POSITIVE_INFINITY;
  }

  /** Accepts a change to `count` workers, unless one is running: then null. */
  accept(count: number, nowSeconds: number): PlantAction | null {
    if (this.running !== null) return null;
    const { minSeconds, spreadSeconds, failureShare, stuckShare, stuckSeconds } = this.#settings;
    const usual = minSeconds + spreadSeconds * this.#delays.beta(2, 3);
    const succeeds = !this.#fates.chance(failureShare);
    const seconds = this.#fates.chance(stuckShare) ? stuckSeconds : usual;
    const action = {
      id: this.actions.length + 1,
      acceptedAt: nowSeconds,
      endsAt: nowSeconds + seconds,
      succeeds,
      count,
    };
    this.actions.push(action);
    this.running = action;
    return action;
  }

  /** Ends the running change and hands it over. */
  end(): PlantAction | null {
    const ended = this.running;
    this.running = null;
    return ended;
  }
}
