/**
 * All alarms of the local CloudWatch: put, described, set by hand, deleted, and evaluated as time passes. Actions run on
 * a *change* of state only, the first change away from INSUFFICIENT_DATA included.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
 */
import type { Clock } from '../../reconcile/ports.ts';
import { type Alarm, type AlarmState, actionsOf, isSingleMetric, parseAlarm } from './alarm.ts';
import { describePage } from './describe.ts';
import { type Datapoint, evaluationRange, judge } from './evaluate.ts';
import { alarmEvent, type Transition } from './events.ts';
import { CloudWatchFault } from './faults.ts';
import { metricPoints, seriesReader, type Window } from './query.ts';
import { type Judgement, reasonDataOf, reasonOf } from './reason.ts';
import type { DescribeAlarmsRequest, SetAlarmStateRequest } from './shapes.ts';
import type { MetricStore } from './store.ts';

const MINUTE_MS = 60_000;
/** Alarms with periods under a minute are evaluated this often. */
const FAST_STEP_MS = 10_000;
/** After a longer silence (a laptop that slept) older evaluations are left out. */
const MAX_CATCH_UP_MS = 24 * 60 * MINUTE_MS;
const MAX_ALARMS = 5000;

export interface AlarmsOptions {
  readonly store: MetricStore;
  readonly clock: Clock;
  /** Called once per change of state, in order. Must not throw: AWS, too, only hands the event over. */
  readonly onTransition: (transition: Transition) => void;
  readonly accountId?: string;
  readonly region?: string;
  /** Second within the minute at which alarms are evaluated; AWS spreads them over the minute. Default 15. */
  readonly evaluationSecond?: number;
}

export interface Alarms {
  /** Evaluates everything that has become due since the last call, in order of time. */
  advance(): void;
  /** When `advance` next has something to do. */
  nextEvaluationAtMs(): number;
  /** PutMetricAlarm. The state of an existing alarm stays; a new one starts as INSUFFICIENT_DATA. Throws CloudWatchFault. */
  put(body: unknown): Alarm;
  get(name: string): Alarm | undefined;
  /** DescribeAlarms, as its reply. Throws CloudWatchFault. */
  describe(request: DescribeAlarmsRequest): Readonly<Record<string, unknown>>;
  /** SetAlarmState: lasts until the next evaluation. Throws CloudWatchFault. */
  setState(request: SetAlarmStateRequest): void;
  /** EnableAlarmActions and DisableAlarmActions. Throws CloudWatchFault. */
  setActionsEnabled(names: readonly string[], enabled: boolean): void;
  /** DeleteAlarms: all or, when one does not exist, none. Throws CloudWatchFault. */
  delete(names: readonly string[]): void;
}

/** No alarms yet. Evaluation begins at the clock's present time. */
export function createAlarms(options: AlarmsOptions): Alarms {
  return new LocalAlarms(options);
}

class LocalAlarms implements Alarms {
  readonly #options: AlarmsOptions;
  readonly #offsetMs: number;
  readonly #alarms = new Map<string, Alarm>();
  #evaluatedUntilMs: number;
  #isAdvancing = false;

  constructor(options: AlarmsOptions) {
    const { evaluationSecond = 15 } = options;
    if (!(evaluationSecond >= 0 && evaluationSecond < 60)) {
      throw new RangeError(`evaluationSecond: found ${evaluationSecond}, expected 0 to 59`);
    }
    this.#options = options;
    this.#offsetMs = evaluationSecond * 1000;
    this.#evaluatedUntilMs = options.clock.nowMs();
  }

  advance(): void {
    // A callback that asks for alarms while time is being made up must not run ahead of it.
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    try {
      this.#advanceTo(this.#options.clock.nowMs());
    } finally {
      this.#isAdvancing = false;
    }
  }

  #advanceTo(nowMs: number): void {
    this.#evaluatedUntilMs = Math.max(this.#evaluatedUntilMs, nowMs - MAX_CATCH_UP_MS);
    for (let atMs = this.nextEvaluationAtMs(); atMs <= nowMs; atMs = this.nextEvaluationAtMs()) {
      this.#evaluatedUntilMs = atMs;
      this.#evaluateAt(atMs);
    }
    this.#evaluatedUntilMs = Math.max(this.#evaluatedUntilMs, nowMs);
  }

  nextEvaluationAtMs(): number {
    const isFast = [...this.#alarms.values()].some((alarm) => alarm.definition.periodSeconds < 60);
    const stepMs = isFast ? FAST_STEP_MS : MINUTE_MS;
    const phaseMs = this.#offsetMs % stepMs;
    return Math.floor((this.#evaluatedUntilMs - phaseMs) / stepMs) * stepMs + stepMs + phaseMs;
  }

  put(body: unknown): Alarm {
    this.advance();
    const { store, clock, accountId = '123456789012', region = 'us-east-1' } = this.#options;
    const definition = parseAlarm(body, store);
    const { AlarmName: name } = definition.request;
    const known = this.#alarms.get(name);
    if (!known && this.#alarms.size >= MAX_ALARMS) {
      throw new CloudWatchFault('LimitExceededFault', `This CloudWatch holds at most ${MAX_ALARMS} alarms`);
    }
    const nowMs = clock.nowMs();
    const arn = `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
    const alarm = { arn, definition, configuredAtMs: nowMs, state: known?.state ?? initialState(nowMs) };
    this.#alarms.set(name, alarm);
    return alarm;
  }

  get(name: string): Alarm | undefined {
    return this.#alarms.get(name);
  }

  describe(request: DescribeAlarmsRequest): Readonly<Record<string, unknown>> {
    this.advance();
    return describePage([...this.#alarms.values()], request);
  }

  setState(request: SetAlarmStateRequest): void {
    this.advance();
    const nowMs = this.#options.clock.nowMs();
    const { StateValue: value, StateReason: reason, StateReasonData: reasonData } = request;
    if (reasonData !== undefined) checkJson(reasonData);
    for (const alarm of this.#existing([request.AlarmName])) {
      const changedAtMs = value === alarm.state.value ? alarm.state.changedAtMs : nowMs;
      this.#change(alarm, { value, reason, reasonData, updatedAtMs: nowMs, changedAtMs });
    }
  }

  setActionsEnabled(names: readonly string[], enabled: boolean): void {
    this.advance();
    // AWS passes over names that do not exist.
    for (const alarm of names.flatMap((name) => this.#alarms.get(name) ?? [])) {
      const request = { ...alarm.definition.request, ActionsEnabled: enabled };
      this.#alarms.set(request.AlarmName, { ...alarm, definition: { ...alarm.definition, request } });
    }
  }

  delete(names: readonly string[]): void {
    this.advance();
    for (const alarm of this.#existing([...new Set(names)])) this.#alarms.delete(alarm.definition.request.AlarmName);
  }

  #existing(names: readonly string[]): readonly Alarm[] {
    const absent = names.filter((name) => !this.#alarms.has(name));
    if (absent.length > 0) throw new CloudWatchFault('ResourceNotFound', `Unknown alarm: ${absent.join(', ')}`);
    return names.flatMap((name) => this.#alarms.get(name) ?? []);
  }

  #evaluateAt(atMs: number): void {
    const isMinute = (atMs - this.#offsetMs) % MINUTE_MS === 0;
    for (const name of [...this.#alarms.keys()]) {
      // Looked up afresh: the callback of an earlier alarm may have changed or deleted this one.
      const alarm = this.#alarms.get(name);
      if (!alarm || (!isMinute && alarm.definition.periodSeconds >= 60)) continue;
      const state = evaluate(this.#options.store, alarm, atMs);
      if (state) this.#change(alarm, state);
    }
  }

  #change(alarm: Alarm, state: AlarmState): void {
    const { request } = alarm.definition;
    const changed: Alarm = { ...alarm, state };
    this.#alarms.set(request.AlarmName, changed);
    if (state.value === alarm.state.value) return;
    const actionArns = request.ActionsEnabled ? actionsOf(changed) : [];
    this.#options.onTransition({ alarm: changed, actionArns, event: alarmEvent(changed, alarm.state) });
  }
}

const FIRST_REASON = 'Unchecked: Initial alarm creation';

function initialState(nowMs: number): AlarmState {
  return {
    value: 'INSUFFICIENT_DATA',
    reason: FIRST_REASON,
    reasonData: undefined,
    updatedAtMs: nowMs,
    changedAtMs: nowMs,
  };
}

/** The state after an evaluation; null when nothing about it changes. */
function evaluate(store: MetricStore, alarm: Alarm, atMs: number): AlarmState | null {
  const { definition, state } = alarm;
  const { request, datapointsToAlarm } = definition;
  const range = readRange(store, alarm, atMs);
  const { Threshold: threshold, ComparisonOperator: comparison, TreatMissingData: treatMissingData } = request;
  const rule = { threshold, comparison, treatMissingData, datapointsToAlarm };
  const verdict = judge(range, { ...rule, evaluationPeriods: request.EvaluationPeriods }, state.value);
  const isSame = verdict.state === state.value;
  // A state keeps the reason that led to it; only "Unchecked" gives way to the first look.
  if (isSame && !(state.reason === FIRST_REASON && verdict.state === 'INSUFFICIENT_DATA')) return null;
  const judgement: Judgement = {
    ...rule,
    verdict,
    range,
    atMs,
    countsDatapoints: request.DatapointsToAlarm !== undefined,
    periodSeconds: definition.periodSeconds,
    statistic: isSingleMetric(definition) ? (definition.watched.MetricStat?.Stat ?? null) : null,
    unit: request.Unit,
  };
  return {
    value: verdict.state,
    reason: reasonOf(judgement),
    reasonData: reasonDataOf(judgement),
    updatedAtMs: atMs,
    changedAtMs: isSame ? state.changedAtMs : atMs,
  };
}

/**
 * The datapoints of the evaluation range, oldest first. It ends with the last whole minute (or short period), whatever
 * the length of the period: a five-minute period may begin at 16:59, as in AWS's recorded events.
 */
function readRange(store: MetricStore, { definition }: Alarm, atMs: number): readonly Datapoint[] {
  const periodMs = definition.periodSeconds * 1000;
  const stepMs = Math.min(periodMs, MINUTE_MS);
  const length = evaluationRange(definition.request.EvaluationPeriods);
  const endMs = Math.floor(atMs / stepMs) * stepMs;
  const window: Window = { startMs: endMs - length * periodMs, endMs, asOfMs: atMs };
  const starts = Array.from({ length }, (_, index) => window.startMs + index * periodMs);
  const { watched } = definition;
  if (watched.MetricStat) {
    const points = metricPoints(store, watched.MetricStat, window);
    return starts.map((start) => {
      const point = points.get(start);
      return { atMs: start, value: point?.value ?? null, sampleCount: point?.sampleCount ?? null };
    });
  }
  const series = seriesReader(store, definition.queries, window)(watched.Id);
  return starts.map((start) => ({ atMs: start, value: series.get(start) ?? null, sampleCount: null }));
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new CloudWatchFault('InvalidParameterValueException', 'StateReasonData was not valid JSON');
  }
}
