/** Puts action records into the actions queue, and does not give up while there is time. */
import type { ActionRecord } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import type { ActionSender } from '../reconcile/ports.ts';
import { encodeActionRecord } from './record.ts';

/** A message for a FIFO queue. */
interface QueueMessage {
  readonly queueUrl: string;
  readonly body: string;
  readonly groupId: string;
  readonly deduplicationId: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** Stores one message; rejects when it may not be stored. */
export type SendMessage = (message: QueueMessage, signal: AbortSignal) => Promise<unknown>;

/** What the sender needs, and its limits. */
export interface ActionSenderSettings {
  readonly sendMessage: SendMessage;
  readonly queueUrl: string;
  readonly firstPauseMs?: number;
  readonly maximumPauseMs?: number;
  /** A stop even for a signal that is never aborted: 200 pauses of 5 s are longer than a function may run. */
  readonly maxAttempts?: number;
}

/** An accepted action whose record could not be stored. Its message holds the whole record, so that the log does. */
export class RecordNotSentError extends AutoscalerError {
  override readonly name = 'RecordNotSentError';
  readonly record: ActionRecord;

  constructor(record: ActionRecord, attempts: number, cause: unknown) {
    const why = asError(cause).message;
    const what = `Cloud 66 accepted action ${record.actionId}, but its record could not be stored`;
    super(`${what} (attempts: ${attempts}; last: ${why}). Record: ${encodeActionRecord(record)}`, { cause });
    this.record = record;
  }
}

/**
 * The sender that a reconcile uses. The group is the target, so that its actions are confirmed in order; a second send
 * of the same action within five minutes is dropped by SQS, which makes a retry after an unclear answer harmless.
 * Every failure is retried until the signal is aborted: nobody else knows of the action.
 */
export function createActionSender(settings: ActionSenderSettings): ActionSender {
  const { sendMessage, queueUrl, firstPauseMs = 200, maximumPauseMs = 5000, maxAttempts = 200 } = settings;
  return {
    async send(record, signal) {
      const message = {
        queueUrl,
        body: encodeActionRecord(record),
        groupId: record.targetId,
        deduplicationId: `${record.stackUid}-${record.actionId}`,
      };
      for (let attempt = 1; ; attempt += 1) {
        try {
          await sendMessage(message, signal);
          return;
        } catch (error) {
          const pauseMs = Math.min(firstPauseMs * 2 ** Math.min(attempt - 1, 20), maximumPauseMs);
          if (attempt < maxAttempts && (await pause(pauseMs, signal))) continue;
          throw new RecordNotSentError(record, attempt, error);
        }
      }
    },
  };
}

/** Resolves to true after the pause, to false as soon as the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (completed: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(completed);
    };
    const stop = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}
