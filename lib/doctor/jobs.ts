/** How long a job may run when its worker is stopped by a scale in. Pure. */
import type { Target } from '../domain.ts';
import { type CheckResult, fail, ok, warn } from './check.ts';

/** From this share of the time on, a job is close to being killed. */
const LITTLE_ROOM = 0.8;

/**
 * Compares the longest job with the time that a stopping worker is given. The API does not tell a process's stop
 * sequence, so that the setting has to say what differs from Cloud 66's default.
 */
export function stopSequenceResult({ id, policy }: Target): CheckResult {
  const subject = { id: `stop-sequence:${id}`, title: `Jobs of ${id} end before their worker is killed` };
  const { maxJobSeconds, stopSeconds, longJobs } = policy;
  if (maxJobSeconds === null) {
    const detail = `jobs of up to ${stopSeconds} s survive a scale in; MAX_JOB_SECONDS does not say how long they are`;
    return ok(subject, detail);
  }
  const advice =
    `Give the process a stop_sequence of more than ${maxJobSeconds} s and tell it in STOP_SECONDS, make the jobs ` +
    'resumable, or set LONG_JOBS=refuse.';
  if (maxJobSeconds > stopSeconds && longJobs === 'refuse') {
    const detail = `jobs of up to ${maxJobSeconds} s outlast the ${stopSeconds} s of a stopping worker: LONG_JOBS=refuse`;
    return warn(subject, detail, 'Workers are kept while any job runs; a longer stop_sequence would let them go.');
  }
  if (maxJobSeconds > stopSeconds) {
    return fail(subject, `a job of ${maxJobSeconds} s is killed after ${stopSeconds} s`, advice);
  }
  if (maxJobSeconds > LITTLE_ROOM * stopSeconds) {
    return warn(subject, `a job of ${maxJobSeconds} s has little room in ${stopSeconds} s`, advice);
  }
  return ok(subject, `${maxJobSeconds} s fit into ${stopSeconds} s`);
}
