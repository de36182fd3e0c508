/** Records, their sending and dead letters right at their limits. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeadLetter } from '../../lib/actions/dead-letter.ts';
import { encodeActionRecord, parseActionRecord } from '../../lib/actions/record.ts';
import { createActionSender, RecordNotSentError } from '../../lib/actions/sender.ts';
import { InvalidInputError } from '../../lib/errors.ts';
import { actionRecord } from './action-record.ts';

function refusalOf(body: string): string {
  try {
    parseActionRecord(body);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return error.message;
  }
  return 'taken';
}

const refusalWith = (change: Readonly<Record<string, unknown>>) =>
  refusalOf(JSON.stringify({ ...actionRecord(), ...change }));

describe('an action record at its limits', () => {
  it.each([
    [{ targetId: '' }, 'targetId: found ""; expected a text'],
    [{ targetId: 'a b' }, 'targetId: found "a b"; expected letters, digits and . _ : -'],
    [{ targetId: 'a/' }, 'expected letters, digits and . _ : -'],
    [{ targetId: '/a' }, 'expected letters, digits and . _ : -'],
    [{ processName: 'x'.repeat(129) }, 'expected at most 128 characters'],
    [{ processName: 'x'.repeat(128) }, 'taken'],
    [{ requestedCounts: [] }, 'requestedCounts: found []; expected an object'],
    [
      { requestedCounts: Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`s${index}`, 1])) },
      'expected at most 2000 servers',
    ],
    [{ requestedCounts: null }, 'taken'],
    [{ tokenParameter: '/cloud66/other' }, 'taken'],
    [{ tokenParameter: 'x/cloud66' }, 'tokenParameter: found "x/cloud66"'],
    [{ tokenParameter: '/cloud66 x' }, 'tokenParameter: found "/cloud66 x"'],
    [{ version: 'one' }, 'version: found "one"; expected 1'],
    [{ version: 2 }, 'version: found 2; this program understands version 1 only'],
    [{ decisionId: 'd'.repeat(140) }, `decisionId: found "${'d'.repeat(59)}…; expected at most 128 characters`],
  ])('with %o: %s', (change, expected) => {
    const refusal = refusalWith(change);
    expect(refusal).toContain(expected);
    if (expected !== 'taken') expect(refusal).toContain('action record');
  });

  it('shows what it found up to 60 characters of JSON', () => {
    expect(refusalOf(JSON.stringify('y'.repeat(58)))).toContain(`found "${'y'.repeat(58)}"; expected a JSON object`);
    expect(refusalOf(JSON.stringify('y'.repeat(59)))).toContain(`found "${'y'.repeat(59)}…; expected`);
  });

  it('counts problems beyond twenty', () => {
    const wrong = (count: number) => ({
      requestedCounts: Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, -1])),
    });
    expect(refusalWith(wrong(20))).not.toContain('more problems');
    expect(refusalWith(wrong(21))).toContain('body: and 1 more problems');
  });

  it('is read up to 200 kB', () => {
    const body = encodeActionRecord(actionRecord());
    const padded = (bytes: number) => `${body}${' '.repeat(bytes - body.length)}`;
    expect(refusalOf(padded(204_800))).toBe('taken');
    expect(refusalOf(padded(204_801))).toContain('body: 204801 bytes; expected at most 204800');
  });
});

describe('the sender', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Sends to a queue that always refuses; the times of the attempts in milliseconds since the first. */
  function refused(settings: { readonly maxAttempts?: number }) {
    const startMs = Date.now();
    const attempts: number[] = [];
    const stop = new AbortController();
    const listeners = { added: 0, removed: 0 };
    const { addEventListener, removeEventListener } = stop.signal;
    stop.signal.addEventListener = (...parts: Parameters<typeof addEventListener>) => {
      listeners.added += 1;
      addEventListener.apply(stop.signal, parts);
    };
    stop.signal.removeEventListener = (...parts: Parameters<typeof removeEventListener>) => {
      listeners.removed += 1;
      removeEventListener.apply(stop.signal, parts);
    };
    const cause = new Error('refused');
    const sender = createActionSender({
      queueUrl: 'q',
      ...settings,
      sendMessage: async () => {
        attempts.push(Date.now() - startMs);
        throw cause;
      },
    });
    const sent = sender.send(actionRecord(), stop.signal).catch((error: unknown) => error);
    return { attempts, stop, sent, cause, listeners };
  }

  it('waits twice as long each time, up to five seconds, and leaves nothing behind', async () => {
    const { attempts, sent, cause, listeners } = refused({ maxAttempts: 8 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toEqual([0, 200, 600, 1400, 3000, 6200, 11_200, 16_200]);
    const error = await sent;
    expect(error).toBeInstanceOf(RecordNotSentError);
    expect(error).toMatchObject({ name: 'RecordNotSentError', cause });
    expect(listeners).toEqual({ added: 7, removed: 7 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ends in the middle of a pause when its time is up', async () => {
    const { attempts, stop, sent, listeners } = refused({});
    await vi.advanceTimersByTimeAsync(700);
    stop.abort();
    expect(await sent).toMatchObject({ message: expect.stringContaining('attempts: 3; last: refused') as string });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(attempts).toEqual([0, 200, 600]);
    expect(listeners.removed).toBe(listeners.added);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not try again once its time is up', async () => {
    const { attempts, stop, sent } = refused({});
    stop.abort();
    expect(await sent).toBeInstanceOf(RecordNotSentError);
    expect(attempts).toEqual([0]);
  });
});

describe('a dead letter at its limits', () => {
  async function buried(
    body: string,
    reason = 'why',
  ): Promise<{ readonly body: string; readonly [key: string]: unknown }> {
    const sent: { readonly body: string }[] = [];
    const sendMessage = async (message: { readonly body: string }) => {
      sent.push(message);
    };
    const bury = createDeadLetter({ sendMessage, queueUrl: 'q' });
    await bury({ messageId: 'm', groupId: null, body }, reason, new AbortController().signal);
    return sent[0] as { readonly body: string };
  }

  it('keeps a body of 240 kB whole and cuts one byte more, never within a character', async () => {
    const limit = 240 * 1024;
    expect(await buried('x'.repeat(limit))).toMatchObject({
      body: 'x'.repeat(limit),
      attributes: { bodyIsCut: 'false' },
    });
    expect(await buried('x'.repeat(limit + 1))).toMatchObject({
      body: 'x'.repeat(limit),
      attributes: { bodyIsCut: 'true', originalBodyBytes: String(limit + 1) },
    });
    const euros = await buried(`x${'€'.repeat(limit / 3)}`);
    expect(euros.body).toBe(`x${'€'.repeat(limit / 3 - 1)}`);
  });

  it('tells a thousand characters of the reason', async () => {
    const { attributes } = await buried('x', 'r'.repeat(1001));
    expect(attributes).toMatchObject({ reason: 'r'.repeat(1000), originalGroupId: '-' });
  });
});
