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
}

/** What arrives in `seconds`, beyond the mean: so many standard deviations of a Poisson count. */
function spare({ arrivals, headroom }: Load, seconds: number): number {
  return headroom * Math.sqrt(arrivals * seconds);
}

/** Jobs that will be waiting when a change ordered now lands, if `workers` work until then. */
export function waitingAtLanding(load: Load, workers: number): number {
  const { visible, arrivals, perWorker, leadSeconds } = load;
  return Math.max(0, visible + (arrivals - workers * perWorker) * leadSeconds);
}

/**
 * Workers that let a job which arrives at the landing start within `share` of the target: first come, first served, it
 * waits for all that wait before it, and for nothing that comes after it.
 */
export function drainWorkers(load: Load, workers: number, share: number): number {
  const waiting = waitingAtLanding(load, workers) + spare(load, load.leadSeconds);
  return waiting / (load.perWorker * share * load.targetSeconds);
}

/** The fewest workers that, running from now on, need no scale out by the rule of `drainWorkers`. */
export function restingWorkers(load: Load, share: number): number {
  const { visible, arrivals, perWorker, leadSeconds, targetSeconds } = load;
  const jobs = visible + arrivals * leadSeconds + spare(load, leadSeconds);
  return jobs / (perWorker * (share * targetSeconds + leadSeconds));
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
