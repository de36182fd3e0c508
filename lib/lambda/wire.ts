/**
 * The composition root: the only place that knows which adapter stands behind which port. Built once per execution
 * environment, at its start, so that a wrong configuration stops the function before it does anything.
 */
import { randomUUID } from 'node:crypto';
import { lookAgainSeconds } from '../actions/backoff.ts';
import { createDeadLetter } from '../actions/dead-letter.ts';
import { parseActionRecord } from '../actions/record.ts';
import { createActionSender } from '../actions/sender.ts';
import { createBudget } from '../cloud66/budget.ts';
import { createCloud66Client } from '../cloud66/client.ts';
import type { Fetch } from '../cloud66/node-fetch.ts';
import { createProcessHost, createScaler } from '../cloud66/process-host.ts';
import { createTokenSource, fixedToken, type TokenSource } from '../cloud66/token.ts';
import { prepareExchange } from '../cloud66/transport.ts';
import { type Environment, readEnvironment, variableText } from '../config/env.ts';
import { overridesParameter } from '../config/overrides-parameter.ts';
import { withPackagedTargets } from '../config/packaged-targets.ts';
import { openWindows } from '../config/schedule.ts';
import { type PollerSettings, parsePollerSettings, parseSettings } from '../config/settings.ts';
import type { ActionRecord } from '../domain.ts';
import { createNotices } from '../notify/notices.ts';
import { createPublisher, type Publisher } from '../notify/sns.ts';
import { createOverrideReader } from '../overrides/source.ts';
import { createCloudWatch } from '../queue/cloudwatch.ts';
import type { AwsConnection } from '../queue/connection.ts';
import { createParameterReader, type ParameterReader } from '../queue/parameter.ts';
import { createQueueReader } from '../queue/reader.ts';
import { createSqs, type Sqs } from '../queue/sqs.ts';
import { createMemory } from '../reconcile/memory.ts';
import type { Clock, Reporter } from '../reconcile/ports.ts';
import type { PassSignals } from '../reconcile/reconcile.ts';
import { createShadow } from '../reconcile/shadow.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createRedactor, type Redactor } from '../telemetry/redaction.ts';
import { createReporter } from '../telemetry/reporter.ts';
import { type Account, createAccounts, hostOfStacks, scalerOfStacks } from './accounts.ts';
import { createCallReport } from './calls.ts';
import { look } from './look.ts';
import { lambdaHandler } from './middleware.ts';
import { confirmRecords } from './records.ts';
import { withShadowRecords } from './shadow-record.ts';
import { noting, tell } from './tell.ts';

/** One try of the scale call: it must fit into what the middleware leaves after the last moment to begin one. */
export const SCALE_TIMEOUT_MS = 10_000;

/** Set by Lambda. */
const FUNCTION_NAME = 'AWS_LAMBDA_FUNCTION_NAME';

/**
 * What the handlers take from the process they run in. A simulation gives its own, so that the handlers run as deployed
 * against simulated time and services; timers are the global ones, which a simulation replaces.
 */
export interface Platform {
  readonly clock: Clock;
  /** Writes one line of the log. */
  readonly write: (line: string) => void;
  readonly newId: () => string;
  /** How the AWS clients sign and send; undefined: as the environment says, through sockets. */
  readonly aws?: Pick<AwsConnection, 'credentials' | 'requestHandler' | 'signer'>;
  /** How the Cloud 66 clients send; undefined: through sockets. */
  readonly fetch?: Fetch;
}

const PROCESS: Platform = {
  clock: { nowMs: () => Date.now() },
  write: (line) => {
    process.stdout.write(`${line}\n`);
  },
  newId: randomUUID,
};

/**
 * The handler of the scale function.
 *
 * @throws InvalidInputError that lists every problem of the configuration.
 */
export function wireScale(
  environment: Environment = withPackagedTargets(readEnvironment(), import.meta.url),
  platform: Platform = PROCESS,
) {
  const settings = parseSettings(environment);
  const { clock } = platform;
  const shared = share('scale', settings, environment, platform);
  const { connection, sqs, accounts, parameters } = shared;
  const host = hostOfStacks(settings.targets, (name) => accounts.of(name).host);
  const overridesName = overridesParameter(settings.stage);
  const ports = {
    clock,
    queue: createQueueReader({ sqs, cloudwatch: createCloudWatch(connection), clock }),
    ...(settings.dryRun ? createShadow({ host, clock }) : { host, scaler: scalerOfStacks(settings.targets, accounts) }),
    overrides: createOverrideReader({ readDocument: (signal) => parameters.readIfAny(overridesName, signal), clock }),
    sender: createActionSender({ sendMessage: sqs.sendFifo, queueUrl: settings.actionsQueueUrl }),
    memory: createMemory(),
    openWindows,
    newDecisionId: platform.newId,
  };
  return lambdaHandler<unknown, Awaited<ReturnType<typeof look>>>((event, signals, logger) => {
    // Meanwhile the pass waits for its queues; it calls Cloud 66 after that.
    void prepareExchange();
    return shared.reporting(logger, signals, (reporter) =>
      look(event, settings, { ...ports, reporter: withShadowRecords(reporter, logger) }, signals, logger),
    );
  }, shared);
}

/**
 * The handler of the poller function.
 *
 * @throws InvalidInputError that lists every problem of the configuration.
 */
export function wirePoller(environment: Environment = readEnvironment(), platform: Platform = PROCESS) {
  const settings = parsePollerSettings(environment);
  const { clock } = platform;
  const shared = share('poller', settings, environment, platform);
  const { sqs, accounts } = shared;
  const { actionsQueueUrl, deadLetterQueueUrl, actionTimeoutSeconds } = settings;
  const deadLetter = createDeadLetter({ sendMessage: sqs.sendFifo, queueUrl: deadLetterQueueUrl });
  const ports = {
    clock,
    hostOf: ({ tokenParameter }: ActionRecord) => accounts.of(tokenParameter).host,
    parseRecord: parseActionRecord,
    lookAgainSeconds,
    changeVisibility: (receiptHandle: string, visibilityTimeoutSeconds: number, signal: AbortSignal) =>
      sqs.changeVisibility({ queueUrl: actionsQueueUrl, receiptHandle, visibilityTimeoutSeconds }, signal),
    deadLetter,
    actionTimeoutSeconds,
  };
  return lambdaHandler<unknown, Awaited<ReturnType<typeof confirmRecords>>>(
    (event, signals, logger) =>
      shared.reporting(logger, signals, (reporter) => confirmRecords(event, { ...ports, reporter }, signals, logger)),
    shared,
  );
}

function share(service: string, settings: PollerSettings, environment: Environment, platform: Platform) {
  const { clock, write, fetch } = platform;
  const redactor = createRedactor();
  const logger = createLogger({ level: settings.logLevel, write, clock, redactor, context: { service } });
  for (const warning of settings.warnings) logger.warn(warning);
  // The name of the function holds service and stage: metrics of all deployments of an account share one namespace.
  const metrics = createMetrics({ write, clock, service: variableText(environment, FUNCTION_NAME) ?? service });
  const region = environment['AWS_REGION'] ?? 'us-east-1';
  const connection: AwsConnection = { region, environment, ...platform.aws };
  const sqs = createSqs(connection);
  const endpoint = environment['AWS_ENDPOINT_URL_SSM'] ?? environment['AWS_ENDPOINT_URL'];
  const parameters = createParameterReader({ signedPost: sqs.signedPost, region: connection.region, endpoint });
  const warnings = {
    ofCloud66: warnOnce(logger, 'Cloud 66 warns.'),
    ofReplies: warnOnce(logger, 'A reply of Cloud 66 is incomplete.'),
  };
  const accounts = createAccounts((tokenParameter): Account => {
    const token = registered(tokenSource(settings, tokenParameter, parameters, clock), redactor);
    const account = token.name ?? 'CLOUD66_TOKEN';
    const budget = createBudget({ reserveShare: settings.apiBudgetReserve });
    const calls = createCallReport({ account, budget, metrics, clock });
    const client = createCloud66Client({
      apiUrl: settings.cloud66.apiUrl,
      token,
      clock,
      limits: { scaleTimeoutMs: SCALE_TIMEOUT_MS },
      budget,
      ...(fetch ? { fetch } : {}),
      onRateLimit: calls.seen,
      onWarning: warnings.ofCloud66,
    });
    const purpose = service === 'poller' ? 'confirm' : 'change';
    const host = createProcessHost({ client, clock, account, purpose, onWarning: warnings.ofReplies });
    return { host, scaler: createScaler({ client }), calls };
  });
  const notices = createNotices();
  const publisher = publisherOf(settings, sqs, environment, clock);
  /** Each request has a reporter of its own, so that its records carry the request's id. */
  const reporting = async <R>(
    requestLogger: Logger,
    signals: PassSignals,
    work: (reporter: Reporter) => Promise<R>,
  ): Promise<R> => {
    try {
      return await work(noting(createReporter({ logger: requestLogger, metrics, clock }), notices, requestLogger));
    } finally {
      accounts.tell(requestLogger);
      await tell({ notices, publisher, metrics, redactor }, requestLogger, signals.last);
    }
  };
  return { logger, metrics, connection, sqs, accounts, parameters, reporting };
}

/** The token in the named parameter, or the one for all. */
function tokenSource(
  { cloud66: { token } }: PollerSettings,
  ownParameter: string | undefined,
  parameters: ParameterReader,
  clock: Clock,
): TokenSource {
  if (ownParameter === undefined && token.kind === 'value') return fixedToken(token.value);
  const name = ownParameter ?? (token.kind === 'parameter' ? token.name : '');
  const never = new AbortController().signal; // the reader has a time limit of its own
  return createTokenSource({ name, readParameter: () => parameters.read(name, never), clock });
}

/** Null when no topic is configured. */
function publisherOf(
  { notifyTopicArn: topicArn, stage }: PollerSettings,
  { signedPost }: Sqs,
  environment: Environment,
  clock: Clock,
): Publisher | null {
  if (topicArn === null) return null;
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return createPublisher({
    topicArn,
    stage,
    clock,
    endpoint: environment['AWS_ENDPOINT_URL_SNS'] ?? environment['AWS_ENDPOINT_URL'],
    postForm: ({ form, ...request }, signal) => signedPost({ ...request, headers, body: form.toString() }, signal),
  });
}

/** Whatever token is ever used is struck out of everything that is written. */
function registered(source: TokenSource, redactor: Redactor): TokenSource {
  const register = async (reading: Promise<string>) => {
    const token = await reading;
    redactor.register(token);
    return token;
  };
  return { name: source.name, get: () => register(source.get()), refresh: () => register(source.refresh()) };
}

/** What a warning is about is repeated in every reply; once per execution environment is enough. */
function warnOnce(logger: Logger, message: string): (warning: string) => void {
  const told = new Set<string>();
  return (warning) => {
    if (told.has(warning) || told.size >= 20) return;
    told.add(warning);
    logger.warn(message, { warning });
  };
}
