/** The gate: situations in which no change is made, whatever the queue says. */
import type { Action, EvidenceName, Reading, ReadingProblem, Reason, StackState } from '../domain.ts';
import { blockingActions, mayConcern } from './actions.ts';
import { hold, pass, type Rule, type Situation } from './ruling.ts';

/**
 * Holds while the stack deploys, is in maintenance or busy, while an action of the process runs, or when that cannot be
 * told. Evidence that was not read yet lets the count pass: most counts never come to a change, see `requireEvidence`.
 */
export const gate: Rule<Situation> = (situation, count) => {
  const { observation, currentCount } = situation;
  const { stack, actions } = observation;
  const stop = (reason: Reason, why: string) => hold('gate', count, currentCount, reason, why);
  if (stack.kind === 'ok') {
    const held = holdForStack(stack.value);
    if (held) return stop(held.reason, held.why);
  } else if (stack.kind !== 'not_read') {
    return stop(unknownReason('stack_unknown', stack.why), `The state of the stack is ${told(stack)}`);
  }
  if (actions.kind === 'ok') {
    const { now, isSerial, policy } = situation;
    const { processName } = situation.placement;
    const timeoutSeconds = policy.actionTimeoutSeconds;
    const [blocking] = blockingActions(actions.value, processName, now, { timeoutSeconds, isSerial });
    if (blocking) return stop(...holdForAction(blocking, processName));
  } else if (actions.kind !== 'not_read') {
    return stop(unknownReason('actions_unknown', actions.why), `The action log is ${told(actions)}`);
  }
  return pass(count);
};

/** A change rests on workers that were counted this lately; a hold may rest on an older count. */
export const COUNT_MAX_AGE_SECONDS = 60;

/**
 * The last word before a change: it is made only with the stack's state and its running actions known, and on workers that
 * were counted after that, with their servers.
 */
export const requireEvidence: Rule<Situation> = (situation, count) => {
  const { observation, currentCount } = situation;
  if (count === currentCount) return pass(count);
  const wanted: readonly EvidenceName[] = ['stack', 'actions'];
  const evidence = wanted.filter((name) => observation[name].kind === 'not_read');
  if (evidence.length > 0) return { kind: 'need', evidence };
  return isCountedAnew(situation) ? pass(count) : { kind: 'need', evidence: ['placement'] };
};

/**
 * False when the count is old, or was taken before the action log was read: an action that ended in between would leave the
 * old count with nothing running beside it. That is told by the order of our own reads, whatever clocks say.
 */
function isCountedAnew({ now, placement, observation }: Situation): boolean {
  const { placement: reading, actions } = observation;
  if (placement.countsOnly || reading.kind !== 'ok') return false;
  if (now - reading.observedAtMs > COUNT_MAX_AGE_SECONDS * 1000) return false;
  return actions.kind !== 'ok' || reading.observedAtMs >= actions.observedAtMs;
}

/** Calls that may not be made are no trouble of Cloud 66's, and end by themselves. */
export function unknownReason(reason: Reason, why: ReadingProblem): Reason {
  return why === 'over_budget' ? 'api_budget_spent' : reason;
}

function told({ kind, why, detail }: Exclude<Reading<unknown>, { kind: 'ok' }>): string {
  return `${kind} (${why}): ${detail}`;
}

function holdForStack(stack: StackState): { reason: Reason; why: string } | null {
  switch (stack.status) {
    case 'queued':
    case 'analysing':
    case 'analysed':
    case 'queued_for_deploying':
    case 'deploying':
      return { reason: 'stack_deploying', why: `The stack is ${stack.status.replaceAll('_', ' ')}.` };
    case 'terminal_failure':
      return { reason: 'stack_not_live', why: 'Cloud 66 reports a terminal failure of the stack.' };
    case 'unknown':
      return { reason: 'stack_unknown', why: 'Cloud 66 reports a stack status that this program does not know.' };
    case 'deployed':
    case 'failed': // the last deployment failed, the one before it still runs
      break;
  }
  if (stack.maintenanceMode) return { reason: 'stack_in_maintenance', why: 'The stack is in maintenance mode.' };
  return null;
}

function holdForAction(action: Action, processName: string): [Reason, string] {
  const what = `Action ${action.id} (${action.kind})`;
  if (mayConcern(action, processName)) return ['action_in_progress', `${what} of this process has not finished.`];
  return ['stack_busy', `${what} of the stack has not finished.`];
}
