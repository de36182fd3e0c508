import { describe, expect, it } from 'vitest';
import { createGuard, type Guard } from '../../../lib/simulation/aws/access.ts';
import { loadTemplate } from '../../../lib/simulation/aws/template.ts';

const TRUST = {
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const CALLER = { functionName: 'Work', roleArn: 'arn:aws:iam::000000000000:role/work' };
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:jobs';

function guardOf(role: object, others: object = {}): Guard {
  const Work = { Type: 'AWS::IAM::Role', Properties: { RoleName: 'work', AssumeRolePolicyDocument: TRUST, ...role } };
  const stack = loadTemplate(
    { Resources: { Work, ...others } },
    {
      stackName: 'shop',
      accountId: '000000000000',
      region: 'us-east-1',
      partition: 'aws',
      endpoint: 'http://127.0.0.1:1',
    },
  );
  return createGuard(stack);
}

describe('a role', () => {
  it('without policies may do nothing, nor may a role that is not in the template', () => {
    const guard = guardOf({});
    expect(guard.check(CALLER, 'sqs:SendMessage', QUEUE)).toMatchObject({ action: 'sqs:SendMessage', resource: QUEUE });
    expect(guard.check({ ...CALLER, roleArn: 'arn:aws:iam::0:role/x' }, 'sqs:SendMessage', QUEUE)).not.toBeNull();
    expect(guard.refusals.length).toBe(2);
  });

  it('has the rights of policies that are attached to it', () => {
    const attached = {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'send',
        Roles: [{ Ref: 'Work' }],
        PolicyDocument: { Statement: { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE } },
      },
    };
    expect(guardOf({}, { attached }).check(CALLER, 'sqs:SendMessage', QUEUE)).toBeNull();
  });

  it("has the rights of AWS's managed policies for Lambda", () => {
    const arn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole';
    const guard = guardOf({ ManagedPolicyArns: [arn] });
    expect(guard.check(CALLER, 'sqs:ReceiveMessage', QUEUE)).toBeNull();
    expect(guard.check(CALLER, 'sqs:SendMessage', QUEUE)).not.toBeNull();
  });

  it('is judged by what the call is about: region, principal, and what the caller adds', () => {
    const Condition = {
      StringEquals: { 'aws:RequestedRegion': 'us-east-1', 'cloudwatch:namespace': 'Jobs' },
      ArnEquals: { 'aws:PrincipalArn': CALLER.roleArn },
      Bool: { 'aws:SecureTransport': 'true' },
    };
    const Statement = { Effect: 'Allow', Action: 'cloudwatch:PutMetricData', Resource: '*', Condition };
    const guard = guardOf({ Policies: [{ PolicyName: 'metrics', PolicyDocument: { Statement } }] });
    const put = (namespace: string) =>
      guard.check(CALLER, 'cloudwatch:PutMetricData', '*', { 'cloudwatch:namespace': namespace });
    expect(put('Jobs')).toBeNull();
    expect(put('Other')?.message).toMatch(/cloudwatch:PutMetricData on resource: \* because/);
  });

  it('with a policy that is not known here, or that Lambda may not assume, is refused at the start', () => {
    expect(() => guardOf({ ManagedPolicyArns: ['arn:aws:iam::aws:policy/AdministratorAccess'] })).toThrow(
      /found arn:aws:iam::aws:policy\/AdministratorAccess, expected one of AWSLambdaBasicExecutionRole/,
    );
    const AssumeRolePolicyDocument = {
      Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
    };
    expect(() => guardOf({ AssumeRolePolicyDocument })).toThrow(/does not let lambda\.amazonaws\.com assume it/);
  });
});
