/**
 * Finds variables that look like settings and are none: a misspelt name must not silently leave a default in force.
 *
 * Prefixes that are this program's own are closed: any unknown name under them is a problem. Elsewhere only near misses
 * count, because an environment carries other programs' variables, too.
 */
import { variableText } from './env.ts';
import { addProblem, type Findings, type Source } from './read.ts';
import { GLOBAL_SETTING_NAMES, SETTINGS, TARGET_SETTING_NAMES } from './schema.ts';
import { variablePrefix } from './targets.ts';

/** Unprefixed beginnings under which every name is ours. */
const OWN_PREFIXES = ['CLOUD66_', 'SCALE_IN_', 'SCALE_OUT_'];
/** Names this many keystrokes apart are taken for the same; short ones must be nearer. */
const NEAR_EDITS = 2;
const SHORT_LENGTH = 8;
/**
 * What Lambda, AWS's tools and Node set. It is compared only with names that begin alike, those of a target `node-build`:
 * comparing it with all names of a thousand targets takes a cold start more than a second.
 * Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
const OF_THE_RUNTIME = /^(AWS_|LAMBDA_|NODE_|_X_AMZN_|(_HANDLER|LANG|PATH|LD_LIBRARY_PATH|TZ)$)/;
/** Nobody writes these by hand, so nobody misspells them. */
const TEMPLATE_NAMES: readonly string[] = GLOBAL_SETTING_NAMES.filter(
  (name) => SETTINGS[name].group === 'Set by the template',
);

/**
 * Adds a problem or a warning for each variable that was probably meant as a setting. In a file of settings there is
 * nothing else, so that every unknown name there is a problem.
 */
export function reportMisspelt(source: Source, ids: readonly string[]): void {
  const { environment, file, findings } = source;
  const prefixes = ids.map(variablePrefix);
  const own = prefixes.flatMap((prefix) => TARGET_SETTING_NAMES.map((name) => `${prefix}${name}`));
  const isKnown = new Set([...Object.keys(SETTINGS), ...own]);
  const written = [...isKnown].filter((name) => !TEMPLATE_NAMES.includes(name));
  const alike = written.filter((name) => OF_THE_RUNTIME.test(name));
  for (const variable of Object.keys(environment)) {
    if (variableText(environment, variable) === null) continue;
    if (file !== null && Object.hasOwn(file.variables, variable)) {
      if (!written.includes(variable)) addProblem(findings, variable, inFileMessage(variable, prefixes, written));
    } else if (!isKnown.has(variable)) {
      reportInEnvironment(variable, prefixes, OF_THE_RUNTIME.test(variable) ? alike : written, findings);
    }
  }
}

function reportInEnvironment(
  variable: string,
  prefixes: readonly string[],
  written: readonly string[],
  findings: Findings,
): void {
  const closed = [...prefixes, ...OWN_PREFIXES].some((prefix) => variable.startsWith(prefix));
  const meant = nearest(variable, written);
  if (closed) addProblem(findings, variable, unknownMessage(variable, prefixes, meant));
  else if (meant !== null) reportNearMiss(variable, meant, findings);
  else reportForeignPrefix(variable, findings);
}

/** In a file people also write `dry_run`, `DRY-RUN`, or one word of a name. */
function inFileMessage(variable: string, prefixes: readonly string[], written: readonly string[]): string {
  if (variable === 'STAGE') return 'is not a setting; --stage names the stage';
  if (TEMPLATE_NAMES.includes(variable)) return 'is set by the template';
  if (/^(AWS|SLS|NODE|npm)_/.test(variable))
    return 'is not a setting of this program, which alone reads this file; set it in the shell';
  const name = variable.toUpperCase().replaceAll(/[.-]/g, '_');
  const meant = written.includes(name) ? name : (nearest(name, written) ?? sharing(name, written));
  const foreign = foreignTarget(name);
  if (meant === null && foreign !== null) return `is not a setting: TARGETS lists no target ${foreign}`;
  return unknownMessage(variable, prefixes, meant);
}

/** The shortest name that has all words of another: COOLDOWN, QUEUE. */
function sharing(variable: string, written: readonly string[]): string | null {
  const words = variable.split('_');
  const names = written.filter((name) => words.every((word) => name.split('_').includes(word)));
  return names.toSorted((one, other) => one.length - other.length)[0] ?? null;
}

/** The target whose setting a variable would be. */
function foreignTarget(variable: string): string | null {
  const name = TARGET_SETTING_NAMES.find((each) => variable.endsWith(`_${each}`));
  return name === undefined
    ? null
    : variable
        .slice(0, -name.length - 1)
        .toLowerCase()
        .replaceAll('_', '-');
}

/** Names of one word have innocent neighbors (SERVER, LOGLEVEL): worth a warning, not a refusal. */
function reportNearMiss(variable: string, meant: string, findings: Findings): void {
  const message = `is not a setting; did you mean ${meant}?`;
  if (meant.includes('_') && variable.includes('_')) addProblem(findings, variable, message);
  else findings.warnings.push(`${variable} ${message}`);
}

/** `MAILR_MAX_WORKERS` belongs to nobody: probably a target that TARGETS does not list. */
function reportForeignPrefix(variable: string, findings: Findings): void {
  if (foreignTarget(variable) !== null) {
    findings.warnings.push(`${variable} is ignored: TARGETS lists no target with that prefix`);
  }
}

function unknownMessage(variable: string, prefixes: readonly string[], meant: string | null): string {
  const prefix = prefixes.find((each) => variable.startsWith(each));
  const name = prefix === undefined ? undefined : variable.slice(prefix.length);
  const global: readonly string[] = GLOBAL_SETTING_NAMES;
  if (name !== undefined && global.includes(name)) return `is not a setting of one target; ${name} is set once for all`;
  return `is not a setting${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** The known name that was most probably meant; null when none is near. */
export function nearest(variable: string, known: readonly string[]): string | null {
  let best: { readonly name: string; readonly edits: number } | null = null;
  const letters = variable.replaceAll('_', '');
  for (const name of known) {
    const limit = name.length < SHORT_LENGTH ? 1 : NEAR_EDITS;
    const same = letters === name.replaceAll('_', '');
    const edits = same || sharesWords(variable, name) ? 1 : editDistance(variable, name, limit);
    if (edits <= limit && (best === null || edits < best.edits)) best = { name, edits };
  }
  return best?.name ?? null;
}

/** One is the other with its end left off, and still three words or all but the unit: SCALE_IN_COOLDOWN. */
function sharesWords(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long === `${short}_SECONDS` || (short.split('_').length > 2 && long.startsWith(short));
}

/** Keystrokes (insert, delete, replace) from one text to the other; anything above the limit is `limit + 1`. */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) > limit) return limit + 1;
  let previous = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    let fewest = row;
    for (let column = 1; column <= other.length; column += 1) {
      const replace = (previous[column - 1] ?? 0) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const edits = Math.min(replace, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      current.push(edits);
      fewest = Math.min(fewest, edits);
    }
    // No row has fewer than the one before it.
    if (fewest > limit) return limit + 1;
    previous = current;
  }
  return Math.min(previous[other.length] ?? 0, limit + 1);
}
