/** Turns what the functions log and what else happens into entries of the timeline. */
import type { Reason } from '../../domain.ts';
import { REASONS } from '../../policy/reasons.ts';
import { recordOf, type SeenDecision, type SeenOutcome } from '../local/records.ts';
import type { Entry, Tone } from './state.ts';

/** An entry, before it has its place among the others. */
export type Happening = Omit<Entry, 'id' | 'atSeconds' | 'repeats'>;

/** Records that are read in full on the page; a longer one is shown without its text. */
const LONGEST_RECORD = 200_000;

/** The entry of a line; null for lines that are not worth one. */
export function happeningOf(from: 'function' | 'platform', name: string, line: string): Happening | null {
  if (from === 'platform') return troubleOf(name, line, null);
  const record = recordOf(line);
  if (record?.event === 'decision') return decisionEntry(record, line);
  if (record?.event === 'outcome') return outcomeEntry(record, line);
  return record && ['warn', 'error'].includes(record.level) ? troubleOf(record.message, causeOf(line), line) : null;
}

/** CloudWatch changed the state of an alarm. */
export function alarmEntry(name: string, state: string): Happening {
  return {
    kind: 'alarm',
    tone: state === 'ALARM' ? 'alarm' : 'quiet',
    title: `Alarm: ${state === 'INSUFFICIENT_DATA' ? 'no data' : state === 'ALARM' ? 'backlog is high' : 'back to OK'}`,
    why: `CloudWatch says that ${name} is ${state}. It only makes the function look at once; it never scales.`,
    meaning: null,
    record: null,
  };
}

/** The visitor did something. */
export function interventionEntry(text: string): Happening {
  return { kind: 'intervention', tone: 'you', title: 'You', why: text, meaning: null, record: null };
}

const QUIET: readonly string[] = ['on_target', 'at_minimum', 'within_tolerance'];

function decisionEntry(seen: SeenDecision, line: string): Happening {
  const { decision, result } = seen;
  const base = { kind: 'decision', record: kept(line) } as const;
  if (decision === null) {
    return { ...base, tone: 'bad', title: 'No decision', why: failureOf(line) ?? seen.message, meaning: null };
  }
  const { currentCount, desiredCount } = countsOf(line);
  const meaning = REASONS[decision.reason as Reason] ?? null;
  const change = `${currentCount ?? '?'} → ${desiredCount ?? '?'}`;
  if (result.kind === 'failed') {
    const title = decision.action === 'hold' ? 'Hold, with an error' : `Not scaled, ${change}`;
    return { ...base, tone: 'bad', title, why: failureOf(line) ?? seen.message, meaning };
  }
  if (decision.action === 'hold') {
    const tone: Tone = QUIET.includes(decision.reason)
      ? 'quiet'
      : decision.reason.endsWith('_unknown')
        ? 'bad'
        : 'hold';
    return { ...base, tone, title: `Hold at ${currentCount ?? '?'}`, why: lastWhy(seen), meaning };
  }
  const out = decision.action === 'scale_out';
  return {
    ...base,
    tone: out ? 'out' : 'in',
    title: `${result.kind === 'dry_run' ? 'Would scale' : 'Scale'} ${out ? 'out' : 'in'} ${change}`,
    why: decision.steps.find(({ name }) => name === 'recommend')?.why ?? meaning ?? '',
    meaning,
  };
}

const OUTCOME_TITLES: Readonly<Record<string, string>> = {
  confirmed: 'confirmed',
  mismatched: 'ended with other counts',
  failed: 'failed',
  timed_out: 'timed out',
  lost: 'was lost',
};

function outcomeEntry({ record, outcome }: SeenOutcome, line: string): Happening {
  return {
    kind: 'outcome',
    tone: outcome.kind === 'confirmed' ? 'good' : 'bad',
    title: `Action ${record.actionId} ${OUTCOME_TITLES[outcome.kind] ?? outcome.kind}`,
    why: outcome.why,
    meaning: null,
    record: kept(line),
  };
}

function troubleOf(title: string, why: string, line: string | null): Happening {
  return { kind: 'trouble', tone: 'bad', title, why, meaning: null, record: line === null ? null : kept(line) };
}

/** The rule that had the last word. */
function lastWhy({ decision }: SeenDecision): string {
  return decision?.steps.at(-1)?.why ?? REASONS[decision?.reason as Reason] ?? '';
}

function kept(line: string): string | null {
  return line.length <= LONGEST_RECORD ? line : null;
}

interface Counted {
  readonly decision?: { readonly currentCount: number | null; readonly desiredCount: number | null } | null;
  readonly result?: { readonly error?: { readonly message?: string } };
  readonly error?: { readonly message?: string };
}

// The lines come from our own functions, whose records have tests of their own.
function countsOf(line: string) {
  return (JSON.parse(line) as Counted).decision ?? { currentCount: null, desiredCount: null };
}

function failureOf(line: string): string | null {
  return (JSON.parse(line) as Counted).result?.error?.message ?? null;
}

function causeOf(line: string): string {
  return (JSON.parse(line) as Counted).error?.message ?? '';
}
