/**
 * What the poller does with a batch of action records. An action that still runs is looked at again by re-delivery of
 * the same message: sending a new one each time would be cut by Lambda's recursion detection after about 16 rounds
 * (https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html).
 */
import type { SQSBatchResponse } from 'aws-lambda';
import * as v from 'valibot';
import type { ActionRecord } from '../domain.ts';
import { InvalidInputError } from '../errors.ts';
import { confirm } from '../reconcile/confirm.ts';
import type { Clock, ProcessHost, Reporter } from '../reconcile/ports.ts';
import type { PassSignals } from '../reconcile/reconcile.ts';
import type { Logger } from '../telemetry/logger.ts';
import { sharingHosts } from './shared-reads.ts';

/** When calls to Cloud 66 run short, following what is under way waits before changes do. */
const STRAINED_FACTOR = 3;

/** One message of the actions queue, as far as it matters here. */
type QueuedRecord = v.InferOutput<typeof queuedRecord>;

/** A message that is no action record. */
export interface ForeignMessage {
  readonly messageId: string;
  readonly groupId: string | null;
  readonly body: string;
}

const queuedRecord = v.object({
  messageId: v.string(),
  receiptHandle: v.string(),
  body: v.string(),
  attributes: v.object({
    ApproximateReceiveCount: v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1)),
    MessageGroupId: v.optional(v.string()),
  }),
});
const sqsEvent = v.object({ Records: v.array(queuedRecord) });

/** What confirming a batch needs. */
export interface ConfirmPorts {
  readonly clock: Clock;
  /** The reading side of the Cloud 66 account that a record is about. */
  readonly hostOf: (record: ActionRecord) => ProcessHost;
  readonly reporter: Reporter;
  /** @throws InvalidInputError for a body that is not an action record. */
  readonly parseRecord: (body: string) => ActionRecord;
  /** Seconds until the next look, growing with the number of looks so far. */
  readonly lookAgainSeconds: (looks: number) => number;
  readonly changeVisibility: (receiptHandle: string, seconds: number, signal: AbortSignal) => Promise<void>;
  /** Puts a message that can never be confirmed where a person finds it, together with the reason. */
  readonly deadLetter: (message: ForeignMessage, reason: string, signal: AbortSignal) => Promise<void>;
  readonly actionTimeoutSeconds: number;
}

/**
 * Looks at every record of the batch once, side by side; those of one stack share what is read.
 *
 * @returns the messages that SQS shall keep: actions that still run, and records whose handling failed.
 * @throws InvalidInputError for an event that is not from SQS.
 */
export async function confirmRecords(
  event: unknown,
  ports: ConfirmPorts,
  signals: PassSignals,
  logger: Logger,
): Promise<SQSBatchResponse> {
  const parsed = v.safeParse(sqsEvent, event);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => ({ field: v.getDotPath(issue) ?? 'event', message: issue.message }));
    throw new InvalidInputError('SQS event', problems);
  }
  const records = parsed.output.Records.flatMap(({ body }) => recordIn(body, ports) ?? []);
  const sharing = { ...ports, hostOf: sharingHosts(records, ports.hostOf, signals.work) };
  const kept = await Promise.all(
    parsed.output.Records.map(async (message) => {
      try {
        return (await handle(message, sharing, signals)) === 'keep' ? [message] : [];
      } catch (error) {
        logger.error('A record could not be handled; it is delivered again.', { messageId: message.messageId, error });
        return [message];
      }
    }),
  );
  return { batchItemFailures: kept.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
}

async function handle(message: QueuedRecord, ports: ConfirmPorts, signals: PassSignals): Promise<'done' | 'keep'> {
  const record = parseOrReason(message.body, ports);
  if (typeof record === 'string') {
    const { messageId, body, attributes } = message;
    await ports.deadLetter({ messageId, body, groupId: attributes.MessageGroupId ?? null }, record, signals.last);
    return 'done';
  }
  const looks = message.attributes.ApproximateReceiveCount;
  const host = ports.hostOf(record);
  const result = await confirm(record, { clock: ports.clock, host }, ports.actionTimeoutSeconds, signals.work);
  if (result.kind === 'ended') {
    ports.reporter.ended({ record, outcome: result.outcome, looks });
    return 'done';
  }
  const { isStrained } = host.allowance(record.stackUid);
  const lookAgainSeconds = ports.lookAgainSeconds(looks) * (isStrained ? STRAINED_FACTOR : 1);
  const { why, unreadable } = result;
  ports.reporter.looked({ record, looks, lookAgainSeconds, why, unreadable });
  await ports.changeVisibility(message.receiptHandle, lookAgainSeconds, signals.last);
  return 'keep';
}

/** What is no record is told when it is that message's turn. */
function recordIn(body: string, { parseRecord }: ConfirmPorts): ActionRecord | null {
  try {
    return parseRecord(body);
  } catch {
    return null;
  }
}

function parseOrReason(body: string, { parseRecord }: ConfirmPorts): ActionRecord | string {
  try {
    return parseRecord(body);
  } catch (error) {
    if (error instanceof InvalidInputError) return error.message;
    throw error;
  }
}
