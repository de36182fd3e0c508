/** Drives one rule by hand: an order is obeyed at once unless the test says otherwise. */
import type { Baseline, Sensed, SensedMinute, Settings, Workload } from '../../../lib/backtest/baselines/baseline.ts';

export const workload: Workload = {
  jobSeconds: 6,
  concurrency: 1,
  minWorkers: 1,
  maxWorkers: 100,
  waitTargetSeconds: 60,
  waitTargetPercent: 95,
  actionSeconds: 60,
};

export interface Drive {
  /** One look `everySeconds` after the last one; answers the count ordered from then on. */
  look(seen?: Partial<Omit<Sensed, 'metric'>> & { metric?: Partial<SensedMinute> | null }): number;
  /** That many looks at the same thing; answers the counts. */
  looks(times: number, seen?: Parameters<Drive['look']>[0]): number[];
  readonly nowSeconds: number;
}

interface DriveInput {
  readonly baseline: Baseline;
  readonly settings?: Settings;
  readonly workload?: Partial<Workload>;
  readonly workers?: number;
  readonly everySeconds?: number;
}

/** The rule's own defaults with `settings` laid over them, at its native cadence unless told. */
export function drive(input: DriveInput): Drive {
  const given = { ...workload, ...input.workload };
  const settings = { ...input.baseline.defaults(given), ...input.settings };
  const step = input.baseline.start(settings, given);
  const everySeconds = input.everySeconds ?? input.baseline.nativeIntervalSeconds;
  let nowSeconds = -everySeconds;
  let workers = input.workers ?? given.minWorkers;
  const look: Drive['look'] = ({ metric, ...seen } = {}) => {
    nowSeconds += everySeconds;
    const live = {
      nowSeconds,
      visible: 0,
      inFlight: 0,
      delayed: 0,
      oldestAgeSeconds: 0,
      runningWorkers: workers,
      desiredWorkers: workers,
      busyWorkers: 0,
      completedSinceLast: 0,
      arrivedSinceLast: 0,
      ...seen,
    };
    const { visible, inFlight, runningWorkers, oldestAgeSeconds } = live;
    const minute = metric === null ? null : { visible, inFlight, runningWorkers, oldestAgeSeconds, ...metric };
    workers = step({ ...live, metric: minute }) ?? workers;
    return workers;
  };
  return {
    look,
    looks: (times, seen) => Array.from({ length: times }, () => look(seen)),
    get nowSeconds() {
      return nowSeconds;
    },
  };
}
