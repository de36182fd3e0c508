/** A deployment restarts every worker; what piles up meanwhile is no demand for more of them. */
import { hold, pass, type Rule, type Situation } from './ruling.ts';

/**
 * Holds a scale out until `DEPLOY_GRACE_SECONDS` after the end of the newest deployment in the action log. Whoever asks for a
 * change reads the log anyway; without it there is nothing to say.
 */
export const deployGrace: Rule<Situation> = ({ now, policy, observation: { actions }, currentCount }, count) => {
  if (count <= currentCount || actions.kind !== 'ok') return pass(count);
  const ends = actions.value.flatMap(({ kind, finishedAtMs }) =>
    kind.includes('deploy') && finishedAtMs !== null ? [finishedAtMs] : [],
  );
  const restSeconds = Math.ceil((Math.max(...ends) - now) / 1000 + policy.deployGraceSeconds);
  if (!(restSeconds > 0)) return pass(count);
  const why = `A deployment has just ended; its workers get ${restSeconds} s more to catch up.`;
  return hold('deploy', count, currentCount, 'deploy_grace', why);
};
