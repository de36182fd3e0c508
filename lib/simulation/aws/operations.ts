/**
 * Which IAM action and resource an AWS request needs. Source: "Actions, resources, and condition keys" of the service
 * authorization reference. An operation that is not listed is refused, as a role could not have allowed it here.
 */
import { isRecord } from './intrinsics.ts';
import type { Place } from './template.ts';

/** What one request needs. */
export interface RequiredAccess {
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

type Body = Readonly<Record<string, unknown>>;

/** Batches need the action of the single operation. */
const SQS_ACTIONS: Readonly<Record<string, string>> = {
  SendMessageBatch: 'SendMessage',
  DeleteMessageBatch: 'DeleteMessage',
  ChangeMessageVisibilityBatch: 'ChangeMessageVisibility',
};

/** Services by the name in the credential scope. */
const REQUIRED: Readonly<Record<string, (operation: string, body: Body, place: Place) => RequiredAccess>> = {
  sqs: (operation, body, place) => {
    const url = text(body.QueueUrl ?? body.QueueName);
    const resource = operation === 'ListQueues' ? '*' : arn(place, 'sqs', url.slice(url.lastIndexOf('/') + 1));
    return { action: `sqs:${SQS_ACTIONS[operation] ?? operation}`, resource, context: {} };
  },
  monitoring: (operation, body, place) => ({
    action: `cloudwatch:${operation}`,
    resource: operation === 'DescribeAlarms' ? arn(place, 'cloudwatch', 'alarm:*') : cloudwatchResource(body, place),
    context: typeof body.Namespace === 'string' ? { 'cloudwatch:namespace': body.Namespace } : {},
  }),
  ssm: (operation, body, place) => {
    const name = text(body.Name).replace(/^\//, '');
    return { action: `ssm:${operation}`, resource: arn(place, 'ssm', `parameter/${name}`), context: {} };
  },
  sns: (operation, body) => ({ action: `sns:${operation}`, resource: text(body.TopicArn), context: {} }),
  lambda: (operation, body, place) => {
    const name = operation.startsWith('GetFunction') || operation === 'GetPolicy' ? text(body.FunctionName) : '';
    const resource = name === '' ? '*' : arn(place, 'lambda', `function:${name}`);
    return { action: `lambda:${operation}`, resource, context: {} };
  },
  events: (operation, body, place) => {
    const name = text(body.Name);
    return {
      action: `events:${operation}`,
      resource: name === '' ? '*' : arn(place, 'events', `rule/${name}`),
      context: {},
    };
  },
  logs: (operation, body, place) => ({
    action: `logs:${operation}`,
    resource: arn(place, 'logs', `log-group:${text(body.logGroupName)}:*`),
    context: {},
  }),
};

/** What the request needs; null for a service that is not there. */
export function requiredAccess(
  scopeName: string,
  operation: string,
  body: unknown,
  place: Place,
): RequiredAccess | null {
  return REQUIRED[scopeName]?.(operation, isRecord(body) ? body : {}, place) ?? null;
}

/** Metrics have no ARN; alarms do. */
function cloudwatchResource(body: Body, place: Place): string {
  return typeof body.AlarmName === 'string' ? arn(place, 'cloudwatch', `alarm:${body.AlarmName}`) : '*';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function arn(place: Place, service: string, resource: string): string {
  return `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;
}
