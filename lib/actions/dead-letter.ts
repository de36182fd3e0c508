/** Where a message goes that is no action record: to the dead-letter queue at once, with the reason, never away. */
import type { SendMessage } from './sender.ts';

/** A message of the actions queue that cannot be followed. */
interface RefusedMessage {
  readonly messageId: string;
  readonly groupId: string | null;
  readonly body: string;
}

/** What is needed to move one. */
export interface DeadLetterSettings {
  readonly sendMessage: SendMessage;
  readonly queueUrl: string;
}

/** Stores a refused message; rejects when it may not be stored, and the message must then stay where it is. */
export type DeadLetter = (message: RefusedMessage, reason: string, signal: AbortSignal) => Promise<void>;

/** SQS takes 256 kB for body and attributes together; the attributes below have less than 6 kB. */
const MAX_BODY_BYTES = 240 * 1024;
const MAX_REASON_CHARACTERS = 1000;

/**
 * A function that puts refused messages into the FIFO dead-letter queue. The body stays as it was (the end of one that
 * would not fit is cut off, and said to be); id, group and reason travel as message attributes. The original message
 * id is the deduplication id, so that a message delivered twice lies there once.
 */
export function createDeadLetter({ sendMessage, queueUrl }: DeadLetterSettings): DeadLetter {
  return async (message, reason, signal) => {
    const body = Buffer.from(message.body);
    const cut = body.length > MAX_BODY_BYTES;
    await sendMessage(
      {
        queueUrl,
        body: cut ? cutToBytes(body, MAX_BODY_BYTES) : message.body,
        groupId: message.groupId ?? 'refused',
        deduplicationId: message.messageId,
        attributes: {
          reason: attributeText(reason),
          originalMessageId: attributeText(message.messageId),
          originalGroupId: attributeText(message.groupId ?? ''),
          originalBodyBytes: String(body.length),
          bodyIsCut: String(cut),
        },
      },
      signal,
    );
  };
}

/** The longest start of a text that fits and does not end within a character. */
function cutToBytes(bytes: Buffer, limit: number): string {
  let end = limit;
  // Bytes 10xxxxxx continue a character of UTF-8.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end).toString('utf8');
}

/** SQS refuses empty attributes and most control characters. Source: SQS API Reference, SendMessage. */
function attributeText(text: string): string {
  const allowed = text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '\uFFFD');
  return allowed === '' ? '-' : allowed.slice(0, MAX_REASON_CHARACTERS);
}
