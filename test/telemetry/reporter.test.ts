import { describe, expect, it } from 'vitest';
import type { Decision, DecisionInput, Observation, OutcomeKind, Reason } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import type { TargetResult } from '../../lib/reconcile/ports.ts';
import { createLogger, type LogLevel } from '../../lib/telemetry/logger.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { createReporter } from '../../lib/telemetry/reporter.ts';
import { policyOf } from '../support/observations.ts';

const NOW_MS = 1_800_000_000_000;
const clock = { nowMs: () => NOW_MS };

type Line = Record<string, unknown>;

/** A reporter, and what it has written: records, and the metrics once they are flushed. */
function reporting(level: LogLevel = 'debug') {
  const records: Line[] = [];
  const metricLines: Line[] = [];
  const write = (line: string) => records.push(JSON.parse(line));
  const logger = createLogger({ level, write, clock, redactor: createRedactor() });
  const metrics = createMetrics({ write: (line) => metricLines.push(JSON.parse(line)), clock, service: 's' });
  const counted = () => {
    metrics.flush();
    const entries = Object.entries(metricLines.pop() ?? {});
    return Object.fromEntries(entries.filter(([name]) => name !== '_aws' && name !== 'Service'));
  };
  return { reporter: createReporter({ logger, metrics, clock }), records, counted };
}

const observation: Observation = {
  backlog: { kind: 'ok', value: { visible: 55, inFlight: 5, delayed: 0 }, observedAtMs: NOW_MS - 4000 },
  placement: {
    kind: 'ok',
    observedAtMs: NOW_MS - 1000,
    value: {
      processName: 'worker',
      servers: [{ uid: 'u1', name: 'web', count: 2, pausedCount: 0, healthy: true, listed: true, runsCode: true }],
    },
  },
  history: { kind: 'not_read' },
  rates: { kind: 'not_read' },
  forecast: { kind: 'not_read' },
  looks: { kind: 'not_read' },
  stack: { kind: 'ok', value: { status: 'deployed', maintenanceMode: false }, observedAtMs: NOW_MS },
  actions: { kind: 'failed', why: 'throttled', detail: 'later' },
};

const input: DecisionInput = {
  now: NOW_MS,
  override: { kind: 'ok', value: null, observedAtMs: 0 },
  windows: [],
  policy: policyOf(),
  observation,
};

const hold = (reason: Reason): Decision => ({
  kind: 'decision',
  action: 'hold',
  currentCount: 2,
  recommendedCount: 2,
  desiredCount: 2,
  reason,
  steps: [],
});
const scaleOut: Decision = { ...hold('backlog_above_target'), action: 'scale_out', desiredCount: 6 };
const scaleIn: Decision = { ...hold('backlog_below_target'), action: 'scale_in', desiredCount: 1 };

const decided = (result: TargetResult, change: { readonly counts?: Record<string, number> | null } = {}) => ({
  targetId: 'mailer',
  decisionId: 'd-1',
  input,
  result,
  counts: { u1: 6 },
  ...change,
});

describe('a decision record', () => {
  it('holds all that led to the decision: readings with their age, working, counts', () => {
    const { reporter, records } = reporting();
    reporter.decided(decided({ kind: 'scaled', decision: scaleOut, actionId: 4711 }));
    expect(records).toEqual([
      {
        timestamp: new Date(NOW_MS).toISOString(),
        level: 'info',
        message: 'mailer: scale out 2 -> 6 (backlog_above_target), action 4711',
        event: 'decision',
        targetId: 'mailer',
        decisionId: 'd-1',
        result: { kind: 'scaled', actionId: 4711 },
        decision: scaleOut,
        counts: { u1: 6 },
        ageSeconds: {
          changeSeconds: null,
          backlog: 4,
          placement: 1,
          history: null,
          rates: null,
          forecast: null,
          looks: null,
          stack: 0,
          actions: null,
        },
        input,
      },
    ]);
  });

  it('gives the same decision when its input is decided again', () => {
    const { reporter, records } = reporting();
    const decision = decide(input);
    if (decision.kind !== 'decision') throw new Error('expected a decision');
    reporter.decided(decided({ kind: 'held', decision }));
    const record = records[0] as { readonly input: DecisionInput; readonly decision: Decision };
    expect(record.decision).toEqual(decision);
    expect(decide(record.input)).toEqual(decision);
  });

  it.each<[TargetResult, LogLevel, Line]>([
    [{ kind: 'scaled', decision: scaleOut, actionId: 1 }, 'info', { DecisionsScaleOut: 1, ActionsAccepted: 1 }],
    [{ kind: 'scaled', decision: scaleIn, actionId: 1 }, 'info', { DecisionsScaleIn: 1, ActionsAccepted: 1 }],
    [{ kind: 'dry_run', decision: scaleIn }, 'info', { DecisionsScaleIn: 1, DryRuns: 1 }],
    [{ kind: 'held', decision: hold('on_target') }, 'debug', { Holds: 1 }],
    [{ kind: 'held', decision: hold('at_minimum') }, 'debug', { Holds: 1 }],
    [{ kind: 'held', decision: hold('within_tolerance') }, 'debug', { Holds: 1 }],
    [{ kind: 'held', decision: hold('at_maximum') }, 'info', { Holds: 1 }],
    [{ kind: 'held', decision: hold('cooling_down') }, 'info', { Holds: 1 }],
    [{ kind: 'held', decision: hold('backlog_unknown') }, 'warn', { Holds: 1, HoldsUnknown: 1 }],
    [{ kind: 'failed', decision: null, error: new Error('no') }, 'error', { Failures: 1 }],
    [{ kind: 'failed', decision: scaleOut, error: new Error('no') }, 'error', { Failures: 1 }],
    [
      { kind: 'failed', decision: hold('workers_unknown'), error: new Error('no') },
      'error',
      { Failures: 1, HoldsUnknown: 1 },
    ],
  ])('of %j is written at %s', (result, level, metrics) => {
    const { reporter, records, counted } = reporting();
    reporter.decided(decided(result));
    expect(records.map((record) => record.level)).toEqual([level]);
    expect(counted()).toEqual(metrics);
  });

  it('of a scale call that Cloud 66 refused as busy is a warning, and counted, unlike a stack that was seen to be busy', () => {
    const { reporter, records, counted } = reporting();
    reporter.decided(decided({ kind: 'held', decision: hold('stack_busy') }));
    reporter.decided(decided({ kind: 'held', decision: hold('stack_busy') }, { counts: null }));
    expect(records.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(counted()).toEqual({ Holds: 2, HoldsBusy: 1 });
  });

  it('says what failed, also without a decision', () => {
    const { reporter, records } = reporting();
    reporter.decided(decided({ kind: 'failed', decision: null, error: new Error('Cloud 66 is down') }));
    const unread = { ...hold('workers_unknown'), currentCount: null, desiredCount: null };
    reporter.decided(decided({ kind: 'failed', decision: unread, error: new Error('refused') }));
    expect(records.map(({ message }) => message)).toEqual([
      'mailer: no decision, failed: Cloud 66 is down',
      'mailer: hold ? -> ? (workers_unknown), failed: refused',
    ]);
    expect(records[0]).toMatchObject({
      decision: null,
      result: { kind: 'failed', error: { message: 'Cloud 66 is down', stack: expect.any(String) } },
    });
  });

  it('leaves quiet holds out of a log at info, and names dry runs', () => {
    const { reporter, records } = reporting('info');
    reporter.decided(decided({ kind: 'held', decision: hold('on_target') }));
    reporter.decided(decided({ kind: 'dry_run', decision: scaleOut }));
    expect(records.map(({ message }) => message)).toEqual([
      'mailer: scale out 2 -> 6 (backlog_above_target), dry run: the counts are virtual',
    ]);
  });
});

describe('an outcome record', () => {
  const record = {
    version: 1,
    targetId: 'mailer',
    stackUid: 'abc',
    processName: 'worker',
    actionId: 4711,
    requestedCounts: { u1: 6 },
    desiredCount: 6,
    previousCount: 2,
    decisionId: 'd-1',
    acceptedAtMs: NOW_MS - 42_000,
  } as const;

  it.each<[OutcomeKind, LogLevel, string]>([
    ['confirmed', 'info', 'ActionsConfirmed'],
    ['mismatched', 'warn', 'ActionsMismatched'],
    ['failed', 'error', 'ActionsFailed'],
    ['timed_out', 'error', 'ActionsTimedOut'],
    ['lost', 'error', 'ActionsLost'],
  ])('of an action that ended %s is written at %s and counted', (kind, level, metric) => {
    const { reporter, records, counted } = reporting();
    const outcome = { kind, why: 'Seen so.', observedCount: 6 };
    reporter.ended({ record, outcome, looks: 3 });
    expect(records).toMatchObject([
      { level, event: 'outcome', targetId: 'mailer', record, outcome, looks: 3, tookSeconds: 42 },
    ]);
    expect(records[0]?.message).toBe(`mailer: action 4711 ${kind.replace('_', ' ')}: Seen so.`);
    expect(counted()).toEqual({ [metric]: 1, ActionSeconds: 42, ActionLooks: 3 });
  });

  it('of an action that a later one superseded is no warning, and counted apart', () => {
    const { reporter, records, counted } = reporting();
    const outcome = { kind: 'mismatched', why: 'Superseded.', observedCount: 8, supersededBy: 4712 } as const;
    reporter.ended({ record, outcome, looks: 1 });
    expect(records).toMatchObject([{ level: 'info', event: 'outcome', outcome }]);
    expect(counted()).toEqual({ ActionsSuperseded: 1, ActionSeconds: 42, ActionLooks: 1 });
  });

  it('is not written while the action runs; a look is told at debug', () => {
    const { reporter, records, counted } = reporting();
    const why = 'the action is still running.';
    reporter.looked({ record, looks: 2, lookAgainSeconds: 15, why, unreadable: false });
    const message = 'mailer: action 4711, next look in 15 s: the action is still running.';
    expect(records).toMatchObject([{ level: 'debug', event: 'look', message, looks: 2, lookAgainSeconds: 15, why }]);
    expect(counted()).toEqual({});
  });

  it('is preceded by a warning, and counted, for each look that could not read the action', () => {
    const { reporter, records, counted } = reporting('warn');
    const why = 'the action could not be read: Cloud 66 answered 403';
    reporter.looked({ record, looks: 1, lookAgainSeconds: 10, why, unreadable: true });
    reporter.looked({ record, looks: 2, lookAgainSeconds: 15, why, unreadable: true });
    expect(records).toMatchObject([{ level: 'warn', event: 'look', why }, { looks: 2 }]);
    expect(records[0]?.message).toBe(`mailer: action 4711, next look in 10 s: ${why}`);
    expect(counted()).toEqual({ LooksUnreadable: 2 });
  });
});

describe('a reporter in trouble', () => {
  it('says so and lets the pass go on', () => {
    const lines: string[] = [];
    const write = (line: string) => {
      if (lines.push(line) === 1) throw new Error('broken pipe');
    };
    const logger = createLogger({ level: 'debug', write, clock, redactor: createRedactor() });
    const metrics = createMetrics({ write, clock, service: 's' });
    createReporter({ logger, metrics, clock }).decided(decided({ kind: 'held', decision: hold('at_maximum') }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'decision' },
      { event: 'report_failed', error: { message: 'broken pipe' } },
    ]);
  });

  it('throws nothing even when nothing can be written', () => {
    const write = () => {
      throw new Error('broken pipe');
    };
    const logger = createLogger({ level: 'debug', write, clock, redactor: createRedactor() });
    const metrics = createMetrics({ write, clock, service: 's' });
    const reporter = createReporter({ logger, metrics, clock });
    expect(() => reporter.decided(decided({ kind: 'held', decision: hold('at_maximum') }))).not.toThrow();
  });
});
