import { describe, expect, it } from 'vitest';
import { breaches, type Datapoint, evaluationRange, judge } from '../../../lib/simulation/cloudwatch/evaluate.ts';
import type { Comparison, TreatMissingData } from '../../../lib/simulation/cloudwatch/shapes.ts';

/** `0` = within the threshold, `X` = breaching, `-` = missing; oldest first, as in the AWS tables. */
function range(text: string): readonly Datapoint[] {
  const values = { '0': 0, X: 9, '-': null };
  return text
    .split(' ')
    .map((sign, index) => ({ atMs: index * 60_000, value: values[sign as keyof typeof values], sampleCount: 1 }));
}

function stateFor(text: string, datapointsToAlarm: number, treatMissingData: TreatMissingData, current = 'RETAINED') {
  const rule = { threshold: 5, comparison: 'GreaterThanThreshold', evaluationPeriods: 3 } as const;
  return judge(range(text), { ...rule, datapointsToAlarm, treatMissingData }, current as 'OK').state;
}

const NONE = 'INSUFFICIENT_DATA';
const KEPT = 'RETAINED';

describe('the tables of the AWS user guide, alarms-and-missing-data', () => {
  it.each([
    // datapoints, missing, ignore, breaching, notBreaching
    ['0 - X - X', 'OK', 'OK', 'OK', 'OK'],
    ['0 - - - -', 'OK', 'OK', 'OK', 'OK'],
    ['- - - - -', NONE, KEPT, 'ALARM', 'OK'],
    ['0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['- - - - X', NONE, KEPT, 'ALARM', 'OK'],
    ['- - - X -', NONE, KEPT, 'ALARM', 'OK'],
    ['- - X - -', 'ALARM', KEPT, 'ALARM', 'OK'],
    ['X - - - -', 'ALARM', KEPT, 'ALARM', 'OK'],
  ])('3 out of 3: %s', (points, missing, ignore, breaching, notBreaching) => {
    const rules = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
    const states = rules.map((rule) => stateFor(points, 3, rule));
    expect(states).toEqual([missing, ignore, breaching, notBreaching]);
  });

  it.each([
    ['0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
    ['0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
    ['- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
    ['- - - - X', NONE, KEPT, 'ALARM', 'OK'],
    ['- - - X -', 'ALARM', KEPT, 'ALARM', 'OK'],
  ])('2 out of 3: %s', (points, missing, ignore, breaching, notBreaching) => {
    const rules = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
    const states = rules.map((rule) => stateFor(points, 2, rule));
    expect(states).toEqual([missing, ignore, breaching, notBreaching]);
  });
});

describe('judge', () => {
  it('uses only the newest N datapoints when enough are there', () => {
    expect(stateFor('X X 0 0 0', 1, 'missing')).toBe('OK');
    expect(stateFor('0 0 X X X', 3, 'missing')).toBe('ALARM');
    expect(stateFor('0 X X 0 X', 3, 'missing')).toBe('OK');
  });

  it('says which datapoints it used, newest first, and how many were filled', () => {
    const rule = {
      threshold: 5,
      comparison: 'GreaterThanThreshold',
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
    } as const;
    const verdict = judge(range('0 - - X -'), { ...rule, treatMissingData: 'breaching' }, 'OK');
    expect(verdict).toMatchObject({ state: 'OK', filled: 1, used: [{ value: 9 }, { value: 0 }] });
  });

  it('looks two periods further back than N, and at five at least', () => {
    expect([1, 3, 5, 15].map(evaluationRange)).toEqual([5, 5, 7, 17]);
  });
});

describe('breaches', () => {
  it.each<[Comparison, boolean, boolean, boolean]>([
    ['GreaterThanThreshold', false, false, true],
    ['GreaterThanOrEqualToThreshold', false, true, true],
    ['LessThanThreshold', true, false, false],
    ['LessThanOrEqualToThreshold', true, true, false],
  ])('%s below, at and above the threshold', (comparison, below, at, above) => {
    expect([9.999, 10, 10.001].map((value) => breaches(value, comparison, 10))).toEqual([below, at, above]);
  });
});
