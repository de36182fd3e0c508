/**
 * Counts and durations as CloudWatch metrics, in CloudWatch's embedded metric format: one log line per invocation that
 * CloudWatch turns into metrics by itself, without a call. No dimension names a target, because every combination of
 * dimensions is a metric that costs $0.30 a month; the target stands in the log records.
 * Source: CloudWatch User Guide, "Embedded metric format specification".
 */
import type { Clock } from '../reconcile/ports.ts';

/**
 * Every metric of this program. Closed, so that dashboards and alarms can rely on the names. Those of ended actions may
 * count one twice: SQS delivers at least once, and a record whose deletion was lost is confirmed, and reported, again.
 */
export type MetricName =
  | 'DecisionsScaleOut'
  | 'DecisionsScaleIn'
  | 'DryRuns'
  | 'Holds'
  | 'HoldsUnknown'
  | 'HoldsBusy'
  | 'Failures'
  | 'ActionsAccepted'
  | 'ActionsConfirmed'
  | 'ActionsMismatched'
  | 'ActionsSuperseded'
  | 'ActionsFailed'
  | 'ActionsTimedOut'
  | 'ActionsLost'
  | 'ApiCalls'
  | 'ApiCallsRemaining'
  | 'ApiBudgetSpent'
  | 'NotificationsFailed'
  | 'LooksUnreadable'
  | 'ActionLooks'
  | 'ActionSeconds';

type Unit = 'Count' | 'Seconds';

/** Collects what happens in an invocation. */
export interface Metrics {
  /** Adds one to a count. */
  count(name: MetricName): void;
  /** Notes one value of a distribution. */
  measure(name: MetricName, unit: Unit, value: number): void;
  /** Writes what was collected and starts anew; writes nothing when nothing was. */
  flush(): void;
}

/** Where metrics go. */
export interface MetricsSettings {
  /** Takes one line without its line break. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  /** Value of the one dimension, `Service`, such as the name of the deployed stack. */
  readonly service: string;
}

export const METRICS_NAMESPACE = 'Cloud66Autoscaler';

/** Values of one metric in one line; the format allows no more. */
const MAX_VALUES_PER_LINE = 100;

interface Collected {
  readonly unit: Unit;
  readonly values: number[];
}

/** Counts are summed over an invocation, measured values are kept one by one. */
export function createMetrics({ write, clock, service }: MetricsSettings): Metrics {
  const collected = new Map<MetricName, Collected>();

  const valuesOf = (name: MetricName, unit: Unit) => {
    const known = collected.get(name) ?? { unit, values: [] };
    collected.set(name, known);
    return known.values;
  };

  return {
    count(name) {
      const values = valuesOf(name, 'Count');
      values[0] = (values[0] ?? 0) + 1;
    },
    measure(name, unit, value) {
      if (Number.isFinite(value)) valuesOf(name, unit).push(value);
    },
    flush() {
      const metrics = [...collected];
      collected.clear();
      const lines = Math.ceil(Math.max(0, ...metrics.map(([, { values }]) => values.length)) / MAX_VALUES_PER_LINE);
      for (let line = 0; line < lines; line += 1) {
        const from = line * MAX_VALUES_PER_LINE;
        const part = metrics.map(([name, { unit, values }]) => {
          return { name, unit, values: values.slice(from, from + MAX_VALUES_PER_LINE) };
        });
        write(
          lineOf(
            part.filter(({ values }) => values.length > 0),
            clock.nowMs(),
            service,
          ),
        );
      }
    },
  };
}

function lineOf(
  metrics: readonly { readonly name: MetricName; readonly unit: Unit; readonly values: readonly number[] }[],
  nowMs: number,
  service: string,
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: nowMs,
      CloudWatchMetrics: [
        {
          Namespace: METRICS_NAMESPACE,
          Dimensions: [['Service']],
          Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
        },
      ],
    },
    Service: service,
    ...Object.fromEntries(metrics.map(({ name, values }) => [name, values.length === 1 ? values[0] : values])),
  });
}
