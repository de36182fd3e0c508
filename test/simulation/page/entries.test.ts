import { describe, expect, it } from 'vitest';
import { REASONS } from '../../../lib/policy/reasons.ts';
import { alarmEntry, happeningOf, interventionEntry } from '../../../lib/simulation/page/entries.ts';
import { blindLine, holdLine, outcomeLine, quietLine, scaleOutLine } from './log-lines.ts';

const entryOf = (line: string) => happeningOf('function', 'scale', line);

describe('entries of the timeline', () => {
  it('tells a scale out with its working, what its reason means, and the record as it was written', () => {
    const line = scaleOutLine();
    expect(entryOf(line)).toEqual({
      kind: 'decision',
      tone: 'out',
      title: 'Scale out 1 → 7',
      why: '65 waiting + 0 in flight / 10 per worker = 7.',
      meaning: REASONS.backlog_above_target,
      record: line,
    });
  });

  it.each([
    ['a hold with a reason', holdLine(), { tone: 'hold', title: 'Hold at 10', meaning: REASONS.stabilizing_scale_in }],
    ['a hold that nobody has to read', quietLine(), { tone: 'quiet', title: 'Hold at 1', meaning: REASONS.at_minimum }],
    [
      'a look that saw nothing',
      blindLine(),
      { tone: 'bad', title: 'Hold, with an error', why: 'SQS answered 500', meaning: REASONS.backlog_unknown },
    ],
    [
      'an action that is confirmed',
      outcomeLine('confirmed', 'All there.'),
      { kind: 'outcome', tone: 'good', title: 'Action 1001 confirmed', why: 'All there.' },
    ],
    [
      'an action that failed',
      outcomeLine('failed', 'Cloud 66 said no.'),
      { kind: 'outcome', tone: 'bad', title: 'Action 1001 failed', why: 'Cloud 66 said no.' },
    ],
    [
      'an error of the function',
      JSON.stringify({ level: 'error', message: 'The invocation failed.', error: { message: 'why' } }),
      { kind: 'trouble', tone: 'bad', title: 'The invocation failed.', why: 'why' },
    ],
  ])('tells %s', (_name, line, expected) => {
    expect(entryOf(line)).toMatchObject(expected);
  });

  it('passes over metrics, looks and whatever is no record', () => {
    const look = JSON.stringify({ level: 'debug', message: 'still runs', event: 'look' });
    for (const line of ['{"_aws":{}}', 'START RequestId', '{"message":', look]) expect(entryOf(line)).toBeNull();
  });

  it('tells what the platform complains of, alarms, and what the visitor did', () => {
    expect(happeningOf('platform', 'scale', 'RetriesExhausted')).toMatchObject({
      tone: 'bad',
      why: 'RetriesExhausted',
    });
    expect(alarmEntry('backlog', 'ALARM')).toMatchObject({ tone: 'alarm', title: 'Alarm: backlog is high' });
    expect(alarmEntry('backlog', 'OK')).toMatchObject({ tone: 'quiet' });
    expect(interventionEntry('50 jobs added.')).toMatchObject({ tone: 'you', why: '50 jobs added.' });
  });

  it('keeps a record of a sane length only', () => {
    const line = JSON.stringify({ level: 'error', message: 'long', padding: 'x'.repeat(300_000) });
    expect(entryOf(line)?.record).toBeNull();
  });
});
