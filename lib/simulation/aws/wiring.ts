/** Joins the resources of a stack that refer to one another: destinations, event source mappings, schedule rules. */
import { InvalidInputError, type Problem } from '../../errors.ts';
import type { Guard, Refusal, ServiceCaller } from './access.ts';
import { type AsynchronousQueue, createAsynchronousQueue, type SendRecord } from './asynchronous.ts';
import { type EventSource, startEventSource } from './event-source.ts';
import type { GatewayRequest } from './gateway.ts';
import type { LocalFunction } from './lambda.ts';
import { ratePeriodSeconds, type Schedule, startSchedule } from './schedule.ts';
import type { LocalQueues } from './sqs.ts';
import type { Stack } from './template.ts';

/** What the joints need of the rest. */
export interface Parts {
  readonly stack: Stack;
  readonly guard: Guard;
  readonly queues: LocalQueues;
  readonly functions: readonly LocalFunction[];
  /** A function by name or ARN; throws an Error where there is none. */
  readonly byName: (nameOrArn: string) => LocalFunction;
  /** A line about a function for whoever watches. */
  readonly say: (name: string, line: string) => void;
  /** True when a fault is wanted for this request. */
  readonly fault: (request: GatewayRequest) => boolean;
}

/** Lambda's own number of pollers when a mapping sets none. */
const POLLERS = 5;

/**
 * One asynchronous queue per function, by name.
 * Throws `InvalidInputError` for a destination that does not exist or that the function's role may not send to.
 */
export function asynchronousQueues(parts: Parts): ReadonlyMap<string, AsynchronousQueue> {
  const configs = parts.stack.of('AWS::Lambda::EventInvokeConfig');
  return new Map(
    parts.functions.map((target) => {
      const config = configs.find(({ properties }) => [target.name, target.arn].includes(properties.FunctionName));
      const { OnSuccess, OnFailure } = config?.properties.DestinationConfig ?? {};
      const path = `Resources.${config?.logicalId ?? ''}.DestinationConfig`;
      const queue = createAsynchronousQueue(
        target,
        {
          retriesMax: config?.properties.MaximumRetryAttempts ?? 2,
          eventAgeMaxSeconds: config?.properties.MaximumEventAgeInSeconds ?? 21_600,
          onSuccess: OnSuccess ? destination(parts, target, OnSuccess.Destination, `${path}.OnSuccess`) : null,
          onFailure: OnFailure ? destination(parts, target, OnFailure.Destination, `${path}.OnFailure`) : null,
        },
        (end, problem) => {
          if (end !== 'Success' || problem !== null) {
            parts.say(target.name, `asynchronous event: ${end}${problem === null ? '' : `, ${problem}`}`);
          }
        },
      );
      return [target.name, queue];
    }),
  );
}

/** Lambda checks the role's right to send when the destination is set, and again at each record. */
function destination(parts: Parts, target: LocalFunction, arn: string, path: string): SendRecord {
  const queue = parts.queues.list().find((one) => one.arn === arn);
  if (queue === undefined || queue.name.endsWith('.fifo')) {
    throw new InvalidInputError('Lambda destinations', [
      { field: path, message: `found ${arn}, expected the ARN of a standard queue of this stack` },
    ]);
  }
  refuseUnless(parts, target, ['sqs:SendMessage'], arn, path);
  return async (record) => {
    if (parts.fault({ service: 'sqs', operation: 'SendMessage', functionName: target.name })) {
      throw new Error('SQS cannot be reached');
    }
    await parts.queues.send(queue.name, JSON.stringify(record));
  };
}

/**
 * Starts the mappings that are enabled.
 * Throws `InvalidInputError`, as the deployment would, when the function's role lacks what the poller needs or when the
 * function may run longer than a message stays invisible.
 */
export function eventSources(parts: Parts): readonly EventSource[] {
  const mappings = parts.stack.of('AWS::Lambda::EventSourceMapping').filter(({ properties }) => properties.Enabled);
  const starts = mappings.map(({ logicalId, properties }) => {
    const path = `Resources.${logicalId}`;
    const target = parts.byName(properties.FunctionName);
    const queue = parts.queues.list().find(({ arn }) => arn === properties.EventSourceArn);
    if (queue === undefined) {
      const message = `found ${properties.EventSourceArn}, expected the ARN of a queue of this stack`;
      throw new InvalidInputError('Event source mappings', [{ field: `${path}.EventSourceArn`, message }]);
    }
    refuseUnless(parts, target, POLLER_ACTIONS, queue.arn, path);
    refuseShortVisibility(parts.stack, target, queue.name, path);
    return () =>
      startEventSource({
        queue,
        target,
        queues: parts.queues,
        region: parts.stack.region,
        batchSize: properties.BatchSize,
        concurrency: properties.ScalingConfig?.MaximumConcurrency ?? POLLERS,
        reportsItemFailures: properties.FunctionResponseTypes.length > 0,
        obstacle: (operation) =>
          parts.fault({ service: 'sqs', operation, functionName: target.name })
            ? `SQS ${operation} cannot be reached`
            : (parts.guard.check(target.caller, `sqs:${operation}`, queue.arn)?.message ?? null),
        onProblem: (problem) => parts.say(target.name, problem),
      });
  });
  // Only when all are right does the first one start to poll.
  return starts.map((start) => start());
}

const POLLER_ACTIONS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

function refuseUnless(
  { guard }: Parts,
  target: LocalFunction,
  actions: readonly string[],
  arn: string,
  path: string,
): void {
  const problems: Problem[] = actions
    .map((action) => guard.check(target.caller, action, arn))
    .filter((refusal) => refusal !== null)
    .map(({ message }) => ({ field: path, message }));
  if (problems.length > 0) {
    throw new InvalidInputError("The function's role", problems);
  }
}

function refuseShortVisibility(stack: Stack, target: LocalFunction, queueName: string, path: string): void {
  const queue = stack.of('AWS::SQS::Queue').find(({ name }) => name === queueName);
  const lambda = stack.of('AWS::Lambda::Function').find(({ name }) => name === target.name);
  const visibilitySeconds = queue?.properties.VisibilityTimeout ?? 30;
  const timeoutSeconds = lambda?.properties.Timeout ?? 0;
  if (queue !== undefined && visibilitySeconds < timeoutSeconds) {
    const message = `the queue's visibility timeout (${visibilitySeconds} s) is less than the function's (${timeoutSeconds} s)`;
    throw new InvalidInputError('Event source mappings', [{ field: path, message }]);
  }
}

/** Starts the enabled rules. A tick that a function's permissions do not allow is refused and recorded. */
export function schedules(
  stack: Stack,
  byName: Parts['byName'],
  invokeAs: (service: ServiceCaller, functionArn: string, event: unknown) => Refusal | null,
): readonly Schedule[] {
  const rules = stack.of('AWS::Events::Rule').filter(({ properties }) => properties.State === 'ENABLED');
  const starts = rules.map(({ arn, properties }) => {
    const periodSeconds = ratePeriodSeconds(properties.ScheduleExpression);
    const inputs = properties.Targets.map((target) => ({
      functionArn: byName(target.Arn).arn,
      input: target.Input === undefined ? null : (JSON.parse(target.Input) as unknown),
    }));
    const service = { principal: 'events.amazonaws.com', sourceArn: arn, sourceAccount: stack.accountId };
    return () =>
      startSchedule({
        ruleArn: arn,
        accountId: stack.accountId,
        region: stack.region,
        periodSeconds,
        onTick: (event) => {
          for (const { functionArn, input } of inputs) {
            invokeAs(service, functionArn, input ?? event);
          }
        },
      });
  });
  return starts.map((start) => start());
}
