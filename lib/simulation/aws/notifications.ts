/** SNS: Publish to the topics of the template, and to any other of the account, which people are told of. */
import { isRecord } from './intrinsics.ts';
import { errorReply, type ServiceReply } from './protocol.ts';

/** A message as its subscribers get it. */
export interface Notification {
  readonly topicArn: string;
  readonly subject: string;
  readonly message: string;
  /** Values by name; lists as JSON. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Source: Amazon SNS API Reference, Publish: what a subject may be, and how attributes are numbered in a form. */
export function handleNotifications(
  operation: string,
  body: unknown,
  onNotification: (notification: Notification) => void,
): ServiceReply {
  if (operation !== 'Publish' || !isRecord(body)) {
    return errorReply(400, 'InvalidAction', `The local SNS has no ${operation}`);
  }
  const text = (name: string) => (typeof body[name] === 'string' ? body[name] : '');
  const [topicArn, subject, message] = [text('TopicArn'), text('Subject'), text('Message')];
  if (!/^arn:aws:sns:[\w-]+:\d{12}:[\w-]+$/.test(topicArn)) return errorReply(404, 'NotFound', 'Topic does not exist');
  if (!/^[\x20-\x7e]{1,99}$/.test(subject)) return errorReply(400, 'InvalidParameter', 'Invalid parameter: Subject');
  if (message === '' || Buffer.byteLength(message) > 262_144) {
    return errorReply(400, 'InvalidParameter', 'Invalid parameter: Message');
  }
  const attributes: Record<string, string> = {};
  for (let at = 1; text(`MessageAttributes.entry.${at}.Name`) !== ''; at += 1) {
    const entry = `MessageAttributes.entry.${at}`;
    attributes[text(`${entry}.Name`)] = text(`${entry}.Value.StringValue`);
  }
  onNotification({ topicArn, subject, message, attributes });
  return { status: 200, body: { PublishResponse: { PublishResult: { MessageId: 'local' } } } };
}
