/** Reads back what the functions log: the records of decisions and outcomes, as far as a local run shows them. */

/** A decision record, reduced. */
export interface SeenDecision {
  readonly event: 'decision';
  readonly level: string;
  readonly message: string;
  readonly targetId: string;
  readonly result: { readonly kind: string };
  readonly decision: { readonly action: string; readonly reason: string; readonly steps: readonly SeenStep[] } | null;
}

/** One line of a decision's working. */
export interface SeenStep {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly why: string;
}

/** An outcome record, reduced. */
export interface SeenOutcome {
  readonly event: 'outcome';
  readonly level: string;
  readonly message: string;
  readonly targetId: string;
  readonly record: { readonly actionId: number; readonly desiredCount: number; readonly previousCount: number };
  readonly outcome: { readonly kind: string; readonly why: string };
}

/** What people are told. */
export interface SeenNotice {
  readonly event: 'notice';
  readonly level: string;
  readonly message: string;
  readonly kind: string;
}

/** Any other log line. */
export interface SeenLine {
  readonly event?: undefined;
  readonly level: string;
  readonly message: string;
}

export type SeenRecord = SeenDecision | SeenOutcome | SeenNotice | SeenLine;

/** The record that a line holds; null for lines that are no record (metrics, the platform's own). */
export function recordOf(line: string): SeenRecord | null {
  if (!line.startsWith('{') || line.startsWith('{"_aws"')) return null;
  try {
    const parsed: unknown = JSON.parse(line);
    // The functions are ours, and their records have tests of their own: nothing here is decided on them.
    return typeof parsed === 'object' && parsed !== null && 'message' in parsed ? (parsed as SeenRecord) : null;
  } catch {
    return null;
  }
}

/**
 * Why a decision is what it is, in a sentence or two: what the strategy recommends, and the rule that set the final count
 * when that was another one. A hold is explained by the rule that held.
 */
export function whyOf({ action, steps }: NonNullable<SeenDecision['decision']>): string {
  if (action === 'hold') return steps.at(-1)?.why ?? '';
  const recommended = steps.find(({ name }) => name === 'recommend');
  const settled = steps.findLast(({ before, after }) => before !== after);
  return [...new Set([recommended, settled])].flatMap((step) => (step === undefined ? [] : [step.why])).join(' ');
}
