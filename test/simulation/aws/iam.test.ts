import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Access,
  arnMatches,
  evaluate,
  parsePolicy,
  statementsFor,
  wildcardMatches,
} from '../../../lib/simulation/aws/iam.ts';

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:jobs';
const allowSend = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: QUEUE };

function decide(statements: object[], action: string, resource: string, context: Record<string, string> = {}): Access {
  return evaluate(parsePolicy({ Statement: statements }, 'policy'), { action, resource, context });
}

describe('IAM', () => {
  it.each<[string, object[], string, string, Access]>([
    ['allows what is listed', [allowSend], 'sqs:SendMessage', QUEUE, 'allow'],
    ['compares actions without regard to case', [allowSend], 'SQS:sendmessage', QUEUE, 'allow'],
    ['denies what nobody allows', [allowSend], 'sqs:DeleteMessage', QUEUE, 'implicit_deny'],
    ['denies another resource', [allowSend], 'sqs:SendMessage', `${QUEUE}-2`, 'implicit_deny'],
    ['denies everything without statements', [], 'sqs:SendMessage', QUEUE, 'implicit_deny'],
    [
      'matches wildcards in actions and resources',
      [{ Effect: 'Allow', Action: ['sqs:Send*'], Resource: 'arn:aws:sqs:*:*:jo?s' }],
      'sqs:SendMessage',
      QUEUE,
      'allow',
    ],
    [
      'lets a Deny win, wherever it stands',
      [{ Effect: 'Deny', Action: '*', Resource: '*' }, allowSend],
      'sqs:SendMessage',
      QUEUE,
      'explicit_deny',
    ],
    [
      'understands NotAction and NotResource',
      [{ Effect: 'Allow', NotAction: 'sqs:Delete*', NotResource: `${QUEUE}-*` }],
      'sqs:SendMessage',
      QUEUE,
      'allow',
    ],
    [
      'keeps NotAction from what it names',
      [{ Effect: 'Allow', NotAction: 'sqs:Send*', Resource: '*' }],
      'sqs:SendMessage',
      QUEUE,
      'implicit_deny',
    ],
  ])('%s', (_name, statements, action, resource, expected) => {
    expect(decide(statements, action, resource)).toBe(expected);
  });

  it.each<[string, object, Record<string, string>, boolean]>([
    ['StringEquals', { StringEquals: { 'kms:ViaService': 'ssm.us-east-1.amazonaws.com' } }, VIA_SSM(), true],
    [
      'StringEquals, other value',
      { StringEquals: { 'kms:ViaService': 'sqs.us-east-1.amazonaws.com' } },
      VIA_SSM(),
      false,
    ],
    ['StringEquals, one of several', { StringEquals: { key: ['a', 'b'] } }, { key: 'b' }, true],
    ['StringEquals, absent key', { StringEquals: { key: 'a' } }, {}, false],
    ['StringEqualsIfExists, absent key', { StringEqualsIfExists: { key: 'a' } }, {}, true],
    ['StringNotEquals', { StringNotEquals: { key: 'a' } }, { key: 'b' }, true],
    ['StringNotEquals, equal', { StringNotEquals: { key: ['a', 'b'] } }, { key: 'b' }, false],
    ['StringNotEquals, absent key', { StringNotEquals: { key: 'a' } }, {}, true],
    ['StringLike', { StringLike: { key: 'a*d' } }, { key: 'abcd' }, true],
    ['StringEqualsIgnoreCase', { StringEqualsIgnoreCase: { key: 'ABC' } }, { key: 'abc' }, true],
    ['ArnLike', { ArnLike: { 'aws:SourceArn': 'arn:aws:sqs:*:*:jobs' } }, { 'aws:sourcearn': QUEUE }, true],
    ['ArnNotLike', { ArnNotLike: { 'aws:SourceArn': 'arn:aws:sqs:*:*:jobs' } }, { 'aws:sourcearn': QUEUE }, false],
    ['Bool written as a boolean', { Bool: { 'aws:SecureTransport': true } }, { 'aws:securetransport': 'true' }, true],
    ['all operators must hold', { Bool: { a: 'true' }, StringEquals: { b: 'x' } }, { a: 'true', b: 'y' }, false],
  ])('condition %s', (_name, Condition, context, met) => {
    expect(decide([{ ...allowSend, Condition }], 'sqs:SendMessage', QUEUE, context)).toBe(
      met ? 'allow' : 'implicit_deny',
    );
  });

  it('compares ARNs part by part, so that a wildcard does not swallow a colon', () => {
    expect(
      arnMatches('arn:aws:cloudwatch:us-east-1:1:alarm:jobs-*', 'arn:aws:cloudwatch:us-east-1:1:alarm:jobs-a'),
    ).toBe(true);
    expect(arnMatches('arn:aws:cloudwatch:*:alarm:x', 'arn:aws:cloudwatch:us-east-1:1:alarm:x')).toBe(false);
    expect(arnMatches('*', QUEUE)).toBe(false);
  });

  it('takes everything but the two wildcards literally', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme-ascii' }), (text, other) => {
        const literal = text.replaceAll(/[*?]/g, '.');
        expect(wildcardMatches(literal, literal)).toBe(true);
        expect(wildcardMatches(literal, `${literal}x${other}`)).toBe(false);
        expect(wildcardMatches(`${literal}*`, `${literal}${other}`)).toBe(true);
      }),
    );
  });

  it('never turns a Deny into an Allow by adding statements', () => {
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Action: fc.constantFrom('*', 'sqs:*', 'sqs:SendMessage', 'ssm:GetParameter'),
      Resource: fc.constantFrom('*', QUEUE, `${QUEUE}-2`),
    });
    fc.assert(
      fc.property(fc.array(statement), fc.array(statement), (some, more) => {
        if (decide(some, 'sqs:SendMessage', QUEUE) === 'explicit_deny') {
          expect(decide([...more, ...some], 'sqs:SendMessage', QUEUE)).toBe('explicit_deny');
        }
      }),
    );
  });

  it('finds the statements of a resource policy that name a caller', () => {
    const statements = parsePolicy(
      {
        Statement: [
          { ...allowSend, Principal: { Service: ['events.amazonaws.com'] } },
          { ...allowSend, Principal: { AWS: 'arn:aws:iam::1:role/a' } },
          { ...allowSend, Principal: '*' },
        ],
      },
      'policy',
    );
    expect(statementsFor(statements, ['arn:aws:iam::1:role/a'])).toEqual([statements[1], statements[2]]);
  });

  it('refuses policies that it cannot judge, and lists everything that is wrong', () => {
    const document = {
      Statement: [
        { Effect: 'Maybe', Action: 'a:b', Resource: '*' },
        { Effect: 'Allow', Resource: '*' },
        { ...allowSend, Condition: { NumericLessThan: { a: '1' } } },
        { ...allowSend, Resource: `\${aws:username}` },
        { ...allowSend, NotPrincipal: '*' },
      ],
    };
    expect(() => parsePolicy(document, 'Role')).toThrow(
      /5 problems[\s\S]*\[0\]\.Effect[\s\S]*\[1\]\.Action[\s\S]*NumericLessThan[\s\S]*aws:username[\s\S]*NotPrincipal/,
    );
  });
});

function VIA_SSM(): Record<string, string> {
  return { 'kms:viaservice': 'ssm.us-east-1.amazonaws.com' };
}
