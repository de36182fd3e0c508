/** A sentence for every reason code: what the operator reads in logs, on the command line and in the README. */
import type { Reason } from '../domain.ts';

/** What each reason means, and what ends a hold. */
export const REASONS: Readonly<Record<Reason, string>> = {
  backlog_above_target: 'The backlog calls for more workers than are running.',
  backlog_below_target: 'The backlog has called for fewer workers than are running during the whole window.',
  wait_above_target: 'Jobs would wait longer than LATENCY_TARGET_SECONDS with the workers that are running.',
  wait_below_target: 'Fewer workers keep LATENCY_TARGET_SECONDS, and idle ones have been kept for long enough.',
  pattern_ahead: 'Arrivals that return with the clock are due; workers are started before them.',
  from_zero: 'No worker is running and messages are waiting.',
  below_minimum: 'Fewer workers than MIN_WORKERS are running; corrected at once.',
  above_maximum: 'More workers than MAX_WORKERS are running; corrected at once.',
  on_target: 'The count is as the backlog asks, or the idle workers are not yet worth a change.',
  at_minimum: 'Fewer workers would do, but MIN_WORKERS are kept.',
  at_maximum: 'More workers are wanted, but MAX_WORKERS are running; raise it if the backlog does not fall.',
  within_tolerance: 'The difference is smaller than TOLERANCE.',
  stabilizing_scale_out: 'More workers are wanted, but not yet during the whole scale-out window.',
  stabilizing_scale_in: 'Fewer workers would do now, but within the scale-in window more were needed.',
  cooling_down: 'The last change ended less than SCALE_IN_COOLDOWN_SECONDS ago.',
  no_capacity:
    'More workers are wanted, but no allowed and healthy server can take one; SERVERS names the allowed ones.',
  jobs_outlast_stop:
    'Fewer workers would do, but jobs may run longer than a stopping worker is given (LONG_JOBS=refuse).',
  scale_out_ineffective:
    'The last scale outs did not raise the completions; something behind the workers is the bottleneck.',
  overridden: 'Somebody pinned the count with `npm run override`; it ends by itself.',
  paused_by_override: 'Somebody paused the target with `npm run override`; nothing is changed until that ends.',
  scale_in_paused: 'Fewer workers would do, but somebody paused scale in with `npm run override`.',
  override_unknown: 'It could not be read whether somebody set an override; nothing is changed without knowing.',
  changed_by_hand: 'Somebody changed the count in Cloud 66; it is left alone for MANUAL_CHANGE_HOLD_SECONDS.',
  deploy_grace: 'The stack was deployed a moment ago; a backlog is no demand until DEPLOY_GRACE_SECONDS have passed.',
  process_paused: 'Somebody paused the process in Cloud 66; it is left alone until it is resumed there.',
  stack_deploying: 'The stack is queued, being analysed or deploying; decided afresh when it is done.',
  stack_not_live: 'The stack has failed for good; nothing is scaled on it.',
  stack_in_maintenance: 'The stack is in maintenance mode; decided afresh when it ends.',
  stack_busy: 'Another action of the stack is running, or Cloud 66 answered that the stack is busy.',
  action_in_progress: 'The last change of this process has not finished.',
  api_budget_spent:
    "The calls to Cloud 66 that are this program's in this hour are used up (API_BUDGET_RESERVE); nothing is changed.",
  backlog_unknown: 'The depth of the queue is missing, stale or could not be read; unknown is not zero.',
  workers_unknown: 'The running workers could not be read from Cloud 66.',
  history_unknown: "The queue's recorded past is missing or has gaps, so a calm or busy window cannot be shown.",
  stack_unknown: 'The state of the stack could not be read or understood.',
  actions_unknown: 'The running actions of the stack could not be read.',
};
