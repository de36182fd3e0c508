/**
 * One alarm: its definition as parsed from PutMetricAlarm (or a template's AWS::CloudWatch::Alarm), and its state.
 */
import { CloudWatchFault, invalid } from './faults.ts';
import { parseExpression } from './math-syntax.ts';
import { periodOf, seriesReader } from './query.ts';
import type { StateValue } from './shapes.ts';
import { type MetricDataQuery, type PutMetricAlarmRequest, PutMetricAlarmSchema, parseRequest } from './shapes.ts';
import { statisticOf } from './statistics.ts';
import type { MetricStore } from './store.ts';

const DAY_SECONDS = 86_400;
const HIGH_RESOLUTION_PERIODS = [10, 20, 30];

/** An alarm as it was asked for, with what follows from it. */
export interface AlarmDefinition {
  readonly request: PutMetricAlarmRequest;
  /** What is evaluated: the one metric, or the metrics and the expressions. */
  readonly queries: readonly MetricDataQuery[];
  /** The query that is compared with the threshold. */
  readonly watched: MetricDataQuery;
  readonly periodSeconds: number;
  readonly datapointsToAlarm: number;
}

export interface AlarmState {
  readonly value: StateValue;
  readonly reason: string;
  /** Absent at the start and after SetAlarmState without it. */
  readonly reasonData: string | undefined;
  /** When the value or its reason was last written. */
  readonly updatedAtMs: number;
  /** When the value last changed. */
  readonly changedAtMs: number;
}

export interface Alarm {
  readonly arn: string;
  readonly definition: AlarmDefinition;
  readonly configuredAtMs: number;
  readonly state: AlarmState;
}

/** The id of the only query of an alarm on one metric. */
const SINGLE_METRIC_ID = 'm1';

/**
 * Parses and checks the body of PutMetricAlarm.
 * @throws CloudWatchFault
 */
export function parseAlarm(body: unknown, store: MetricStore): AlarmDefinition {
  const request = parseRequest(PutMetricAlarmSchema, body);
  const queries = request.Metrics ?? [singleQuery(request)];
  if (request.Metrics) refuseMixture(request);
  const watched = watchedQuery(queries);
  const periodSeconds = periodOf(watched, queries);
  for (const query of queries) {
    if (query.MetricStat) statisticOf(query.MetricStat.Stat);
    if (query.Expression !== undefined) parseExpression(query.Expression);
  }
  // Evaluated once over one empty period: unknown ids, circles and wrong result types show up now and not at night.
  seriesReader(store, queries, { startMs: 0, endMs: periodSeconds * 1000, asOfMs: 0 })(watched.Id);
  if (periodSeconds < 60 && !HIGH_RESOLUTION_PERIODS.includes(periodSeconds)) {
    throw invalid(`Period: found ${periodSeconds}, expected 10, 20, 30 or a multiple of 60`);
  }
  if (periodSeconds * request.EvaluationPeriods > DAY_SECONDS * (periodSeconds >= 3600 ? 7 : 1)) {
    throw invalid('Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)');
  }
  const datapointsToAlarm = request.DatapointsToAlarm ?? request.EvaluationPeriods;
  if (datapointsToAlarm > request.EvaluationPeriods) {
    throw invalid('DatapointsToAlarm must be less than or equal to EvaluationPeriods');
  }
  return { request, queries, watched, periodSeconds, datapointsToAlarm };
}

function singleQuery(request: PutMetricAlarmRequest): MetricDataQuery {
  const { Namespace, MetricName, Dimensions, Period, Unit } = request;
  const stat = request.Statistic ?? request.ExtendedStatistic;
  const missing = Object.entries({ Namespace, MetricName, Period, 'Statistic or ExtendedStatistic': stat })
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
  if (Namespace === undefined || MetricName === undefined || Period === undefined || stat === undefined) {
    throw new CloudWatchFault(
      'MissingRequiredParameterException',
      `An alarm needs Metrics, or a whole metric: missing are ${missing.join(', ')}`,
    );
  }
  if (request.Statistic !== undefined && request.ExtendedStatistic !== undefined) {
    throw new CloudWatchFault(
      'InvalidParameterCombinationException',
      'Only one of Statistic and ExtendedStatistic may be given',
    );
  }
  return {
    Id: SINGLE_METRIC_ID,
    MetricStat: { Metric: { Namespace, MetricName, Dimensions }, Period, Stat: stat, Unit },
  };
}

function refuseMixture(request: PutMetricAlarmRequest): void {
  const { MetricName, Namespace, Period, Statistic, ExtendedStatistic, Unit } = request;
  const single = { MetricName, Namespace, Period, Statistic, ExtendedStatistic, Unit };
  const mixed = Object.entries(single).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (request.Dimensions.length > 0) mixed.push('Dimensions');
  if (mixed.length === 0) return;
  throw new CloudWatchFault('InvalidParameterCombinationException', `Metrics excludes ${mixed.join(', ')}`);
}

function watchedQuery(queries: readonly MetricDataQuery[]): MetricDataQuery {
  const returning = queries.filter((query) => query.ReturnData !== false);
  const [watched] = returning;
  if (watched && returning.length === 1) return watched;
  throw invalid(`Exactly one element of the metrics list should return data: found ${returning.length}`);
}

/** True when the alarm was put with a metric of its own instead of a list of queries. */
export function isSingleMetric(definition: AlarmDefinition): boolean {
  return definition.request.Metrics === undefined;
}

/** The actions of the state that the alarm is in. */
export function actionsOf({ definition: { request }, state }: Alarm): readonly string[] {
  const actions: Readonly<Record<StateValue, readonly string[]>> = {
    OK: request.OKActions,
    ALARM: request.AlarmActions,
    INSUFFICIENT_DATA: request.InsufficientDataActions,
  };
  return actions[state.value];
}
