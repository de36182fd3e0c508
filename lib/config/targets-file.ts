/**
 * The targets of a fleet in one YAML file: the same settings under the same names, without the prefixes. Read when packaging
 * and by the command line, never by a function: those get what it says as JSON beside their code (packaged-targets.ts).
 *
 *     defaults:
 *       STACK_UID: 5999b763474b0eafa5fafb64bff0ba80
 *     targets:
 *       mailer:
 *         PROCESS_NAME: mailer
 *         QUEUE_NAME: mails
 *
 * Parsed by `yaml`, a kept library that knows where in the text each value stands and what it looked like before it became
 * a number: a stack uid such as 5999e7 is no power of ten.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import type { Problem } from '../errors.ts';
import { type Environment, variableText } from './env.ts';
import { nearest } from './misspelt.ts';
import { SETTINGS, TARGET_SETTING_NAMES } from './schema.ts';
import { variablePrefix } from './targets.ts';

/** A thousand targets with ten settings each have about 400 kB. */
const MAX_CHARACTERS = 1_000_000;
/** More problems than these help nobody. */
const MAX_PROBLEMS = 50;

/** What a file of targets says, as the variables that would say the same. */
export interface TargetsFile {
  readonly name: string;
  /** `TARGETS`, the defaults without prefix, and each target's own settings with its prefix. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where each variable stands, such as `targets.yml, line 12`. */
  readonly places: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** The file that TARGETS_FILE names, from the environment or the file of settings; null when it is not set. */
export function readTargetsFile(root: string, environment: Environment): TargetsFile | null {
  const given = variableText(environment, 'TARGETS_FILE');
  if (given === null) return null;
  const name = basename(given);
  try {
    return parseTargetsFile(name, readFileSync(resolve(root, given), 'utf8'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return failed(name, [{ field: 'TARGETS_FILE', message: `${given} cannot be read (${code})` }]);
  }
}

/** Takes the text of such a file apart. What is wrong with it is in its problems, each with its line. */
export function parseTargetsFile(name: string, text: string): TargetsFile {
  if (text.length > MAX_CHARACTERS) {
    return failed(name, [{ field: name, message: `is longer than ${MAX_CHARACTERS} characters` }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const reading = new Reading(name, lines);
  for (const { message, pos } of document.errors) reading.problemAt(pos[0], name, message);
  if (document.errors.length === 0) readRoot(document.contents, reading);
  return reading.file();
}

function failed(name: string, problems: readonly Problem[]): TargetsFile {
  return { name, variables: {}, places: new Map(), problems };
}

/** What is known so far while a file is read. */
class Reading {
  readonly #name: string;
  readonly #lines: LineCounter;
  readonly #variables = new Map<string, string>();
  readonly #places = new Map<string, string>();
  readonly #problems: Problem[] = [];

  constructor(name: string, lines: LineCounter) {
    this.#name = name;
    this.#lines = lines;
  }

  problemAt(offset: number, field: string, message: string): void {
    if (this.#problems.length < MAX_PROBLEMS)
      this.#problems.push({ field: `${this.#place(offset)}: ${field}`, message });
  }

  set(variable: string, value: string, offset: number): void {
    this.#variables.set(variable, value);
    this.#places.set(variable, this.#place(offset));
  }

  file(): TargetsFile {
    return {
      name: this.#name,
      variables: Object.fromEntries(this.#variables),
      places: this.#places,
      problems: this.#problems,
    };
  }

  #place(offset: number): string {
    return `${this.#name}, line ${this.#lines.linePos(offset).line}`;
  }
}

function readRoot(contents: unknown, reading: Reading): void {
  if (!isMap(contents)) {
    reading.problemAt(0, 'the file', 'expected the keys targets and, for what they share, defaults');
    return;
  }
  for (const { key, value, offset } of entriesOf(contents, 'the file', reading)) {
    if (key === 'defaults') readSettings(value, 'defaults', '', offset, reading);
    else if (key === 'targets') readEachTarget(value, offset, reading);
    else reading.problemAt(offset, key, 'expected targets or defaults');
  }
  if (!contents.has('targets')) reading.problemAt(0, 'the file', 'has no targets');
}

function readEachTarget(targets: Node | null, offset: number, reading: Reading): void {
  if (!isMap(targets) || targets.items.length === 0) {
    reading.problemAt(offset, 'targets', 'expected one key per target, with its settings below');
    return;
  }
  const entries = entriesOf(targets, 'targets', reading);
  // What is wrong with an id is told where ids are judged.
  reading.set('TARGETS', entries.map(({ key }) => key).join(','), offset);
  for (const { key, value, offset: at } of entries) {
    readSettings(value, `targets.${key}`, variablePrefix(key), at, reading);
  }
}

function readSettings(settings: Node | null, path: string, prefix: string, offset: number, reading: Reading): void {
  if (!isMap(settings)) {
    reading.problemAt(offset, path, 'expected settings, such as MAX_WORKERS: 10');
    return;
  }
  for (const { key, value, offset: at } of entriesOf(settings, path, reading)) {
    const names: readonly string[] = TARGET_SETTING_NAMES;
    const text = textOf(value);
    if (!names.includes(key)) reading.problemAt(at, `${path}.${key}`, unknownName(key, names));
    else if (text === null)
      reading.problemAt(at, `${path}.${key}`, 'expected a text, a number, true, false or a list of texts');
    else reading.set(`${prefix}${key}`, text, at);
  }
}

function unknownName(key: string, names: readonly string[]): string {
  if (key in SETTINGS) return `is one setting for the whole program; set it in .env or the environment`;
  const meant = nearest(key.toUpperCase().replaceAll('-', '_'), names);
  return `is not a setting of a target${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** The text as it was written; a list is what commas would say. Null for everything else, nothing at all included. */
function textOf(value: Node | null): string | null {
  if (isSeq(value)) {
    const texts = value.items.map((item) => (isScalar(item) ? textOf(item) : null));
    return texts.includes(null) ? null : texts.join(',');
  }
  if (!isScalar(value) || value.value === null) return null;
  return typeof value.value === 'string' ? value.value : (value.source ?? null);
}

interface Entry {
  readonly key: string;
  readonly value: Node | null;
  readonly offset: number;
}

function entriesOf(map: YAMLMap, path: string, reading: Reading): readonly Entry[] {
  return map.items.flatMap(({ key, value }: Pair): Entry[] => {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    if (!isScalar(key) || isAlias(value)) {
      reading.problemAt(
        offset,
        path,
        'has a key or an alias that is not understood; write what targets share under defaults',
      );
      return [];
    }
    return [{ key: key.source ?? String(key.value), value: value as Node | null, offset }];
  });
}
