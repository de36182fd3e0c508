/**
 * The functional core. `decide` turns what was observed into a decision: a pure function without clock, environment,
 * log, randomness or promises. This folder imports the domain and nothing else.
 *
 * A decision that depends on something not yet read answers `needs_evidence`; the caller reads it and asks again. So a
 * quiet minute costs one queue reading and no more.
 */
import type { Backlog, Decision, DecisionInput, NeedsEvidence, Reading, Reason, Step } from '../domain.ts';
import { respectHand } from './by-hand.ts';
import { boundsOf, clamp, scheduleRemark } from './clamp.ts';
import { coolDown } from './cooldown.ts';
import { deployGrace } from './deploy-grace.ts';
import { isPaused, totalWorkers } from './distribute.ts';
import { expectEffect } from './effect.ts';
import { COUNT_MAX_AGE_SECONDS, gate, requireEvidence, unknownReason } from './gate.ts';
import { stopGracefully } from './graceful.ts';
import { limit } from './limit.ts';
import { overrideInForce, overrideText, pauseScaleIn } from './override.ts';
import { recommendLatency } from './recommend/latency.ts';
import { recommend } from './recommend/recommend.ts';
import type { DepthSituation, RatedSituation, Rule, Situation } from './ruling.ts';
import { settle } from './settle.ts';
import { stabilize } from './stabilize.ts';
import { tolerate } from './tolerate.ts';
import { workersThat } from './wording.ts';

/** A count outside the limits is put right without asking the queue for its opinion, but never into a deployment. */
const CORRECTION: readonly Rule<Situation>[] = [gate, pauseScaleIn, requireEvidence];

/** A pinned count: the person who pinned it has weighed everything but what is under way. */
const PINNED: readonly Rule<Situation>[] = [gate, requireEvidence];

/**
 * The order is fixed; `clamp` stands last of the rules that change a count, so that none can break a limit. It also stands
 * early, so that a target resting at its minimum or maximum holds there without asking for history.
 */
const DEPTH_PIPELINE: readonly Rule<DepthSituation>[] = [
  gate,
  tolerate,
  clamp,
  pauseScaleIn,
  stabilize,
  limit,
  coolDown,
  stopGracefully,
  clamp,
  deployGrace,
  respectHand,
  requireEvidence,
];

/**
 * Strategy `latency` weighs small differences, what was needed of late and the last change itself, knowing rates and times
 * that the general rules do not; gate, limits and evidence hold for it as for everybody.
 */
const LATENCY_PIPELINE: readonly Rule<RatedSituation>[] = [
  gate,
  clamp,
  pauseScaleIn,
  settle,
  expectEffect,
  limit,
  stopGracefully,
  clamp,
  deployGrace,
  respectHand,
  requireEvidence,
];

/**
 * Decides what to do about the number of workers of one target.
 *
 * Postconditions: the desired count is a whole number; a change stays within the limits or moves towards them; the
 * action is `hold` exactly when the desired count equals the current one; a scale in rests on readings that are there.
 *
 * @throws RangeError when a postcondition is broken: a programming error, never a state of the world.
 */
export function decide(input: DecisionInput): Decision | NeedsEvidence {
  const answer = decideOn(input);
  return answer.kind === 'decision' && answer.action === 'hold' ? withCountAge(answer, input) : answer;
}

function decideOn(input: DecisionInput): Decision | NeedsEvidence {
  const { now, policy, observation, windows } = input;
  if (observation.placement.kind !== 'ok') {
    const reason = unknownReason('workers_unknown', observation.placement.why);
    return held(null, null, reason, [unknownStep('workers', observation.placement)]);
  }
  // What this policy allows depends on servers that a mere count does not show.
  if (observation.placement.value.countsOnly && hasServerLimits(policy)) {
    return { kind: 'needs_evidence', evidence: ['placement'] };
  }
  const placement = observation.placement.value;
  const currentCount = totalWorkers(placement);
  const situation = { ...input, placement, currentCount, bounds: boundsOf(policy, placement, windows, now) };
  if (isPaused(placement)) {
    return held(currentCount, null, 'process_paused', [note('gate', currentCount, 'The process is paused.')]);
  }
  const person = personsWord(situation);
  if (person !== null) return person;
  if (currentCount < situation.bounds.min) return correct(situation, situation.bounds.min, 'below_minimum');
  if (currentCount < policy.minWorkers && currentCount >= situation.bounds.max) {
    return held(currentCount, null, 'no_capacity', [note('bounds', currentCount, unmetMinimum(situation))]);
  }

  const backlog = freshReading(observation.backlog, now, policy.metricMaxAgeSeconds);
  if (backlog.kind !== 'ok') {
    return held(currentCount, null, 'backlog_unknown', [unknownStep('backlog', backlog, currentCount)]);
  }
  if (currentCount > situation.bounds.max) return correct(situation, situation.bounds.max, 'above_maximum');

  const { strategy } = policy;
  if (strategy.kind === 'latency') {
    const answer = recommendLatency(situation, strategy, backlog.value);
    if (answer.kind === 'need') return { kind: 'needs_evidence', evidence: answer.evidence };
    const { recommendation } = answer;
    return rate(LATENCY_PIPELINE, { ...situation, backlog: backlog.value, recommendation });
  }
  const recommendation = recommend(policy, strategy, backlog.value, currentCount);
  return rate(DEPTH_PIPELINE, { ...situation, backlog: backlog.value, recommendation, strategy });
}

/** A hold may rest on a count from a while ago; it says so. */
function withCountAge(decision: Decision, { now, observation: { placement } }: DecisionInput): Decision {
  if (placement.kind !== 'ok' || now - placement.observedAtMs <= COUNT_MAX_AGE_SECONDS * 1000) return decision;
  const ageSeconds = Math.round((now - placement.observedAtMs) / 1000);
  const why = `The workers were counted ${ageSeconds} s ago; before a change they are counted anew.`;
  return { ...decision, steps: [note('workers', decision.currentCount, why), ...decision.steps] };
}

function hasServerLimits({ servers, maxWorkersPerServer }: DecisionInput['policy']): boolean {
  return servers !== null || maxWorkersPerServer !== null;
}

/** What a person decided, where that leaves nothing to decide; null where it does. */
function personsWord(situation: Situation): Decision | NeedsEvidence | null {
  const { currentCount, bounds, override: reading } = situation;
  if (reading.kind !== 'ok') {
    return held(currentCount, null, 'override_unknown', [unknownStep('override', reading, currentCount)]);
  }
  const override = overrideInForce(situation);
  if (override === null || override.kind === 'pause_scale_in') return null;
  const why = `Overridden: ${overrideText(override)}`;
  if (override.workers === null) {
    return held(currentCount, null, 'paused_by_override', [note('override', currentCount, why)]);
  }
  const count = Math.min(Math.max(override.workers, bounds.min), bounds.max);
  const limits = count === override.workers ? '' : ` (within ${bounds.min} to ${bounds.max}: ${count})`;
  const step = { name: 'override', before: currentCount, after: count, why: `${why}${limits}` };
  if (count === currentCount) return held(currentCount, count, 'overridden', [step]);
  return run(PINNED, situation, count, [step], 'overridden');
}

/** Puts what a strategy recommends through its rules. */
function rate<S extends RatedSituation>(rules: readonly Rule<S>[], situation: S): Decision | NeedsEvidence {
  const { recommendation, currentCount } = situation;
  const { count, why, reason, steps } = recommendation;
  return run(
    rules,
    situation,
    count,
    [...steps, { name: 'recommend', before: currentCount, after: count, why }],
    reason,
  );
}

function unmetMinimum({ policy, placement }: Situation): string {
  const known = new Set(placement.servers.map(({ name }) => name));
  const strange = (policy.servers ?? []).filter((name) => !known.has(name));
  const hint = strange.length === 0 ? '' : ` SERVERS names ${strange.join(', ')}, which the stack does not have.`;
  return `MIN_WORKERS is ${policy.minWorkers}, but no allowed and healthy server can take another worker.${hint}`;
}

function correct(situation: Situation, count: number, reason: Reason): Decision | NeedsEvidence {
  const { min, max } = situation.bounds;
  const why = `${workersThat(situation.currentCount, 'is', 'are')} outside ${min} to ${max}${scheduleRemark(situation.bounds)}.`;
  const step = { name: 'bounds', before: situation.currentCount, after: count, why };
  return run(CORRECTION, situation, count, [step], reason);
}

/** Puts the count through the rules, collecting their working, until one of them holds or the last one is through. */
function run<S extends Situation>(
  rules: readonly Rule<S>[],
  situation: S,
  recommendedCount: number,
  firstSteps: readonly Step[],
  reason: Reason,
): Decision | NeedsEvidence {
  const { currentCount } = situation;
  const steps: Step[] = [...firstSteps];
  let count = recommendedCount;
  for (const rule of rules) {
    const ruling = rule(situation, count);
    if (ruling.kind === 'need') return { kind: 'needs_evidence', evidence: ruling.evidence };
    if (ruling.step) steps.push(ruling.step);
    if (ruling.kind === 'hold') return held(currentCount, recommendedCount, ruling.reason, steps);
    count = ruling.count;
  }
  return changed(situation, recommendedCount, count, reason, steps);
}

function changed(
  { currentCount, bounds }: Situation,
  recommendedCount: number,
  desiredCount: number,
  reason: Reason,
  steps: readonly Step[],
): Decision {
  const whole = Number.isInteger(desiredCount) && desiredCount !== currentCount;
  if (!whole || desiredCount < bounds.min || desiredCount > bounds.max) {
    throw new RangeError(
      `Decided on ${desiredCount} workers from ${currentCount} within ${bounds.min}..${bounds.max}.`,
    );
  }
  const action = desiredCount > currentCount ? 'scale_out' : 'scale_in';
  return { kind: 'decision', action, currentCount, recommendedCount, desiredCount, reason, steps };
}

function held(
  currentCount: number | null,
  recommendedCount: number | null,
  reason: Reason,
  steps: readonly Step[],
): Decision {
  return {
    kind: 'decision',
    action: 'hold',
    currentCount,
    recommendedCount,
    desiredCount: currentCount,
    reason,
    steps,
  };
}

/** A value that has grown old since it was read, or was old when it was read, is not a value. */
function freshReading(reading: Reading<Backlog>, now: number, maxAgeSeconds: number): Reading<Backlog> {
  if (reading.kind !== 'ok') return reading;
  const ageSeconds = Math.round((now - reading.observedAtMs) / 1000);
  if (ageSeconds <= maxAgeSeconds) return reading;
  return { kind: 'stale', why: 'too_old', detail: `${ageSeconds} s old; at most ${maxAgeSeconds} s is fresh.` };
}

function unknownStep(
  what: string,
  reading: Exclude<Reading<unknown>, { kind: 'ok' }>,
  count: number | null = null,
): Step {
  return note('gate', count, `The ${what} reading is ${reading.kind} (${reading.why}): ${reading.detail}`);
}

function note(name: string, count: number | null, why: string): Step {
  return { name, before: count, after: count, why };
}
