import { describe, expect, it } from 'vitest';
import { actionSchema, parsePage, salvageAction, serverSchema, stackSchema } from '../../lib/cloud66/schema.ts';

const actionWith = (fields: Record<string, unknown>) => parsePage(actionSchema, { id: 1, action: 'x', ...fields });
const firstOf = (parsed: ReturnType<typeof actionWith>) =>
  parsed.kind === 'ok' ? parsed.value.items[0] : parsed.problems;

describe('times', () => {
  it.each([
    ['2014-09-01T19:08:05Z', Date.UTC(2014, 8, 1, 19, 8, 5)],
    ['2014-08-14T01:46:53+00:00', Date.UTC(2014, 7, 14, 1, 46, 53)],
    ['2014-08-14 01:46:52 UTC', Date.UTC(2014, 7, 14, 1, 46, 52)],
    ['2014-08-14T03:46:52.123456+0200', Date.UTC(2014, 7, 14, 1, 46, 52, 123)],
    ['2014-08-13T20:46:52.5-05:00', Date.UTC(2014, 7, 14, 1, 46, 52, 500)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    [null, null],
  ])('reads %s', (text, expected) => {
    expect(firstOf(actionWith({ finished_at: text }))).toMatchObject({ finishedAtMs: expected });
  });

  it.each([
    '',
    'yesterday',
    '2014-08-14',
    '2014-08-14T01:46:52',
    '2023-02-29T00:00:00Z',
    '2014-13-01T00:00:00Z',
    5,
    {},
  ])('refuses %j rather than guessing', (value) => {
    expect(firstOf(actionWith({ started_at: value }))).toMatchObject([{ field: 'started_at' }]);
  });

  it('refuses an hour that no day has', () => {
    const problem = { field: 'started_at', message: 'expected a time or null, found "2014-01-01T25:00:00Z"' };
    expect(firstOf(actionWith({ started_at: '2014-01-01T25:00:00Z' }))).toEqual([problem]);
  });
});

describe('actions', () => {
  it.each([
    [true, true],
    [false, false],
    ['true', true],
    ['false', false],
    [null, null],
    [undefined, null],
  ])('reads finished_success %j', (value, expected) => {
    expect(firstOf(actionWith({ finished_success: value }))).toMatchObject({ success: expected });
  });

  it.each(['yes', '', 1, 0, {}])('refuses finished_success %j', (value) => {
    expect(firstOf(actionWith({ finished_success: value }))).toMatchObject([{ field: 'finished_success' }]);
  });

  it.each([
    [{ user_reference: 'decision-1' }, 'decision-1'],
    [{ user_reference: 7 }, null],
    [{}, null],
    [null, null],
    ['text', null],
  ])('reads the echoed reference of metadata %j', (metadata, expected) => {
    expect(firstOf(actionWith({ metadata }))).toMatchObject({ userReference: expected });
  });

  it('takes an id as digits, and does not fail over a message of an unknown form', () => {
    const parsed = actionWith({ id: '4153', finished_message: { text: 'odd' } });
    expect(firstOf(parsed)).toMatchObject({ id: 4153, message: null });
    expect(firstOf(actionWith({ id: 1.5 }))).toMatchObject([{ field: 'id' }]);
    expect(firstOf(actionWith({ id: -1 }))).toMatchObject([{ field: 'id' }]);
  });
});

describe('an item that cannot be read', () => {
  const listed = [{ id: 1, action: 'a' }, { id: 2, action: null, finished_at: '' }, 'text', { id: 4, action: 'd' }];

  it('leaves the others of its list readable, and is kept with its place and its problems', () => {
    const parsed = parsePage(actionSchema, { response: listed });
    expect(parsed).toMatchObject({
      kind: 'ok',
      value: {
        items: [{ id: 1 }, { id: 4 }],
        unreadable: [
          { value: listed[1], path: 'response[1]', problems: [{ field: 'response[1].action' }, {}] },
          { value: 'text', path: 'response[2]', problems: [{ field: 'response[2]' }] },
        ],
      },
    });
  });

  it('makes a page unreadable where it stands alone', () => {
    expect(parsePage(actionSchema, { response: listed[1] })).toMatchObject({ kind: 'problems' });
  });

  it.each<[unknown, object | null]>([
    ['text', null],
    [null, null],
    [{}, { id: 0, kind: 'unknown', startedAtMs: null, finishedAtMs: null, success: null, userReference: null }],
    [
      { id: '7', action: 'Process_scale', finished_at: '', started_at: '2014-09-01T19:08:05Z' },
      { id: 7, kind: 'Process_scale', finishedAtMs: null, startedAtMs: Date.UTC(2014, 8, 1, 19, 8, 5) },
    ],
    [
      { action: [], finished_at: '2014-09-01T19:08:05Z', finished_success: 'true', metadata: { user_reference: 'd' } },
      { kind: 'unknown', finishedAtMs: Date.UTC(2014, 8, 1, 19, 8, 5), success: true, userReference: 'd' },
    ],
  ])('of the action log (%j) still tells what can be read of it', (value, expected) => {
    const salvaged = salvageAction({ value, path: '', problems: [] });
    if (expected === null) expect(salvaged).toBeNull();
    else expect(salvaged).toMatchObject(expected);
  });
});

describe('stacks and servers', () => {
  it.each([
    [
      { status: 6, maintenance_mode: true },
      { status: 6, maintenanceMode: true },
    ],
    [
      { status: '1', maintenance_mode: 'false' },
      { status: 1, maintenanceMode: false },
    ],
    [{ status: 1 }, { status: 1, maintenanceMode: false }],
  ])('reads the stack %j', (wire, expected) => {
    expect(parsePage(stackSchema, wire)).toMatchObject({ kind: 'ok', value: { items: [expected] } });
  });

  it('refuses a stack without status, and a maintenance mode that is neither on nor off', () => {
    expect(parsePage(stackSchema, { response: { maintenance_mode: 'perhaps' } })).toEqual({
      kind: 'problems',
      problems: [
        { field: 'response.status', message: 'is missing' },
        { field: 'response.maintenance_mode', message: 'expected a boolean or null, found "perhaps"' },
      ],
    });
  });

  it.each([3, '3', 'failed', null])('keeps the health state %j', (health) => {
    const parsed = parsePage(serverSchema, { uid: 'aa', name: 'web', health_state: health });
    const expected = health === '3' ? 3 : health;
    expect(parsed).toMatchObject({ value: { items: [{ healthState: expected }] } });
  });

  it('refuses uids that could not stand in a path, names that are empty, and health of no known form', () => {
    const parsed = parsePage(serverSchema, [{ uid: '../x', name: '', health_state: [] }]);
    const [item] = parsed.kind === 'ok' ? parsed.value.unreadable : [];
    expect(item?.problems.map(({ field }) => field)).toEqual(['[0].uid', '[0].name', '[0].health_state']);
  });
});
