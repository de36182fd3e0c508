/** Where things end up that nobody could handle: both queues should be empty. */
import { attempt, type CheckResult, type Checks, type Examined, fail, notChecked, ok, type Subject } from './check.ts';

const DEAD_LETTERS = { id: 'dead-letters', title: 'No action record was put aside' };
const FAILED_EVENTS = { id: 'failed-events', title: 'No event failed for good' };

export async function* checkLetters(examined: Examined): Checks {
  const { name } = examined;
  yield await emptyResult(examined, DEAD_LETTERS, `${name}-actions-dead.fifo`, 'each has its reason as an attribute');
  yield await emptyResult(examined, FAILED_EVENTS, `${name}-failed-events`, 'each holds the event and the error');
}

async function emptyResult(
  { aws, signal }: Examined,
  subject: Subject,
  queueName: string,
  what: string,
): Promise<CheckResult> {
  const read = await attempt(() => aws.messages(queueName, signal));
  if (read.kind === 'error') return notChecked(subject, read.message);
  if (read.value === null) return notChecked(subject, `there is no queue ${queueName}; is it deployed?`);
  if (read.value === 0) return ok(subject, `${queueName} is empty`);
  const advice = `Read them in SQS: ${what}. Delete them (purge the queue) when you know why.`;
  return fail(subject, `${queueName} holds ${read.value}`, advice);
}
