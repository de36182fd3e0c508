import { describe, expect, it } from 'vitest';
import { createAlarms } from '../../../lib/simulation/cloudwatch/alarms.ts';
import type { Transition } from '../../../lib/simulation/cloudwatch/events.ts';
import { createMetricStore, sampleOf } from '../../../lib/simulation/cloudwatch/store.ts';
import { ALARM, createWorld, ManualClock, METRIC, MINUTE_MS, START_MS } from './fixture.ts';

const changes = (transitions: readonly Transition[]): readonly string[] =>
  transitions.map(({ event: { alarmData } }) => `${alarmData.previousState.value}>${alarmData.state.value}`);

describe('alarms over time', () => {
  it('starts without data, and its first change runs the action of the state that it comes to', () => {
    const { alarms, transitions, pass } = createWorld();
    alarms.put(ALARM);
    expect(alarms.get('mailer-high')?.state).toMatchObject({
      value: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
    });
    expect(pass([3])).toEqual(['OK']);
    expect(changes(transitions)).toEqual(['INSUFFICIENT_DATA>OK']);
    expect(transitions[0]?.actionArns).toEqual(ALARM.OKActions);
  });

  it('runs actions once per change while a breach lasts, and the OK action at its end', () => {
    const { alarms, transitions, pass } = createWorld();
    alarms.put(ALARM);
    expect(pass([3, 12, 50, 80, 9])).toEqual(['OK', 'ALARM', 'ALARM', 'ALARM', 'OK']);
    expect(changes(transitions)).toEqual(['INSUFFICIENT_DATA>OK', 'OK>ALARM', 'ALARM>OK']);
    expect(transitions.map((one) => one.actionArns)).toEqual([ALARM.OKActions, ALARM.AlarmActions, ALARM.OKActions]);
  });

  it('flaps with a flapping metric at 1 out of 1 and does not at 3 out of 3', () => {
    const { alarms, pass } = createWorld();
    alarms.put(ALARM);
    alarms.put({ ...ALARM, AlarmName: 'steady', EvaluationPeriods: 3 });
    expect(pass([12, 1, 12, 1])).toEqual(['ALARM', 'OK', 'ALARM', 'OK']);
    expect(alarms.get('steady')?.state.value).toBe('OK');
  });

  it('needs M of the last N datapoints, in any order', () => {
    const { alarms, pass } = createWorld();
    alarms.put({ ...ALARM, EvaluationPeriods: 3, DatapointsToAlarm: 2 });
    expect(pass([1, 12, 1, 12, 1, 1])).toEqual(['OK', 'OK', 'OK', 'ALARM', 'OK', 'OK']);
  });

  it('breaches at the threshold itself with "or equal", one hair below not', () => {
    const { alarms, pass } = createWorld();
    alarms.put(ALARM);
    expect(pass([9.999, 10])).toEqual(['OK', 'ALARM']);
  });

  it('keeps judging the last real datapoint until it leaves the evaluation range', () => {
    const { alarms, pass } = createWorld();
    alarms.put(ALARM);
    expect(pass([12, null, null, null, null, null])).toEqual(['ALARM', 'ALARM', 'ALARM', 'ALARM', 'ALARM', 'OK']);
  });

  it.each([
    ['missing', 'INSUFFICIENT_DATA'],
    ['ignore', 'ALARM'],
    ['breaching', 'ALARM'],
    ['notBreaching', 'OK'],
  ])('after a long silence following a breach, %s leads to %s', (TreatMissingData, expected) => {
    const { alarms, pass } = createWorld();
    alarms.put({ ...ALARM, TreatMissingData });
    expect(pass([12, null, null, null, null, null, null]).at(-1)).toBe(expected);
  });

  it('is evaluated at its second of the minute, also when nobody looked for a while', () => {
    const { alarms, clock, store, transitions } = createWorld();
    alarms.put(ALARM);
    store.add(METRIC, sampleOf(12, START_MS, START_MS, 'Count'));
    store.add(METRIC, sampleOf(1, START_MS + MINUTE_MS, START_MS + MINUTE_MS, 'Count'));
    expect(alarms.nextEvaluationAtMs()).toBe(START_MS + 15_000);
    clock.moveTo(START_MS + 10 * MINUTE_MS);
    alarms.advance();
    expect(transitions.map((one) => one.event.time)).toEqual([
      // At 10:00:15 no minute has ended yet: the rule for missing data says OK.
      '2026-11-23T10:00:15.000+0000',
      '2026-11-23T10:01:15.000+0000',
      '2026-11-23T10:02:15.000+0000',
    ]);
    expect(changes(transitions)).toEqual(['INSUFFICIENT_DATA>OK', 'OK>ALARM', 'ALARM>OK']);
  });

  it('does not see a point that is published later', () => {
    const { alarms, clock, store } = createWorld();
    alarms.put(ALARM);
    store.add(METRIC, sampleOf(12, START_MS, START_MS + MINUTE_MS + 40_000, 'Count'));
    clock.moveTo(START_MS + MINUTE_MS + 30_000);
    alarms.advance();
    expect(alarms.get('mailer-high')?.state.value).toBe('OK');
    clock.moveTo(START_MS + 2 * MINUTE_MS + 30_000);
    alarms.advance();
    expect(alarms.get('mailer-high')?.state.value).toBe('ALARM');
  });

  it('evaluates periods of 10 seconds every 10 seconds', () => {
    const clock = new ManualClock();
    const store = createMetricStore({ clock });
    const times: string[] = [];
    const onTransition = ({ event }: Transition): void => void times.push(event.time);
    const alarms = createAlarms({ store, clock, onTransition, evaluationSecond: 2 });
    alarms.put({ ...ALARM, Period: 10, TreatMissingData: 'missing' });
    store.add(METRIC, sampleOf(12, START_MS + 10_000, START_MS, 'Count'));
    clock.moveTo(START_MS + 60_000);
    alarms.advance();
    expect(times).toEqual(['2026-11-23T10:00:22.000+0000']);
  });

  it('judges five-minute periods every minute, ending with the last whole minute', () => {
    const { alarms, clock, store, transitions } = createWorld();
    alarms.put({ ...ALARM, Period: 300, TreatMissingData: 'missing' });
    store.add(METRIC, sampleOf(12, START_MS + 3 * MINUTE_MS, START_MS, 'Count'));
    clock.moveTo(START_MS + 4 * MINUTE_MS + 30_000);
    alarms.advance();
    const data: unknown = JSON.parse(transitions[0]?.event.alarmData.state.reasonData ?? '{}');
    expect(data).toMatchObject({ period: 300, startDate: '2026-11-23T09:59:00.000+0000', recentDatapoints: [12] });
  });

  it('watches an expression', () => {
    const { alarms, clock, store, transitions } = createWorld();
    const stat = (MetricName: string) => ({ Metric: { Namespace: 'Jobs', MetricName }, Period: 60, Stat: 'Maximum' });
    alarms.put({
      AlarmName: 'sum',
      EvaluationPeriods: 1,
      Threshold: 10,
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      Metrics: [
        { Id: 'e1', Expression: 'visible + FILL(hidden, 0)', Label: 'Backlog', ReturnData: true },
        { Id: 'visible', MetricStat: stat('Visible'), ReturnData: false },
        { Id: 'hidden', MetricStat: stat('Hidden'), ReturnData: false },
      ],
    });
    const id = (name: string) => ({ namespace: 'Jobs', name, dimensions: {} });
    store.add(id('Visible'), sampleOf(8, START_MS, START_MS, 'Count'));
    store.add(id('Visible'), sampleOf(8, START_MS + MINUTE_MS, START_MS, 'Count'));
    store.add(id('Hidden'), sampleOf(3, START_MS + MINUTE_MS, START_MS, 'Count'));
    clock.moveTo(START_MS + 2 * MINUTE_MS + 30_000);
    alarms.advance();
    expect(changes(transitions)).toEqual(['INSUFFICIENT_DATA>OK', 'OK>ALARM']);
    expect(transitions[1]?.event.alarmData.state.reason).toContain(
      '1 datapoint [11.0 (23/11/26 10:01:00)] was greater',
    );
  });

  it('lets the callback look at, change and delete alarms', () => {
    const clock = new ManualClock();
    const store = createMetricStore({ clock });
    const seen: string[] = [];
    const alarms = createAlarms({
      store,
      clock,
      onTransition: ({ alarm, event }) => {
        seen.push(`${alarm.definition.request.AlarmName} ${event.time.slice(11, 19)}`);
        alarms.describe({ MaxRecords: 50 });
        if (alarms.get('second')) alarms.delete(['second']);
      },
    });
    alarms.put({ ...ALARM, AlarmName: 'first' });
    alarms.put({ ...ALARM, AlarmName: 'second' });
    clock.moveTo(START_MS + 5 * MINUTE_MS);
    alarms.advance();
    expect(seen).toEqual(['first 10:00:15']);
    expect(alarms.get('second')).toBeUndefined();
  });

  it('replays at most a day after a long sleep', () => {
    const { alarms, clock, transitions } = createWorld();
    alarms.put({ ...ALARM, TreatMissingData: 'breaching' });
    clock.moveTo(START_MS + 3 * 24 * 60 * MINUTE_MS);
    alarms.advance();
    expect(transitions.map((one) => one.event.time)).toEqual(['2026-11-25T10:00:15.000+0000']);
    expect(alarms.nextEvaluationAtMs()).toBe(clock.nowMs() + 15_000);
  });
});

describe('changing alarms', () => {
  it('keeps the state of an alarm that is put again, and runs nothing', () => {
    const { alarms, transitions, pass } = createWorld();
    alarms.put({ ...ALARM, TreatMissingData: 'missing' });
    pass([12]);
    alarms.put({ ...ALARM, Threshold: 100 });
    expect(alarms.get('mailer-high')?.state.value).toBe('ALARM');
    expect(transitions).toHaveLength(1);
    expect(pass([12])).toEqual(['OK']);
  });

  it('changes the state by hand until the next evaluation, without reasonData', () => {
    const { alarms, clock, transitions, pass } = createWorld();
    alarms.put(ALARM);
    pass([1]);
    clock.moveTo(START_MS + 2 * MINUTE_MS);
    alarms.setState({ AlarmName: 'mailer-high', StateValue: 'ALARM', StateReason: 'test' });
    alarms.setState({ AlarmName: 'mailer-high', StateValue: 'ALARM', StateReason: 'again' });
    expect(changes(transitions)).toEqual(['INSUFFICIENT_DATA>OK', 'OK>ALARM']);
    expect(transitions[1]?.event.alarmData.state).toEqual({
      value: 'ALARM',
      reason: 'test',
      timestamp: '2026-11-23T10:02:00.000+0000',
    });
    expect(pass([1])).toEqual(['OK']);
  });

  it('runs no actions while they are disabled, and still tells of the change', () => {
    const { alarms, transitions, pass } = createWorld();
    alarms.put({ ...ALARM, ActionsEnabled: false, TreatMissingData: 'missing' });
    pass([12]);
    expect(transitions.map((one) => one.actionArns)).toEqual([[]]);
    alarms.setActionsEnabled(['mailer-high'], true);
    pass([1]);
    expect(transitions.at(-1)?.actionArns).toEqual(ALARM.OKActions);
  });

  it('deletes all or nothing', () => {
    const { alarms } = createWorld();
    alarms.put(ALARM);
    expect(() => alarms.delete(['mailer-high', 'other'])).toThrow('Unknown alarm: other');
    expect(alarms.get('mailer-high')).toBeDefined();
    alarms.delete(['mailer-high']);
    expect(alarms.get('mailer-high')).toBeUndefined();
  });

  it.each([
    [{ Period: 45 }, 'Period'],
    [{ Statistic: undefined }, 'missing are Statistic or ExtendedStatistic'],
    [{ Statistic: undefined, ExtendedStatistic: 'tm90' }, "found 'tm90'"],
    [{ ExtendedStatistic: 'p95' }, 'Only one of Statistic'],
    [{ EvaluationPeriods: 1, DatapointsToAlarm: 2 }, 'DatapointsToAlarm'],
    [{ EvaluationPeriods: 1441 }, 'more than a day'],
    [{ Period: 5 }, '10, 20, 30'],
    [{ ThresholdMetricId: 'ad1' }, 'ThresholdMetricId'],
    [{ Metrics: [{ Id: 'e1', Expression: 'm1' }] }, 'Metrics excludes MetricName, Namespace, Period, Statistic'],
  ])('refuses %o', (change, message) => {
    const { alarms } = createWorld();
    expect(() => alarms.put({ ...ALARM, ...change })).toThrow(message);
  });

  it.each([
    ['m1 + nothing', "no metric or expression with the id 'nothing'"],
    ['e1 + m1', 'refers to itself'],
    ['MAX(m1)', 'expected one time series'],
    ['ANOMALY_DETECTION_BAND(m1)', 'not emulated'],
    ['m1 +', 'ends too early'],
  ])('refuses the expression %s when the alarm is put', (Expression, message) => {
    const { alarms } = createWorld();
    const MetricStat = { Metric: { Namespace: 'Jobs', MetricName: 'Depth' }, Period: 60, Stat: 'Maximum' };
    const body = {
      AlarmName: 'bad',
      EvaluationPeriods: 1,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      Metrics: [
        { Id: 'e1', Expression },
        { Id: 'm1', MetricStat, ReturnData: false },
      ],
    };
    expect(() => alarms.put(body)).toThrow(message);
  });
});
