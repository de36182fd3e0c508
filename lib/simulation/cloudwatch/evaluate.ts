/**
 * How an alarm judges its datapoints: M out of N and the four ways to treat missing data. A pure function.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
import type { Comparison, StateValue, TreatMissingData } from './shapes.ts';

/** One period of the evaluation range; null = no data. */
export interface Datapoint {
  readonly atMs: number;
  readonly value: number | null;
  /** Samples behind the value; null for the result of an expression. */
  readonly sampleCount: number | null;
}

export interface Rule {
  readonly threshold: number;
  readonly comparison: Comparison;
  /** N. */
  readonly evaluationPeriods: number;
  /** M. */
  readonly datapointsToAlarm: number;
  readonly treatMissingData: TreatMissingData;
}

export interface Verdict {
  readonly state: StateValue;
  /** The real datapoints that counted, newest first. */
  readonly used: readonly Datapoint[];
  /** Missing datapoints that the missing-data rule stood in for. */
  readonly filled: number;
}

/**
 * Periods of the evaluation range, which is longer than N so that late or missing data do not decide at once. AWS keeps
 * the exact number to itself; its documentation shows 5 for N = 3 and 5 unknown datapoints for a one-minute alarm.
 */
export function evaluationRange(evaluationPeriods: number): number {
  return Math.max(5, evaluationPeriods + 2);
}

/** Whether a value breaches the threshold. */
export function breaches(value: number, comparison: Comparison, threshold: number): boolean {
  switch (comparison) {
    case 'GreaterThanThreshold':
      return value > threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= threshold;
    case 'LessThanThreshold':
      return value < threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= threshold;
  }
}

/** The state that follows from the datapoints of the evaluation range, oldest first. */
export function judge(range: readonly Datapoint[], rule: Rule, current: StateValue): Verdict {
  const newestFirst = range.toReversed();
  const breaching = (point: Datapoint): boolean =>
    point.value !== null && breaches(point.value, rule.comparison, rule.threshold);
  const used = newestFirst.filter((point) => point.value !== null).slice(0, rule.evaluationPeriods);
  const filled = rule.evaluationPeriods - used.length;
  const breachCount = used.filter(breaching).length;
  // Breaches that are really there suffice whatever stands in for the missing ones; so do enough real datapoints.
  if (breachCount >= rule.datapointsToAlarm) return { state: 'ALARM', used, filled };
  if (filled === 0) return { state: 'OK', used, filled };
  switch (rule.treatMissingData) {
    case 'breaching':
      return { state: breachCount + filled >= rule.datapointsToAlarm ? 'ALARM' : 'OK', used, filled };
    case 'notBreaching':
      return { state: 'OK', used, filled };
    case 'ignore':
      return { state: used.length > breachCount ? 'OK' : current, used, filled };
    case 'missing':
      if (used.length > breachCount) return { state: 'OK', used, filled };
      return { state: isOldBreach(newestFirst, rule.datapointsToAlarm) ? 'ALARM' : 'INSUFFICIENT_DATA', used, filled };
  }
}

/**
 * Only breaching datapoints and gaps are there. A breach so new that the next datapoints could still refute it does not
 * raise the alarm; one that is at least M periods old does (AWS: "Avoiding premature transitions to alarm state").
 */
function isOldBreach(newestFirst: readonly Datapoint[], datapointsToAlarm: number): boolean {
  return newestFirst.findLastIndex((point) => point.value !== null) + 1 >= datapointsToAlarm;
}
