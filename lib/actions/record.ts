/**
 * Action records: the messages that tell the poller which action of Cloud 66 to follow. Encoding, parsing, sending,
 * the pause before the next look, and what becomes of a message that is no record. Nothing here reads a queue or asks
 * Cloud 66.
 */
import * as v from 'valibot';
import type { ActionRecord } from '../domain.ts';
import { InvalidInputError, type Problem } from '../errors.ts';

/** The form that this program writes and understands. Any change of meaning makes it 2. */
const VERSION = 1;

/** SQS takes 256 kB; a record with 1,000 servers has 50 kB. */
const MAX_BODY_BYTES = 200 * 1024;
const MAX_SERVERS = 2000;
const MAX_WORKERS = 100_000;
const MAX_FOUND_CHARACTERS = 60;
/** Problems beyond these are only counted: the whole list goes into one SQS attribute. */
const MAX_PROBLEMS = 20;

const text = v.pipe(v.string(), v.minLength(1, 'expected a text'), v.maxLength(128, 'expected at most 128 characters'));
const id = v.pipe(text, v.regex(/^[\w.:-]+$/, 'expected letters, digits and . _ : -'));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_WORKERS));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Fields that a newer version of this program may add are ignored; fields that are missing or wrong are not. */
const schema = v.object({
  version: v.literal(VERSION),
  targetId: id,
  stackUid: v.pipe(id, v.maxLength(64, 'expected at most 64 characters')),
  processName: text,
  actionId: positive,
  requestedCounts: v.nullable(
    v.pipe(
      v.unknown(),
      // An empty list would pass for no servers at all.
      v.check((value) => !Array.isArray(value), 'expected an object'),
      v.record(id, count),
      v.maxEntries(MAX_SERVERS, `expected at most ${MAX_SERVERS} servers`),
    ),
  ),
  desiredCount: count,
  previousCount: count,
  decisionId: text,
  acceptedAtMs: positive,
  tokenParameter: v.exactOptional(v.pipe(v.string(), v.maxLength(1000), v.regex(/^(\/[A-Za-z0-9_.-]+)+$/))),
});

/** The body of the message for a record. */
export function encodeActionRecord(record: ActionRecord): string {
  return JSON.stringify(record);
}

/**
 * The record in the body of a message.
 * @throws InvalidInputError for anything else, with every problem by field
 */
export function parseActionRecord(body: string): ActionRecord {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES) fail([{ field: 'body', message: `${bytes} bytes; expected at most ${MAX_BODY_BYTES}` }]);
  const value = parseJson(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail([{ field: 'body', message: `found ${shown(value)}; expected a JSON object` }]);
  }
  if ('version' in value && value.version !== VERSION && typeof value.version === 'number') {
    const found = shown(value.version);
    return fail([{ field: 'version', message: `found ${found}; this program understands version ${VERSION} only` }]);
  }
  const parsed = v.safeParse(schema, value);
  return parsed.success ? parsed.output : fail(problemsOf(parsed.issues));
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return fail([{ field: 'body', message: `found ${shown(body)}; expected JSON` }]);
  }
}

function problemsOf(issues: readonly v.BaseIssue<unknown>[]): readonly Problem[] {
  const problems = issues.slice(0, MAX_PROBLEMS).map((issue) => ({
    field: v.getDotPath(issue) ?? 'body',
    message: `found ${shown(issue.input)}; ${sentenceOf(issue)}`,
  }));
  const more = issues.length - problems.length;
  return more > 0 ? [...problems, { field: 'body', message: `and ${more} more problems` }] : problems;
}

/** Valibot's own messages begin with "Invalid"; ours with "expected". */
function sentenceOf(issue: v.BaseIssue<unknown>): string {
  if (issue.message.startsWith('expected')) return issue.message;
  return issue.expected === null ? 'expected something else' : `expected ${issue.expected}`;
}

function shown(value: unknown): string {
  const json = value === undefined ? 'nothing' : JSON.stringify(value);
  return json.length <= MAX_FOUND_CHARACTERS ? json : `${json.slice(0, MAX_FOUND_CHARACTERS)}…`;
}

function fail(problems: readonly Problem[]): never {
  throw new InvalidInputError('action record', problems);
}
