/**
 * Field readers of `schema.ts`: how one JSON value of Cloud 66 becomes one of ours, in every form that it is known to have.
 * A reader returns undefined for what it does not understand; none guesses.
 */
import * as v from 'valibot';

/** More workers than this on one server is a mistake, not a wish. */
const MAX_COUNT = 10_000;

/** A field that `read` turns into a value; undefined means that it is not what was expected. */
export function field<T>(expected: string, read: (value: unknown) => T | undefined) {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const value = read(dataset.value);
      if (value !== undefined) return value;
      addIssue({ message: expected });
      return NEVER;
    }),
  );
}

/** Like `field`, but absent and null are both null. */
export function optionalField<T>(expected: string, read: (value: unknown) => T | undefined) {
  const readOrNull = (value: unknown): T | null | undefined => (value === null ? null : read(value));
  return v.optional(field(`${expected} or null`, readOrNull), null);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function readText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A name: not empty, not absurdly long, and not the one key that changes an object instead of filling it. */
export function readName(value: unknown): string | undefined {
  return typeof value === 'string' && isName(value) ? value : undefined;
}

function isName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && name !== '__proto__';
}

/** A whole number that is zero or more, as a number or as digits. */
export function readNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

/** A boolean: shown as such in the tables and as text in the Ruby samples. */
export function readBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  return value === 'false' ? false : undefined;
}

/** The documented forms of a time; one without a zone would be a guess. */
const DATE = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d{1,9})? ?(Z|UTC|[+-]\d{2}:?\d{2})$/;

/** A time of any form that Cloud 66 shows: `…T19:08:05Z`, `…T01:46:53+00:00`, `2014-08-14 01:46:52 UTC`. */
export function readTimeMs(value: unknown): number | undefined {
  const match = typeof value === 'string' ? DATE.exec(value) : null;
  if (match === null) return undefined;
  const [, day = '', time = '', fraction = '', zone = ''] = match;
  const offset = zone === 'UTC' || zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const timeMs = Date.parse(`${day}T${time}${fraction.slice(0, 4)}${offset}`);
  // A day that does not exist (30 February) would otherwise slide into the next month.
  const [year = 0, month = 0, dayOfMonth = 0] = day.split('-').map(Number);
  const exists = Date.UTC(year, month - 1, dayOfMonth) < Date.UTC(year, month, 1);
  return exists && !Number.isNaN(timeMs) ? timeMs : undefined;
}

export function readHealth(value: unknown): number | string | undefined {
  return readNumber(value) ?? readText(value);
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT;
}

export const countExpected = `an integer from 0 to ${MAX_COUNT}`;

/** Server name to count, as a Map: names come from people, and a Map has no keys of its own to collide with. */
export const serverCounts = v.pipe(
  v.custom<Readonly<Record<string, unknown>>>(isRecord, 'an object of server name to count'),
  v.rawTransform<Readonly<Record<string, unknown>>, ReadonlyMap<string, number>>(({ dataset, addIssue }) => {
    const counts = new Map<string, number>();
    for (const [key, value] of Object.entries(dataset.value)) {
      const path = [{ type: 'object', origin: 'value', input: dataset.value, key, value }] as const;
      if (!isName(key)) addIssue({ message: 'a server name', received: JSON.stringify(key), path: [path[0]] });
      else if (!isCount(value)) addIssue({ message: countExpected, received: tell(value), path: [path[0]] });
      else counts.set(key, value);
    }
    return counts;
  }),
);

/** A uid of a stack or server: letters, digits, `-` and `_`, so that it is safe in a path and as a key. */
export function isUid(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(value);
}

export function readUid(value: unknown): string | undefined {
  return isUid(value) ? value : undefined;
}

/** A value as it is shown in a problem. */
export function tell(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}
