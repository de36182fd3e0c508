/** Log lines as the functions write them, made by the code that writes them, so that they cannot drift from it. */
import type { DecisionInput, OutcomeKind } from '../../../lib/domain.ts';
import { decide } from '../../../lib/policy/decide.ts';
import type { Reporter, TargetResult } from '../../../lib/reconcile/ports.ts';
import { createLogger } from '../../../lib/telemetry/logger.ts';
import { createMetrics } from '../../../lib/telemetry/metrics.ts';
import { createRedactor } from '../../../lib/telemetry/redaction.ts';
import { createReporter } from '../../../lib/telemetry/reporter.ts';
import { inputOf, NOW, observationOf, ok, placementOf, serverOf, unknown } from '../../support/observations.ts';

const clock = { nowMs: () => NOW };

function lineOf(report: (reporter: Reporter) => void): string {
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    write: (line) => lines.push(line),
    clock,
    redactor: createRedactor(),
  });
  report(createReporter({ logger, metrics: createMetrics({ write: () => {}, clock, service: 's' }), clock }));
  const [line] = lines;
  if (line === undefined) throw new Error('nothing was written');
  return line;
}

/** The servers of the decisions below; the second one's name is an attack. */
export const HOSTILE_NAME = '<img src=x onerror=alert(1)>';

function decisionLine(input: DecisionInput, resultOf: (decision: ReturnType<typeof decide>) => TargetResult): string {
  const result = resultOf(decide(input));
  const counts = result.kind === 'scaled' ? { a: 4, b: 3 } : null;
  return lineOf((reporter) => reporter.decided({ targetId: 'worker', decisionId: 'd-1', input, result, counts }));
}

const inputFor = (workers: number, visible: number) =>
  inputOf(
    observationOf(workers, visible, {
      placement: ok(placementOf(serverOf('a', workers, { name: 'lion' }), serverOf('b', 0, { name: HOSTILE_NAME }))),
    }),
  );

const decided = (decision: ReturnType<typeof decide>) => {
  if (decision.kind !== 'decision') throw new Error('the observation was not complete');
  return decision;
};

/** 65 messages and one worker: out to 7 as action 1001. */
export const scaleOutLine = () =>
  decisionLine(inputFor(1, 65), (decision) => ({ kind: 'scaled', decision: decided(decision), actionId: 1001 }));

/** Nothing to do and no more workers than the minimum. */
export const quietLine = () =>
  decisionLine(inputFor(1, 0), (decision) => ({ kind: 'held', decision: decided(decision) }));

/** Ten workers for an empty queue that was busy until now. */
export const holdLine = () => {
  const input = inputFor(10, 0);
  const busy = observationOf(10, 95).history;
  const observation = { ...input.observation, history: busy };
  return decisionLine({ ...input, observation }, (decision) => ({ kind: 'held', decision: decided(decision) }));
};

/** The depth of the queue is not known. */
export const blindLine = () => {
  const input = inputFor(2, 0);
  const observation = { ...input.observation, backlog: unknown('failed') };
  return decisionLine({ ...input, observation }, (decision) => ({
    kind: 'failed',
    decision: decided(decision),
    error: new Error('SQS answered 500'),
  }));
};

/** How action 1001 ended. */
export const outcomeLine = (kind: OutcomeKind, why: string) =>
  lineOf((reporter) =>
    reporter.ended({
      record: {
        version: 1,
        targetId: 'worker',
        stackUid: 's',
        processName: 'worker',
        actionId: 1001,
        requestedCounts: { a: 4, b: 3 },
        desiredCount: 7,
        previousCount: 1,
        decisionId: 'd-1',
        acceptedAtMs: NOW - 60_000,
      },
      outcome: { kind, why, observedCount: 7 },
      looks: 3,
    }),
  );
