import { describe, expect, it } from 'vitest';
import { noting, tell } from '../../lib/lambda/tell.ts';
import { createNotices, type Notice } from '../../lib/notify/notices.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { fakeWorld } from '../support/ports.ts';
import { logged } from './logged.ts';

const TOKEN = 'f'.repeat(64);
const signal = new AbortController().signal;
const metrics = { count: () => {}, measure: () => {}, flush: () => {} };

describe('what is told', () => {
  it('holds no secret, neither in the message nor in the log', async () => {
    const redactor = createRedactor();
    redactor.register(TOKEN);
    const notices = createNotices();
    notices.add({ kind: 'failing', targetId: 'worker', text: `the proxy said: Bearer ${TOKEN} is not welcome` });
    const sent: Notice[] = [];
    const publisher = { publish: async (some: readonly Notice[]) => sent.push(...some) };
    const { logger, records } = logged();
    await tell({ notices, publisher, metrics, redactor }, logger, signal);
    expect(sent.map(({ text }) => text)).toEqual(['the proxy said: Bearer [redacted] is not welcome']);
    expect(JSON.stringify(records)).not.toContain(TOKEN);
  });

  it('is every outcome but a confirmed or explained one', () => {
    const notices = createNotices();
    const { logger } = logged();
    const reporter = noting(fakeWorld().ports.reporter, notices, logger);
    const record = { targetId: 'worker', actionId: 7, previousCount: 1, desiredCount: 3 } as Parameters<
      typeof reporter.ended
    >[0]['record'];
    for (const kind of ['confirmed', 'failed', 'timed_out', 'lost', 'mismatched'] as const) {
      reporter.ended({ record, outcome: { kind, why: 'so it is.', observedCount: 1 }, looks: 1 });
    }
    reporter.ended({ record, outcome: { kind: 'mismatched', why: 'x', observedCount: 1, supersededBy: 8 }, looks: 1 });
    expect(notices.take().map(({ text }) => text)).toEqual([
      'Action 7 (1 -> 3 workers) failed: so it is.',
      'Action 7 (1 -> 3 workers) timed out: so it is.',
      'Action 7 (1 -> 3 workers) lost: so it is.',
      'Action 7 (1 -> 3 workers) mismatched: so it is.',
    ]);
  });

  it('that cannot be noted stops nothing', () => {
    const notices = {
      ...createNotices(),
      see: () => {
        throw new Error('a bug');
      },
    };
    const { logger, records } = logged();
    const reporter = noting(fakeWorld().ports.reporter, notices, logger);
    const event = {
      targetId: 'w',
      decisionId: 'd',
      input: { now: 0 },
      result: { kind: 'failed', decision: null, error: new Error('x') },
      counts: null,
    };
    reporter.decided(event as unknown as Parameters<typeof reporter.decided>[0]);
    expect(JSON.stringify(records)).toContain('report_failed');
  });
});
