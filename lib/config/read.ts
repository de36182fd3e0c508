/** Reads single settings by the table: finds the variable, parses it, collects what is wrong by its name. */
import type { Problem } from '../errors.ts';
import { type Environment, variableText } from './env.ts';
import type { EnvFile } from './env-file.ts';
import { SETTINGS, type Setting, type SettingName, type TargetSettingName, type ValueOf } from './schema.ts';

/** Longer values are cut in messages. */
const MAX_SHOWN_LENGTH = 80;
/** As Cloud 66's personal tokens look: nothing else that a setting can be has this form. */
const TOKEN_FORM = /^[0-9a-f]{64}$/i;

/** Problems and warnings found so far, each once. */
export interface Findings {
  readonly problems: Problem[];
  readonly warnings: string[];
}

/** Adds a problem, unless the very same is there already: a default for all targets is read once for each. */
export function addProblem(findings: Findings, field: string, message: string): void {
  const known = findings.problems.some((problem) => problem.field === field && problem.message === message);
  if (!known) findings.problems.push({ field, message });
}

/** True when something was found wrong with a variable. */
export function hasProblem(findings: Findings, field: string): boolean {
  return findings.problems.some((problem) => problem.field === field);
}

/** Where a setting is looked for. The prefix is `MAILER_` for the target `mailer`, and null for what is global. */
export interface Source {
  readonly environment: Environment;
  readonly prefix: string | null;
  /** True when TARGETS lists the target, so that people expect to read of its own variables first. */
  readonly listed: boolean;
  /** The file of settings that part of the environment comes from; null when there is none. */
  readonly file: EnvFile | null;
  readonly findings: Findings;
}

/** The variable that a setting comes from: the target's own if that is set, the unprefixed one if not. */
export function variableFor(source: Source, name: SettingName): string {
  const own = `${source.prefix ?? ''}${name}`;
  return variableText(source.environment, own) === null ? name : own;
}

/**
 * The value of a setting, its default, or null where it is unset and has none. What cannot be parsed is added to the
 * problems and read as if it were unset, so that all problems come to light at once.
 */
export function readSetting<N extends SettingName>(source: Source, name: N): ValueOf<N> {
  const setting: Setting = SETTINGS[name];
  const variable = variableFor(source, name);
  const text = variableText(source.environment, variable);
  const value = text === null ? null : setting.type.parse(text);
  if (text !== null && setting.secret !== true && TOKEN_FORM.test(text)) {
    addProblem(source.findings, variable, 'the value (not shown) looks like a Cloud 66 token, which belongs into SSM');
  } else if (text !== null && value === null) {
    const found = setting.secret === true ? 'the value (not shown)' : shown(text);
    const detail = setting.secret === true ? null : (setting.type.explain?.(text) ?? null);
    addProblem(
      source.findings,
      variable,
      `${found} is not ${setting.type.expected}${detail === null ? '' : `: ${detail}`}`,
    );
  }
  const settled = value ?? (setting.default === null ? null : setting.type.parse(setting.default));
  // The table gives the type of each name's value; a test parses every default.
  return settled as ValueOf<N>;
}

/** As `readSetting`, for what every target must have: unset is a problem, too. */
export function readRequired<N extends SettingName>(source: Source, name: N): NonNullable<ValueOf<N>> | null {
  const value = readSetting(source, name);
  if (value === null && variableText(source.environment, variableFor(source, name)) === null) {
    const forAll = source.listed ? ` (nor is ${name}, for all targets)` : '';
    addProblem(
      source.findings,
      missingName(source, name),
      `is not set${forAll}; expected ${SETTINGS[name].type.expected}`,
    );
  }
  return value;
}

/** Under which name a setting that is not set should be reported. */
export function missingName(source: Source, name: SettingName): string {
  return source.listed ? `${source.prefix ?? ''}${name}` : name;
}

/** True when the target has the setting of its own, not from the default for all. */
export function hasOwn(source: Source, name: TargetSettingName): boolean {
  return source.prefix !== null && variableText(source.environment, `${source.prefix}${name}`) !== null;
}

/**
 * A found value for a message: quoted, and cut when long. What may be a secret in the wrong place is left out: long
 * words of letters and digits, and the user and query of an address.
 */
export function shown(text: string): string {
  if (looksSecret(text)) return 'the value (not shown: it may be a secret)';
  const safe = text.replace(/:\/\/[^/@]*@/, '://…@').replace(/(:\/\/[^?#]*)[?#].*$/, '$1?…');
  return JSON.stringify(safe.length <= MAX_SHOWN_LENGTH ? safe : `${safe.slice(0, MAX_SHOWN_LENGTH)}…`);
}

/** True for one long word of letters and digits, as tokens and keys are, and for what has the form of a Cloud 66 token. */
export function looksSecret(text: string): boolean {
  if (TOKEN_FORM.test(text)) return true;
  return /^[A-Za-z0-9+=_.~-][A-Za-z0-9+/=_.~-]{31,}$/.test(text) && /[0-9]/.test(text) && /[A-Za-z]/.test(text);
}
