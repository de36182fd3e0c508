/** Anything as plain JSON: errors with their causes, circles cut, secrets hidden, sizes limited. Never throws. */
import { REDACTED, type Redactor } from './redaction.ts';

/** A value that `JSON.stringify` takes as it is. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

const MAX_DEPTH = 12;
const MAX_STRING_CHARACTERS = 16 * 1024;
const MAX_STACK_CHARACTERS = 4 * 1024;
/** Of one object or array. */
const MAX_ENTRIES = 2000;
/** Of everything together: a decision with an hour of history and 1,000 servers has about 8,000. */
const MAX_VALUES = 50_000;

/** One for a whole value: most log lines are made of hundreds of small objects. */
interface Walk {
  readonly redactor: Redactor;
  /** The objects that contain the present one, to notice circles. */
  readonly path: object[];
  valuesLeft: number;
}

/** The value as plain JSON, without secrets. */
export function toPlain(value: unknown, redactor: Redactor): Plain {
  return walk(value, { redactor, path: [], valuesLeft: MAX_VALUES });
}

function walk(value: unknown, context: Walk): Plain {
  context.valuesLeft -= 1;
  if (context.valuesLeft < 0) return '[too much]';
  switch (typeof value) {
    case 'string':
      return cut(context.redactor.text(value), MAX_STRING_CHARACTERS);
    case 'number':
    case 'bigint':
      return plainNumber(value, context.redactor);
    case 'boolean':
      return value;
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : walkObject(value, context);
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
  }
}

/** Below it a number has fewer digits than any secret. */
const SHORT_NUMBER = 1_000_000;

/** A token may consist of digits only. Numbers that JSON does not know become text. */
function plainNumber(value: number | bigint, redactor: Redactor): Plain {
  if (Number.isInteger(value) && Math.abs(Number(value)) < SHORT_NUMBER) return Number(value);
  const text = String(value);
  const shown = redactor.text(text);
  return shown === text && typeof value === 'number' && Number.isFinite(value) ? value : shown;
}

function walkObject(value: object, context: Walk): Plain {
  if (context.path.includes(value)) return '[circular]';
  if (context.path.length >= MAX_DEPTH) return '[too deep]';
  context.path.push(value);
  try {
    return walkInside(value, context);
  } catch {
    return '[unreadable]'; // a getter or a proxy that throws
  } finally {
    context.path.pop();
  }
}

function walkInside(value: object, context: Walk): Plain {
  if (Array.isArray(value)) return walkItems(value, context);
  // Nearly all of them are objects of our own.
  if (Object.getPrototypeOf(value) === Object.prototype) return walkFields(value, Object.keys(value), context);
  if (value instanceof Error) return walkError(value, context);
  if (value instanceof Date || value instanceof URL) return walk(String(value.toJSON()), context);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Set) return walkItems([...value], context);
  const isMap = value instanceof Map;
  const fields = isMap ? Object.fromEntries([...value].map(([key, item]) => [String(key), item])) : value;
  return walkFields(fields, Object.keys(fields), context);
}

function walkItems(items: readonly unknown[], context: Walk): Plain {
  const shown = items.slice(0, MAX_ENTRIES).map((item) => walk(item, context));
  const more = items.length - shown.length;
  return more > 0 ? [...shown, `[${more} more]`] : shown;
}

function walkFields(value: object, keys: readonly string[], context: Walk): Plain {
  const { redactor } = context;
  const fields = value as Readonly<Record<string, unknown>>;
  const shown: Record<string, Plain> = {};
  for (const key of keys.length > MAX_ENTRIES ? keys.slice(0, MAX_ENTRIES) : keys) {
    const item = fields[key];
    if (item === undefined || typeof item === 'function') continue;
    const hidden = redactor.hidesKey(key) && item !== null && typeof item !== 'boolean';
    put(shown, redactor.text(key), hidden ? REDACTED : walk(item, context));
  }
  const more = keys.length - MAX_ENTRIES;
  if (more > 0) shown['…'] = `[${more} more]`;
  return shown;
}

/** Sets a field; one key changes an object instead of filling it. */
function put(fields: Record<string, Plain>, key: string, value: Plain): void {
  if (key !== '__proto__') fields[key] = value;
  else Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
}

const TOLD_FIRST = new Set(['name', 'message', 'stack', 'cause', 'errors']);

/** Name, message, stack and causes first, then what the error carries beside them. */
function walkError(error: Error, context: Walk): Plain {
  const text = (value: unknown, limit: number) => cut(context.redactor.text(String(value)), limit);
  const more = Object.keys(error).filter((key) => !TOLD_FIRST.has(key));
  return {
    name: text(error.name, MAX_STACK_CHARACTERS),
    message: text(error.message, MAX_STRING_CHARACTERS),
    ...(typeof error.stack === 'string' ? { stack: text(error.stack, MAX_STACK_CHARACTERS) } : {}),
    ...(error.cause === undefined ? {} : { cause: walk(error.cause, context) }),
    ...(error instanceof AggregateError ? { errors: walk(error.errors, context) } : {}),
    ...Object(walkFields(error, more, context)),
  };
}

function cut(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… [${text.length - limit} more characters]`;
}
