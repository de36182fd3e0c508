/**
 * Who may do what in this stack: the roles, queue policies and function permissions of the template, as one guard that
 * every AWS call passes. Refusals are kept, so that a run can show them.
 */
import { InvalidInputError, type Problem } from '../../errors.ts';
import { type Access, arnMatches, evaluate, parsePolicy, type Statement, statementsFor } from './iam.ts';
import type { Resource, Stack } from './template.ts';

/** A function in the act of calling AWS: a session of its role. */
export interface Caller {
  readonly functionName: string;
  readonly roleArn: string;
}

/** An AWS service that wants to invoke a function, such as an alarm or a schedule rule. */
export interface ServiceCaller {
  /** Such as `events.amazonaws.com`. */
  readonly principal: string;
  readonly sourceArn: string;
  readonly sourceAccount: string;
}

/** One refused call. */
export interface Refusal {
  readonly atMs: number;
  /** Session ARN of the function, or the service principal. */
  readonly who: string;
  readonly action: string;
  readonly resource: string;
  /** AWS's sentence: who is not authorized to do what on which resource, and why. */
  readonly message: string;
}

/** The guard. A call that is allowed answers null. */
export interface Guard {
  /** Checks a call of a function. `context` holds condition keys in lower case. */
  check(caller: Caller, action: string, resource: string, context?: Readonly<Record<string, string>>): Refusal | null;
  /** As `check`, but nothing is refused for lack of an Allow: for what a resource's own policy allows everybody. */
  checkNotDenied(
    caller: Caller,
    action: string,
    resource: string,
    context: Readonly<Record<string, string>>,
  ): Refusal | null;
  /** Checks an invocation by an AWS service against the function's `AWS::Lambda::Permission` resources. */
  checkInvoke(service: ServiceCaller, functionArn: string): Refusal | null;
  /** Everything refused so far, oldest first, up to a limit. */
  readonly refusals: readonly Refusal[];
}

/** Refusals kept; a function that is refused in a loop must not fill the memory. */
const REFUSALS_MAX = 1000;

/** What AWS's managed policies for Lambda allow. Source: AWS managed policy reference. */
const MANAGED_POLICY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  AWSLambdaBasicExecutionRole: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
  AWSLambdaSQSQueueExecutionRole: [
    'sqs:ReceiveMessage',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ],
};

/** Reads the roles and policies of a stack. Throws `InvalidInputError` for policies that cannot be evaluated here. */
export function createGuard(stack: Stack): Guard {
  const identity = identityPolicies(stack);
  const queuePolicies = stack.of('AWS::SQS::QueuePolicy').flatMap(({ logicalId, properties }) =>
    properties.Queues.flatMap((queueUrl) => {
      const statements = parsePolicy(properties.PolicyDocument, `Resources.${logicalId}.PolicyDocument`);
      return statements.map((statement) => ({ queueName: lastSegment(queueUrl), statement }));
    }),
  );
  const permissions = stack.of('AWS::Lambda::Permission');
  const refusals: Refusal[] = [];

  const refuse = (who: string, action: string, resource: string, why: string): Refusal => {
    const message = `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
    const refusal: Refusal = { atMs: Date.now(), who, action, resource, message };
    if (refusals.length < REFUSALS_MAX) {
      refusals.push(refusal);
    }
    return refusal;
  };
  const access = (caller: Caller, action: string, resource: string, context: Readonly<Record<string, string>>) => {
    const resourcePolicy = queuePolicies
      .filter(({ queueName }) => resource === queueArn(stack, queueName))
      .map(({ statement }) => statement);
    const itself = [caller.roleArn, sessionArn(stack, caller)];
    // Naming the account lets its roles in only as far as their own policies do; a Deny on it hits all of them.
    const account = [...itself, stack.accountId, `arn:${stack.partition}:iam::${stack.accountId}:root`];
    return evaluate(
      [
        ...(identity.get(caller.roleArn) ?? []),
        ...statementsFor(resourcePolicy, itself).filter(({ effect }) => effect === 'Allow'),
        ...statementsFor(resourcePolicy, account).filter(({ effect }) => effect === 'Deny'),
      ],
      { action, resource, context: { ...standardContext(stack, caller), ...context } },
    );
  };

  return {
    refusals,
    check(caller, action, resource, context = {}) {
      const answer = access(caller, action, resource, context);
      return answer === 'allow' ? null : refuse(sessionArn(stack, caller), action, resource, why(answer, action));
    },
    checkNotDenied(caller, action, resource, context) {
      const answer = access(caller, action, resource, context);
      return answer === 'explicit_deny'
        ? refuse(sessionArn(stack, caller), action, resource, why(answer, action))
        : null;
    },
    checkInvoke(service, functionArn) {
      const allowed = permissions.some((permission) => permits(permission, service, functionArn));
      const because = 'because no resource-based policy allows the lambda:InvokeFunction action';
      return allowed ? null : refuse(service.principal, 'lambda:InvokeFunction', functionArn, because);
    },
  };
}

/** The ARN of a queue of this stack's account and region. */
function queueArn(place: Pick<Stack, 'partition' | 'region' | 'accountId'>, queueName: string): string {
  return `arn:${place.partition}:sqs:${place.region}:${place.accountId}:${queueName}`;
}

/** The ARN under which a function's calls appear: a session of its role, named after the function. */
export function sessionArn(place: Pick<Stack, 'partition' | 'accountId'>, caller: Caller): string {
  const role = lastSegment(caller.roleArn);
  return `arn:${place.partition}:sts::${place.accountId}:assumed-role/${role}/${caller.functionName}`;
}

function lastSegment(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

function why(answer: Access, action: string): string {
  return answer === 'explicit_deny'
    ? `with an explicit deny for the ${action} action`
    : `because no identity-based policy allows the ${action} action`;
}

function standardContext(stack: Stack, caller: Caller): Record<string, string> {
  return {
    'aws:principalarn': caller.roleArn,
    'aws:principalaccount': stack.accountId,
    'aws:requestedregion': stack.region,
    // The local endpoint stands in for AWS's, which is reached over TLS.
    'aws:securetransport': 'true',
  };
}

/** Statements by role ARN: inline policies, attached policies and the known managed ones. */
function identityPolicies(stack: Stack): ReadonlyMap<string, readonly Statement[]> {
  const problems: Problem[] = [];
  const byRole = new Map<string, readonly Statement[]>();
  for (const role of stack.of('AWS::IAM::Role')) {
    const path = `Resources.${role.logicalId}`;
    const trust = parsePolicy(role.properties.AssumeRolePolicyDocument, `${path}.AssumeRolePolicyDocument`);
    const request = { action: 'sts:AssumeRole', resource: role.arn, context: {} };
    if (evaluate(statementsFor(trust, ['lambda.amazonaws.com']), request) !== 'allow') {
      problems.push({
        field: `${path}.AssumeRolePolicyDocument`,
        message: 'does not let lambda.amazonaws.com assume it',
      });
    }
    const attached = stack.of('AWS::IAM::Policy').filter((policy) => policy.properties.Roles.includes(role.name));
    byRole.set(role.arn, [
      ...role.properties.Policies.flatMap((policy, index) =>
        parsePolicy(policy.PolicyDocument, `${path}.Policies[${index}].PolicyDocument`),
      ),
      ...attached.flatMap((policy) =>
        parsePolicy(policy.properties.PolicyDocument, `Resources.${policy.logicalId}.PolicyDocument`),
      ),
      ...role.properties.ManagedPolicyArns.flatMap((arn) => managedPolicy(arn, path, problems)),
    ]);
  }
  if (problems.length > 0) {
    throw new InvalidInputError('IAM roles', problems);
  }
  return byRole;
}

function managedPolicy(arn: string, path: string, problems: Problem[]): readonly Statement[] {
  const actions = MANAGED_POLICY_ACTIONS[lastSegment(arn)];
  if (actions === undefined) {
    const known = Object.keys(MANAGED_POLICY_ACTIONS).join(', ');
    problems.push({ field: `${path}.ManagedPolicyArns`, message: `found ${arn}, expected one of ${known}` });
    return [];
  }
  return parsePolicy({ Statement: { Effect: 'Allow', Action: actions, Resource: '*' } }, path);
}

function permits(
  permission: Resource<'AWS::Lambda::Permission'>,
  service: ServiceCaller,
  functionArn: string,
): boolean {
  const { Action, FunctionName, Principal, SourceAccount, SourceArn } = permission.properties;
  return (
    ['lambda:InvokeFunction', 'lambda:*', '*'].includes(Action) &&
    (FunctionName === functionArn || functionArn.endsWith(`:function:${FunctionName}`)) &&
    Principal === service.principal &&
    (SourceAccount === undefined || SourceAccount === service.sourceAccount) &&
    (SourceArn === undefined || arnMatches(SourceArn, service.sourceArn))
  );
}
