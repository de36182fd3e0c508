/**
 * What of a decision a person should be told: states that last, such as a count pinned at its maximum, told from what was
 * decided on. Pure; how long a state must last and how often it is told is the business of lib/notify.
 */
import type { Decision, DecisionInput } from '../domain.ts';
import { overrideInForce, overrideText } from './override.ts';
import { serviceSeconds } from './recommend/latency-rates.ts';

/** A state that lasts until it is no longer seen. */
export type ConditionKind = 'at_maximum' | 'blind' | 'scale_out_ineffective' | 'override_ending';

export interface Condition {
  readonly kind: ConditionKind;
  /** One or two sentences: what is, and what would help. */
  readonly text: string;
}

/** An override is announced this long before it ends. */
const ENDING_SECONDS = 600;

/** The states that a decision shows. */
export function conditionsOf(decision: Decision, input: DecisionInput): readonly Condition[] {
  const { reason, steps, currentCount } = decision;
  const found: Condition[] = [];
  if (reason === 'at_maximum' || reason === 'no_capacity')
    found.push({ kind: 'at_maximum', text: pinnedText(decision, input) });
  if (reason.endsWith('_unknown') || reason === 'api_budget_spent') {
    found.push({ kind: 'blind', text: `Nothing can be decided (${reason}): ${steps.at(-1)?.why ?? 'no reading.'}` });
  }
  if (reason === 'scale_out_ineffective') {
    found.push({
      kind: reason,
      text: `${currentCount} workers run, and more did not help: ${steps.at(-1)?.why ?? ''}`,
    });
  }
  const override = overrideInForce(input);
  if (override !== null && override.untilMs - input.now <= ENDING_SECONDS * 1000) {
    found.push({ kind: 'override_ending', text: `An override ends soon: ${overrideText(override)}` });
  }
  return found;
}

/** How many would do, and how long what waits will take without them. */
function pinnedText({ currentCount, recommendedCount, reason }: Decision, input: DecisionInput): string {
  const limit = reason === 'at_maximum' ? 'MAX_WORKERS' : 'as many as the servers can take';
  const wanted = recommendedCount === null ? '' : ` ${recommendedCount} would be needed.`;
  return `${currentCount} workers run, ${limit}.${wanted}${drainText(currentCount ?? 0, input)}`;
}

function drainText(workers: number, { policy: { strategy }, observation: { backlog, rates } }: DecisionInput): string {
  if (backlog.kind !== 'ok') return '';
  const { visible } = backlog.value;
  const waiting = ` ${visible} messages wait`;
  if (strategy.kind !== 'latency' || workers === 0) return `${waiting}.`;
  const jobSeconds = serviceSeconds(strategy, rates.kind === 'ok' ? rates.value : null);
  const minutes = Math.ceil((visible * jobSeconds) / (workers * strategy.jobsPerWorker) / 60);
  return `${waiting}; these workers need about ${minutes} min for them, without what still comes.`;
}
