/** Writes down every decision and every outcome: a log record that can be replayed, and a count. */
import type { DecisionInput, Observation, OutcomeKind, Reason } from '../domain.ts';
import type { Clock, Reporter, TargetResult } from '../reconcile/ports.ts';
import type { Logger, LogLevel } from './logger.ts';
import type { MetricName, Metrics } from './metrics.ts';

/** What a reporter writes with. */
export interface ReporterParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

type Decided = Parameters<Reporter['decided']>[0];
type Ended = Parameters<Reporter['ended']>[0];
type Looked = Parameters<Reporter['looked']>[0];

/** Nothing to do and nothing to explain: these holds are told at `debug`, all others are worth a line. */
const QUIET_REASONS: readonly Reason[] = ['on_target', 'at_minimum', 'within_tolerance'];

const OUTCOMES: Readonly<Record<OutcomeKind, { readonly level: LogLevel; readonly metric: MetricName }>> = {
  confirmed: { level: 'info', metric: 'ActionsConfirmed' },
  mismatched: { level: 'warn', metric: 'ActionsMismatched' },
  failed: { level: 'error', metric: 'ActionsFailed' },
  timed_out: { level: 'error', metric: 'ActionsTimedOut' },
  lost: { level: 'error', metric: 'ActionsLost' },
};

/** A mismatch that a later change explains is nobody's trouble, and must not set off an alarm on the others. */
const SUPERSEDED = { level: 'info', metric: 'ActionsSuperseded' } as const;

/** A reporter; trouble with writing is told, if possible, and never thrown. */
export function createReporter({ logger, metrics, clock }: ReporterParts): Reporter {
  const safely =
    <E>(report: (event: E) => void) =>
    (event: E): void => {
      try {
        report(event);
      } catch (error) {
        tellTrouble(logger, error);
      }
    };

  return {
    decided: safely((event: Decided) => {
      for (const name of metricsOf(event)) metrics.count(name);
      logger[levelOf(event)](sentenceOf(event), decisionRecord(event));
    }),

    ended: safely((event: Ended) => {
      const { record, outcome, looks } = event;
      const { level, metric } = outcome.supersededBy === undefined ? OUTCOMES[outcome.kind] : SUPERSEDED;
      const tookSeconds = Math.max(0, (clock.nowMs() - record.acceptedAtMs) / 1000);
      metrics.count(metric);
      metrics.measure('ActionSeconds', 'Seconds', tookSeconds);
      metrics.measure('ActionLooks', 'Count', looks);
      const message = `${record.targetId}: action ${record.actionId} ${outcome.kind.replace('_', ' ')}: ${outcome.why}`;
      logger[level](message, { event: 'outcome', targetId: record.targetId, record, outcome, looks, tookSeconds });
    }),

    adopted: safely(({ record }: Parameters<Reporter['adopted']>[0]) => {
      const message = `${record.targetId}: action ${record.actionId} may have had no record; it is followed from now on`;
      logger.info(message, { event: 'adopted', targetId: record.targetId, record });
    }),

    looked: safely((event: Looked) => {
      const { record, looks, lookAgainSeconds, why, unreadable } = event;
      if (unreadable) metrics.count('LooksUnreadable');
      const message = `${record.targetId}: action ${record.actionId}, next look in ${lookAgainSeconds} s: ${why}`;
      const fields = { event: 'look', targetId: record.targetId, record, looks, lookAgainSeconds, why, unreadable };
      logger[unreadable ? 'warn' : 'debug'](message, fields);
    }),
  };
}

function tellTrouble(logger: Logger, error: unknown): void {
  try {
    logger.error('A record could not be written.', { event: 'report_failed', error });
  } catch {
    // The log itself is broken: there is nowhere left to say so, and scaling goes on without it.
  }
}

function metricsOf(event: Decided): readonly MetricName[] {
  const { result } = event;
  switch (result.kind) {
    case 'scaled':
      return [directionOf(result.decision.action), 'ActionsAccepted'];
    case 'dry_run':
      return [directionOf(result.decision.action), 'DryRuns'];
    case 'held':
      if (isUnknown(result)) return ['Holds', 'HoldsUnknown'];
      return isRefused(event) ? ['Holds', 'HoldsBusy'] : ['Holds'];
    case 'failed':
      return isUnknown(result) ? ['Failures', 'HoldsUnknown'] : ['Failures'];
  }
}

function directionOf(action: 'scale_out' | 'scale_in' | 'hold'): MetricName {
  return action === 'scale_in' ? 'DecisionsScaleIn' : 'DecisionsScaleOut';
}

function isUnknown({ decision }: TargetResult): boolean {
  return decision?.action === 'hold' && decision.reason.endsWith('_unknown');
}

/** A hold with counts: they were asked for, and Cloud 66 refused because the stack is busy (409). */
function isRefused({ result, counts }: Decided): boolean {
  return result.kind === 'held' && result.decision.reason === 'stack_busy' && counts !== null;
}

function levelOf(event: Decided): LogLevel {
  const { result } = event;
  if (result.kind === 'failed') return 'error';
  if (isUnknown(result) || isRefused(event)) return 'warn';
  return result.kind === 'held' && QUIET_REASONS.includes(result.decision.reason) ? 'debug' : 'info';
}

function sentenceOf({ targetId, result }: Decided): string {
  const { decision } = result;
  const what = decision
    ? `${decision.action.replace('_', ' ')} ${decision.currentCount ?? '?'} -> ${decision.desiredCount ?? '?'} (${decision.reason})`
    : 'no decision';
  switch (result.kind) {
    case 'scaled':
      return `${targetId}: ${what}, action ${result.actionId}`;
    case 'dry_run':
      return `${targetId}: ${what}, dry run: the counts are virtual`;
    case 'held':
      return `${targetId}: ${what}`;
    case 'failed':
      return `${targetId}: ${what}, failed: ${result.error.message}`;
  }
}

/** Everything about one decision. `input` pasted into a test and given to `decide` gives the same decision. */
function decisionRecord({ targetId, decisionId, input, result, counts }: Decided) {
  const { decision, ...outcome } = result;
  return {
    event: 'decision',
    targetId,
    decisionId,
    result: outcome,
    decision,
    counts,
    ageSeconds: agesOf(input),
    input,
  };
}

/** How old each reading was when it was decided on; null for one without a value. */
function agesOf({ now, observation }: DecisionInput): Readonly<Record<keyof Observation, number | null>> {
  const ageOf = (reading: Observation[keyof Observation]) =>
    reading?.kind === 'ok' ? Math.round((now - reading.observedAtMs) / 1000) : null;
  return {
    backlog: ageOf(observation.backlog),
    placement: ageOf(observation.placement),
    history: ageOf(observation.history),
    rates: ageOf(observation.rates),
    forecast: ageOf(observation.forecast),
    looks: ageOf(observation.looks),
    stack: ageOf(observation.stack),
    actions: ageOf(observation.actions),
    changeSeconds: ageOf(observation.changeSeconds),
  };
}
