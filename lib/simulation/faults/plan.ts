/** What goes wrong in a simulated day, as probabilities, and where it is drawn and counted. */
import type { Random } from '../random.ts';

/** Each is the chance per occasion: per call of that kind, per tick, per delivery. */
export const FAULTS = {
  tick_missed: 0.02,
  tick_doubled: 0.03,
  alarm_sent: 0.05,
  alarm_old: 0.01,
  alarm_garbled: 0.002,
  cold_start: 0.02,
  crash_before_call: 0.002,
  crash_after_call: 0.002,
  record_delivered_twice: 0.05,
  record_delivered_late: 0.03,
  cloud66_reset: 0.01,
  cloud66_answer_lost: 0.01,
  cloud66_hang: 0.004,
  cloud66_cut_body: 0.01,
  cloud66_garbage: 0.01,
  cloud66_error: 0.02,
  cloud66_unauthorized: 0.002,
  cloud66_slow: 0.02,
  action_fails: 0.05,
  action_never_ends: 0.01,
  action_vanishes: 0.02,
  action_does_nothing: 0.04,
  /** A quarter of an hour. */
  action_slow: 0.02,
  queue_read_fails: 0.02,
  /** The depth of two minutes ago. */
  queue_read_stale: 0.02,
  send_refused: 0.05,
  send_answer_lost: 0.03,
  visibility_refused: 0.03,
  metrics_fail: 0.03,
  metrics_empty: 0.03,
  metrics_late: 0.05,
  metrics_off_by_one: 0.03,
  parameter_throttled: 0.03,
  /** Per minute and stack, as are all that follow. */
  deployment: 0.004,
  count_by_hand: 0.003,
  server_unhealthy: 0.002,
  server_added: 0.001,
  server_removed: 0.001,
  server_renamed: 0.001,
  /** The old token is revoked at once; the parameter has the new one within two minutes. */
  token_rotated: 0.001,
  /** People and CI use a tenth of the hour's calls, all but a few, or all that are left. */
  calls_by_others: 0.01,
  calls_nearly_used_up: 0.0007,
  calls_used_up: 0.0007,
  /** Per environment: its clock is up to five seconds ahead or behind. */
  clock_skewed: 0.3,
  /** Its clock goes back by three seconds. */
  clock_set_back: 0.002,
  /** For three minutes the queue takes no record. */
  sends_refused_long: 0.003,
  /** For a quarter of an hour Cloud 66 answers nothing but errors. */
  cloud66_outage: 0.001,
} as const;

export type FaultName = keyof typeof FAULTS;

/** Chances that a run has instead of those above. */
export type Chances = Readonly<Partial<Record<FaultName, number>>>;

/** Draws faults, while they are on, and counts those that happened. */
export interface Dice {
  /** True when the fault happens now. */
  strikes(name: FaultName): boolean;
  /** From now on nothing goes wrong. */
  calm(): void;
  readonly counts: ReadonlyMap<FaultName, number>;
}

/** Each fault has a stream of its own, so that one more kind does not change the others. */
export function createDice(random: Random, chances: Chances = {}): Dice {
  const streams = new Map<FaultName, Random>();
  const counts = new Map<FaultName, number>();
  let isCalm = false;
  return {
    counts,
    calm: () => {
      isCalm = true;
    },
    strikes: (name) => {
      if (isCalm) return false;
      const stream = streams.get(name) ?? random.fork(name);
      streams.set(name, stream);
      const strikes = stream.chance(chances[name] ?? FAULTS[name]);
      if (strikes) counts.set(name, (counts.get(name) ?? 0) + 1);
      return strikes;
    },
  };
}
