import { type Alarms, createAlarms } from '../../../lib/simulation/cloudwatch/alarms.ts';
import type { Transition } from '../../../lib/simulation/cloudwatch/events.ts';
import {
  createMetricStore,
  type MetricId,
  type MetricStore,
  sampleOf,
} from '../../../lib/simulation/cloudwatch/store.ts';

export const MINUTE_MS = 60_000;
export const START_MS = Date.parse('2026-11-23T10:00:00.000Z');

/** A clock that moves when told to. */
export class ManualClock {
  #nowMs = START_MS;

  nowMs(): number {
    return this.#nowMs;
  }

  moveTo(atMs: number): void {
    this.#nowMs = atMs;
  }
}

export const METRIC: MetricId = { namespace: 'Jobs', name: 'Depth', dimensions: { Queue: 'mailer' } };

export const ALARM = {
  AlarmName: 'mailer-high',
  AlarmDescription: 'Backlog of mailer',
  Namespace: 'Jobs',
  MetricName: 'Depth',
  Dimensions: [{ Name: 'Queue', Value: 'mailer' }],
  Statistic: 'Maximum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 10,
  ComparisonOperator: 'GreaterThanOrEqualToThreshold',
  TreatMissingData: 'notBreaching',
  AlarmActions: ['arn:aws:lambda:us-east-1:123456789012:function:scale'],
  OKActions: ['arn:aws:lambda:us-east-1:123456789012:function:scale-ok'],
} as const;

export interface World {
  readonly clock: ManualClock;
  readonly store: MetricStore;
  readonly alarms: Alarms;
  readonly transitions: readonly Transition[];
  /** Lets one minute per value pass; a null publishes nothing. Gives the alarm's state after each minute. */
  pass(values: readonly (number | null)[], alarmName?: string): readonly (string | undefined)[];
}

export function createWorld(): World {
  const clock = new ManualClock();
  const store = createMetricStore({ clock });
  const transitions: Transition[] = [];
  const alarms = createAlarms({ store, clock, onTransition: (transition) => transitions.push(transition) });
  const pass: World['pass'] = (values, alarmName = ALARM.AlarmName) =>
    values.map((value) => {
      const minute = Math.floor(clock.nowMs() / MINUTE_MS) * MINUTE_MS;
      if (value !== null) store.add(METRIC, sampleOf(value, minute, minute, 'Count'));
      clock.moveTo(minute + MINUTE_MS + 30_000);
      alarms.advance();
      return alarms.get(alarmName)?.state.value;
    });
  return { clock, store, alarms, transitions, pass };
}
