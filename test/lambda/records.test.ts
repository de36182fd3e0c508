import { describe, expect, it } from 'vitest';
import { encodeActionRecord, parseActionRecord } from '../../lib/actions/record.ts';
import type { Outcome } from '../../lib/domain.ts';
import { InvalidInputError } from '../../lib/errors.ts';
import { type ConfirmPorts, confirmRecords, type ForeignMessage } from '../../lib/lambda/records.ts';
import type { Reporter } from '../../lib/reconcile/ports.ts';
import { actionRecord } from '../actions/action-record.ts';
import { actionOf, ok, placementOf, serverOf } from '../support/observations.ts';
import { fakeWorld, openSignals, type WorldAnswers } from '../support/ports.ts';
import { logged } from './logged.ts';

const record = actionRecord({ requestedCounts: { a: 3, b: 2 } });
const body = encodeActionRecord(record);

function message(id: string, text: string, receiveCount = 1, groupId?: string) {
  const attributes = {
    ApproximateReceiveCount: String(receiveCount),
    ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
  };
  return { messageId: id, receiptHandle: `handle-${id}`, body: text, attributes, eventSource: 'aws:sqs' };
}

const running: Partial<WorldAnswers> = { action: { kind: 'found', action: actionOf() } };
const finished: Partial<WorldAnswers> = {
  action: { kind: 'found', action: actionOf({ finishedAtMs: record.acceptedAtMs + 60_000, success: true }) },
  placements: { worker: ok(placementOf(serverOf('a', 3), serverOf('b', 2))) },
};

function poller(changes: Partial<WorldAnswers>, more: Partial<ConfirmPorts> = {}) {
  const world = fakeWorld({ nowMs: record.acceptedAtMs + 70_000, ...changes });
  const hidden: [string, number][] = [];
  const letters: [ForeignMessage, string][] = [];
  const ended: [Outcome['kind'], number][] = [];
  const looked: Parameters<Reporter['looked']>[0][] = [];
  const { logger, records } = logged();
  const ports: ConfirmPorts = {
    clock: world.ports.clock,
    hostOf: () => world.ports.host,
    reporter: {
      ...world.ports.reporter,
      ended: ({ outcome, looks }) => ended.push([outcome.kind, looks]),
      looked: (event) => looked.push(event),
    },
    parseRecord: parseActionRecord,
    lookAgainSeconds: (looks) => looks * 10,
    changeVisibility: async (handle, seconds) => {
      hidden.push([handle, seconds]);
    },
    deadLetter: async (letter, reason) => {
      letters.push([letter, reason]);
    },
    actionTimeoutSeconds: 900,
    ...more,
  };
  const handle = (event: unknown) => confirmRecords(event, ports, openSignals(), logger);
  return { handle, hidden, letters, ended, looked, records };
}

describe('when calls to Cloud 66 run short', () => {
  it('what is under way is followed more slowly', async () => {
    const { handle, hidden } = poller({ ...running, isStrained: true });
    expect(await handle({ Records: [message('m', body)] })).toEqual(kept('m'));
    expect(hidden).toEqual([['handle-m', 30]]);
  });

  it('an action that may not be asked for is never taken as timed out', async () => {
    const action = { kind: 'not_asked', why: 'made by a test' } as const;
    const { handle, ended, looked } = poller({ action, nowMs: record.acceptedAtMs + 5_000_000 });
    expect(await handle({ Records: [message('m', body)] })).toEqual(kept('m'));
    expect(ended).toEqual([]);
    expect(looked).toMatchObject([{ why: 'made by a test', unreadable: false }]);
  });
});

const kept = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });

describe('a record is', () => {
  it('done when its action has ended: reported once, with the number of looks, and not kept', async () => {
    const { handle, hidden, ended } = poller(finished);
    expect(await handle({ Records: [message('1', body, 4)] })).toEqual(kept());
    expect(ended).toEqual([['confirmed', 4]]);
    expect(hidden).toEqual([]);
  });

  it('kept while its action runs, hidden for a time that grows with its looks', async () => {
    const { handle, hidden, ended } = poller(running);
    expect(await handle({ Records: [message('1', body, 41)] })).toEqual(kept('1'));
    expect(hidden).toEqual([['handle-1', 410]]);
    expect(ended).toEqual([]);
  });

  it('reported at each look with what was seen, and whether it could be read', async () => {
    const { handle, looked } = poller(running);
    await handle({ Records: [message('1', body, 3)] });
    expect(looked).toEqual([
      { record, looks: 3, lookAgainSeconds: 30, why: 'the action is still running.', unreadable: false },
    ]);
    const refused = poller({ action: { kind: 'unreadable', why: 'Cloud 66 answered 403' } });
    await refused.handle({ Records: [message('1', body)] });
    expect(refused.looked).toMatchObject([{ unreadable: true, why: expect.stringContaining('answered 403') }]);
  });

  it('kept when it cannot be hidden: SQS delivers it again at its own time', async () => {
    const failing = { changeVisibility: () => Promise.reject(new Error('not authorized')) };
    const { handle, records, ended } = poller(running, failing);
    expect(await handle({ Records: [message('1', body)] })).toEqual(kept('1'));
    expect(records).toMatchObject([{ level: 'error', messageId: '1', error: { message: 'not authorized' } }]);
    expect(ended).toEqual([]);
  });
});

describe('a message that is no record', () => {
  it('is put aside at once with its reason, and not kept', async () => {
    const { handle, letters, ended } = poller(finished);
    expect(await handle({ Records: [message('1', 'hello', 1, 'somebody'), message('2', '{}')] })).toEqual(kept());
    expect(letters.map(([letter]) => letter)).toEqual([
      { messageId: '1', groupId: 'somebody', body: 'hello' },
      { messageId: '2', groupId: null, body: '{}' },
    ]);
    expect(letters[0]?.[1]).toContain('expected JSON');
    expect(letters[1]?.[1]).toContain('actionId');
    expect(ended).toEqual([]);
  });

  it('is kept while it cannot be put aside', async () => {
    const { handle, records } = poller(finished, { deadLetter: () => Promise.reject(new Error('no such queue')) });
    expect(await handle({ Records: [message('1', 'hello')] })).toEqual(kept('1'));
    expect(records).toMatchObject([{ level: 'error', error: { message: 'no such queue' } }]);
  });

  it('is not confused with a fault of the parser, after which the message is kept', async () => {
    const parseRecord = () => {
      throw new TypeError('a bug');
    };
    const { handle, letters } = poller(finished, { parseRecord });
    expect(await handle({ Records: [message('1', body)] })).toEqual(kept('1'));
    expect(letters).toEqual([]);
  });
});

describe('a batch', () => {
  it('is handled message by message: one that fails does not keep the others', async () => {
    let failures = 0;
    const changeVisibility = () => {
      failures += 1;
      return Promise.reject(new Error('reset'));
    };
    const { handle, letters } = poller(running, { changeVisibility });
    const event = { Records: [message('1', 'hello'), message('2', body), message('3', '[]')] };
    expect(await handle(event)).toEqual(kept('2'));
    expect(failures).toBe(1);
    expect(letters).toHaveLength(2);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no records', { hello: 1 }],
    ['a record without a body', { Records: [{ messageId: '1' }] }],
    [
      'a receive count that is no number',
      { Records: [{ ...message('1', body), attributes: { ApproximateReceiveCount: 'x' } }] },
    ],
    ['a receive count below one', { Records: [message('1', body, 0)] }],
  ])('that is none (%s) is refused', async (_title, event) => {
    await expect(poller(finished).handle(event)).rejects.toBeInstanceOf(InvalidInputError);
  });
});
