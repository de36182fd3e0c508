/**
 * The local AWS: takes the CloudFormation template that `serverless package` wrote, with its zip files, and runs it on
 * this machine, permissions included. Lives in this folder: what AWS does. May not live here: what the autoscaler,
 * Cloud 66 or the load do. Deployed code never imports it.
 *
 * Faithful where a program could notice: queues, event source mappings, retries, destinations, concurrency, timeouts,
 * IAM. Left out: VPCs, layers, encryption, quotas that a single stack does not reach.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Caller, createGuard, type Guard, type Refusal, type ServiceCaller } from './access.ts';
import type { AsynchronousQueue, EventEnd } from './asynchronous.ts';
import {
  createEventsHandler,
  createFunctionLogs,
  createLambdaHandler,
  createLogsHandler,
  type FunctionLogs,
} from './control-plane.ts';
import { type FaultHook, type GatewayRequest, type RequestRecord, startGateway } from './gateway.ts';
import { createFunction, type InvokeOutcome, type LocalFunction } from './lambda.ts';
import { handleNotifications, type Notification } from './notifications.ts';
import { handleParameters, type Parameter } from './parameters.ts';
import type { ServiceHandler } from './protocol.ts';
import { createLocalQueues, createStackQueues, type LocalQueues } from './sqs.ts';
import { loadTemplate, type Place, type Stack } from './template.ts';
import { asynchronousQueues, eventSources, schedules } from './wiring.ts';

/** One line of what the functions print, or of what the platform has to say about them. */
interface LogLine {
  readonly from: 'function' | 'platform';
  /** Name of the function or of the mapping, rule or queue. */
  readonly name: string;
  readonly line: string;
}

/** One finished attempt to run a function. */
export interface InvocationReport {
  readonly functionName: string;
  readonly outcome: InvokeOutcome;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** What the local AWS is started with. */
export interface CloudOptions {
  /** The compiled template, parsed from JSON. */
  readonly template: unknown;
  /** The folder with the zip files that the template names (`.serverless`). */
  readonly artifactsFolder: string;
  readonly stackName?: string;
  readonly region?: string;
  readonly templateParameters?: Readonly<Record<string, string>>;
  /** SSM parameters by name. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** Queues outside the template, such as the user's work queue: attributes by queue name. */
  readonly queues?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Answers CloudWatch's operations. */
  readonly cloudwatchHandler?: ServiceHandler;
  readonly faults?: FaultHook;
  /** Added to the environment of every function; wins over the template. */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
  /** The Node of the functions; this process's own unless said otherwise. */
  readonly nodePath?: string;
  readonly onLog?: (line: LogLine) => void;
  readonly onInvocation?: (report: InvocationReport) => void;
  /** A message was published to a topic. */
  readonly onNotification?: (notification: Notification) => void;
}

/** A running local AWS. */
export interface Cloud {
  /** `AWS_ENDPOINT_URL` for any SDK; with the operator's key everything is allowed. */
  readonly endpoint: string;
  readonly operatorAccessKeyId: string;
  readonly stack: Stack;
  readonly queues: LocalQueues;
  /** Calls that IAM refused. */
  readonly refusals: readonly Refusal[];
  readonly requests: readonly RequestRecord[];
  /** Runs a function now, as `Invoke` with `RequestResponse` does. Throws an Error for an unknown name or ARN. */
  invoke(functionName: string, event: unknown): Promise<InvokeOutcome>;
  /** Puts an event into the function's asynchronous queue; resolves when it has left it. */
  invokeAsynchronously(functionName: string, event: unknown): Promise<EventEnd>;
  /** As an AWS service does it: asynchronously, if the function's permissions allow it; otherwise the refusal. */
  invokeAs(service: ServiceCaller, functionArn: string, event: unknown): Refusal | null;
  /** Stops everything: processes, timers, sockets, unpacked code. Safe to call twice. */
  close(): Promise<void>;
}

/** AWS's placeholder account, which fauxqs uses too. */
const ACCOUNT_ID = '000000000000';
const OPERATOR_ACCESS_KEY_ID = 'AKIALOCALOPERATOR000';

const WAKE_INTERVAL_MS = 10;

type Cleanup = () => Promise<void> | void;

/**
 * Starts a stack. Throws `InvalidInputError` for a template that cannot be run faithfully or that AWS would refuse;
 * what was started by then is stopped again.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const cleanups: Cleanup[] = [];
  let closing: Promise<void> | null = null;
  const close = (): Promise<void> => {
    closing ??= runCleanups(cleanups);
    return closing;
  };
  try {
    return await compose(options, cleanups, close);
  } catch (error) {
    await close();
    throw error;
  }
}

/** Last started, first stopped. One that fails does not keep the others from running. */
async function runCleanups(cleanups: Cleanup[]): Promise<void> {
  const errors: unknown[] = [];
  for (const cleanup of cleanups.toReversed()) {
    await Promise.resolve()
      .then(cleanup)
      .catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0) {
    throw new AggregateError(errors, 'The local AWS did not stop cleanly');
  }
}

async function compose(options: CloudOptions, cleanups: Cleanup[], close: () => Promise<void>): Promise<Cloud> {
  const gateway = await startGateway();
  cleanups.push(() => gateway.close());
  const place: Place = {
    stackName: options.stackName ?? 'local',
    accountId: ACCOUNT_ID,
    region: options.region ?? 'us-east-1',
    partition: 'aws',
    endpoint: gateway.endpoint,
  };
  const stack = loadTemplate(options.template, { ...place, parameters: options.templateParameters ?? {} });
  const guard = createGuard(stack);
  const queues = await createLocalQueues(place);
  cleanups.push(() => queues.close());
  await createStackQueues(stack, queues);
  for (const [name, attributes] of Object.entries(options.queues ?? {})) {
    await queues.create(name, attributes);
  }
  const logs = createFunctionLogs();
  const functions = await createFunctions(stack, options, logs, cleanups);
  const parameters = parametersOf(stack, options);
  gateway.open({
    place,
    guard,
    parameters,
    faults: options.faults ?? null,
    callers: new Map<string, Caller | null>([
      [OPERATOR_ACCESS_KEY_ID, null],
      ...functions.map((one) => [one.accessKeyId, one.caller] as const),
    ]),
    services: {
      sqs: (operation, body) => queues.call(operation, body),
      ssm: (operation, body) => handleParameters(parameters, place, operation, body),
      sns: (operation, body) => handleNotifications(operation, body, options.onNotification ?? (() => {})),
      lambda: createLambdaHandler(stack, options.extraEnvironment ?? {}),
      events: createEventsHandler(stack),
      logs: createLogsHandler(stack, logs),
      ...(options.cloudwatchHandler === undefined ? {} : { monitoring: options.cloudwatchHandler }),
    },
  });
  return run(options, { stack, guard, queues, functions }, gateway.requests, cleanups, close);
}

/** The moving parts: asynchronous queues, event source mappings, schedules. */
function run(
  options: CloudOptions,
  parts: { stack: Stack; guard: Guard; queues: LocalQueues; functions: readonly LocalFunction[] },
  requests: readonly RequestRecord[],
  cleanups: Cleanup[],
  close: () => Promise<void>,
): Cloud {
  const { stack, guard, queues, functions } = parts;
  const byName = (nameOrArn: string): LocalFunction => {
    const found = functions.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
    if (found === undefined) {
      throw new Error(`Function ${nameOrArn} does not exist`);
    }
    return found;
  };
  const say = (name: string, line: string): void => options.onLog?.({ from: 'platform', name, line });
  const fault = (request: GatewayRequest): boolean => (options.faults?.(request) ?? null) !== null;
  const waiting: ReadonlyMap<string, AsynchronousQueue> = asynchronousQueues({ ...parts, byName, say, fault });
  const invokeAs = (service: ServiceCaller, functionArn: string, event: unknown): Refusal | null => {
    const target = byName(functionArn);
    const refusal = guard.checkInvoke(service, target.arn);
    if (refusal !== null) {
      say(target.name, refusal.message);
      return refusal;
    }
    // How it ends is reported by the queue itself.
    void waiting.get(target.name)?.accept(event);
    return null;
  };
  const rules = schedules(stack, byName, invokeAs);
  cleanups.push(() => {
    for (const rule of rules) {
      rule.close();
    }
  });
  const sources = eventSources({ ...parts, byName, say, fault });
  cleanups.push(async () => {
    // All are told to end before any is waited for: mappings and events wait for functions, functions are ended here.
    const ending = [...sources, ...waiting.values()].map((one) => one.close());
    // More than once: a poll may be on its way into the queue right now.
    const waking = setInterval(() => queues.wake(), WAKE_INTERVAL_MS);
    await Promise.all(functions.map((one) => one.stop()));
    await Promise.all(ending);
    clearInterval(waking);
  });
  return {
    endpoint: stack.endpoint,
    operatorAccessKeyId: OPERATOR_ACCESS_KEY_ID,
    stack,
    queues,
    refusals: guard.refusals,
    requests,
    invoke: (name, event) => byName(name).invoke(event),
    invokeAsynchronously: async (name, event) => (await waiting.get(byName(name).name)?.accept(event)) ?? 'dropped',
    invokeAs,
    close,
  };
}

async function createFunctions(
  stack: Stack,
  options: CloudOptions,
  logs: FunctionLogs,
  cleanups: Cleanup[],
): Promise<LocalFunction[]> {
  const workFolder = await mkdtemp(join(tmpdir(), 'local-aws-'));
  cleanups.push(() => rm(workFolder, { recursive: true, force: true }));
  const functions: LocalFunction[] = [];
  for (const resource of stack.of('AWS::Lambda::Function')) {
    const created = await createFunction(resource, {
      stack,
      workFolder,
      artifactsFolder: options.artifactsFolder,
      nodePath: options.nodePath ?? process.execPath,
      extraEnvironment: options.extraEnvironment ?? {},
      onLine: (name, line) => {
        logs.add(name, line);
        options.onLog?.({ from: 'function', name, line });
      },
    });
    functions.push(reporting(created, options.onInvocation));
  }
  return functions;
}

function reporting(target: LocalFunction, onInvocation: CloudOptions['onInvocation']): LocalFunction {
  return {
    ...target,
    async invoke(event, requestId) {
      const startedAtMs = Date.now();
      const outcome = await target.invoke(event, requestId);
      onInvocation?.({ functionName: target.name, outcome, startedAtMs, endedAtMs: Date.now() });
      return outcome;
    },
  };
}

function parametersOf(stack: Stack, options: CloudOptions): Map<string, Parameter> {
  const own = stack
    .of('AWS::SSM::Parameter')
    .map(({ name, properties }) => [name, { type: properties.Type, value: properties.Value }] as const);
  return new Map<string, Parameter>([...own, ...Object.entries(options.parameters ?? {})]);
}
