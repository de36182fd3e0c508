import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../lib/errors.ts';
import { parseEvent } from '../../lib/lambda/events.ts';

function recorded(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
}

const AT_MS = Date.UTC(2026, 5, 1, 11, 59, 30, 123);
const alarm = { kind: 'alarm', alarmName: 'autoscaler-prod-backlog-worker', atMs: AT_MS };

describe('parseEvent reads a recorded', () => {
  it.each([
    ['alarm-direct', { ...alarm, state: 'ALARM' }],
    ['alarm-direct-set-state', { ...alarm, state: 'ALARM' }],
    ['alarm-composite', { ...alarm, alarmName: 'everything-is-bad', state: 'ALARM' }],
    ['alarm-sns', { ...alarm, state: 'OK' }],
    ['alarm-eventbridge', { ...alarm, state: 'ALARM' }],
    ['tick', { kind: 'tick', atMs: Date.UTC(2026, 5, 1, 12) }],
  ])('%s', (name, expected) => {
    expect(parseEvent(recorded(name))).toEqual([expected]);
  });

  it('alarm state without a timestamp of its own: the time of the event counts', () => {
    const event = recorded('alarm-direct');
    const withoutTime = { ...event, alarmData: { alarmName: 'a', state: { value: 'ALARM' } } };
    expect(parseEvent(withoutTime)).toEqual([{ kind: 'alarm', alarmName: 'a', state: 'ALARM', atMs: AT_MS }]);
  });
});

describe('parseEvent refuses, naming every problem,', () => {
  const direct = recorded('alarm-direct');
  it.each<[string, unknown, string[]]>([
    ['nothing', null, ['event']],
    ['a string', 'tick', ['event']],
    ['a list', [], ['event']],
    ['an object of unknown shape', { hello: 1 }, ['event']],
    [
      'an alarm without its name and state',
      { ...direct, alarmData: { state: {} } },
      ['alarmData.alarmName', 'alarmData.state.value'],
    ],
    ['an alarm with an impossible time', { ...direct, time: 'yesterday' }, ['time']],
    [
      'an alarm with an endless name',
      { ...direct, alarmData: { alarmName: 'x'.repeat(256), state: { value: 'OK' } } },
      ['alarmData.alarmName'],
    ],
    ['an SNS event without records', { Records: [] }, ['Records']],
    ['an SNS message that is not JSON', { Records: [{ Sns: { Message: 'hello' } }] }, ['Records.Sns.Message']],
    [
      'an SNS message about something else',
      { Records: [{ Sns: { Message: '{"a":1}' } }] },
      ['AlarmName', 'NewStateValue', 'StateChangeTime'],
    ],
    ['a schedule without a time', { 'detail-type': 'Scheduled Event' }, ['time']],
    ['an SQS event', { Records: [{ messageId: '1', body: '{}', eventSource: 'aws:sqs' }] }, ['Records.0.Sns']],
  ])('%s', (_title, event, fields) => {
    try {
      parseEvent(event);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidInputError);
      expect((error as InvalidInputError).problems.map(({ field }) => field)).toEqual(fields);
    }
  });

  it('whatever else is thrown at it, without any other kind of error', () => {
    const pollute = fc.constant(
      JSON.parse('{"__proto__":{"polluted":true},"alarmData":{"__proto__":{"alarmName":"x"}}}'),
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.object(), pollute), (event) => {
        try {
          parseEvent(event);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidInputError);
        }
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
