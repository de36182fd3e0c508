/** Decides logged decisions again, with the code at hand, and compares byte for byte. Pure. */

import type { Decision, DecisionInput } from '../domain.ts';
import { asError } from '../errors.ts';
import { decide } from '../policy/decide.ts';
import { heldAsBusy } from '../reconcile/act.ts';
import type { DecisionRecord } from './decision-log.ts';

/** One difference, by its path in the decision. */
export interface Difference {
  readonly path: string;
  /** JSON as logged; null where the log has nothing. */
  readonly logged: string | null;
  /** JSON as decided now; null where nothing is decided. */
  readonly now: string | null;
}

/** How a logged decision compares with the same decision made now. */
export type Replay =
  | { readonly kind: 'same'; readonly decision: Decision }
  | { readonly kind: 'different'; readonly differences: readonly Difference[] }
  /** The pass failed before it decided: nothing to compare. */
  | { readonly kind: 'undecided' }
  /** The record does not hold what a decision needs. */
  | { readonly kind: 'unusable'; readonly why: string };

const MAX_DIFFERENCES = 20;

/** What records did not tell before there were overrides. */
const BEFORE_OVERRIDES: Pick<DecisionInput, 'override'> = { override: { kind: 'ok', value: null, observedAtMs: 0 } };

/** Decides a record's input again. */
export function replay({ input, decision }: DecisionRecord): Replay {
  if (decision === null) return { kind: 'undecided' };
  const problem = problemOf(input);
  if (problem !== null) return { kind: 'unusable', why: problem };
  try {
    // The record is our own, and its parts are looked at by the very code that is to be compared.
    const answer = decide({ ...BEFORE_OVERRIDES, ...(input as DecisionInput) });
    const now = answer.kind === 'decision' ? afterCloud66(answer, decision) : answer;
    if (JSON.stringify(now) === JSON.stringify(decision)) return { kind: 'same', decision: now as Decision };
    return { kind: 'different', differences: differencesOf(decision, now) };
  } catch (error) {
    // A record of another version may lack what this one looks at.
    return {
      kind: 'unusable',
      why: `deciding on it failed: ${asError(error).message}`,
    };
  }
}

const BUSY = /^Cloud 66 is busy: (.*)$/s;

/**
 * A wish that Cloud 66 refused as busy is logged as the hold that became of it. The refusal came from outside and is not
 * among what was decided on; the working tells it, so it is taken from there.
 */
function afterCloud66(answer: Decision, logged: unknown): Decision {
  const steps = isRecord(logged) && Array.isArray(logged.steps) ? logged.steps : [];
  const last: unknown = steps.at(-1);
  const why = isRecord(last) && last.name === 'scale' ? BUSY.exec(String(last.why)) : null;
  return why === null || answer.action === 'hold' ? answer : heldAsBusy(answer, why[1] ?? '');
}

function problemOf(input: unknown): string | null {
  if (!isRecord(input)) return 'the record has no input';
  const missing = [
    ...(typeof input.now === 'number' ? [] : ['now']),
    ...(isRecord(input.policy) ? [] : ['policy']),
    ...(isRecord(input.observation) ? [] : ['observation']),
  ];
  return missing.length === 0 ? null : `its input lacks ${missing.join(', ')}`;
}

/** The leaves that differ; the order of keys counts as well, since the comparison is of bytes. */
function differencesOf(logged: unknown, now: unknown): readonly Difference[] {
  const [before, after] = [leavesOf(logged, 'decision'), leavesOf(now, 'decision')];
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const differences = paths
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => ({ path, logged: before.get(path) ?? null, now: after.get(path) ?? null }));
  if (differences.length > 0) return differences.slice(0, MAX_DIFFERENCES);
  return [{ path: 'order of keys', logged: [...before.keys()].join(' '), now: [...after.keys()].join(' ') }];
}

function leavesOf(value: unknown, path: string): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null) return new Map([[path, JSON.stringify(value) ?? 'undefined']]);
  const isList = Array.isArray(value);
  const entries = Object.entries(value).flatMap(([key, item]) => [
    ...leavesOf(item, isList ? `${path}[${key}]` : `${path}.${key}`),
  ]);
  return new Map(entries.length === 0 ? [[path, isList ? '[]' : '{}']] : entries);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
