/**
 * What AWS says of a deployment, in this program's words. The only importer of the SDK clients in this folder; every call
 * reads. Source: the API references of Lambda, EventBridge, CloudWatch, CloudWatch Logs and SQS.
 */
import { CloudWatchClient, DescribeAlarmsCommand, type MetricAlarm } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeRuleCommand, EventBridgeClient, ListRuleNamesByTargetCommand } from '@aws-sdk/client-eventbridge';
import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetPolicyCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import { type AwsConnection, clientSettings, limitsOf, withTimeLimit } from '../queue/connection.ts';
import { createSqs } from '../queue/sqs.ts';
import { type Permission, permissionsIn } from './policy-text.ts';

/** A deployed function. */
export interface DeployedFunction {
  readonly arn: string;
  /** `Active` when it can run. */
  readonly state: string;
  readonly lastUpdateStatus: string;
  readonly modifiedAtMs: number;
  readonly variables: Readonly<Record<string, string>>;
}

/** An event source mapping. */
export interface DeployedMapping {
  readonly sourceArn: string;
  /** `Enabled`, `Disabled`, `Enabling`, … */
  readonly state: string;
  readonly reportsItemFailures: boolean;
}

/** A schedule rule. */
export interface DeployedRule {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
  readonly expression: string;
}

/** A metric alarm. */
export interface DeployedAlarm {
  readonly name: string;
  readonly actionsEnabled: boolean;
  readonly alarmActions: readonly string[];
  readonly okActions: readonly string[];
  readonly namespace: string;
  readonly metricName: string;
  readonly statistic: string;
  readonly periodSeconds: number;
  readonly threshold: number;
  readonly state: string;
  /** When the state last changed. */
  readonly changedAtMs: number | null;
  readonly stateReason: string;
}

/** One line of a function's log. */
export interface LoggedLine {
  readonly atMs: number;
  readonly text: string;
}

/** Reads a deployment. Null or an empty list for what does not exist; throws for everything else that goes wrong. */
export interface DeploymentReader {
  function(name: string, signal: AbortSignal): Promise<DeployedFunction | null>;
  /** Who may invoke a function. */
  permissions(functionName: string, signal: AbortSignal): Promise<readonly Permission[]>;
  reservedConcurrency(functionName: string, signal: AbortSignal): Promise<number | null>;
  /** What the account has, and what of it no function has reserved. */
  concurrency(signal: AbortSignal): Promise<{ readonly limit: number; readonly unreserved: number }>;
  mappings(functionName: string, signal: AbortSignal): Promise<readonly DeployedMapping[]>;
  /** Rules that point at a function. */
  rules(functionArn: string, signal: AbortSignal): Promise<readonly DeployedRule[]>;
  alarms(namePrefix: string, signal: AbortSignal): Promise<readonly DeployedAlarm[]>;
  /** Lines of a function's log since then, oldest first; with a filter pattern of CloudWatch Logs only those that match. */
  log(
    functionName: string,
    sinceMs: number,
    signal: AbortSignal,
    filterPattern?: string,
  ): Promise<readonly LoggedLine[]>;
  /** Messages of a queue in all states; null when there is no such queue. */
  messages(queueName: string, signal: AbortSignal): Promise<number | null>;
}

/** Pages of any list; a deployment of 100 targets has one page of alarms. */
const MAX_PAGES = 20;
/** A page of log lines has 1 MB: weeks of a dry run of some targets. */
const MAX_LOG_PAGES = 500;

/** One call within the limit of a call. */
type Limited = <T>(what: string, signal: AbortSignal, call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

export function createDeploymentReader(connection: AwsConnection): DeploymentReader {
  const settings = clientSettings(connection);
  const { callLimitSeconds } = limitsOf(connection);
  const limited: Limited = (what, signal, call) => withTimeLimit(what, callLimitSeconds, signal, call);
  const sqs = createSqs(connection);
  return {
    ...lambdaReader(new LambdaClient(settings), limited),
    ...concurrencyReader(new LambdaClient(settings), limited),
    rules: rulesReader(new EventBridgeClient(settings), limited),
    alarms: alarmsReader(new CloudWatchClient(settings), limited),
    log: logReader(new CloudWatchLogsClient(settings), limited),
    messages: (queueName, signal) =>
      unlessMissing(async () => {
        const attributes = await sqs.depthAttributes(await sqs.queueUrl(queueName, signal), signal);
        return Object.values(attributes).reduce((sum, count) => sum + Number(count), 0);
      }),
  };
}

function lambdaReader(
  lambda: LambdaClient,
  limited: Limited,
): Pick<DeploymentReader, 'function' | 'permissions' | 'mappings'> {
  return {
    function: (name, signal) =>
      unlessMissing(async () => {
        const command = new GetFunctionConfigurationCommand({ FunctionName: name });
        const found = await limited(`GetFunctionConfiguration ${name}`, signal, (abortSignal) =>
          lambda.send(command, { abortSignal }),
        );
        return {
          arn: found.FunctionArn ?? '',
          state: found.State ?? 'unknown',
          lastUpdateStatus: found.LastUpdateStatus ?? 'unknown',
          modifiedAtMs: Date.parse(found.LastModified ?? ''),
          variables: found.Environment?.Variables ?? {},
        };
      }),
    async permissions(functionName, signal) {
      const command = new GetPolicyCommand({ FunctionName: functionName });
      const found = await unlessMissing(() =>
        limited(`GetPolicy ${functionName}`, signal, (abortSignal) => lambda.send(command, { abortSignal })),
      );
      return permissionsIn(found?.Policy ?? '');
    },
    mappings: (functionName, signal) =>
      pages(async (token) => {
        const command = new ListEventSourceMappingsCommand({ FunctionName: functionName, ...marker('Marker', token) });
        const answer = await limited(`ListEventSourceMappings ${functionName}`, signal, (abortSignal) =>
          lambda.send(command, { abortSignal }),
        );
        const items = (answer.EventSourceMappings ?? []).map((mapping) => ({
          sourceArn: mapping.EventSourceArn ?? '',
          state: mapping.State ?? 'unknown',
          reportsItemFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
        }));
        return { items, next: answer.NextMarker };
      }),
  };
}

function concurrencyReader(
  lambda: LambdaClient,
  limited: Limited,
): Pick<DeploymentReader, 'reservedConcurrency' | 'concurrency'> {
  return {
    async reservedConcurrency(functionName, signal) {
      const command = new GetFunctionConcurrencyCommand({ FunctionName: functionName });
      const found = await limited(`GetFunctionConcurrency ${functionName}`, signal, (abortSignal) =>
        lambda.send(command, { abortSignal }),
      );
      return found.ReservedConcurrentExecutions ?? null;
    },
    async concurrency(signal) {
      const { AccountLimit } = await limited('GetAccountSettings', signal, (abortSignal) =>
        lambda.send(new GetAccountSettingsCommand({}), { abortSignal }),
      );
      const { ConcurrentExecutions: limit, UnreservedConcurrentExecutions: unreserved } = AccountLimit ?? {};
      if (limit === undefined || unreserved === undefined) throw new TypeError('GetAccountSettings tells no limits');
      return { limit, unreserved };
    },
  };
}

function rulesReader(eventBridge: EventBridgeClient, limited: Limited): DeploymentReader['rules'] {
  return async (functionArn, signal) => {
    const names = await pages(async (token) => {
      const command = new ListRuleNamesByTargetCommand({ TargetArn: functionArn, ...marker('NextToken', token) });
      const answer = await limited('ListRuleNamesByTarget', signal, (abortSignal) =>
        eventBridge.send(command, { abortSignal }),
      );
      return { items: answer.RuleNames ?? [], next: answer.NextToken };
    });
    const rules: DeployedRule[] = [];
    for (const name of names) {
      const rule = await limited(`DescribeRule ${name}`, signal, (abortSignal) =>
        eventBridge.send(new DescribeRuleCommand({ Name: name }), { abortSignal }),
      );
      const { Arn: arn = '', State, ScheduleExpression: expression = '' } = rule;
      rules.push({ name, arn, isEnabled: State !== 'DISABLED', expression });
    }
    return rules;
  };
}

function alarmsReader(cloudwatch: CloudWatchClient, limited: Limited): DeploymentReader['alarms'] {
  return (namePrefix, signal) =>
    pages(async (token) => {
      const command = new DescribeAlarmsCommand({ AlarmNamePrefix: namePrefix, ...marker('NextToken', token) });
      const answer = await limited('DescribeAlarms', signal, (abortSignal) =>
        cloudwatch.send(command, { abortSignal }),
      );
      return { items: (answer.MetricAlarms ?? []).map(deployedAlarm), next: answer.NextToken };
    });
}

function deployedAlarm(alarm: MetricAlarm): DeployedAlarm {
  return {
    name: alarm.AlarmName ?? '',
    actionsEnabled: alarm.ActionsEnabled ?? false,
    alarmActions: alarm.AlarmActions ?? [],
    okActions: alarm.OKActions ?? [],
    namespace: alarm.Namespace ?? '',
    metricName: alarm.MetricName ?? '',
    statistic: alarm.Statistic ?? alarm.ExtendedStatistic ?? '',
    periodSeconds: alarm.Period ?? 0,
    threshold: alarm.Threshold ?? 0,
    state: alarm.StateValue ?? 'unknown',
    changedAtMs: alarm.StateTransitionedTimestamp?.getTime() ?? null,
    stateReason: alarm.StateReason ?? '',
  };
}

function logReader(logs: CloudWatchLogsClient, limited: Limited): DeploymentReader['log'] {
  return async (functionName, sinceMs, signal, filterPattern) => {
    const group = {
      logGroupName: `/aws/lambda/${functionName}`,
      startTime: sinceMs,
      ...(filterPattern === undefined ? {} : { filterPattern }),
    };
    const lines = await unlessMissing(() =>
      pages(async (token) => {
        const command = new FilterLogEventsCommand({ ...group, ...marker('nextToken', token) });
        const answer = await limited('FilterLogEvents', signal, (abortSignal) => logs.send(command, { abortSignal }));
        const items = (answer.events ?? []).map(({ timestamp = 0, message = '' }) => ({
          atMs: timestamp,
          text: message.trim(),
        }));
        return { items, next: answer.nextToken };
      }, MAX_LOG_PAGES),
    );
    // Events of several log streams come page by page, not in one order.
    return (lines ?? []).toSorted((a, b) => a.atMs - b.atMs);
  };
}

/** The names under which SDKs say that something is not there. */
const MISSING = ['ResourceNotFoundException', 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'];

async function unlessMissing<T>(call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Error && MISSING.includes(error.name)) return null;
    throw error;
  }
}

function marker<K extends string>(key: K, token: string | undefined): Partial<Record<K, string>> {
  return token === undefined ? {} : ({ [key]: token } as Record<K, string>);
}

/** All items of all pages; a page may be empty and yet be followed by others. */
async function pages<T>(
  read: (token: string | undefined) => Promise<{ readonly items: readonly T[]; readonly next: string | undefined }>,
  maxPages = MAX_PAGES,
): Promise<readonly T[]> {
  const items: T[] = [];
  let token: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await read(token);
    items.push(...answer.items);
    token = answer.next;
    if (!token) break;
  }
  return items;
}
