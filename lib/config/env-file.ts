/**
 * The file of settings, `.env`. Read strictly: a line that were skipped in silence may be the one that says DRY_RUN.
 * Nothing is expanded and nothing is loaded into this process; what the file holds is an argument like any other.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Problem } from '../errors.ts';
import type { Environment } from './env.ts';
import { variableText } from './env.ts';
import { looksSecret } from './read.ts';

/** Says which file to read instead of `.env`; `none` reads none. */
export const ENV_FILE_VARIABLE = 'AUTOSCALER_ENV_FILE';

const MAX_LENGTH = 100_000;
const LINE = /^\s*(?:export\s+)?([^\s=#'"]+)\s*=\s*(.*?)\s*$/;

/** What a file of settings holds. */
export interface EnvFile {
  /** As people know it, for messages. */
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Lines that are none of `NAME=value`, a comment or blank; and names that are there twice. */
  readonly problems: readonly Problem[];
}

/**
 * The file of settings of the project in `root`: `.env`, or what AUTOSCALER_ENV_FILE says; null when there is none.
 * There is one file for all stages. What is wrong with it is in its problems.
 */
export function readEnvFile(root: string, environment: Environment): EnvFile | null {
  const given = variableText(environment, ENV_FILE_VARIABLE);
  if (given === 'none') return null;
  const path = resolve(root, given ?? '.env');
  const name = given ?? basename(path);
  try {
    return parseEnvFile(name, readFileSync(path, 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' && given === null) return null;
    const field = given === null ? name : ENV_FILE_VARIABLE;
    return { name, variables: {}, problems: [{ field, message: `${name} cannot be read (${code})` }] };
  }
}

/** Takes the text of a file of settings apart, line by line: `NAME=value`, quotes and comments as in a shell. */
export function parseEnvFile(name: string, text: string): EnvFile {
  if (text.length > MAX_LENGTH) {
    return { name, variables: {}, problems: [{ field: name, message: `is longer than ${MAX_LENGTH} characters` }] };
  }
  const variables = new Map<string, string>();
  const problems: Problem[] = [];
  const lineOf = new Map<string, number>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [number, match] = [index + 1, LINE.exec(line)];
    const raw = match?.[2];
    // A token pasted alone may end in =, too.
    const variable = looksSecret(match?.[1]?.replaceAll('_', ' ') ?? '') ? undefined : match?.[1];
    const field = variable ?? `${name}, line ${number}`;
    const message = variable === undefined ? notALine(line) : valueProblem(raw ?? '');
    if (message !== null) problems.push({ field, message });
    const earlier = lineOf.get(field);
    if (earlier !== undefined)
      problems.push({ field, message: `is set twice in ${name}, lines ${earlier} and ${number}` });
    lineOf.set(field, number);
    if (variable !== undefined && message === null) variables.set(variable, parseEnv(`X=${raw}`)['X'] ?? '');
  }
  return { name, variables: Object.fromEntries(variables), problems };
}

function notALine(line: string): string {
  const word = /^\s*([A-Za-z_][\w.-]*)/.exec(line)?.[1] ?? '';
  const begin = word === '' || looksSecret(word) || word.length > 60 ? '' : ` (it begins with ${word})`;
  return `is not NAME=value${begin}`;
}

/** Quotes that do not close, and a `#` that would cut the value off though no space is before it. */
function valueProblem(raw: string): string | null {
  const quote = /^["'`]/.exec(raw)?.[0];
  if (quote === undefined) return /\S#/.test(raw) ? 'has a # that begins a comment; put the value into quotes' : null;
  const rest = raw.slice(raw.indexOf(quote, 1) + 1);
  if (raw.indexOf(quote, 1) < 0) return 'has a quote that is not closed on its line';
  return /^\s*(#.*)?$/.test(rest) ? null : 'has text after its closing quote';
}
