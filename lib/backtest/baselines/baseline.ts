/**
 * The seam between the plant of the backtest and the scaling rules of other products. This folder holds those rules,
 * one file each, as pure step functions: the state of a rule lives in the closure that `start` returns. Nothing here
 * knows the plant (action latency, draining, start-up), reads a clock or draws a random number.
 */

/** What a policy's sensor shows at one evaluation. Times in seconds of simulated time. */
export interface Sensed {
  readonly nowSeconds: number;
  /** Messages waiting to be received. */
  readonly visible: number;
  /** Messages being worked on. */
  readonly inFlight: number;
  /** Messages sent with a delay that has not passed. */
  readonly delayed: number;
  /** Age of the oldest waiting job, 0 if none waits. */
  readonly oldestAgeSeconds: number;
  /** Workers that are up and able to take jobs; draining ones are excluded. */
  readonly runningWorkers: number;
  /** The last count ordered. */
  readonly desiredWorkers: number;
  readonly busyWorkers: number;
  /** Jobs finished since this policy's previous evaluation. */
  readonly completedSinceLast: number;
  /** Jobs that arrived since this policy's previous evaluation. */
  readonly arrivedSinceLast: number;
  /** The newest published CloudWatch minute; null when that point is missing. */
  readonly metric: SensedMinute | null;
}

/** One published minute of CloudWatch. */
export interface SensedMinute {
  readonly visible: number;
  readonly inFlight: number;
  readonly runningWorkers: number;
  readonly oldestAgeSeconds: number;
}

/** What is given: the true service time, the bounds common to every policy, the wait target, the mean action latency. */
export interface Workload {
  readonly jobSeconds: number;
  /** Jobs that one worker runs at once. */
  readonly concurrency: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly waitTargetSeconds: number;
  /** So many percent of the jobs must not wait longer. */
  readonly waitTargetPercent: number;
  readonly actionSeconds: number;
}

/** Values of a policy's knobs by name; switches are 0 or 1. */
export type Settings = Readonly<Record<string, number>>;

/** One thing that a user of the product can turn, with the grid a tuner may try. */
export interface Knob {
  readonly name: string;
  /** From cheap and slow to dear and fast, where that makes sense. */
  readonly values: readonly number[];
  readonly unit: string;
}

export interface Baseline {
  /** `keda`, `hpa`, `aws-target-tracking` and so on. */
  readonly name: string;
  readonly title: string;
  /** Where the rule was read. */
  readonly source: string;
  /** Two to five. */
  readonly knobs: readonly Knob[];
  /** The product's own defaults. */
  defaults(workload: Workload): Settings;
  /** What its documentation says for this wait target. */
  byTheBook(workload: Workload): Settings;
  /** Cadence at home; a comparison of brains uses 60 for every policy instead. */
  readonly nativeIntervalSeconds: number;
  /** Whether the product reads CloudWatch minutes with their lag, or the queue itself. */
  readonly readsCloudWatch: boolean;
  /** A fresh run of the rule. The step returns the desired count, or null to leave it. */
  start(settings: Settings, workload: Workload): (sensed: Sensed) => number | null;
}
