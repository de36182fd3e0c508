/** One role per function, with exactly the calls that it makes, on exactly the resources that it makes them on. */

import type { Deployment } from '../lib/config/deployment.ts';
import { overridesParameter } from '../lib/config/overrides-parameter.ts';
import { queueUrlParts } from '../lib/config/values.ts';
import type { Target } from '../lib/domain.ts';
import { arnOf, type Plan, type Resource, sub, type TemplatePart, type Value } from './cloudformation.ts';
import { topicArn } from './notifications.ts';
import { QUEUE_IDS } from './queues.ts';

/** Logical ids of the roles, as serverless.yml gives them to the functions. */
const ROLE_IDS = { scale: 'ScaleRole', poller: 'PollerRole' } as const;

export function roles(plan: Plan): TemplatePart {
  const { name, deployment } = plan;
  const topic = topicArn(plan);
  const common = [...tokenStatements(deployment), ...(topic === null ? [] : [allow('Notify', ['sns:Publish'], topic)])];
  return {
    Resources: {
      [ROLE_IDS.scale]: role([
        ...queueStatements(deployment.targets),
        // GetMetricData knows no resources: AWS accepts nothing narrower than *.
        allow('ReadMetrics', ['cloudwatch:GetMetricData'], '*'),
        allow('ReadOverrides', ['ssm:GetParameter'], sub(parameterArn(overridesParameter(deployment.stage)))),
        allow('RecordActions', ['sqs:SendMessage'], arnOf(QUEUE_IDS.actions)),
        allow('KeepFailedEvents', ['sqs:SendMessage'], arnOf(QUEUE_IDS.failures)),
        ...common,
        logStatement(`${name}-scale`),
      ]),
      [ROLE_IDS.poller]: role([
        allow(
          'FollowActions',
          ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
          arnOf(QUEUE_IDS.actions),
        ),
        allow('PutAsideRecords', ['sqs:SendMessage'], arnOf(QUEUE_IDS.deadLetters)),
        ...common,
        logStatement(`${name}-poller`),
      ]),
    },
  };
}

type Statement = Readonly<Record<string, Value>>;

function allow(sid: string, actions: readonly string[], resource: Value, condition?: Value): Statement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: actions,
    Resource: resource,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

function role(statements: readonly Statement[]): Resource {
  const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      Policies: [{ PolicyName: 'function', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

/** Inline policies of a role end at 10,240 characters; this is what the queues may have of them, for both statements. */
const MAX_QUEUE_CHARACTERS = 6000;

/** Depth of the targets' own queues; a queue known by name only must be looked up as well. */
function queueStatements(targets: readonly Target[]): readonly Statement[] {
  const { all, named } = queueArns(targets);
  const room = named.length === 0 ? MAX_QUEUE_CHARACTERS : MAX_QUEUE_CHARACTERS / 2;
  return [
    ...statementOn('ReadDepth', 'sqs:GetQueueAttributes', fitting(all, room)),
    ...statementOn('FindQueues', 'sqs:GetQueueUrl', fitting(named, room)),
  ];
}

/** Says when the role may look at more queues than the targets have. */
export function roleWarnings({ deployment: { targets } }: Plan): readonly string[] {
  const { all } = queueArns(targets);
  const patterns = fitting(all, MAX_QUEUE_CHARACTERS).filter((arn) => arn.endsWith('*'));
  if (patterns.length === 0) return [];
  const names = patterns.map((arn) => arn.slice(arn.lastIndexOf(':') + 1));
  return [
    `${all.length} queues do not fit into a role's policy one by one: the scale function may read the depth (nothing else) of ` +
      `all queues named ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`,
  ];
}

/**
 * The ARNs as they are where they fit; otherwise as patterns of their longest beginnings that fit, so that as few other
 * queues as possible are among them. A queue's name has at most 80 characters, so a beginning of one always fits.
 */
function fitting(arns: readonly string[], maxCharacters: number): readonly string[] {
  const unique = [...new Set(arns)];
  const patternsOf = (length: number) => [...new Set(unique.map((arn) => beginning(arn, length)))];
  const size = (patterns: readonly string[]) => patterns.reduce((sum, arn) => sum + arn.length + 3, 0);
  for (let length = MAX_NAME_CHARACTERS; length > 1; length -= 1) {
    const patterns = patternsOf(length);
    if (size(patterns) <= maxCharacters) return patterns;
  }
  return patternsOf(1);
}

const MAX_NAME_CHARACTERS = 80;

function beginning(arn: string, length: number): string {
  const start = arn.lastIndexOf(':') + 1;
  return arn.length - start <= length ? arn : `${arn.slice(0, start + length)}*`;
}

function queueArns(targets: readonly Target[]) {
  const all: string[] = [];
  const named: string[] = [];
  for (const { source } of targets) {
    if (source.kind === 'sqs') all.push(queueArn(source.queueUrl));
    if (source.kind === 'sqs_name') {
      all.push(ownArn('sqs', source.queueName));
      named.push(ownArn('sqs', source.queueName));
    }
  }
  return { all, named };
}

/** No statement for no resources: IAM refuses an empty list. */
function statementOn(sid: string, action: string, arns: readonly string[]): readonly Statement[] {
  return arns.length === 0 ? [] : [allow(sid, [action], [...new Set(arns)].map(sub))];
}

/** A queue's address tells its account, and its region unless the host is a local one. */
function queueArn(url: string): string {
  const parts = queueUrlParts(url);
  if (parts === null) throw new Error(`not the address of a queue: ${url}`);
  const region = parts.region ?? `\${AWS::Region}`;
  return `arn:\${AWS::Partition}:sqs:${region}:${parts.accountId}:${parts.queueName}`;
}

function parameterArn(name: string): string {
  return ownArn('ssm', `parameter/${name.replace(/^\//, '')}`);
}

/** An ARN in the account and region of the deployment. */
function ownArn(product: string, resource: string): string {
  return `arn:\${AWS::Partition}:${product}:\${AWS::Region}:\${AWS::AccountId}:${resource}`;
}

/**
 * The parameters with the tokens, and no others. Which key encrypts them is not known here, so the permission to decrypt is
 * bound to these very parameters, read through SSM
 * (https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html).
 */
function tokenStatements({ tokenParameter, targets }: Deployment): readonly Statement[] {
  const own = new Set(targets.flatMap((target) => target.tokenParameter ?? []));
  own.delete(tokenParameter);
  const arnOfParameter = (name: string) => sub(parameterArn(name));
  const common = arnOfParameter(tokenParameter);
  const arns: Value = own.size === 0 ? common : [common, ...[...own].map(arnOfParameter)];
  const condition = {
    StringEquals: {
      'kms:ViaService': sub(`ssm.\${AWS::Region}.\${AWS::URLSuffix}`),
      'kms:EncryptionContext:PARAMETER_ARN': arns,
    },
  };
  return [
    allow('ReadToken', ['ssm:GetParameter'], arns),
    allow('DecryptToken', ['kms:Decrypt'], sub(ownArn('kms', 'key/*')), condition),
  ];
}

/** The log group itself is the template's; a function only writes into its own. */
function logStatement(functionName: string): Statement {
  const group = sub(ownArn('logs', `log-group:/aws/lambda/${functionName}:*`));
  return allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], group);
}
