import { describe, expect, it } from 'vitest';
import { loadTemplate, type Stack } from '../../../lib/simulation/aws/template.ts';

const PLACE = {
  stackName: 'shop',
  accountId: '000000000000',
  region: 'eu-west-1',
  partition: 'aws',
  endpoint: 'http://127.0.0.1:4000',
};

function load(template: object): Stack {
  return loadTemplate(template, PLACE);
}

/** Resolves one value as the description of an alarm, whose properties are handed on as they are. */
function resolved(value: unknown, others: object = {}): unknown {
  const stack = load({
    Parameters: { Stage: { Type: 'String', Default: 'dev' } },
    Conditions: { IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] }, IsNot: { 'Fn::Not': [{ Condition: 'IsDev' }] } },
    Resources: {
      Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Sub': `jobs-\${Stage}` } } },
      Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { Value: value } },
      ...others,
    },
  });
  return Object.entries(stack.of('AWS::CloudWatch::Alarm')[0]?.properties ?? {}).find(([key]) => key === 'Value')?.[1];
}

const QUEUE_URL = 'http://127.0.0.1:4000/000000000000/jobs-dev';
const QUEUE_ARN = 'arn:aws:sqs:eu-west-1:000000000000:jobs-dev';

describe('intrinsic functions', () => {
  it.each([
    ['Ref of a queue is its URL', { Ref: 'Jobs' }, QUEUE_URL],
    ['Ref of a parameter is its value', { Ref: 'Stage' }, 'dev'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-west-1'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Jobs', 'Arn'] }, QUEUE_ARN],
    ['GetAtt as a text', { 'Fn::GetAtt': 'Jobs.QueueName' }, 'jobs-dev'],
    [
      'Sub with names, attributes, variables and literals',
      { 'Fn::Sub': [`\${AWS::AccountId}/\${Jobs.Arn}/\${Own}/\${!Kept}`, { Own: { Ref: 'Stage' } }] },
      `000000000000/${QUEUE_ARN}/dev/\${Kept}`,
    ],
    ['Join over nested calls', { 'Fn::Join': [':', ['a', { Ref: 'Stage' }]] }, 'a:dev'],
    ['Select of a Split', { 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': 'Jobs.Arn' }] }] }, 'jobs-dev'],
    ['If by a condition', { 'Fn::If': ['IsDev', 1, 2] }, 1],
    ['If by a condition of a condition', { 'Fn::If': ['IsNot', 1, 2] }, 2],
    ['NoValue in a list disappears', ['a', { Ref: 'AWS::NoValue' }], ['a']],
    ['NoValue in an object disappears', { a: 1, b: { 'Fn::If': ['IsNot', 1, { Ref: 'AWS::NoValue' }] } }, { a: 1 }],
    ['And and Or', { 'Fn::And': [{ 'Fn::Or': [{ Condition: 'IsNot' }, { Condition: 'IsDev' }] }] }, true],
    ['a policy condition is no call', { Condition: { Bool: { a: 'b' } } }, { Condition: { Bool: { a: 'b' } } }],
  ])('%s', (_name, value, expected) => {
    expect(resolved(value)).toEqual(expected);
  });

  it('gives values from outside to parameters', () => {
    const template = {
      Parameters: { Stage: { Type: 'String' } },
      Resources: { Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Stage' } } } },
    };
    const stack = loadTemplate(template, { ...PLACE, parameters: { Stage: 'prod' } });
    expect(stack.of('AWS::SQS::Queue')[0]?.name).toBe('prod');
  });

  it('names resources that have no name as CloudFormation does, FIFO queues with their ending', () => {
    const template = {
      Resources: {
        Plain: { Type: 'AWS::SQS::Queue' },
        Ordered: { Type: 'AWS::SQS::Queue', Properties: { FifoQueue: true } },
      },
    };
    const names = load(template)
      .of('AWS::SQS::Queue')
      .map(({ name }) => name);
    expect(names).toEqual([
      expect.stringMatching(/^shop-Plain-[0-9A-F]{12}$/),
      expect.stringMatching(/^shop-Ordered-[0-9A-F]{12}\.fifo$/),
    ]);
    expect(names).toEqual(
      load(template)
        .of('AWS::SQS::Queue')
        .map(({ name }) => name),
    );
  });

  it('leaves out resources whose condition is not met, and types that only deploying needs', () => {
    const stack = load({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: {
        Jobs: { Type: 'AWS::SQS::Queue', Condition: 'Never' },
        Bucket: { Type: 'AWS::S3::Bucket', Properties: { Anything: { 'Fn::Whatever': 1 } } },
      },
    });
    expect(stack.of('AWS::SQS::Queue')).toEqual([]);
  });
});

describe('a template that cannot be run faithfully', () => {
  it('is refused with every problem at once, each by its path', () => {
    const broken = {
      Resources: {
        Table: { Type: 'AWS::DynamoDB::Table' },
        Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: { A: { Ref: 'Nobody' }, B: { 'Fn::Cidr': [] } } },
        Secret: { Type: 'AWS::SSM::Parameter', Properties: { Type: 'String', Value: '{{resolve:ssm:x}}' } },
        Queue: { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeOut: 1, DelaySeconds: 'soon' } },
        Loop: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['Loop', 'QueueName'] } } },
      },
    };
    expect(() => load(broken)).toThrow(/Resources\.Table: the local run has no AWS::DynamoDB::Table/);
    expect(() => load(broken)).toThrow(/Resources\.Alarm\.A: Ref Nobody does not exist/);
    expect(() => load(broken)).toThrow(/Resources\.Alarm\.B: found Fn::Cidr, expected one of Ref/);
    expect(() => load(broken)).toThrow(/Resources\.Secret\.Value: dynamic references/);
    expect(() => load(broken)).toThrow(/Resources\.Queue\.VisibilityTimeOut: /);
    expect(() => load(broken)).toThrow(/Resources\.Queue\.DelaySeconds: /);
    expect(() => load(broken)).toThrow(/Resources\.Loop: refers to itself/);
  });

  it('must have resources', () => {
    expect(() => load({})).toThrow(/Resources: not found/);
  });
});
