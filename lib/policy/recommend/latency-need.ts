/**
 * Strategy `latency`, second part: from rates to workers. Fluid queueing in plain arithmetic; no state, no time.
 */

/** All per second; `perWorker` = jobs per second that one worker finishes. */
export interface Load {
  readonly visible: number;
  readonly perWorker: number;
  readonly arrivals: number;
  /** Until a change ordered now has landed. */
  readonly leadSeconds: number;
  readonly targetSeconds: number;
  /** Standard deviations of head-room. */
  readonly headroom: number;
  /** Share of the arrivals until the landing that only the change ordered now can serve in time, 0 to 1. */
  readonly foresight: number;
}

/** Looks may be this far apart; a change that the next look orders lands by so much later. */
const LOOK_SECONDS = 60;

/**
 * 1 where a job that comes while this change lands would be late by the time the next change lands; 0 where the target is
 * so long that the next look can still see to it, and providing for it now would only pay for what may not come.
 */
export function foresightOf(targetSeconds: number, leadSeconds: number): number {
  const share = (2 * leadSeconds + LOOK_SECONDS - targetSeconds) / (leadSeconds + LOOK_SECONDS);
  return Math.min(1, Math.max(0, share));
}

/** At least this part of the share of the target is left to work off a backlog, however long the landing takes. */
const LEAST_DRAIN = 0.25;

/**
 * Seconds from the landing on within which what waits is to be worked off: `share` of the target for jobs that come at the
 * landing; less for those that wait already and are what counts where there is no need to look ahead.
 */
function drainSeconds({ targetSeconds, leadSeconds, foresight }: Load, share: number): number {
  return Math.max(share * targetSeconds - (1 - foresight) * leadSeconds, LEAST_DRAIN * share * targetSeconds);
}

/** Jobs that come until the landing and have to be provided for, with what may come beyond the mean. */
function comingJobs({ arrivals, leadSeconds, foresight, headroom }: Load): { mean: number; spare: number } {
  const mean = foresight * arrivals * leadSeconds;
  return { mean, spare: headroom * Math.sqrt(mean) };
}

/** Jobs that will be waiting when a change ordered now lands, if `workers` work until then. */
export function waitingAtLanding(load: Load, workers: number): number {
  return Math.max(0, load.visible + comingJobs(load).mean - workers * load.perWorker * load.leadSeconds);
}

/**
 * Workers that let the last of those jobs start within `share` of the target: first come, first served, it waits for all
 * that wait before it, and for nothing that comes after it.
 */
export function drainWorkers(load: Load, workers: number, share: number): number {
  const waiting = waitingAtLanding(load, workers) + comingJobs(load).spare;
  return waiting / (load.perWorker * drainSeconds(load, share));
}

/** The fewest workers for which `drainWorkers` asks for no more than `margin` times as many as there are. */
export function restingWorkers(load: Load, share: number, margin: number): number {
  const { mean, spare } = comingJobs(load);
  const seconds = margin * drainSeconds(load, share);
  const all = (load.visible + mean + spare) / (load.perWorker * (seconds + load.leadSeconds));
  // The head-room is asked for even where nothing will wait.
  return Math.max(all, spare / (load.perWorker * seconds));
}

/**
 * Workers for the arrivals themselves: the offered load R and a head-room of β√R (square-root staffing), but no more than
 * would clear everything that waits and comes until a target after the landing: a few jobs need no fleet.
 */
export function steadyWorkers(
  { visible, arrivals, perWorker, leadSeconds, targetSeconds }: Load,
  beta: number,
): number {
  const offered = arrivals / perWorker;
  const all = (visible + arrivals * (leadSeconds + targetSeconds)) / (perWorker * targetSeconds);
  return Math.min(offered + beta * Math.sqrt(offered), all);
}

/** Stretches over which arrivals are added up, in periods. Bursts longer than the last one are served as steady load. */
const STRETCHES = [1, 2, 3, 5, 8, 13, 21];

/**
 * The fewest workers that would have started every job of the `counts` within `slackSeconds`: over each stretch, what came
 * in it must be worked off by its end and the slack.
 */
export function workersThatWouldHaveDone(
  counts: readonly number[],
  periodSeconds: number,
  perWorker: number,
  slackSeconds: number,
): number {
  let most = 0;
  for (const stretch of STRETCHES) {
    let sum = 0;
    for (let at = 0; at < counts.length; at += 1) {
      sum += (counts[at] as number) - (at >= stretch ? (counts[at - stretch] as number) : 0);
      most = Math.max(most, sum / (perWorker * (periodSeconds * Math.min(stretch, at + 1) + slackSeconds)));
    }
    if (stretch >= counts.length) break;
  }
  return most;
}

/** Workers that a foreseen count needs: it may come at once, and is to be started within `share` of the target. */
export function workersForForeseen(
  expected: number,
  periodSeconds: number,
  { perWorker, headroom, targetSeconds }: Load,
  share: number,
): number {
  const jobs = expected + headroom * Math.sqrt(expected);
  return jobs / (perWorker * (periodSeconds + share * targetSeconds));
}

/** Quantiles of the normal distribution, to three digits: Abramowitz and Stegun, Handbook, 26.2.23 (error below 4.5e-4). */
export function normalQuantile(percent: number): number {
  const tail = Math.min(0.5, Math.max(1e-6, 1 - percent / 100));
  const t = Math.sqrt(-2 * Math.log(tail));
  const above = 2.515517 + 0.802853 * t + 0.010328 * t * t;
  const below = 1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t * t * t;
  return Math.max(0, t - above / below);
}

/** Changes smaller than this share of the count are not worth an action, which blocks the lever for a minute. */
export const DEAD_BAND = 0.1;

/** Rounds up, forgiving the last digits of floating-point sums. */
export function wholeWorkers(exact: number): number {
  return Math.max(0, Math.ceil(exact - 1e-9));
}
