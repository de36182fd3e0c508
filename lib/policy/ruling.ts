/** The shapes that the rules of `decide` share. */
import type { Backlog, DecisionInput, EvidenceName, Placement, Reason, Step } from '../domain.ts';
import type { Bounds } from './clamp.ts';
import type { DepthStrategy, Recommendation } from './recommend/recommend.ts';

/** What the rules know once both readings that every decision needs are there. */
export interface Situation extends DecisionInput {
  readonly placement: Placement;
  readonly currentCount: number;
  readonly bounds: Bounds;
}

/** A situation in which the depth of the queue is known and the strategy has spoken. */
export interface RatedSituation extends Situation {
  readonly backlog: Backlog;
  readonly recommendation: Recommendation;
}

/** A rated situation of a strategy that looks at the depth alone, and can therefore be asked about the past as well. */
export interface DepthSituation extends RatedSituation {
  readonly strategy: DepthStrategy;
}

/**
 * What one rule says of the count that the rules before it would like: go on with this count, keep the current one, or
 * "I cannot tell without more evidence". A rule that has nothing to say answers `continue` without a step.
 */
export type Ruling =
  | { readonly kind: 'continue'; readonly count: number; readonly step: Step | null }
  | { readonly kind: 'hold'; readonly reason: Reason; readonly step: Step }
  | { readonly kind: 'need'; readonly evidence: readonly EvidenceName[] };

/** A rule: pure, total, and never looking further than its arguments. */
export type Rule<S extends Situation> = (situation: S, count: number) => Ruling;

/** The rule has nothing to say. */
export function pass(count: number): Ruling {
  return { kind: 'continue', count, step: null };
}

/** The rule changes the count, or confirms it with a remark. */
export function go(name: string, before: number, after: number, why: string): Ruling {
  return { kind: 'continue', count: after, step: { name, before, after, why } };
}

/** The rule keeps the current count. */
export function hold(name: string, before: number, currentCount: number, reason: Reason, why: string): Ruling {
  return { kind: 'hold', reason, step: { name, before, after: currentCount, why } };
}
