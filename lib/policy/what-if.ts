/**
 * "What would have to change for it to scale?" Answered by asking `decide` itself about other backlogs, with all other
 * evidence as it is: so the answer holds for every strategy and cannot drift from the code that decides.
 */
import type { Backlog, Decision, DecisionInput, EvidenceName, Policy, Reason } from '../domain.ts';
import { decide } from './decide.ts';
import { REASONS } from './reasons.ts';
import { demandOf } from './recommend/recommend.ts';

/** A hold, and what ends it. */
export interface Hold {
  readonly reason: Reason;
  /** What the reason means; for everybody. */
  readonly meaning: string;
  /** What it is this time: the last line of the working. */
  readonly why: string;
}

/** What would be ordered. */
type Wish = Pick<Decision, 'desiredCount' | 'reason'>;

/** Under which backlog the count would change in one direction, everything else staying as it is. */
export type Turn =
  /** At this backlog the change would be made; one message less (scale out) or more (scale in), and it would not. */
  | ({ readonly kind: 'at'; readonly backlog: number } & Wish)
  /** At every backlog: what calls for the change is not the queue. */
  | ({ readonly kind: 'always' } & Wish)
  /** At no backlog: this holds even at the most extreme one, or the change would go the other way. */
  | ({ readonly kind: 'never' } & Hold)
  /** It depends on evidence that was not read. */
  | { readonly kind: 'unread'; readonly evidence: readonly EvidenceName[] };

/** What would have to change. */
export interface WhatIf {
  /** The backlog as it counts now, in messages; null when it is not known. */
  readonly backlog: number | null;
  /** The smallest backlog at which the count would rise. */
  readonly scaleOut: Turn;
  /** The largest backlog at which it would fall. */
  readonly scaleIn: Turn;
}

/** No queue holds more; 30 halvings of it find a single message. */
const MAX_BACKLOG = 1_000_000_000;

/**
 * Finds both turning points by halving: wishes grow with the backlog, so there is one in each direction. A backlog of n
 * keeps as much as fits of what is in flight (and delayed, where that counts), the rest waits; it is taken to be read now.
 */
export function whatIf(input: DecisionInput): WhatIf {
  const { backlog } = input.observation;
  const decideAt = (messages: number) => decide(withBacklog(input, messages));
  return {
    backlog: backlog.kind === 'ok' ? demandOf(backlog.value, input.policy) : null,
    scaleOut: turnOf(decideAt, 'scale_out', MAX_BACKLOG, 0),
    scaleIn: turnOf(decideAt, 'scale_in', 0, MAX_BACKLOG),
  };
}

/** What keeps the count as it is; null for a change. */
export function holdOf(decision: Decision): Hold | null {
  return decision.action === 'hold' ? groundsOf(decision) : null;
}

function groundsOf({ reason, steps }: Decision): Hold {
  const why = steps.slice(-1).map((step) => step.why);
  return { reason, meaning: REASONS[reason], why: why.join('') };
}

/** The turning point between `most`, where the change is likeliest, and `least`, where it is least likely. */
function turnOf(
  decideAt: (messages: number) => ReturnType<typeof decide>,
  action: 'scale_out' | 'scale_in',
  most: number,
  least: number,
): Turn {
  const changeAt = (messages: number) => {
    const answer = decideAt(messages);
    return answer.kind === 'decision' && answer.action === action ? answer : null;
  };
  const extreme = decideAt(most);
  if (extreme.kind === 'needs_evidence') return { kind: 'unread', evidence: extreme.evidence };
  if (extreme.action !== action) return { kind: 'never', ...groundsOf(extreme) };
  const other = changeAt(least);
  if (other !== null) return { kind: 'always', ...wishOf(other) };
  let [yes, no, found] = [most, least, extreme];
  while (Math.abs(yes - no) > 1) {
    const middle = Math.floor((yes + no) / 2);
    const change = changeAt(middle);
    if (change === null) no = middle;
    else [yes, found] = [middle, change];
  }
  return { kind: 'at', backlog: yes, ...wishOf(found) };
}

function wishOf({ desiredCount, reason }: Decision): Wish {
  return { desiredCount, reason };
}

function withBacklog(input: DecisionInput, messages: number): DecisionInput {
  const { now, policy, observation } = input;
  const known = observation.backlog.kind === 'ok' ? observation.backlog.value : { visible: 0, inFlight: 0, delayed: 0 };
  const backlog = { kind: 'ok', value: backlogOf(messages, known, policy), observedAtMs: now } as const;
  return { ...input, observation: { ...observation, backlog } };
}

function backlogOf(messages: number, known: Backlog, policy: Pick<Policy, 'countDelayed'>): Backlog {
  const inFlight = Math.min(known.inFlight, messages);
  const delayed = policy.countDelayed ? Math.min(known.delayed, messages - inFlight) : known.delayed;
  return { visible: messages - inFlight - (policy.countDelayed ? delayed : 0), inFlight, delayed };
}
