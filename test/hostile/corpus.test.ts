/**
 * Input as an enemy, a proxy or a tired person would write it, kept as files: `corpus/PARSER/refused` must become one clear
 * error, `corpus/PARSER/taken` must be understood. Neither may hang, crash, echo at length or reach into anybody's prototype.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseActionRecord } from '../../lib/actions/record.ts';
import { parseTrace } from '../../lib/backtest/trace.ts';
import { parsePage, processSchema } from '../../lib/cloud66/schema.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import { parseTargetsFile } from '../../lib/config/targets-file.ts';
import { AutoscalerError, InvalidInputError, type Problem } from '../../lib/errors.ts';
import { parseEvent } from '../../lib/lambda/events.ts';
import { parseOverrides } from '../../lib/overrides/document.ts';
import { MINIMAL } from '../config/fixture.ts';

const CORPUS = join(import.meta.dirname, 'corpus');
/** A message that a person reads to its end, even with fifty problems in it. */
const MAX_MESSAGE_CHARACTERS = 20_000;
/** As long as a look may take; a parser that needs it for one input is broken. */
const MAX_MS = 5000;

/** Problems as the error that a caller would get. */
function refuse(subject: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new InvalidInputError(subject, problems);
}

/** What is done with the text of a case; throws for what is refused. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  events: (text) => parseEvent(JSON.parse(text)),
  records: parseActionRecord,
  overrides: parseOverrides,
  targets: (text) => refuse('targets', parseTargetsFile('targets.yml', text).problems),
  traces: (text) => parseTrace(text, 'trace.csv'),
  environment: (text) => parseSettings({ ...MINIMAL, ...parseEnv(text) }),
  replies: (text) => {
    const page = parsePage(processSchema, JSON.parse(text));
    refuse('reply', page.kind === 'ok' ? page.value.unreadable.flatMap(({ problems }) => problems) : page.problems);
  },
};

/** `*.repeat.json` stands for a text that is too long to be kept: `{"unit": "x", "count": 10000000}`. */
function textOf(path: string): string {
  const text = readFileSync(path, 'utf8');
  if (!path.endsWith('.repeat.json')) return text;
  const { unit, count } = JSON.parse(text) as { unit: string; count: number };
  return unit.repeat(count);
}

const cases = Object.keys(PARSERS).flatMap((parser) =>
  ['refused', 'taken'].flatMap((verdict) =>
    readdirSync(join(CORPUS, parser, verdict)).map((file) => ({ parser, verdict, file })),
  ),
);

describe('hostile input', () => {
  it('is plenty, and for every parser of both kinds', () => {
    expect(cases.length).toBeGreaterThanOrEqual(200);
    expect(readdirSync(CORPUS).toSorted()).toEqual(Object.keys(PARSERS).toSorted());
  });

  it.each(cases)('$parser: $file is $verdict', { timeout: MAX_MS }, ({ parser, verdict, file }) => {
    const text = textOf(join(CORPUS, parser, verdict, file));
    const parse = PARSERS[parser] ?? (() => {});
    let error: unknown = null;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    if (verdict === 'taken') {
      expect(error).toBeNull();
      return;
    }
    // One of our own: written for people, with everything in it that is wrong.
    expect(error).toBeInstanceOf(AutoscalerError);
    const { message } = error as AutoscalerError;
    expect(message.length).toBeGreaterThan(10);
    expect(message.length).toBeLessThan(MAX_MESSAGE_CHARACTERS);
    expect(message).not.toContain('f'.repeat(64));
  });
});
