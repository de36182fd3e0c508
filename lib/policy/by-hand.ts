/** A count that somebody changed by hand was changed for a reason: it is respected for a while instead of being fought. */
import { lastScaleByHand } from './actions.ts';
import { hold, pass, type Rule, type Situation } from './ruling.ts';

/**
 * Holds for `MANUAL_CHANGE_HOLD_SECONDS` after a scale action that is not ours. The log does not name the process: a change
 * before and after which we saw the same count was another process's.
 */
export const respectHand: Rule<Situation> = ({ now, policy, observation, placement, currentCount }, count) => {
  const { actions, looks } = observation;
  if (count === currentCount || actions.kind !== 'ok') return pass(count);
  const action = lastScaleByHand(actions.value, placement.processName);
  if (action === null) return pass(count);
  const restSeconds = Math.ceil(((action.finishedAtMs ?? now) - now) / 1000 + policy.manualChangeHoldSeconds);
  if (!(restSeconds > 0)) return pass(count);
  const { startedAtMs } = action;
  const before =
    looks.kind === 'ok' ? looks.value.findLast(({ atMs }) => startedAtMs !== null && atMs < startedAtMs) : null;
  if (before?.workers === currentCount) return pass(count);
  const why = `Action ${action.id} was somebody's own change of the count; it is left alone for ${restSeconds} s more.`;
  return hold('hand', count, currentCount, 'changed_by_hand', why);
};
