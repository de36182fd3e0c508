/**
 * What this program says of itself: structured log lines, metrics, and the records of decisions and outcomes. Nothing
 * here decides or calls anything; lines leave through one `write` function.
 */
import type { Clock } from '../reconcile/ports.ts';
import { type Plain, toPlain } from './plain.ts';
import type { Redactor } from './redaction.ts';

/** From the most to the least talkative. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Anything that belongs to a line; errors may stand in it as they are. */
type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON line per call. Secrets are hidden, circles cut, sizes limited; no field can make it throw. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose lines carry these fields too. */
  child(context: LogFields): Logger;
}

/** What a logger is made of. */
export interface LoggerSettings {
  /** Lines below this level are not written. */
  readonly level: LogLevel;
  /** Takes one line without its line break. */
  readonly write: (line: string) => void;
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly context?: LogFields;
}

/** CloudWatch Logs cuts events at 256 kB, in the middle of the JSON. Source: CloudWatch Logs quotas. */
const MAX_LINE_BYTES = 200 * 1024;
/** Of the fields of a line that is too long: its JSON as text, at most three bytes a character. */
const START_CHARACTERS = 50_000;

/** A logger that writes JSON lines: `timestamp`, `level`, `message`, then context and fields. */
export function createLogger(settings: LoggerSettings): Logger {
  const { level, write, clock, redactor, context = {} } = settings;
  const lowest = LOG_LEVELS.indexOf(level);

  const logAt =
    (at: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LOG_LEVELS.indexOf(at) < lowest) return;
      const timestamp = new Date(clock.nowMs()).toISOString();
      const head = { timestamp, level: at, message: toPlain(message, redactor) };
      write(lineOf(head, toPlain(context, redactor), toPlain(fields, redactor)));
    };

  return {
    debug: logAt('debug'),
    info: logAt('info'),
    warn: logAt('warn'),
    error: logAt('error'),
    child: (more) => createLogger({ ...settings, context: { ...context, ...more } }),
  };
}

/** The first of three forms that fits: complete, with the fields cut, with the head and a little more. */
function lineOf(head: { readonly [key: string]: Plain }, context: Plain, fields: Plain): string {
  const line = JSON.stringify({ ...head, ...Object(context), ...Object(fields), ...head });
  const bytes = Buffer.byteLength(line);
  if (bytes <= MAX_LINE_BYTES) return line;
  const mark = { truncated: true, originalBytes: bytes };
  const start = JSON.stringify(fields).slice(0, START_CHARACTERS);
  const cut = JSON.stringify({ ...head, ...Object(context), ...mark, start, ...head });
  return Buffer.byteLength(cut) <= MAX_LINE_BYTES ? cut : JSON.stringify({ ...head, ...mark, start });
}
