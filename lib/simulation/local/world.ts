/**
 * A whole world on this machine: the packaged functions in a local AWS, a CloudWatch that watches the queue, a Cloud 66
 * account whose workers really empty it. `npm start` plays a load in it; the end-to-end tests break things in it.
 */
import { type Cloud, type CloudOptions, startCloud } from '../aws/cloud.ts';
import { createRealClock } from '../clock.ts';
import { Cloud66Account } from '../cloud66/account.ts';
import type { FaultDecision } from '../cloud66/http-faults.ts';
import type { AccountSettings, StackSeed, WorkersEvent } from '../cloud66/model.ts';
import type { ReplyForm } from '../cloud66/reply-forms.ts';
import { type Cloud66Server, startCloud66Server } from '../cloud66/server.ts';
import { type Alarms, createAlarms } from '../cloudwatch/alarms.ts';
import type { Transition } from '../cloudwatch/events.ts';
import { createCloudWatchHandler } from '../cloudwatch/server.ts';
import { createSqsMetrics } from '../cloudwatch/sqs-metrics.ts';
import { createMetricStore, type MetricStore } from '../cloudwatch/store.ts';
import { createRandom, type Random } from '../random.ts';
import { type Consumers, startConsumers } from './consumers.ts';
import type { Packaged } from './package.ts';

/** The token of the simulated account, kept as an SSM SecureString in the local AWS. */
export const LOCAL_TOKEN = 'local-token-0123456789abcdef';
export const TOKEN_PARAMETER = '/cloud66-worker-autoscaler/local/token';

/** What a world is made of. */
export interface WorldOptions {
  readonly packaged: Packaged;
  readonly stacks: readonly StackSeed[];
  /** The queue that each process works on, by process name. */
  readonly queueOf: Readonly<Record<string, string>>;
  /** Mean time of a job, in seconds. */
  readonly jobSeconds: number;
  readonly seed: number | string;
  readonly replyForm?: ReplyForm;
  readonly account?: Partial<AccountSettings>;
  readonly scopes?: readonly ('public' | 'redeploy' | 'admin')[];
  readonly cloud66Faults?: FaultDecision;
  readonly cloud?: Partial<Pick<CloudOptions, 'faults' | 'parameters' | 'extraEnvironment' | 'queues'>>;
  readonly onLog?: CloudOptions['onLog'];
  readonly onInvocation?: CloudOptions['onInvocation'];
  readonly onAlarm?: (transition: Transition) => void;
  readonly onWorkers?: (event: WorkersEvent) => void;
  /** Time until a new queue has metrics; none unless said otherwise. */
  readonly newQueueSeconds?: number;
}

/** A running world. */
export interface World {
  readonly cloud: Cloud;
  readonly cloud66: Cloud66Server;
  readonly account: Cloud66Account;
  readonly alarms: Alarms;
  readonly metrics: MetricStore;
  readonly random: Random;
  /** The workers of each process. */
  readonly consumers: ReadonlyMap<string, Consumers>;
  /** Ends everything; safe to call twice. */
  close(): Promise<void>;
}

/** How often CloudWatch looks at queues and alarms: often enough that a minute is never missed. */
const WATCH_INTERVAL_MS = 1000;

/** Starts a world; what was started is ended again when a part of it does not start. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const cleanups: (() => void | Promise<void>)[] = [];
  const close = async () => {
    for (let cleanup = cleanups.pop(); cleanup; cleanup = cleanups.pop()) await cleanup();
  };
  try {
    return await compose(options, cleanups, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function compose(
  options: WorldOptions,
  cleanups: (() => void | Promise<void>)[],
  close: () => Promise<void>,
): Promise<World> {
  const random = createRandom(options.seed);
  const consumers = new Map<string, Consumers>();
  const account = createAccount(options, random, consumers);
  cleanups.push(() => account.close());
  const cloud66 = await startCloud66Server({
    account,
    random: random.fork('cloud66'),
    replyForm: options.replyForm ?? 'mixed',
    ...(options.cloud66Faults ? { faults: options.cloud66Faults } : {}),
  });
  cleanups.push(() => cloud66.close());
  const { cloud, alarms, metrics, stop } = await startAws(options, cloud66.url);
  cleanups.push(() => cloud.close(), stop);
  // All at once: each waits for its long poll to end.
  cleanups.push(async () => {
    await Promise.all([...consumers.values()].map((crew) => crew.close()));
  });
  for (const { uid, processes } of options.stacks) {
    for (const { name } of processes) {
      const crew = startConsumers({
        queues: cloud.queues,
        queueName: options.queueOf[name] ?? name,
        jobSeconds: options.jobSeconds,
        random: random.fork(`jobs/${name}`),
        nowMs: () => Date.now(),
      });
      consumers.set(name, crew);
      crew.setCount(account.stack(uid).workers(name));
    }
  }
  return { cloud, cloud66, account, alarms, metrics, random, consumers, close };
}

function createAccount(options: WorldOptions, random: Random, consumers: ReadonlyMap<string, Consumers>) {
  const scopes = options.scopes ?? (['public', 'redeploy', 'admin'] as const);
  return new Cloud66Account({
    clock: createRealClock(),
    random: random.fork('account'),
    stacks: options.stacks,
    tokens: [{ value: LOCAL_TOKEN, user: 'operator@example.com', scopes }],
    ...(options.account ? { settings: options.account } : {}),
    onWorkersChanged: (event) => {
      consumers.get(event.processName)?.setCount(event.running);
      options.onWorkers?.(event);
    },
  });
}

/** The local AWS with its CloudWatch: metrics from the queues, alarms from the template, alarm actions to the functions. */
async function startAws(options: WorldOptions, cloud66Url: string) {
  const clock = { nowMs: () => Date.now() };
  const store = createMetricStore({ clock });
  const invoke: { as?: Cloud['invokeAs'] } = {};
  const alarms = createAlarms({
    store,
    clock,
    accountId: '000000000000',
    onTransition: (transition) => {
      const { alarmArn, accountId } = transition.event;
      const lambdaArns = transition.actionArns.filter((arn) => arn.includes(':lambda:'));
      // The alarms on the program's own health call nobody here; they are the page's and the story's business no more.
      if (lambdaArns.length === 0) return;
      options.onAlarm?.(transition);
      const caller = { principal: 'lambda.alarms.cloudwatch.amazonaws.com', sourceArn: alarmArn };
      for (const arn of lambdaArns) {
        invoke.as?.({ ...caller, sourceAccount: accountId }, arn, transition.event);
      }
    },
  });
  const cloud = await startCloud({
    ...options.packaged,
    ...options.cloud,
    queues: {
      ...Object.fromEntries(Object.values(options.queueOf).map((name) => [name, { VisibilityTimeout: '300' }])),
      ...options.cloud?.queues,
    },
    parameters: { [TOKEN_PARAMETER]: { type: 'SecureString', value: LOCAL_TOKEN }, ...options.cloud?.parameters },
    cloudwatchHandler: createCloudWatchHandler({ store, alarms, clock }),
    extraEnvironment: { CLOUD66_API_URL: cloud66Url, ...options.cloud?.extraEnvironment },
    ...(options.onLog ? { onLog: options.onLog } : {}),
    ...(options.onInvocation ? { onInvocation: options.onInvocation } : {}),
  });
  invoke.as = cloud.invokeAs;
  for (const { properties } of cloud.stack.of('AWS::CloudWatch::Alarm')) alarms.put(properties);
  const { newQueueSeconds = 0 } = options;
  const metrics = createSqsMetrics({ store, clock, depths: () => depthsOf(cloud), newQueueSeconds });
  const timer = setInterval(() => {
    metrics.advance();
    alarms.advance();
  }, WATCH_INTERVAL_MS);
  return { cloud, alarms, metrics: store, stop: () => clearInterval(timer) };
}

/** All queues as CloudWatch counts them. Every receive and every reading of the tick keeps a queue awake. */
function depthsOf({ queues, requests }: Cloud) {
  return queues.list().map(({ name }) => {
    const depth = queues.depth(name);
    return { queueName: name, ...depth, requests: depth.received + depth.emptyReceives + requests.length };
  });
}
