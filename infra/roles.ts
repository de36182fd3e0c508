/** One role per function, with exactly the calls that it makes, on exactly the resources that it makes them on. */

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
  const common = [
    ...tokenStatements(deployment.tokenParameter),
    ...(topic === null ? [] : [allow('Notify', ['sns:Publish'], topic)]),
  ];
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

/** Depth of the targets' own queues; a queue known by name only must be looked up as well. */
function queueStatements(targets: readonly Target[]): readonly Statement[] {
  const all: string[] = [];
  const named: string[] = [];
  for (const { source } of targets) {
    if (source.kind === 'sqs') all.push(queueArn(source.queueUrl));
    if (source.kind === 'sqs_name') {
      all.push(ownArn('sqs', source.queueName));
      named.push(ownArn('sqs', source.queueName));
    }
  }
  return [
    ...statementOn('ReadDepth', 'sqs:GetQueueAttributes', all),
    ...statementOn('FindQueues', 'sqs:GetQueueUrl', named),
  ];
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
 * The one parameter with the token. Which key encrypts it is not known here, so the permission to decrypt is bound to
 * this very parameter, read through SSM (https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html).
 */
function tokenStatements(parameter: string): readonly Statement[] {
  const arn = parameterArn(parameter);
  const condition = {
    StringEquals: {
      'kms:ViaService': sub(`ssm.\${AWS::Region}.\${AWS::URLSuffix}`),
      'kms:EncryptionContext:PARAMETER_ARN': sub(arn),
    },
  };
  return [
    allow('ReadToken', ['ssm:GetParameter'], sub(arn)),
    allow('DecryptToken', ['kms:Decrypt'], sub(ownArn('kms', 'key/*')), condition),
  ];
}

/** The log group itself is the template's; a function only writes into its own. */
function logStatement(functionName: string): Statement {
  const group = sub(ownArn('logs', `log-group:/aws/lambda/${functionName}:*`));
  return allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], group);
}
