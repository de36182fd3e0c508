/**
 * Strategy `latency`: as many workers as keep the wait of jobs within a target, no more. The user says how long a job may
 * wait; service time, arrivals and the time that a change takes are found in the queue and the action log.
 *
 * A change ordered now lands only after a lead time L of about a minute. So the question is never "how many wait now" but
 * "how many will wait when it lands":  waiting = visible + (arrivals − workers × rate) × L.  Whoever arrives at that moment
 * waits for those before him, so the count that keeps the target W is  waiting / (rate × share × W):  drain to deadline.
 * Below that, the arrivals alone ask for R = arrivals / rate workers (Little's law) and a head-room of β√R, which shrinks
 * relative to R as R grows (square-root staffing: Halfin and Whitt 1981; Kolesar and Green 1998; taken at the landing and not
 * now, as in the modified offered load of Jennings et al. 1996). What clearly began to rise is taken to rise further, a jump
 * since the last look most of all: only one change runs at a time, so an order too small is put right two leads later.
 *
 * Scale in weighs an idle worker against starting it again: a worker goes when it was not needed for `keepIdleSeconds`
 * (delayed-off: Gandhi et al. 2010; a few times its start-up cost, as ski rental advises), later where few are idle (see
 * latency-scale-in.ts). "Needed" is the fewest workers that would have done the work of that time. The longer the target
 * compared with L, the less head-room and keeping it takes, because there is time to react: both shrink with L/W.
 *
 * Bursts shorter than L cannot be met by reaction. Those that return with the clock are foreseen (see patterns.ts): the
 * forecast is a floor, never a ceiling; only surprises are kept for, since what returns with the clock is met anyway, and a
 * batch that came as foreseen is not taken to go on.
 *
 * Unknown is not zero: without recorded rates the count can rise, never fall.
 */
import type { Backlog, EvidenceName, LatencyStrategy, Step } from '../../domain.ts';
import type { Situation } from '../ruling.ts';
import { workersThat } from '../wording.ts';
import {
  DEAD_BAND,
  drainWorkers,
  type Load,
  restingWorkers,
  steadyWorkers,
  waitingAtLanding,
  wholeWorkers,
  workersForForeseen,
} from './latency-need.ts';
import { isFresh, lasting, type Picture, pictureOf } from './latency-picture.ts';
import { type ScaleIn, scaleIn } from './latency-scale-in.ts';
import type { Recommendation } from './recommend.ts';

/**
 * Workers for foreseen arrivals are ordered earlier than the lead, by about the longest that a change took of late: some take
 * twice as long as others, or fail and are tried again, and looks are a minute apart.
 */
const FORESIGHT_LEADS = 0.9;
const FORESIGHT_SECONDS = 60;

/** What the strategy says: a recommendation, or the evidence that it lacks. */
export type LatencyAnswer =
  | { readonly kind: 'recommendation'; readonly recommendation: Recommendation }
  | { readonly kind: 'need'; readonly evidence: readonly EvidenceName[] };

/** The count that the strategy would like. Asks for rates and forecast, unless they can change nothing. */
export function recommendLatency(situation: Situation, strategy: LatencyStrategy, backlog: Backlog): LatencyAnswer {
  const { observation, currentCount, bounds } = situation;
  const resting = backlog.visible === 0 && currentCount <= bounds.min;
  const wanted: EvidenceName[] = [];
  if (observation.rates.kind === 'not_read' && !resting) wanted.push('rates');
  if (observation.forecast.kind === 'not_read' && strategy.learnPatterns) wanted.push('forecast');
  if (wanted.length > 0) return { kind: 'need', evidence: wanted };
  const picture = pictureOf(situation, strategy, backlog);
  const foreseen = foreseenWorkers(picture);
  // A resting target with nothing ahead stays as it is, on whatever is known.
  if (foreseen.workers > currentCount && observation.rates.kind === 'not_read')
    return { kind: 'need', evidence: ['rates'] };
  return { kind: 'recommendation', recommendation: compose(picture, foreseen) };
}

/** Out to what the landing needs, in to what rests, else as it is. */
function compose(picture: Picture, foreseen: Foreseen): Recommendation {
  const { workers, load, reactive, share, shareToBegin, backlog } = picture;
  const drain = drainWorkers(load, workers, share);
  const due = waitingAtLanding(load, workers) > 0 || backlog.visible > 0;
  const steady = steadyFor(picture, load);
  const reaction = Math.max(drain, due ? steady : 0);
  const needed = Math.max(reaction, foreseen.workers);
  const resting = Math.max(
    ...[load, reactive].map((each) => restingWorkers(each, share, shareToBegin / share)),
    steady,
    steadyFor(picture, reactive),
    newestWorkers(picture),
    anyWorker(backlog),
  );
  const clearing = backlog.visible / (load.perWorker * share * load.targetSeconds);
  const fewer = scaleIn(picture, Math.max(resting, foreseen.workers, clearing));
  const out = wholeWorkers(needed);
  const steps = workingOf(picture, { drain, steady, foreseen, resting, fewer });
  const worthwhile = (1 + DEAD_BAND) * workers;
  const overdue = reaction > Math.max(worthwhile, (workers * shareToBegin) / share);
  if (out > workers && (overdue || foreseen.workers > worthwhile)) {
    const reacting = workers === 0 && backlog.visible > 0 ? 'from_zero' : 'wait_above_target';
    const reason = foreseen.workers > reaction ? 'pattern_ahead' : reacting;
    return {
      count: out,
      exact: needed,
      reason,
      steps,
      why: `${workersThat(out, 'keeps', 'keep')} the target from the landing on.`,
      lacks: null,
    };
  }
  if (fewer.kind === 'stop') {
    const { exact, idleSeconds } = fewer;
    const count = wholeWorkers(exact);
    const fresh = isFresh(picture);
    const why = fresh
      ? `${workersThat(count, 'is enough, and was', 'are enough, and were')} for ${idleSeconds} s.`
      : `${workersThat(count, 'is', 'are')} enough.`;
    return { count, exact, reason: 'wait_below_target', steps, why, lacks: fresh ? null : 'rates' };
  }
  return { count: workers, exact: workers, reason: 'on_target', steps, why: whyAsItIs(fewer, load), lacks: null };
}

/** Why the count stays: the workers are needed, or stopping the idle ones is not worth a change yet. */
function whyAsItIs(fewer: Exclude<ScaleIn, { kind: 'stop' }>, { leadSeconds }: Load): string {
  if (fewer.kind === 'none') return 'The workers keep the target.';
  const { exact, idle, idleSeconds, price, longestSeconds } = fewer;
  return (
    `${workersThat(wholeWorkers(exact), 'is', 'are')} enough, but stopping ${idle} is not worth a change yet: they have cost ` +
    `${idle * idleSeconds} worker-seconds of ${Math.round(price.workerSeconds)}, since a change keeps the next one waiting for ` +
    `${Math.round(leadSeconds)} s, at up to ${Math.round(price.mostWorkers)} workers. They stay for ${longestSeconds} s at most.`
  );
}

/** Workers for arrivals that last, with some head-room. */
function steadyFor(picture: Picture, load: Load): number {
  return steadyWorkers({ ...load, arrivals: lasting(picture, load.arrivals) }, load.headroom / 4);
}

/** Whatever waits or runs keeps one worker. */
function anyWorker({ visible, inFlight }: Backlog): number {
  return visible + inFlight > 0 ? 1 : 0;
}

/** The newest arrivals with some of their noise: nothing is stopped while more is coming. */
function newestWorkers(picture: Picture): number {
  const { arrivals, load } = picture;
  if (arrivals.newest === 0) return 0;
  return (lasting(picture, arrivals.newest) + (load.headroom / 2) * arrivals.noise) / load.perWorker;
}

/** Workers that foreseen arrivals need, and after how many minutes those return. */
interface Foreseen {
  readonly workers: number;
  readonly expected: number;
  readonly cycleMinutes: number;
}

/** The largest need of the periods from now until an order given at the next look would land. */
function foreseenWorkers(picture: Picture): Foreseen {
  const { now, forecast, load, strategy } = picture;
  let most: Foreseen = { workers: 0, expected: 0, cycleMinutes: 0 };
  if (forecast.kind !== 'ok' || !strategy.learnPatterns) return most;
  const { startMs, periodSeconds, expected, cycleMinutes } = forecast.value;
  const first = Math.floor((now - startMs) / 1000 / periodSeconds);
  const last = Math.floor(
    ((now - startMs) / 1000 +
      load.leadSeconds +
      load.foresight * (FORESIGHT_LEADS * picture.longestLeadSeconds + FORESIGHT_SECONDS)) /
      periodSeconds,
  );
  for (let at = Math.max(0, first); at <= last; at += 1) {
    const count = expected[at] ?? 0;
    const workers = count === 0 ? 0 : workersForForeseen(count, periodSeconds, load, picture.share);
    if (workers > most.workers) most = { workers, expected: count, cycleMinutes: cycleMinutes[at] ?? 0 };
  }
  return most;
}

/** The quantities of the decision, one line each. */
function workingOf(
  picture: Picture,
  found: { drain: number; steady: number; foreseen: Foreseen; resting: number; fewer: ScaleIn },
): readonly Step[] {
  const { workers, arrivals, jobSeconds, load, backlog } = picture;
  const line = (name: string, after: number | null, why: string): Step => ({ name, before: workers, after, why });
  const n = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  const waiting = waitingAtLanding(load, workers);
  const { drain, steady, foreseen, resting, fewer } = found;
  const rising = arrivals.rise > 0 ? `, rising: taken as ${n(load.arrivals * 60)}` : '';
  const surge = picture.explained ? ', as was foreseen' : rising;
  const steps = [
    line('service', null, `A job takes ${n(jobSeconds)} s; a worker finishes ${n(load.perWorker * 60)} a minute.`),
    line(
      'arrivals',
      null,
      `${n(arrivals.newest * 60)} a minute now, ${n(arrivals.usual * 60)} of late, give or take ${n(arrivals.noise * 60)}${surge}.`,
    ),
    line(
      'landing',
      null,
      `${backlog.visible} wait; ${n(waiting)} will when a change lands in ${n(load.leadSeconds)} s.`,
    ),
    line('drain', drain, `${n(drain)} workers clear that within ${n(picture.share * load.targetSeconds)} s.`),
    line('steady', steady, `${n(steady)} workers for the arrivals with head-room.`),
    line(
      'keep',
      fewer.kept,
      `${n(fewer.kept)} would have done what came in ${fewer.idleSeconds} s; ${n(resting)} will do from now on.`,
    ),
  ];
  if (foreseen.workers > 0) {
    const why = `${n(foreseen.expected)} jobs are due again, every ${foreseen.cycleMinutes} min: ${n(foreseen.workers)} workers.`;
    steps.push(line('pattern', foreseen.workers, why));
  }
  return steps;
}
