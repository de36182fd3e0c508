/** The variables of each function: what the user set and the function reads, and the names of the template's resources. */
import type { FunctionName } from '../lib/config/schema.ts';
import { InvalidInputError } from '../lib/errors.ts';
import { type Plan, ref, type Value } from './cloudformation.ts';
import { topicArn } from './notifications.ts';
import { QUEUE_IDS } from './queues.ts';

/** Lambda's limit for all variables of a function together, names included. */
const MAX_BYTES = 4096;
/** A queue's address is longer than its name by this much at most: `https://sqs.REGION.amazonaws.com.cn/ACCOUNT/`. */
const URL_OVERHEAD_BYTES = 70;

/**
 * The variables of both functions.
 *
 * @throws InvalidInputError when those of a function are longer than Lambda allows.
 */
export function environments(plan: Plan): Readonly<Record<FunctionName, Readonly<Record<string, Value>>>> {
  const { name, alarmNamePrefix, deployment } = plan;
  const topic = topicArn(plan);
  const common = {
    ...(topic === null ? {} : { NOTIFY_TOPIC_ARN: topic }),
    STAGE: deployment.stage,
    ACTIONS_QUEUE_URL: ref(QUEUE_IDS.actions),
    ACTIONS_DEAD_LETTER_QUEUE_URL: ref(QUEUE_IDS.deadLetters),
  };
  const scale = { ...deployment.environments.scale, ...common, ALARM_NAME_PREFIX: alarmNamePrefix };
  const poller = { ...deployment.environments.poller, ...common };
  refuseTooLong({ scale, poller }, URL_OVERHEAD_BYTES + `${name}-actions-dead.fifo`.length);
  return { scale, poller };
}

function refuseTooLong(all: Readonly<Record<string, Readonly<Record<string, Value>>>>, urlBytes: number): void {
  const problems = Object.entries(all).flatMap(([functionName, variables]) => {
    const sizes = Object.entries(variables).map(
      ([variable, value]) => variable.length + (typeof value === 'string' ? Buffer.byteLength(value) : urlBytes),
    );
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const message =
      `about ${bytes} bytes are more than the ${MAX_BYTES} that Lambda gives a function; ` +
      'shorten target ids, write what targets share once without prefix, or deploy the targets in two services';
    return bytes <= MAX_BYTES ? [] : [{ field: `variables of the function ${functionName}`, message }];
  });
  if (problems.length > 0) throw new InvalidInputError('configuration', problems);
}
