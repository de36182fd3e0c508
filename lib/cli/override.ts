/** `npm run override`: a person decides for a while, with a reason, and the program goes on by itself afterwards. */
import { Command } from 'commander';
import { durationOf } from '../config/schedule.ts';
import type { Override, Target } from '../domain.ts';
import { InvalidInputError, type Problem } from '../errors.ts';
import {
  ALL_TARGETS,
  encodeOverrides,
  MAX_DOCUMENT_BYTES,
  MAX_WHY_CHARACTERS,
  type Overrides,
  parseOverrides,
} from '../overrides/document.ts';
import { overrideText } from '../policy/override.ts';
import { changeParameterDocument } from '../queue/parameter-document.ts';
import { type Connection, connect, type PlaceOptions, readSources, type Sources, withPlaceOptions } from './connect.ts';

/** What can be said beside the arguments. */
export interface OverrideOptions extends PlaceOptions {
  readonly all?: boolean;
  readonly for?: string;
  readonly why?: string;
  readonly clear?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

const KINDS: Readonly<Record<string, Override['kind']>> = { pause: 'pause', 'pause-scale-in': 'pause_scale_in' };
const LIMIT_SECONDS = 60;

/** The `override` command. */
export function overrideCommand(): Command {
  return withPlaceOptions(new Command('override'))
    .description(
      'Decides in place of the autoscaler for a while, within MIN_WORKERS and\n' +
        'MAX_WORKERS. In force within a minute; ends by itself.\n\n' +
        '  npm run override -- worker 8 --for 2h --why "import"\n' +
        '      pins the count\n' +
        '  npm run override -- worker pause --for 1h --why "migration"\n' +
        '      changes nothing at all\n' +
        '  npm run override -- --all pause-scale-in --for 1d --why "sale"\n' +
        '      lets counts rise only\n' +
        '  npm run override -- worker --clear\n' +
        '      ends it now\n' +
        '  npm run override -- --list\n' +
        '      shows what is in force',
    )
    .argument('[target]', 'a target id (left out with --all and --list)')
    .argument('[what]', 'a number of workers, pause or pause-scale-in')
    .option('--all', 'every target that has no override of its own')
    .option('--for <time>', 'how long, such as 30m, 2h or 1d; at most 7d')
    .option('--why <text>', 'the reason, which stands in every decision made under it')
    .option('--clear', 'end the override of the target (or the one for all)')
    .option('--list', 'show what is in force')
    .option('--json', 'print {"overrides": [...]}: what is in force afterwards')
    .action(async (first: string | undefined, second: string | undefined, options: OverrideOptions) => {
      const overrides = await override([first, second], readSources(), options);
      console.log(options.json === true ? overridesJson(overrides) : overridesText(overrides));
    });
}

/**
 * Carries out what the command line says.
 *
 * @returns what is in force afterwards.
 * @throws InvalidInputError that lists every problem of the arguments; AutoscalerError when the store cannot be reached.
 */
export async function override(
  words: readonly (string | undefined)[],
  sources: Sources,
  options: OverrideOptions,
): Promise<Overrides> {
  const connection = connect(sources, options, () => {});
  const nowMs = connection.ports.clock.nowMs();
  const change = changeOf(words, options, connection.deployment.targets, nowMs);
  await connection.requireCredentials();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_SECONDS * 1000);
  try {
    return change === null
      ? await inForce(connection, nowMs, limit.signal)
      : await changed(connection, change, nowMs, limit.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** What shall become of the override of one target id; null = it is ended. */
interface Change {
  readonly targetId: string;
  readonly override: Override | null;
}

async function inForce({ ports }: Connection, nowMs: number, signal: AbortSignal): Promise<Overrides> {
  const reading = await ports.overrides.read(signal);
  if (reading.kind !== 'ok') throw new InvalidInputError('override', [{ field: 'overrides', message: reading.detail }]);
  return openOnes(reading.value, nowMs);
}

async function changed(
  { overridesPlace }: Connection,
  { targetId, override: next }: Change,
  nowMs: number,
  signal: AbortSignal,
): Promise<Overrides> {
  let result: Overrides = new Map();
  await changeParameterDocument(
    overridesPlace,
    overridesPlace.name,
    (text) => {
      const others = [...(text === null ? [] : parseOverrides(text))].filter(([id]) => id !== targetId);
      result = openOnes(new Map(next === null ? others : [...others, [targetId, next]]), nowMs);
      return refuseTooLong(encodeOverrides(result, nowMs));
    },
    signal,
  );
  return result;
}

function openOnes(overrides: Overrides, nowMs: number): Overrides {
  return new Map([...overrides].filter(([, { untilMs }]) => nowMs < untilMs));
}

function refuseTooLong(document: string): string {
  if (Buffer.byteLength(document) <= MAX_DOCUMENT_BYTES) return document;
  const message = `all overrides together are longer than the ${MAX_DOCUMENT_BYTES} bytes of a parameter; clear some, or use --all`;
  throw new InvalidInputError('override', [{ field: 'overrides', message }]);
}

/** The arguments as a change; null for --list. @throws InvalidInputError with all their problems */
function changeOf(
  words: readonly (string | undefined)[],
  options: OverrideOptions,
  targets: readonly Target[],
  nowMs: number,
): Change | null {
  const { all = false, clear = false, list = false } = options;
  if (list && !clear && words[0] === undefined) return null;
  const problems: Problem[] = [];
  const [targetId = '', what, ...rest] = all ? [ALL_TARGETS, ...words] : words;
  if (rest.some((word) => word !== undefined)) problems.push({ field: 'arguments', message: '--all takes no target' });
  const known = targets.map(({ id }) => id);
  if (!all && !known.includes(targetId)) {
    const found = targetId === '' ? 'none was named' : `there is no target ${JSON.stringify(targetId)}`;
    problems.push({ field: 'target', message: `${found}; expected one of ${known.join(', ')}, --all or --list` });
  }
  const meant = targets.filter(({ id }) => all || id === targetId);
  const next = clear ? null : overrideOf(what, options, meant, nowMs, problems);
  if (clear && what !== undefined)
    problems.push({ field: '--clear', message: `does not go with ${JSON.stringify(what)}` });
  if (problems.length > 0) throw new InvalidInputError('override', problems);
  return { targetId, override: next };
}

function overrideOf(
  what: string | undefined,
  options: OverrideOptions,
  targets: readonly Target[],
  nowMs: number,
  problems: Problem[],
): Override | null {
  const workers = /^\d{1,6}$/.test(what ?? '') ? Number(what) : null;
  const kind = workers === null ? KINDS[what ?? ''] : 'count';
  const seconds = durationOf(options.for ?? '');
  const why = options.why?.trim() ?? '';
  if (kind === undefined) {
    const found = what === undefined ? 'is missing' : `is ${JSON.stringify(what)}`;
    problems.push({ field: 'what', message: `${found}; expected a number of workers, pause or pause-scale-in` });
  }
  if (seconds === null) problems.push({ field: '--for', message: 'expected a time such as 30m, 2h or 1d, at most 7d' });
  if (why === '' || why.length > MAX_WHY_CHARACTERS) {
    problems.push({ field: '--why', message: `expected a reason of 1 to ${MAX_WHY_CHARACTERS} characters` });
  }
  for (const { id, policy } of workers === null ? [] : targets) {
    const { minWorkers, maxWorkers } = policy;
    if (workers !== null && workers >= minWorkers && workers <= maxWorkers) continue;
    const message = `${workers} workers are outside ${minWorkers} to ${maxWorkers}, the limits of ${id}, which hold for everybody`;
    problems.push({ field: 'what', message });
  }
  return kind === undefined || seconds === null ? null : { kind, workers, untilMs: nowMs + seconds * 1000, why };
}

function overridesText(overrides: Overrides): string {
  if (overrides.size === 0) return 'No override is in force.';
  return [...overrides]
    .map(([id, one]) => `${id === ALL_TARGETS ? 'all targets' : id}: ${overrideText(one)}`)
    .join('\n');
}

function overridesJson(overrides: Overrides): string {
  const entries = [...overrides].map(([targetId, { untilMs, ...one }]) => {
    return { target: targetId, ...one, until: new Date(untilMs).toISOString() };
  });
  return JSON.stringify({ overrides: entries });
}
