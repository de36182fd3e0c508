import { describe, expect, it } from 'vitest';
import { openWindows, scheduleRules } from '../../lib/config/schedule.ts';

function rules(text: string) {
  const parsed = scheduleRules.parse(text);
  if (parsed === null) throw new Error(`"${text}" was refused`);
  return parsed;
}
const opened = (text: string, at: string) =>
  openWindows(rules(text), Date.parse(at)).map(({ startMs, endMs }) =>
    [startMs, endMs].map((ms) => new Date(ms).toISOString()),
  );

describe('SCHEDULE', () => {
  it('tells the windows of the time that is asked for, whatever was asked before', () => {
    const parsed = rules('*/5 * * * * | UTC | 2m | min=2');
    const startsAt = (at: string) =>
      openWindows(parsed, Date.parse(at)).map(({ startMs }) => new Date(startMs).toISOString());
    expect(startsAt('2026-06-01T12:04:59.999Z')).toEqual([]);
    expect(startsAt('2026-06-01T12:05:00.000Z')).toEqual(['2026-06-01T12:05:00.000Z']);
    expect(startsAt('2026-06-01T12:05:59.999Z')).toEqual(['2026-06-01T12:05:00.000Z']);
    expect(startsAt('2026-06-01T12:07:00.000Z')).toEqual([]);
    expect(startsAt('2026-06-01T12:01:30.000Z')).toEqual(['2026-06-01T12:00:00.000Z']);
  });

  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z'],
    ['*/20 1-3 * * *', 'America/New_York', '2026-03-08T00:00:00Z'],
    ['*/20 1-3 * * *', 'America/New_York', '2026-10-31T22:00:00Z'],
    ['15,45 * * * *', 'Australia/Lord_Howe', '2026-04-04T08:00:00Z'],
    ['15,45 * * * *', 'Australia/Lord_Howe', '2026-10-03T08:00:00Z'],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z'],
    ['59 23 31 12 *', 'Pacific/Apia', '2011-12-29T00:00:00Z'],
  ])('remembers the run of "%s" in %s only until the next, also when the clocks change', (cron, zone, from) => {
    const text = `${cron} | ${zone} | 25m | min=2`;
    const remembered = rules(text);
    const startMs = Date.parse(from);
    for (let minute = 0; minute < 2 * 1440; minute += 5) {
      const nowMs = startMs + minute * 60_000 + 30_000;
      expect(openWindows(remembered, nowMs)).toEqual(openWindows(rules(text), nowMs));
    }
  });

  it('is read as rules of four parts', () => {
    expect(rules('0 7 * * 1-5 | Europe/Berlin | 10h | min=4 max=20; 0 0 * * 0 | UTC | 1d | max=2')).toEqual([
      { cron: '0 7 * * 1-5', timeZone: 'Europe/Berlin', durationSeconds: 36_000, minWorkers: 4, maxWorkers: 20 },
      { cron: '0 0 * * 0', timeZone: 'UTC', durationSeconds: 86_400, minWorkers: null, maxWorkers: 2 },
    ]);
  });

  it.each([
    '',
    '0 7 * * *',
    '0 7 * * * | UTC | 10h',
    '0 7 * * * | UTC | 10h | min=4 | more',
    '0 7 * * * | Europe/Berln | 10h | min=4',
    '0 7 * * * |  | 10h | min=4',
    '0 0 7 * * * | UTC | 10h | min=4',
    '0 77 * * * | UTC | 10h | min=4',
    '0 0 31 2 * | UTC | 10h | min=4',
    '0 7 * * * | UTC | 10 | min=4',
    '0 7 * * * | UTC | 8d | min=4',
    '0 7 * * * | UTC | 0h | min=4',
    '0 7 * * * | UTC | 10h | min=4 min=5',
    '0 7 * * * | UTC | 10h | min=5 max=4',
    '0 7 * * * | UTC | 10h | workers=4',
    Array(21).fill('0 7 * * * | UTC | 10h | min=4').join(';'),
  ])('refuses "%s"', (text) => {
    expect(scheduleRules.parse(text)).toBeNull();
  });
});

describe('a window', () => {
  const morning = '0 7 * * 1-5 | Europe/Berlin | 10h | min=4';

  it.each([
    ['2026-06-01T04:59:59Z', false],
    ['2026-06-01T05:00:00Z', true],
    ['2026-06-01T14:59:59Z', true],
    ['2026-06-01T15:00:00Z', false],
    ['2026-06-06T08:00:00Z', false],
    ['2026-12-01T05:30:00Z', false],
    ['2026-12-01T06:00:00Z', true],
  ])('of working mornings in Berlin, at %s: open is %s', (at, open) => {
    expect(opened(morning, at).length > 0).toBe(open);
  });

  const night = '30 2 * * * | Europe/Berlin | 1h | max=2';

  it('opens once on the day when its hour comes twice', () => {
    expect(opened(night, '2026-10-25T00:45:00Z')).toEqual([['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']]);
    expect(opened(night, '2026-10-25T01:45:00Z')).toEqual([]);
  });

  it('opens after the gap on the day when its hour does not come', () => {
    expect(opened(night, '2026-03-29T00:59:00Z')).toEqual([]);
    expect(opened(night, '2026-03-29T01:15:00Z')).toEqual([['2026-03-29T01:00:00.000Z', '2026-03-29T02:00:00.000Z']]);
  });

  it('that is longer than the time to the next one is the newest one', () => {
    expect(opened('* * * * * | UTC | 7d | min=2', '2026-06-01T12:00:30Z')[0]?.[0]).toBe('2026-06-01T12:00:00.000Z');
  });
});
