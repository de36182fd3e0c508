/**
 * What Lambda, EventBridge and CloudWatch Logs tell of a stack, read from its template and from what its functions
 * printed: enough to look at a deployment, nothing to change one. Sources: the API references of the three.
 */
import { isRecord } from './intrinsics.ts';
import { errorReply, type ServiceHandler, type ServiceReply } from './protocol.ts';
import type { Resource, Stack } from './template.ts';

/** One line that a function printed. */
interface LogEvent {
  readonly atMs: number;
  readonly line: string;
}

/** The newest lines of each function. */
export interface FunctionLogs {
  add(functionName: string, line: string): void;
  /** Oldest first. */
  since(functionName: string, startMs: number): readonly LogEvent[];
}

const LINES_KEPT = 2000;

export function createFunctionLogs(): FunctionLogs {
  const logs = new Map<string, LogEvent[]>();
  return {
    add(functionName, line) {
      const lines = logs.get(functionName) ?? [];
      logs.set(functionName, lines);
      lines.push({ atMs: Date.now(), line });
      if (lines.length > LINES_KEPT) lines.shift();
    },
    since: (functionName, startMs) => (logs.get(functionName) ?? []).filter(({ atMs }) => atMs >= startMs),
  };
}

/** An operation of Lambda's, which are named by method and path. */
export interface RestRequest {
  readonly operation: string;
  readonly body: Readonly<Record<string, string>>;
}

const LAMBDA_PATHS: readonly (readonly [RegExp, string])[] = [
  [/^\/2015-03-31\/functions\/([^/]+)\/configuration$/, 'GetFunctionConfiguration'],
  [/^\/2015-03-31\/functions\/([^/]+)\/policy$/, 'GetPolicy'],
  [/^\/2019-09-30\/functions\/([^/]+)\/concurrency$/, 'GetFunctionConcurrency'],
  [/^\/2015-03-31\/event-source-mappings\/?$/, 'ListEventSourceMappings'],
  [/^\/2016-08-19\/account-settings\/?$/, 'GetAccountSettings'],
];

/** Reads method and path of a request to Lambda; query and path parameters become the body. */
export function lambdaRequest(method: string, path: string): RestRequest {
  const url = new URL(path, 'http://127.0.0.1');
  for (const [pattern, operation] of LAMBDA_PATHS) {
    const match = method === 'GET' ? pattern.exec(url.pathname) : null;
    if (match === null) continue;
    const name = match[1] === undefined ? {} : { FunctionName: decodeURIComponent(match[1]) };
    return { operation, body: { ...Object.fromEntries(url.searchParams), ...name } };
  }
  return { operation: `${method} ${url.pathname}`, body: {} };
}

/** Variables that win over those of the template, by any function. */
type Variables = Readonly<Record<string, string>>;

/** AWS's default for an account. */
const ACCOUNT_CONCURRENCY = 1000;

/** Lambda, for reading. */
export function createLambdaHandler(stack: Stack, extraEnvironment: Variables): ServiceHandler {
  const functions = stack.of('AWS::Lambda::Function');
  const startedAt = new Date().toISOString();
  const named = (body: unknown) => {
    const name = textOf(body, 'FunctionName');
    return functions.find((one) => one.name === name || one.arn === name);
  };
  const withFunction = (body: unknown, answer: (found: Resource<'AWS::Lambda::Function'>) => object): ServiceReply => {
    const found = named(body);
    const message = `Function not found: ${textOf(body, 'FunctionName')}`;
    return found === undefined ? errorReply(404, 'ResourceNotFoundException', message) : ok(answer(found));
  };
  return (operation, body) => {
    switch (operation) {
      case 'GetFunctionConfiguration':
        return withFunction(body, ({ name, arn, properties }) => ({
          FunctionName: name,
          FunctionArn: arn,
          Runtime: properties.Runtime,
          Timeout: properties.Timeout,
          State: 'Active',
          LastUpdateStatus: 'Successful',
          LastModified: startedAt,
          Environment: { Variables: { ...properties.Environment?.Variables, ...extraEnvironment } },
        }));
      case 'GetPolicy': {
        const found = named(body);
        const statements = found === undefined ? [] : policyOf(stack, found);
        if (statements.length === 0) return errorReply(404, 'ResourceNotFoundException', 'The resource has no policy.');
        return ok({ Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) });
      }
      case 'GetFunctionConcurrency':
        return withFunction(body, ({ properties }) => {
          const reserved = properties.ReservedConcurrentExecutions;
          return reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved };
        });
      case 'ListEventSourceMappings':
        return ok({ EventSourceMappings: mappingsOf(stack, named(body)) });
      case 'GetAccountSettings': {
        const reserved = functions.map(({ properties }) => properties.ReservedConcurrentExecutions ?? 0);
        const left = ACCOUNT_CONCURRENCY - reserved.reduce((sum, count) => sum + count, 0);
        const limit = { ConcurrentExecutions: ACCOUNT_CONCURRENCY, UnreservedConcurrentExecutions: left };
        return ok({ AccountLimit: limit });
      }
      default:
        return errorReply(400, 'UnknownOperationException', `The local Lambda has no ${operation}`);
    }
  };
}

/** The function's permissions as the statements that Lambda makes of them. */
function policyOf(stack: Stack, { name, arn }: Resource<'AWS::Lambda::Function'>): readonly object[] {
  return stack
    .of('AWS::Lambda::Permission')
    .filter(({ properties }) => [name, arn].includes(properties.FunctionName))
    .map(({ logicalId, properties }) => ({
      Sid: logicalId,
      Effect: 'Allow',
      Principal: { Service: properties.Principal },
      Action: properties.Action,
      Resource: arn,
      Condition: {
        ...(properties.SourceAccount ? { StringEquals: { 'AWS:SourceAccount': properties.SourceAccount } } : {}),
        ...(properties.SourceArn ? { ArnLike: { 'AWS:SourceArn': properties.SourceArn } } : {}),
      },
    }));
}

function mappingsOf(stack: Stack, target: Resource<'AWS::Lambda::Function'> | undefined): readonly object[] {
  return stack
    .of('AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => [target?.name, target?.arn].includes(properties.FunctionName))
    .map(({ logicalId, properties }) => ({
      UUID: logicalId,
      EventSourceArn: properties.EventSourceArn,
      FunctionArn: target?.arn,
      BatchSize: properties.BatchSize,
      FunctionResponseTypes: properties.FunctionResponseTypes,
      State: properties.Enabled ? 'Enabled' : 'Disabled',
    }));
}

/** EventBridge, for reading. */
export function createEventsHandler(stack: Stack): ServiceHandler {
  const rules = stack.of('AWS::Events::Rule');
  return (operation, body) => {
    switch (operation) {
      case 'ListRuleNamesByTarget': {
        const target = textOf(body, 'TargetArn');
        const pointing = rules.filter(({ properties }) => properties.Targets.some(({ Arn }) => Arn === target));
        return ok({ RuleNames: pointing.map(({ name }) => name) });
      }
      case 'DescribeRule': {
        const rule = rules.find(({ name }) => name === textOf(body, 'Name'));
        if (rule === undefined) return errorReply(400, 'ResourceNotFoundException', 'The rule does not exist.');
        const { State, ScheduleExpression } = rule.properties;
        return ok({ Name: rule.name, Arn: rule.arn, State, ScheduleExpression });
      }
      default:
        return errorReply(400, 'UnknownOperationException', `The local EventBridge has no ${operation}`);
    }
  };
}

const LOG_GROUP = '/aws/lambda/';

/** CloudWatch Logs, for reading; all lines are on one page. */
export function createLogsHandler(stack: Stack, logs: FunctionLogs): ServiceHandler {
  return (operation, body) => {
    if (operation !== 'FilterLogEvents') {
      return errorReply(400, 'UnknownOperationException', `The local CloudWatch Logs has no ${operation}`);
    }
    const group = textOf(body, 'logGroupName');
    const found = stack.of('AWS::Lambda::Function').find(({ name }) => `${LOG_GROUP}${name}` === group);
    if (found === undefined) {
      return errorReply(400, 'ResourceNotFoundException', 'The specified log group does not exist.');
    }
    const startMs = isRecord(body) && typeof body.startTime === 'number' ? body.startTime : 0;
    const events = logs.since(found.name, startMs).map(({ atMs, line }, index) => ({
      eventId: String(index),
      logStreamName: 'local',
      timestamp: atMs,
      ingestionTime: atMs,
      message: `${line}\n`,
    }));
    return ok({ events, searchedLogStreams: [] });
  };
}

function ok(body: object): ServiceReply {
  return { status: 200, body };
}

function textOf(body: unknown, key: string): string {
  const value = isRecord(body) ? body[key] : undefined;
  return typeof value === 'string' ? value : '';
}
