/** The counterpart of tolerance and stabilization for a strategy that has weighed both itself. */
import { hold, pass, type RatedSituation, type Rule } from './ruling.ts';

/** Holds on target, and instead of a scale in that rests on evidence which is not there. */
export const settle: Rule<RatedSituation> = ({ currentCount, recommendation: { why, lacks }, observation }, count) => {
  if (count === currentCount) return hold('settle', count, currentCount, 'on_target', why);
  if (count > currentCount || lacks === null) return pass(count);
  const reading = observation[lacks];
  const what = reading.kind === 'ok' || reading.kind === 'not_read' ? 'too old' : `${reading.kind}: ${reading.detail}`;
  return hold('settle', count, currentCount, 'history_unknown', `The recorded ${lacks} are ${what}`);
};
