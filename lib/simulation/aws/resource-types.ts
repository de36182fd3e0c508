/**
 * The resource types that the local AWS runs, each with the properties it understands, and those it knowingly leaves
 * out. A property that is not listed is an error: silently ignoring it would make the local run lie.
 * Source of names: the AWS resource and property types reference of CloudFormation.
 */
import * as v from 'valibot';

const text = v.pipe(v.string(), v.nonEmpty());
/** CloudFormation accepts numbers and booleans as strings. */
const number = v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.number(), v.integer());
const flag = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false'])]),
  v.transform((value) => value === true || value === 'true'),
);
/** Accepted and left alone: it changes nothing that can be seen here. */
const ignored = v.optional(v.unknown());

const StatementList = v.looseObject({ Statement: v.unknown() });
const Destination = v.optional(v.strictObject({ Destination: text }));

/** Schemas of the properties, by resource type. */
export const SCHEMAS = {
  'AWS::Lambda::Function': v.strictObject({
    FunctionName: v.optional(text),
    Code: v.union([v.object({ ZipFile: text }), v.object({ S3Key: text })]),
    Handler: text,
    Runtime: v.literal('nodejs24.x'),
    Role: text,
    MemorySize: v.optional(number, 128),
    Timeout: v.optional(number, 3),
    Environment: v.optional(
      v.strictObject({ Variables: v.optional(v.record(v.string(), v.pipe(v.unknown(), v.transform(String))), {}) }),
    ),
    ReservedConcurrentExecutions: v.optional(number),
    Architectures: ignored,
    Description: ignored,
    LoggingConfig: ignored,
    PackageType: v.optional(v.literal('Zip')),
    RecursiveLoop: ignored,
    RuntimeManagementConfig: ignored,
    Tags: ignored,
    TracingConfig: ignored,
  }),
  'AWS::Lambda::Permission': v.strictObject({
    Action: text,
    FunctionName: text,
    Principal: text,
    SourceAccount: v.optional(text),
    SourceArn: v.optional(text),
  }),
  'AWS::Lambda::EventInvokeConfig': v.strictObject({
    FunctionName: text,
    Qualifier: v.optional(v.literal('$LATEST')),
    MaximumRetryAttempts: v.optional(number, 2),
    MaximumEventAgeInSeconds: v.optional(number, 21_600),
    DestinationConfig: v.optional(v.strictObject({ OnSuccess: Destination, OnFailure: Destination })),
  }),
  'AWS::Lambda::EventSourceMapping': v.strictObject({
    EventSourceArn: text,
    FunctionName: text,
    Enabled: v.optional(flag, true),
    // More than ten would need batching over several receives, which FIFO queues do not allow anyway.
    BatchSize: v.optional(v.pipe(number, v.minValue(1), v.maxValue(10)), 10),
    MaximumBatchingWindowInSeconds: v.optional(v.pipe(number, v.value(0))),
    FunctionResponseTypes: v.optional(v.array(v.literal('ReportBatchItemFailures')), []),
    ScalingConfig: v.optional(v.strictObject({ MaximumConcurrency: v.pipe(number, v.minValue(2), v.maxValue(1000)) })),
    Tags: ignored,
    MetricsConfig: ignored,
  }),
  'AWS::SQS::Queue': v.strictObject({
    QueueName: v.optional(text),
    FifoQueue: v.optional(flag, false),
    ContentBasedDeduplication: v.optional(flag),
    DeduplicationScope: v.optional(text),
    FifoThroughputLimit: v.optional(text),
    DelaySeconds: v.optional(number),
    MaximumMessageSize: v.optional(number),
    MessageRetentionPeriod: v.optional(number),
    ReceiveMessageWaitTimeSeconds: v.optional(number),
    RedrivePolicy: v.optional(v.strictObject({ deadLetterTargetArn: text, maxReceiveCount: number })),
    RedriveAllowPolicy: ignored,
    VisibilityTimeout: v.optional(number),
    SqsManagedSseEnabled: ignored,
    Tags: ignored,
  }),
  'AWS::SQS::QueuePolicy': v.strictObject({ Queues: v.array(text), PolicyDocument: StatementList }),
  'AWS::IAM::Role': v.strictObject({
    RoleName: v.optional(text),
    Path: ignored,
    Description: ignored,
    MaxSessionDuration: ignored,
    AssumeRolePolicyDocument: StatementList,
    Policies: v.optional(v.array(v.strictObject({ PolicyName: text, PolicyDocument: StatementList })), []),
    ManagedPolicyArns: v.optional(v.array(text), []),
    Tags: ignored,
  }),
  'AWS::IAM::Policy': v.strictObject({
    PolicyName: text,
    PolicyDocument: StatementList,
    Roles: v.array(text),
  }),
  'AWS::Events::Rule': v.strictObject({
    Name: v.optional(text),
    Description: ignored,
    EventBusName: v.optional(v.literal('default')),
    ScheduleExpression: text,
    State: v.optional(v.picklist(['ENABLED', 'DISABLED']), 'ENABLED'),
    Targets: v.array(v.strictObject({ Arn: text, Id: text, Input: v.optional(text), RetryPolicy: ignored })),
    Tags: ignored,
  }),
  'AWS::SSM::Parameter': v.strictObject({
    Name: v.optional(text),
    Type: v.picklist(['String', 'StringList']),
    Value: v.string(),
    Description: ignored,
    Tier: ignored,
    Tags: ignored,
  }),
  // Alarms are evaluated by the local CloudWatch, which reads their properties itself.
  'AWS::CloudWatch::Alarm': v.looseObject({ AlarmName: v.optional(text) }),
};

/** A resource type that is run. */
export type RunType = keyof typeof SCHEMAS;
/** The properties of a resource type after parsing. */
export type Properties<T extends RunType> = v.InferOutput<(typeof SCHEMAS)[T]>;

/** Types that deploying needs and running does not: nothing here asks for what they do. */
export const SKIPPED_TYPES: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Version',
  'AWS::Logs::LogGroup',
  'AWS::Logs::MetricFilter',
  'AWS::Logs::QueryDefinition',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
]);

/** The property that names a resource, for the types whose name is a property. */
export const NAME_PROPERTY: Readonly<Record<string, string>> = {
  'AWS::CloudWatch::Alarm': 'AlarmName',
  'AWS::CloudWatch::CompositeAlarm': 'AlarmName',
  'AWS::CloudWatch::Dashboard': 'DashboardName',
  'AWS::Events::Rule': 'Name',
  'AWS::IAM::Role': 'RoleName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::S3::Bucket': 'BucketName',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::SSM::Parameter': 'Name',
};

/** Where the stack lives. */
export interface Place {
  readonly stackName: string;
  readonly accountId: string;
  readonly region: string;
  readonly partition: string;
  /** Base address of the local AWS, without a slash at the end; queue URLs start with it. */
  readonly endpoint: string;
}

/** What `Ref` and `Fn::GetAtt` give for a resource of this type and name. */
export function returnValues(type: string, name: string, place: Place): { ref: string; attributes: Attributes } {
  const arn = (service: string, resource: string): string =>
    `arn:${place.partition}:${service}:${place.region}:${place.accountId}:${resource}`;
  switch (type) {
    case 'AWS::SQS::Queue': {
      const url = `${place.endpoint}/${place.accountId}/${name}`;
      return { ref: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } };
    }
    case 'AWS::Lambda::Function':
      return { ref: name, attributes: { Arn: arn('lambda', `function:${name}`) } };
    case 'AWS::IAM::Role':
      return { ref: name, attributes: { Arn: `arn:${place.partition}:iam::${place.accountId}:role/${name}` } };
    case 'AWS::Events::Rule':
      return { ref: name, attributes: { Arn: arn('events', `rule/${name}`) } };
    case 'AWS::CloudWatch::Alarm':
    case 'AWS::CloudWatch::CompositeAlarm':
      return { ref: name, attributes: { Arn: arn('cloudwatch', `alarm:${name}`) } };
    case 'AWS::SNS::Topic':
      return { ref: arn('sns', name), attributes: { TopicArn: arn('sns', name), TopicName: name } };
    case 'AWS::Logs::LogGroup':
      return { ref: name, attributes: { Arn: arn('logs', `log-group:${name}:*`) } };
    case 'AWS::S3::Bucket':
      return { ref: name, attributes: { Arn: `arn:${place.partition}:s3:::${name}` } };
    default:
      return { ref: name, attributes: {} };
  }
}

type Attributes = Readonly<Record<string, string>>;
