/**
 * Who is looked at again before the next tick. A quiet target costs one look a minute; an awake one is looked at every
 * `WATCH_INTERVAL_SECONDS`, because half a minute more or less decides whether a burst is met. So is a quiet one in the hour
 * after a burst, which seldom comes alone: that asks SQS and CloudWatch, and nothing of Cloud 66 before a change is wanted.
 */
import type { Decision, Observation, Policy, RateHistory, Reason } from '../domain.ts';
import { blockingActions, lastChangeSeconds, lastFinishedScaleMs } from './actions.ts';
import { onsetsOf } from './patterns.ts';
import { DEAD_BAND, foresightOf } from './recommend/latency-need.ts';
import { leadSeconds, newestRate, serviceSeconds, withoutGaps } from './recommend/latency-rates.ts';

/**
 * A backlog beyond this share of what its workers clear within the target keeps a target awake: a small one where every
 * second of reaction counts, nearly all of it where the next tick can still see to it.
 */
const AWAKE_SHARE = 0.3;
const PATIENT_SHARE = 0.9;
/** A change that landed this recently may have to be corrected. */
const LANDED_SECONDS = 60;

/** What made the difference, or that nothing did. */
export type Attentive =
  | { readonly awake: true; readonly why: string }
  /** `afterBurst`: why a target with nothing to do is looked at again all the same. */
  | { readonly awake: false; readonly afterBurst?: string };

/** Watched are those that are awake, and quiet ones after a burst: they are looked at again before the next tick. */
export function isWatched(attentive: Attentive): boolean {
  return attentive.awake || attentive.afterBurst !== undefined;
}

/** Holds in which all is well. Others wait for something that another look does not bring about. */
const CALM_REASONS: readonly Reason[] = ['on_target', 'at_minimum'];

/**
 * Awake is a target whose change was just ordered, runs or has just landed, or where more waits than its workers clear in good
 * time. Only strategy `latency` has a wait to keep; others are content with the tick, and so is a target whose depth could not
 * be read. A burst counts while the record is asked for at all, which it is not for a target that rests at its minimum.
 */
export function attentionOf(decision: Decision, observation: Observation, policy: Policy, now: number): Attentive {
  const { strategy } = policy;
  const { placement } = observation;
  if (strategy.kind !== 'latency' || observation.backlog.kind !== 'ok') return { awake: false };
  if (decision.action !== 'hold') return { awake: true, why: 'A change was ordered.' };
  const moving = changeUnderWay(observation, policy, now);
  if (moving !== null) return { awake: true, why: moving };
  const rates = observation.rates.kind === 'ok' ? observation.rates.value : null;
  const backlog = observation.backlog.value;
  const jobSeconds = serviceSeconds(strategy, rates);
  const perSecond = ((decision.currentCount ?? 0) * strategy.jobsPerWorker) / jobSeconds;
  const lead = placement.kind === 'ok' ? leadSeconds(lastChangeSeconds(observation, placement.value.processName)) : 0;
  const foresight = foresightOf(strategy.targetSeconds, lead);
  const share = AWAKE_SHARE * foresight + PATIENT_SHARE * (1 - foresight);
  const inGoodTime = share * strategy.targetSeconds * perSecond;
  const { visible } = backlog;
  const looks = observation.looks.kind === 'ok' ? observation.looks.value : [];
  if (foresight > 0 && visible > 0 && newestRate(now, backlog, looks, rates, jobSeconds) > perSecond)
    return { awake: true, why: 'More comes than the workers finish.' };
  if (visible > inGoodTime)
    return { awake: true, why: `${visible} wait; ${Math.floor(inGoodTime)} are done in good time.` };
  const canGrow = CALM_REASONS.includes(decision.reason) && (decision.currentCount ?? 0) < policy.maxWorkers;
  const afterBurst = foresight > 0 && canGrow ? burstOf(rates, perSecond) : null;
  return afterBurst === null ? { awake: false } : { awake: false, afterBurst };
}

/**
 * The largest burst of the record, if the workers of now fall short of it by what is worth a change: the next one may come in
 * any minute. A burst is a minute in which arrivals clearly began to rise; a day that rises and falls slowly has none.
 */
function burstOf(rates: RateHistory | null, perSecond: number): string | null {
  if (rates === null) return null;
  const counts = Float64Array.from(withoutGaps(rates.sent));
  const onset = onsetsOf(counts);
  const most = counts.reduce((largest, count, at) => (onset[at] === 1 ? Math.max(largest, count) : largest), 0);
  const finished = perSecond * rates.periodSeconds;
  if (most <= (1 + DEAD_BAND) * finished) return null;
  return `${most} came in a minute of the last hour; the workers finish ${Math.round(finished)} in one.`;
}

function changeUnderWay({ actions, placement }: Observation, policy: Policy, now: number): string | null {
  if (actions.kind !== 'ok' || placement.kind !== 'ok') return null;
  const { processName } = placement.value;
  const running = blockingActions(actions.value, processName, now, { timeoutSeconds: policy.actionTimeoutSeconds });
  if (running.length > 0) return 'A change is under way.';
  const landedMs = lastFinishedScaleMs(actions.value, processName);
  return landedMs !== null && now - landedMs <= LANDED_SECONDS * 1000 ? 'A change has just landed.' : null;
}
