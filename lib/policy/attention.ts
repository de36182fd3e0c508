/**
 * Who is looked at again before the next tick. A quiet target costs one look a minute; an awake one is looked at every
 * `WATCH_INTERVAL_SECONDS`, because half a minute more or less decides whether a burst is met.
 */
import type { Decision, Observation, Policy } from '../domain.ts';
import { blockingActions, lastChangeSeconds, lastFinishedScaleMs } from './actions.ts';
import { foresightOf } from './recommend/latency-need.ts';
import { leadSeconds, newestRate, serviceSeconds } from './recommend/latency-rates.ts';

/**
 * A backlog beyond this share of what its workers clear within the target keeps a target awake: a small one where every
 * second of reaction counts, nearly all of it where the next tick can still see to it.
 */
const AWAKE_SHARE = 0.3;
const PATIENT_SHARE = 0.9;
/** A change that landed this recently may have to be corrected. */
const LANDED_SECONDS = 60;

/** What made the difference, or that nothing did. */
export type Attentive = { readonly awake: true; readonly why: string } | { readonly awake: false };

/**
 * True while the target should be looked at again soon: a change was just ordered, runs or has just landed, or more waits than
 * its workers clear in good time. Only strategy `latency` has a wait to keep; others are content with the tick.
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
  const haste = foresightOf(strategy.targetSeconds, lead);
  const share = AWAKE_SHARE * haste + PATIENT_SHARE * (1 - haste);
  const inGoodTime = share * strategy.targetSeconds * perSecond;
  const { visible } = backlog;
  const looks = observation.looks.kind === 'ok' ? observation.looks.value : [];
  if (haste > 0 && visible > 0 && newestRate(now, backlog, looks, rates, jobSeconds) > perSecond)
    return { awake: true, why: 'More comes than the workers finish.' };
  if (visible > inGoodTime)
    return { awake: true, why: `${visible} wait; ${Math.floor(inGoodTime)} are done in good time.` };
  return { awake: false };
}

function changeUnderWay({ actions, placement }: Observation, policy: Policy, now: number): string | null {
  if (actions.kind !== 'ok' || placement.kind !== 'ok') return null;
  const { processName } = placement.value;
  const running = blockingActions(actions.value, processName, now, { timeoutSeconds: policy.actionTimeoutSeconds });
  if (running.length > 0) return 'A change is under way.';
  const landedMs = lastFinishedScaleMs(actions.value, processName);
  return landedMs !== null && now - landedMs <= LANDED_SECONDS * 1000 ? 'A change has just landed.' : null;
}
