/**
 * Overrides as they are kept: one JSON document for all targets of a deployment, in one SSM parameter, so that a tick reads
 * them with one call however many targets there are. Form and parsing live here, reading in source.ts; who writes them is
 * the command line.
 */
import * as v from 'valibot';
import type { Override } from '../domain.ts';
import { InvalidInputError } from '../errors.ts';

/** Target id that stands for every target without an override of its own. */
export const ALL_TARGETS = '*';
/** Characters of a reason. */
export const MAX_WHY_CHARACTERS = 200;
/** What a standard SSM parameter holds. */
export const MAX_DOCUMENT_BYTES = 4096;

/** Overrides by target id. */
export type Overrides = ReadonlyMap<string, Override>;

const time = v.pipe(
  v.string(),
  v.transform((text) => Date.parse(text)),
  v.number('expected a time such as 2026-01-31T10:00:00Z'),
  v.finite('expected a time such as 2026-01-31T10:00:00Z'),
);
const common = {
  target: v.pipe(v.string(), v.regex(/^(\*|[a-z0-9-]{1,100})$/, 'expected a target id or *')),
  until: time,
  why: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_WHY_CHARACTERS)),
};
const entry = v.variant('kind', [
  v.object({ ...common, kind: v.literal('count'), workers: v.pipe(v.number(), v.integer(), v.minValue(0)) }),
  v.object({ ...common, kind: v.picklist(['pause', 'pause_scale_in']) }),
]);
const document = v.object({ version: v.literal(1), overrides: v.array(entry) });

/**
 * The overrides of a document.
 * @throws InvalidInputError that lists every problem by field; a document that is not understood is never an empty one
 */
export function parseOverrides(text: string): Overrides {
  const parsed = v.safeParse(document, parseJson(text));
  if (!parsed.success) {
    const problems = parsed.issues.slice(0, 20).map((issue) => ({
      field: v.getDotPath(issue) ?? 'document',
      message: issue.message,
    }));
    throw new InvalidInputError('overrides', problems);
  }
  return new Map(
    parsed.output.overrides.map((one) => {
      const { target, kind, until, why } = one;
      return [target, { kind, workers: one.kind === 'count' ? one.workers : null, untilMs: until, why }];
    }),
  );
}

/** The document of some overrides, those that have ended left out. */
export function encodeOverrides(overrides: Overrides, nowMs: number): string {
  const open = [...overrides].filter(([, { untilMs }]) => nowMs < untilMs);
  const entries = open.map(([target, { kind, workers, untilMs, why }]) => ({
    target,
    kind,
    ...(workers === null ? {} : { workers }),
    until: new Date(untilMs).toISOString(),
    why,
  }));
  return JSON.stringify({ version: 1, overrides: entries });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidInputError('overrides', [
      { field: 'document', message: 'text that is not JSON, a document expected' },
    ]);
  }
}
