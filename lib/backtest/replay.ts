/**
 * One policy over one plant. Ours goes through the deployed `reconcile`, ports and all; a peer's rule is asked at its own
 * cadence and its answer is handed to the same lever.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Target } from '../domain.ts';
import type { Attentive } from '../policy/attention.ts';
import type { TargetResult } from '../reconcile/ports.ts';
import { type PassSignals, reconcile } from '../reconcile/reconcile.ts';
import type { Random } from '../simulation/random.ts';
import type { Baseline, Sensed, Settings, Workload } from './baselines/baseline.ts';
import { MAX_OVERTIME_SECONDS, type Plant } from './plant.ts';
import { type DecisionEvent, plantPorts } from './plant-ports.ts';

/** E: every policy on the same minute tick and live sensor (compares brains). N: each as at home (compares products). */
export type League = 'E' | 'N';

/** The cadence of the schedule that wakes the deployed program. */
const TICK_SECONDS = 60;

/** What a pass came to, and what is known of the next one. Times in seconds of the simulated run. */
export interface Look {
  readonly target: Target;
  readonly result: TargetResult;
  readonly nowSeconds: number;
  readonly nextTickSeconds: number;
  /** What the pass said about looking again soon. */
  readonly attentive: Attentive;
}

/**
 * After a pass: in how many seconds to look again before the next tick; null = the tick is soon enough. The program that
 * is deployed answers this too, so that a backtest looks as often as production does.
 */
export type Attention = (look: Look) => number | null;

/** Whoever decides: looks at the plant, perhaps moves the lever, and says at which simulated second to look next. */
export interface Pilot {
  readonly firstLookSeconds: number;
  look(nowSeconds: number): number | Promise<number>;
}

/** What a caller may follow and stop. */
export interface ReplayHooks {
  /** Called now and then with the share of the traffic that has passed, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** When aborted, the run ends early and says so. */
  readonly signal?: AbortSignal;
}

/** How a run ended; the rest is read from the plant. */
export interface ReplayEnd {
  readonly paidSeconds: number;
  readonly looks: number;
  /** False when it was stopped early: the figures are those of the part that was replayed. */
  readonly complete: boolean;
}

/** So many looks between two chances for timers and Ctrl-C. */
const LOOKS_PER_TURN = 2048;

/** Flies the plant through its traffic until all jobs are done, or a day after its end. */
export async function replay(plant: Plant, pilot: Pilot, hooks: ReplayHooks = {}): Promise<ReplayEnd> {
  const limitSeconds = plant.jobs.durationSeconds + MAX_OVERTIME_SECONDS;
  let at = pilot.firstLookSeconds;
  let looks = 0;
  while (at < limitSeconds) {
    plant.advance(at);
    if (plant.workedOff) break;
    looks += 1;
    const next = pilot.look(at);
    at = typeof next === 'number' ? next : await next;
    if (looks % LOOKS_PER_TURN === 0) {
      await nextTurn();
      hooks.onProgress?.(Math.min(1, at / plant.jobs.durationSeconds));
      if (hooks.signal?.aborted) return { paidSeconds: plant.finish(), looks, complete: false };
    }
  }
  hooks.onProgress?.(1);
  return { paidSeconds: plant.finish(), looks, complete: true };
}

/** A phase within the interval, so that no policy looks exactly when a minute of the trace begins. */
function phaseOf(intervalSeconds: number, random: Random): number {
  return Math.floor(random.fork('phase').next() * intervalSeconds);
}

/** What our own pilot needs. */
export interface OurPilotOptions {
  readonly target: Target;
  readonly plant: Plant;
  readonly startMs: number;
  readonly servers: number;
  /** Null = the tick only. */
  readonly attention: Attention | null;
  readonly random: Random;
  readonly onDecision?: (event: DecisionEvent) => void;
}

/** The deployed code at the controls. Trouble inside a pass ends the run: in a simulated world it is a bug. */
export function ourPilot({ target, plant, attention, random, ...options }: OurPilotOptions): Pilot {
  const ports = plantPorts({ plant, ...options, onDecision: options.onDecision ?? null });
  const never = new AbortController().signal;
  const signals: PassSignals = { work: never, last: never };
  const targets = [target];
  const phase = phaseOf(TICK_SECONDS, random);
  const look = async (nowSeconds: number): Promise<number> => {
    // As deployed: between ticks no stack has its turn to be counted.
    const countsInTurn = (nowSeconds - phase) % TICK_SECONDS === 0;
    const result = (await reconcile(targets, ports, signals, { countsInTurn })).get(target.id);
    if (result === undefined) throw new RangeError(`No result for "${target.id}".`);
    if (result.kind === 'failed') throw result.error;
    const nextTickSeconds = phase + TICK_SECONDS * (Math.floor((nowSeconds - phase) / TICK_SECONDS) + 1);
    const again =
      attention?.({ target, result, nowSeconds, nextTickSeconds, attentive: ports.memory.attention(target.id) }) ??
      null;
    return again === null ? nextTickSeconds : Math.min(nextTickSeconds, nowSeconds + Math.max(1, again));
  };
  return { firstLookSeconds: phase, look };
}

/** What a peer's pilot needs. */
export interface BaselinePilotOptions {
  readonly baseline: Baseline;
  readonly settings: Settings;
  readonly workload: Workload;
  readonly plant: Plant;
  readonly league: League;
  readonly random: Random;
}

/**
 * A peer's rule at the controls. What it wants is remembered, as platforms remember a desired count: while an action
 * runs the wish waits, a failed action is ordered again at the next look.
 */
export function baselinePilot({ baseline, settings, workload, plant, league, random }: BaselinePilotOptions): Pilot {
  const interval = league === 'E' ? TICK_SECONDS : baseline.nativeIntervalSeconds;
  const step = baseline.start(settings, workload);
  let desired = plant.workers;
  let finishedBefore = 0;
  let arrivedBefore = 0;
  const look = (nowSeconds: number): number => {
    const { arrivedJobs, startedJobs, inFlight } = plant;
    const finishedJobs = startedJobs - inFlight;
    const sensed: Sensed = {
      nowSeconds,
      visible: plant.visible,
      inFlight,
      delayed: 0,
      oldestAgeSeconds: plant.oldestAgeSeconds,
      runningWorkers: plant.runningWorkers,
      desiredWorkers: desired,
      busyWorkers: plant.busyWorkers,
      completedSinceLast: finishedJobs - finishedBefore,
      arrivedSinceLast: arrivedJobs - arrivedBefore,
      metric: metricOf(plant, league, inFlight),
    };
    finishedBefore = finishedJobs;
    arrivedBefore = arrivedJobs;
    const wanted = step(sensed);
    if (wanted !== null) desired = Math.min(Math.max(wanted, workload.minWorkers), workload.maxWorkers);
    if (desired !== plant.workers) plant.order(desired);
    return nowSeconds + interval;
  };
  return { firstLookSeconds: phaseOf(interval, random), look };
}

/** On equal terms a rule that reads CloudWatch is shown the live queue; at home the newest minute that is out. */
function metricOf(plant: Plant, league: League, inFlight: number): Sensed['metric'] {
  const { minutes, nowSeconds } = plant;
  if (league === 'N') return minutes.published(minutes.newestDue(nowSeconds), nowSeconds);
  const { visible, runningWorkers, oldestAgeSeconds } = plant;
  return { visible, inFlight, runningWorkers, oldestAgeSeconds };
}
