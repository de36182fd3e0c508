/** Packages the real template in a copy of the project and looks at what would be deployed, as an outsider would. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arnOf, NAME, ownArn, projectCopy, Resources, SETTINGS, TEMPLATE_FILE } from './project.ts';

const project = projectCopy();

describe('a packaged deployment of two targets', () => {
  let resources = new Resources('{"Resources":{}}');

  beforeAll(() => {
    const run = project.serverlessPackage(SETTINGS, '--stage', 'qa');
    expect(run.output).toContain('Service packaged');
    resources = new Resources(project.packaged(TEMPLATE_FILE));
  }, 90_000);
  afterAll(() => project.remove());

  it('is made of what the README lists', () => {
    const numberOf = (type: string) => resources.propertiesOf(type).length;
    const alarms = resources.propertiesOf('AWS::CloudWatch::Alarm').map(({ AlarmName }) => String(AlarmName));
    expect(alarms.filter((name) => !name.includes('-backlog-'))).toHaveLength(4);
    expect(numberOf('AWS::CloudWatch::Dashboard')).toBe(1);
    expect(numberOf('AWS::Logs::QueryDefinition')).toBe(5);
    expect(numberOf('AWS::SQS::Queue')).toBe(numberOf('AWS::SQS::QueuePolicy'));
    expect(['AWS::IAM::Role', 'AWS::Logs::LogGroup', 'AWS::SNS::Topic'].map(numberOf)).toEqual([2, 2, 0]);
  });

  it('has two functions on the newest Node, on ARM, with a timeout and memory of their own', () => {
    expect(resources.propertiesOf('AWS::Lambda::Function')).toHaveLength(2);
    for (const [name, id, timeout] of [
      ['scale', 'ScaleLambdaFunction', 75],
      ['poller', 'PollerLambdaFunction', 60],
    ] as const) {
      expect(resources.properties(id)).toMatchObject({
        FunctionName: `${NAME}-${name}`,
        Handler: `functions/${name}.handler`,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Timeout: timeout,
        MemorySize: 256,
      });
    }
  });

  it('lets the tick and one alarm run at a time, and the poller as many as its event source starts', () => {
    expect(resources.properties('ScaleLambdaFunction')).toHaveProperty('ReservedConcurrentExecutions', 2);
    expect(resources.properties('PollerLambdaFunction')).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  it('drops late events, retries none and keeps what failed in a standard queue', () => {
    expect(resources.propertiesOf('AWS::Lambda::EventInvokeConfig')).toEqual([
      {
        FunctionName: { Ref: 'ScaleLambdaFunction' },
        Qualifier: '$LATEST',
        MaximumEventAgeInSeconds: 300,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: arnOf('FailedEventsQueue') } },
      },
    ]);
    expect(resources.properties('FailedEventsQueue')).not.toHaveProperty('FifoQueue');
  });

  it('keeps records in a FIFO queue that hides them six timeouts and never gives up by count', () => {
    expect(resources.properties('ActionsQueue')).toEqual({
      QueueName: `${NAME}-actions.fifo`,
      FifoQueue: true,
      ContentBasedDeduplication: false,
      DelaySeconds: 20,
      VisibilityTimeout: 360,
      MessageRetentionPeriod: 1_209_600,
      RedrivePolicy: { deadLetterTargetArn: arnOf('ActionsDeadLetterQueue'), maxReceiveCount: 1000 },
      SqsManagedSseEnabled: true,
    });
    expect(resources.properties('ActionsDeadLetterQueue')).toMatchObject({
      FifoQueue: true,
      MessageRetentionPeriod: 1_209_600,
    });
  });

  it('encrypts every queue and refuses plain transport to it', () => {
    const ids = resources.idsOf('AWS::SQS::Queue');
    expect(ids).toHaveLength(3);
    for (const id of ids) {
      expect(resources.properties(id)).toHaveProperty('SqsManagedSseEnabled', true);
      const policies = resources
        .propertiesOf('AWS::SQS::QueuePolicy')
        .filter((each) => JSON.stringify(each.Queues).includes(`"${id}"`));
      expect(policies.map((each) => each.PolicyDocument)).toEqual([
        {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'EncryptedTransportOnly',
              Effect: 'Deny',
              Principal: '*',
              Action: 'sqs:*',
              Resource: arnOf(id),
              Condition: { Bool: { 'aws:SecureTransport': 'false' } },
            },
          ],
        },
      ]);
    }
  });

  it('feeds the poller from the actions queue, record by record', () => {
    expect(resources.propertiesOf('AWS::Lambda::EventSourceMapping')).toEqual([
      {
        EventSourceArn: arnOf('ActionsQueue'),
        FunctionName: arnOf('PollerLambdaFunction'),
        BatchSize: 10,
        Enabled: true,
        FunctionResponseTypes: ['ReportBatchItemFailures'],
        ScalingConfig: { MaximumConcurrency: 2 },
      },
    ]);
  });

  it('has one alarm per target that calls the scale function on ALARM and on OK', () => {
    const alarm = (id: string, queue: string, threshold: number) => ({
      AlarmName: `${NAME}-backlog-${id}`,
      AlarmDescription: expect.stringContaining(`target ${id}`),
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Dimensions: [{ Name: 'QueueName', Value: queue }],
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 1,
      Threshold: threshold,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [arnOf('ScaleLambdaFunction')],
      OKActions: [arnOf('ScaleLambdaFunction')],
    });
    const alarms = resources.propertiesOf('AWS::CloudWatch::Alarm');
    expect(alarms.filter(({ AlarmName }) => String(AlarmName).includes('-backlog-'))).toEqual([
      alarm('mailer', 'mail', 3),
      alarm('night-reports', 'reports.fifo', 1),
    ]);
  });

  it('has one permission for all alarms, bound to the account and to the names of its alarms', () => {
    const permissions = resources.propertiesOf('AWS::Lambda::Permission');
    const forAlarms = permissions.filter((each) => each.Principal === 'lambda.alarms.cloudwatch.amazonaws.com');
    expect(forAlarms).toEqual([
      {
        FunctionName: arnOf('ScaleLambdaFunction'),
        Action: 'lambda:InvokeFunction',
        Principal: 'lambda.alarms.cloudwatch.amazonaws.com',
        SourceAccount: { Ref: 'AWS::AccountId' },
        SourceArn: ownArn('cloudwatch', `alarm:${NAME}-backlog-*`),
      },
    ]);
    expect(
      permissions.map((each) => each.Principal).toSorted((one, other) => String(one).localeCompare(String(other))),
    ).toEqual(['events.amazonaws.com', 'lambda.alarms.cloudwatch.amazonaws.com']);
  });

  it('calls the scale function once a minute', () => {
    expect(resources.propertiesOf('AWS::Events::Rule')).toEqual([
      expect.objectContaining({
        ScheduleExpression: 'rate(1 minute)',
        State: 'ENABLED',
        Targets: [{ Arn: arnOf('ScaleLambdaFunction'), Id: expect.any(String) }],
      }),
    ]);
  });

  it('keeps logs for 30 days', () => {
    expect(resources.propertiesOf('AWS::Logs::LogGroup')).toEqual(
      ['scale', 'poller'].map((name) => ({ LogGroupName: `/aws/lambda/${NAME}-${name}`, RetentionInDays: 30 })),
    );
  });
});
