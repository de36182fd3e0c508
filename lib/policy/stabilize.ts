/**
 * A change must be right for a while. The window is computed anew each time from the queue's own recorded past, so it
 * needs no memory of ours and survives cold starts.
 */
import type { BacklogHistory, BacklogPoint } from '../domain.ts';
import { recommend } from './recommend/recommend.ts';
import { type DepthSituation, go, hold, pass, type Rule, type Ruling } from './ruling.ts';

/** The window wants at least this share of its points; CloudWatch drops some and publishes the newest late. */
const MIN_COVERAGE = 0.5;

/**
 * Scale out: the lowest recommendation within the window counts (window 0 = act at once, no history is read).
 * Scale in: the highest one counts, and live depth and history must agree even when the window is 0, because SQS
 * answers depth approximately: one stale zero must not stop busy workers.
 */
export const stabilize: Rule<DepthSituation> = (situation, count) => {
  const { currentCount, policy, observation } = situation;
  const scalesOut = count > currentCount;
  if (scalesOut && (currentCount === 0 || policy.scaleOutStabilizationSeconds === 0)) return pass(count);
  const { history } = observation;
  if (history.kind === 'not_read') return { kind: 'need', evidence: ['history'] };
  if (history.kind !== 'ok') {
    const why = `The queue's history is ${history.kind} (${history.why}): ${history.detail}`;
    return hold('stabilize', count, currentCount, 'history_unknown', why);
  }
  return scalesOut ? stabilizeOut(situation, count, history.value) : stabilizeIn(situation, count, history.value);
};

function stabilizeOut(situation: DepthSituation, count: number, history: BacklogHistory): Ruling {
  const { currentCount, policy } = situation;
  const window = pointsWithin(situation, history, policy.scaleOutStabilizationSeconds);
  if (window.kind === 'gap') return hold('stabilize', count, currentCount, 'history_unknown', window.why);
  const lowest = Math.min(count, ...recommendationsOf(situation, window.points));
  const after = Math.max(lowest, currentCount);
  const why = `Over the last ${policy.scaleOutStabilizationSeconds} s the queue called for ${lowest} workers or more.`;
  if (after === currentCount) return hold('stabilize', count, currentCount, 'stabilizing_scale_out', why);
  return go('stabilize', count, after, why);
}

function stabilizeIn(situation: DepthSituation, count: number, history: BacklogHistory): Ruling {
  const { currentCount, policy } = situation;
  const window = pointsWithin(situation, history, policy.scaleInStabilizationSeconds);
  if (window.kind === 'gap') return hold('stabilize', count, currentCount, 'history_unknown', window.why);
  const highest = Math.max(count, ...recommendationsOf(situation, window.points));
  const after = Math.min(highest, currentCount);
  const why = `Over the last ${policy.scaleInStabilizationSeconds} s the queue called for up to ${highest} workers.`;
  if (after === currentCount) return hold('stabilize', count, currentCount, 'stabilizing_scale_in', why);
  return go('stabilize', count, after, why);
}

function recommendationsOf(situation: DepthSituation, points: readonly BacklogPoint[]): readonly number[] {
  return points.map((point) => recommend(situation.policy, situation.strategy, point, situation.currentCount).count);
}

type Window =
  | { readonly kind: 'points'; readonly points: readonly BacklogPoint[] }
  | { readonly kind: 'gap'; readonly why: string };

/** The points that touch the window, provided that the newest is fresh and enough of them are there. */
function pointsWithin(situation: DepthSituation, history: BacklogHistory, windowSeconds: number): Window {
  const { now, policy } = situation;
  const periodMs = history.periodSeconds * 1000;
  const newestEndMs = Math.max(Number.NEGATIVE_INFINITY, ...history.points.map((point) => point.atMs + periodMs));
  const ageSeconds = Math.round((now - newestEndMs) / 1000);
  if (ageSeconds > policy.metricMaxAgeSeconds) {
    const age = Number.isFinite(ageSeconds) ? `ended ${ageSeconds} s ago` : 'is not there';
    return { kind: 'gap', why: `The newest recorded minute ${age}; at most ${policy.metricMaxAgeSeconds} s is fresh.` };
  }
  const startMs = Math.min(now - windowSeconds * 1000, newestEndMs - 1);
  const points = history.points.filter((point) => point.atMs + periodMs > startMs);
  const wanted = Math.max(1, Math.ceil(MIN_COVERAGE * Math.floor(windowSeconds / history.periodSeconds)));
  if (points.length >= wanted) return { kind: 'points', points };
  const why = `Only ${points.length} of the ${wanted} recorded minutes that a window of ${windowSeconds} s needs.`;
  return { kind: 'gap', why };
}
