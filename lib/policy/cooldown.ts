/** After a change the world needs a moment to show its effect: no scale in during the cooldown. */
import { lastFinishedScaleMs } from './actions.ts';
import { hold, pass, type Rule, type Situation } from './ruling.ts';

/**
 * Holds a scale in until `SCALE_IN_COOLDOWN_SECONDS` after the last finished change of the process in either direction,
 * as Cloud 66's own action log tells it: nothing of ours has to be remembered.
 */
export const coolDown: Rule<Situation> = ({ now, policy, observation, placement, currentCount }, count) => {
  if (count >= currentCount || policy.scaleInCooldownSeconds === 0) return pass(count);
  const { actions } = observation;
  if (actions.kind === 'not_read') return { kind: 'need', evidence: ['actions'] };
  if (actions.kind !== 'ok') return pass(count); // the gate has already held on this
  const lastMs = lastFinishedScaleMs(actions.value, placement.processName);
  if (lastMs === null) return pass(count);
  const restSeconds = Math.ceil((lastMs + policy.scaleInCooldownSeconds * 1000 - now) / 1000);
  if (restSeconds <= 0) return pass(count);
  const why = `The last change ended ${Math.round((now - lastMs) / 1000)} s ago; quiet for ${restSeconds} s more.`;
  return hold('cooldown', count, currentCount, 'cooling_down', why);
};
