import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeActionRecord, parseActionRecord } from '../../lib/actions/record.ts';
import type { ActionRecord } from '../../lib/domain.ts';
import { InvalidInputError } from '../../lib/errors.ts';
import { actionRecord } from './action-record.ts';

function problemsOf(body: string): Readonly<Record<string, string>> {
  try {
    parseActionRecord(body);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    return Object.fromEntries(error.problems.map(({ field, message }) => [field, message]));
  }
  return {};
}

const problemsWith = (change: Readonly<Record<string, unknown>>) =>
  problemsOf(JSON.stringify({ ...actionRecord(), ...change }));

const id = fc.stringMatching(/^[a-zA-Z0-9][\w.:-]{0,40}$/).filter((text) => text !== '__proto__');
const count = fc.integer({ min: 0, max: 1000 });
const anyRecord: fc.Arbitrary<ActionRecord> = fc.record({
  version: fc.constant(1 as const),
  targetId: id,
  stackUid: id,
  processName: fc.string({ minLength: 1, maxLength: 100 }),
  actionId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  requestedCounts: fc.dictionary(id, count, { noNullPrototype: true }),
  desiredCount: count,
  previousCount: count,
  decisionId: fc.uuid(),
  acceptedAtMs: fc.integer({ min: 1, max: 4_000_000_000_000 }),
});

describe('an action record', () => {
  it('comes out of its message as it went in', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        expect(parseActionRecord(encodeActionRecord(record))).toEqual(record);
      }),
    );
  });

  it('may carry fields of a newer program, which are ignored', () => {
    expect(parseActionRecord(JSON.stringify({ ...actionRecord(), traceId: 'x' }))).toEqual(actionRecord());
  });

  it('of another version is refused by its version alone', () => {
    expect(problemsWith({ version: 2, actionId: 'new form' })).toEqual({
      version: 'found 2; this program understands version 1 only',
    });
  });

  it('names every problem at once, by field', () => {
    const problems = problemsWith({
      version: undefined,
      targetId: '',
      stackUid: 'x'.repeat(100),
      processName: 7,
      actionId: -1,
      requestedCounts: { server1: 1.5 },
      desiredCount: 1e9,
      previousCount: null,
      decisionId: undefined,
      acceptedAtMs: 'yesterday',
    });
    expect(problems).toMatchObject({
      version: 'found nothing; expected "version"',
      stackUid: expect.stringContaining('at most 64 characters'),
      processName: 'found 7; expected string',
      actionId: 'found -1; expected >=1',
      'requestedCounts.server1': expect.stringMatching(/^found 1\.5; expected /),
      desiredCount: 'found 1000000000; expected <=100000',
      previousCount: 'found null; expected number',
      acceptedAtMs: 'found "yesterday"; expected number',
    });
    expect(Object.keys(problems)).toEqual(expect.arrayContaining(['targetId', 'decisionId']));
  });

  it('may name the parameter of a token, and nothing else in its place', () => {
    const record = { ...JSON.parse(encodeActionRecord(actionRecord())), tokenParameter: '/other/token' };
    expect(parseActionRecord(JSON.stringify(record)).tokenParameter).toBe('/other/token');
    expect(parseActionRecord(encodeActionRecord(actionRecord()))).not.toHaveProperty('tokenParameter');
    expect(Object.keys(problemsWith({ tokenParameter: 'secret value' }))).toContain('tokenParameter');
  });

  it.each([
    ['text', 'hello', 'expected JSON'],
    ['an empty body', '', 'expected JSON'],
    ['an array', '[]', 'expected a JSON object'],
    ['null', 'null', 'expected a JSON object'],
    ['a number', '17', 'expected a JSON object'],
    ['more than a record can have', `"${'x'.repeat(300_000)}"`, 'expected at most 204800'],
  ])('is not %s', (_name, body, message) => {
    expect(problemsOf(body).body).toContain(message);
  });

  it('refuses a foreign message, such as an S3 event, with a short error', () => {
    const foreign = JSON.stringify({ Records: [{ eventSource: 'aws:s3', s3: { object: { key: 'k'.repeat(5000) } } }] });
    expect(Object.keys(problemsOf(foreign))).toEqual(expect.arrayContaining(['version', 'actionId', 'acceptedAtMs']));
    const counts = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`s${index}`, -1]));
    expect(Object.values(problemsWith({ requestedCounts: counts }))).toHaveLength(21);
    expect(problemsWith({ requestedCounts: counts }).body).toBe('and 480 more problems');
    expect(problemsWith({ processName: 'n'.repeat(5000) }).processName?.length).toBeLessThan(150);
  });
});
