/** Jobs that outlast the stop sequence of their worker are killed when it is scaled away. */
import { go, hold, pass, type RatedSituation, type Rule } from './ruling.ts';

/**
 * Warns of, or refuses, a scale in while jobs run that may take longer (`MAX_JOB_SECONDS`) than a stopping worker is given
 * (`STOP_SECONDS`). When nothing waits or runs there is nothing to kill.
 * Source: https://help.cloud66.com, process control, `stop_sequence`: `term, 90, kill` unless a Procfile says otherwise.
 */
export const stopGracefully: Rule<RatedSituation> = ({ policy, backlog, currentCount }, count) => {
  const { maxJobSeconds, stopSeconds, longJobs } = policy;
  if (count >= currentCount || maxJobSeconds === null || maxJobSeconds <= stopSeconds) return pass(count);
  if (backlog.visible + backlog.inFlight === 0) return pass(count);
  const why = `Jobs of up to ${maxJobSeconds} s may run, and a stopping worker is killed after ${stopSeconds} s`;
  if (longJobs === 'refuse') {
    return hold('stop', count, currentCount, 'jobs_outlast_stop', `${why}; no scale in while any runs.`);
  }
  return go('stop', count, count, `${why}: jobs of stopped workers can be lost.`);
};
