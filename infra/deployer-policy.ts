/**
 * What whoever deploys must be allowed to do, and no more: an IAM policy for one deployment, by the types of resources that
 * its template creates. A test packages the template and fails when a type of it stands in no row here.
 *
 * Sources: the handlers' permissions in CloudFormation's resource type schemas
 * (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html), the calls of the framework's
 * deploy and remove commands, and the service authorization reference for what takes a resource
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html).
 */

/** The deployment that may be deployed, and where. */
export interface DeploymentPlace {
  /** Service and stage, with which the names of all resources begin. */
  readonly name: string;
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** SSM parameters that people write: the token's and that of the overrides. */
  readonly parameters: readonly string[];
}

/** One statement of an IAM policy. */
interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** An IAM policy document. */
export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** Types of resources by the statement that covers them; the framework's bucket and log groups included. */
export const COVERED_TYPES: Readonly<Record<string, readonly string[]>> = {
  Packages: ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'],
  Functions: ['AWS::Lambda::Function', 'AWS::Lambda::EventInvokeConfig', 'AWS::Lambda::Permission'],
  Mappings: ['AWS::Lambda::EventSourceMapping'],
  Queues: ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy'],
  Alarms: ['AWS::CloudWatch::Alarm'],
  Dashboard: ['AWS::CloudWatch::Dashboard'],
  Notifications: ['AWS::SNS::Topic', 'AWS::SNS::TopicPolicy', 'AWS::SNS::Subscription'],
  Queries: ['AWS::Logs::QueryDefinition'],
  Schedule: ['AWS::Events::Rule'],
  Logs: ['AWS::Logs::LogGroup'],
  Roles: ['AWS::IAM::Role'],
};

/** The policy. Ask for it with `npm run -s deployer-policy`. */
export function deployerPolicy(place: DeploymentPlace): PolicyDocument {
  return { Version: '2012-10-17', Statement: [...ownResources(place), ...handOver(place), LISTS] };
}

/** Resources whose names begin with the deployment's: everything that their service has, on these alone. */
function ownResources({ name, partition, region, account }: DeploymentPlace): readonly Statement[] {
  const arn = (service: string, resource: string) => `arn:${partition}:${service}:${region}:${account}:${resource}`;
  return [
    allow('Stack', ['cloudformation:*'], [arn('cloudformation', `stack/${name}/*`)]),
    allow('Packages', ['s3:*'], [`arn:${partition}:s3:::${name}-*`, `arn:${partition}:s3:::${name}-*/*`]),
    allow('Functions', ['lambda:*'], [arn('lambda', `function:${name}-*`)]),
    allow('Queues', ['sqs:*'], [arn('sqs', `${name}-*`)]),
    allow('Alarms', ['cloudwatch:*'], [arn('cloudwatch', `alarm:${name}-*`)]),
    allow('Dashboard', ['cloudwatch:*'], [`arn:${partition}:cloudwatch::${account}:dashboard/${name}`]),
    allow('Notifications', ['sns:*'], [arn('sns', `${name}-*`)]),
    allow('Schedule', ['events:*'], [arn('events', `rule/${name}-*`)]),
    allow('Logs', ['logs:*'], [arn('logs', `log-group:/aws/lambda/${name}-*`)]),
  ];
}

/** What could reach further than the deployment is listed call by call. */
function handOver({ name, partition, region, account, parameters }: DeploymentPlace): readonly Statement[] {
  const roles = `arn:${partition}:iam::${account}:role/${name}-*`;
  const ownFunctions = `arn:${partition}:lambda:${region}:${account}:function:${name}-*`;
  return [
    allow('Roles', ROLE_CALLS, [roles]),
    allow('RolesToFunctions', ['iam:PassRole'], [roles], {
      StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' },
    }),
    // Saved queries have no resource of their own.
    allow('Queries', ['logs:PutQueryDefinition', 'logs:DeleteQueryDefinition', 'logs:DescribeQueryDefinitions'], '*'),
    allow('Mappings', MAPPING_CALLS, '*', { ArnLike: { 'lambda:FunctionArn': ownFunctions } }),
    allow(
      'Parameters',
      ['ssm:PutParameter', 'ssm:GetParameter'],
      parameters.map((parameter) => `arn:${partition}:ssm:${region}:${account}:parameter${parameter}`),
    ),
  ];
}

const ROLE_CALLS = [
  'iam:CreateRole',
  'iam:GetRole',
  'iam:DeleteRole',
  'iam:UpdateAssumeRolePolicy',
  'iam:PutRolePolicy',
  'iam:GetRolePolicy',
  'iam:DeleteRolePolicy',
  'iam:ListRolePolicies',
  'iam:ListAttachedRolePolicies',
  'iam:TagRole',
  'iam:UntagRole',
] as const;

const MAPPING_CALLS = [
  'lambda:CreateEventSourceMapping',
  'lambda:UpdateEventSourceMapping',
  'lambda:DeleteEventSourceMapping',
] as const;

/** Reads that AWS gives no resource, and those of the queues that are watched; the doctor's and `explain`'s are among them. */
const LISTS = allow(
  'Lists',
  [
    'cloudformation:ListExports',
    'cloudformation:ValidateTemplate',
    'cloudwatch:DescribeAlarms',
    'cloudwatch:GetMetricData',
    'events:ListRuleNamesByTarget',
    'lambda:GetAccountSettings',
    'lambda:GetEventSourceMapping',
    'lambda:ListEventSourceMappings',
    'logs:DescribeLogGroups',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
  ],
  '*',
);

function allow(
  sid: string,
  actions: readonly string[],
  resource: Statement['Resource'],
  condition?: Statement['Condition'],
): Statement {
  const base = { Sid: sid, Effect: 'Allow', Action: actions, Resource: resource } as const;
  return condition === undefined ? base : { ...base, Condition: condition };
}
