/** The queues and metrics that the targets are scaled by: are they there, awake and fresh? */
import type { BacklogHistory, Reading, Target } from '../domain.ts';
import type { QueueQuery } from '../reconcile/ports.ts';
import { type CheckResult, type Checks, type Examined, fail, notChecked, ok, type Subject, warn } from './check.ts';

/** Of the history: long enough to see how often a point is published. */
const WINDOW_SECONDS = 600;
/** Alarms slower than this come after the tick has acted. */
const SLOW_ALARM_SECONDS = 300;

/** Two checks for an SQS queue (the queue itself, what CloudWatch has of it), one for a metric. */
export async function* checkQueues({ queue, deployment, clock, signal }: Examined): Checks {
  const { targets } = deployment;
  const queries = targets.map((target) => ({ ...queryOf(target), windowSeconds: WINDOW_SECONDS }));
  const depths = await queue.depths(queries, signal);
  const histories = await queue.histories(queries, signal);
  for (const target of targets) {
    const history = histories.get(target.id) ?? NO_ANSWER;
    if (target.source.kind !== 'metric') yield queueResult(target, depths.get(target.id) ?? NO_ANSWER, history);
    yield metricResult(target, history, clock.nowMs());
  }
}

const NO_ANSWER = { kind: 'missing', why: 'no_points', detail: 'there is no answer' } as const;

function queryOf({ id, source, policy }: Target): QueueQuery {
  return { targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds };
}

function isAsleep(history: Reading<unknown>): boolean {
  return history.kind !== 'ok' && history.why === 'asleep';
}

/** Readable, and awake: SQS publishes nothing of a queue that nobody has touched for six hours. */
function queueResult(
  { id, source }: Target,
  depth: Reading<{ readonly visible: number; readonly inFlight: number }>,
  history: Reading<BacklogHistory>,
): CheckResult {
  const name = source.kind === 'sqs' ? source.queueUrl : source.kind === 'sqs_name' ? source.queueName : '';
  const subject = { id: `queue:${id}`, title: `Queue ${name} can be read and is awake` };
  if (depth.kind !== 'ok') {
    const advice =
      depth.why === 'access_denied'
        ? 'Who runs doctor needs sqs:GetQueueAttributes and sqs:GetQueueUrl on it; the function gets them by deploying.'
        : 'Check QUEUE_URL or QUEUE_NAME, and that the queue is in this account and region.';
    return fail(subject, `${depth.why}: ${depth.detail}`, advice);
  }
  const { visible, inFlight } = depth.value;
  const seen = `${visible} waiting, ${inFlight} in flight`;
  if (isAsleep(history)) {
    const advice =
      'CloudWatch sees a sleeping queue again up to 15 minutes after it was used. The tick keeps it awake: ' +
      'if the deployment is older than that, look at the checks of schedule and heartbeat.';
    return fail(subject, `${seen}, but CloudWatch has nothing of it: alarm and history are blind`, advice);
  }
  return ok(subject, seen);
}

/** Fresh enough to decide on, with a statistic and a period that make sense. */
function metricResult(target: Target, history: Reading<BacklogHistory>, nowMs: number): CheckResult {
  const { id, source, policy } = target;
  const subject = { id: `metric:${id}`, title: `The metric of ${id} is fresh` };
  if (source.kind !== 'metric' && isAsleep(history)) return notChecked(subject, 'the queue sleeps');
  if (history.kind !== 'ok') {
    const advice =
      source.kind === 'metric'
        ? 'Is whatever publishes the metric running, under this namespace, name and these dimensions?'
        : 'CloudWatch is a few minutes late at most: run doctor again, and look at the queue in CloudWatch.';
    return fail(subject, `${history.why}: ${history.detail}`, advice);
  }
  const ageSeconds = Math.max(0, Math.round((nowMs - history.observedAtMs) / 1000));
  const limitSeconds = policy.metricMaxAgeSeconds;
  if (ageSeconds > limitSeconds) {
    const detail = `the newest point is ${ageSeconds} s old; METRIC_MAX_AGE_SECONDS is ${limitSeconds}`;
    return fail(subject, detail, 'Scale in holds on old points. Publish once a minute, or allow for older ones.');
  }
  return sanityResult(subject, target, `the newest point is ${ageSeconds} s old`, history.value);
}

function sanityResult(subject: Subject, { source, alarm }: Target, seen: string, history: BacklogHistory): CheckResult {
  if (source.kind === 'metric' && source.stat === 'Sum') {
    const advice = 'Use Maximum: depth is a level, and a minute with two points counts the same messages twice.';
    return warn(subject, `${seen}; the statistic is Sum`, advice);
  }
  if (source.kind === 'metric' && source.stat === 'Minimum') {
    return warn(subject, `${seen}; the statistic is Minimum`, 'Use Maximum: Minimum hides every peak.');
  }
  if (alarm.periodSeconds > SLOW_ALARM_SECONDS) {
    const advice = `A period of up to ${SLOW_ALARM_SECONDS} s lets the alarm be of use; the tick looks once a minute.`;
    return warn(subject, `${seen}; ALARM_PERIOD_SECONDS is ${alarm.periodSeconds}`, advice);
  }
  return ok(subject, `${seen}; ${history.points.length} points in the last minutes`);
}
