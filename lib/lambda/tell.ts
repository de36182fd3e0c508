/** Between what happens and who is told: decisions and outcomes become notices, and notices one message at the end. */
import type { Notices, SeenState } from '../notify/notices.ts';
import type { Publisher } from '../notify/sns.ts';
import { conditionsOf } from '../policy/conditions.ts';
import { withTimeLimit } from '../queue/connection.ts';
import type { Reporter } from '../reconcile/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Redactor } from '../telemetry/redaction.ts';

/** Telling comes after all work and must not cost the invocation its end. */
const PUBLISH_SECONDS = 5;

type Decided = Parameters<Reporter['decided']>[0];
type Ended = Parameters<Reporter['ended']>[0];

/** A reporter that also notes what people should be told. It never throws: scaling goes on whatever happens here. */
export function noting(reporter: Reporter, notices: Notices, logger: Logger): Reporter {
  const safely =
    <E>(report: (event: E) => void, note: (event: E) => void) =>
    (event: E): void => {
      report(event);
      try {
        note(event);
      } catch (error) {
        logger.error('What happened could not be noted.', { event: 'report_failed', error });
      }
    };
  return {
    ...reporter,
    decided: safely(reporter.decided, (event: Decided) => noteDecision(event, notices)),
    ended: safely(reporter.ended, (event: Ended) => noteOutcome(event, notices)),
  };
}

function noteDecision({ targetId, input, result }: Decided, notices: Notices): void {
  const { decision } = result;
  if (result.kind === 'scaled') {
    const { currentCount, desiredCount, reason, steps } = result.decision;
    const text = `${currentCount} -> ${desiredCount} workers (${reason}): ${steps.at(-1)?.why ?? ''}`;
    notices.add({ kind: 'scaled', targetId, text });
  }
  const states: SeenState[] = decision === null ? [] : [...conditionsOf(decision, input)];
  if (result.kind === 'failed' && !states.some(({ kind }) => kind === 'blind')) {
    states.push({ kind: 'failing', text: result.error.message });
  }
  notices.see(targetId, states, input.now);
}

function noteOutcome({ record, outcome }: Ended, notices: Notices): void {
  if (outcome.kind === 'confirmed' || outcome.supersededBy !== undefined) return;
  const { targetId, actionId, previousCount, desiredCount } = record;
  const what = `Action ${actionId} (${previousCount} -> ${desiredCount} workers) ${outcome.kind.replace('_', ' ')}`;
  notices.add({ kind: 'action', targetId, text: `${what}: ${outcome.why}` });
}

/** What telling needs. */
export interface TellParts {
  readonly notices: Notices;
  /** Null when nobody wants messages: the log has the notices all the same. */
  readonly publisher: Publisher | null;
  readonly metrics: Metrics;
  /** A message goes further than a log: to mail boxes and chats. */
  readonly redactor: Pick<Redactor, 'text'>;
}

/** Writes down and sends what was noted. Trouble is a warning and a metric. */
export async function tell(
  { notices, publisher, metrics, redactor }: TellParts,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const taken = notices.take().map((notice) => ({ ...notice, text: redactor.text(notice.text) }));
  for (const { kind, targetId, text } of taken)
    logger.info(`${targetId}: ${text}`, { event: 'notice', kind, targetId });
  if (publisher === null) return;
  try {
    await withTimeLimit('Publish', PUBLISH_SECONDS, signal, (limited) => publisher.publish(taken, limited));
  } catch (error) {
    metrics.count('NotificationsFailed');
    logger.warn('A notification could not be sent; it is tried again with the next one.', {
      event: 'notify_failed',
      error,
    });
  }
}
