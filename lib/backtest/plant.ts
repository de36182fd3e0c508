/**
 * The simulated plant: a queue, its workers, the slow lever that moves their number, and the sensors. Event-driven at
 * the level of jobs, seeded; jobs are served first come, first served, a stopping worker finishes what it has in hand.
 *
 * Time moves only through `advance`. Between two events of the control side (a look, a change taking effect, a worker
 * coming up, a sample) jobs are served in one tight loop over typed arrays.
 */
import type { Random } from '../simulation/random.ts';
import { Actuator, type ActuatorSettings, type PlantAction } from './actuator.ts';
import type { Jobs } from './jobs.ts';
import { type MetricSettings, Minutes } from './minutes.ts';
import { Slots } from './slots.ts';
import { Workforce } from './workforce.ts';

/** How the plant behaves; see `STANDARD_PLANT` for the usual values. */
export interface PlantSettings {
  /** Jobs that one worker runs at once. */
  readonly concurrency: number;
  readonly minWorkers: number;
  readonly maxWorkers: number;
  /** Workers that run at the beginning. */
  readonly initialWorkers: number;
  readonly actuator: ActuatorSettings;
  /** A worker needs up to this long to come up after its action has ended (uniform). */
  readonly startupSeconds: number;
  readonly metric: MetricSettings;
}

/** Times and faults as observed on Cloud 66 and CloudWatch. */
export const STANDARD_PLANT: Pick<PlantSettings, 'actuator' | 'startupSeconds' | 'metric'> = {
  actuator: { minSeconds: 20, spreadSeconds: 100, failureShare: 0.02, stuckShare: 0.002, stuckSeconds: 600 },
  startupSeconds: 15,
  metric: { lagMinSeconds: 20, lagMaxSeconds: 90, missingShare: 0.005 },
};

/** The highest depth within a minute is the highest of four samples. */
const SAMPLE_SECONDS = 15;
/** Traffic that is not worked off this long after its end is given up: the policy has stopped all workers. */
export const MAX_OVERTIME_SECONDS = 86_400;

export class Plant {
  nowSeconds = 0;
  readonly jobs: Jobs;
  readonly settings: PlantSettings;
  readonly minutes: Minutes;
  readonly actuator: Actuator;
  /** Seconds that each job waited for its start; jobs not started yet have none. */
  readonly waitSeconds: Float32Array;
  readonly #slots: Slots;
  readonly #workforce: Workforce;
  #arrived = 0;
  #started = 0;
  #nextSampleAt = SAMPLE_SECONDS;
  #highestVisible = 0;
  #highestInFlight = 0;
  #sumInFlight = 0;
  #arrivedBefore = 0;
  #finishedBefore = 0;

  constructor(jobs: Jobs, settings: PlantSettings, random: Random) {
    const { concurrency, maxWorkers, initialWorkers, startupSeconds } = settings;
    this.jobs = jobs;
    this.settings = settings;
    this.waitSeconds = new Float32Array(jobs.count);
    const minutes = Math.ceil((jobs.durationSeconds + MAX_OVERTIME_SECONDS) / 60) + 2;
    this.minutes = new Minutes(minutes, settings.metric, random.fork('metric'));
    this.actuator = new Actuator(settings.actuator, random.fork('action'));
    this.#slots = new Slots(maxWorkers * concurrency);
    this.#workforce = new Workforce(this.#slots, maxWorkers, concurrency, startupSeconds, random.fork('startup'));
    this.#workforce.begin(initialWorkers);
  }

  // --- sensors -----------------------------------------------------------------------------------------------------

  get arrivedJobs(): number {
    return this.#arrived;
  }
  get startedJobs(): number {
    return this.#started;
  }
  get finishedJobs(): number {
    return this.#started - this.inFlight;
  }
  /** Jobs that wait. */
  get visible(): number {
    return this.#arrived - this.#started;
  }
  /** Jobs that run, those of stopping workers included. */
  get inFlight(): number {
    return this.#slots.occupiedAt(this.nowSeconds) + this.#workforce.drainingJobs(this.nowSeconds);
  }
  /** Age of the oldest waiting job; 0 when none waits. */
  get oldestAgeSeconds(): number {
    return this.visible === 0 ? 0 : this.nowSeconds - (this.jobs.arrivalSeconds[this.#started] as number);
  }
  /** Workers that can take jobs now. */
  get runningWorkers(): number {
    return this.#slots.size / this.settings.concurrency;
  }
  /** Running workers with at least one job in hand. */
  get busyWorkers(): number {
    return this.#workforce.busyWorkers(this.nowSeconds);
  }
  /** Workers as the last change that took effect set them: running or coming up, without stopping ones. */
  get workers(): number {
    return this.#workforce.size;
  }
  /** Workers started by changes so far; those of the beginning do not count. */
  get workerStarts(): number {
    return this.#workforce.starts;
  }
  /** Most workers there were at once. */
  get mostWorkers(): number {
    return this.#workforce.most;
  }
  /** All recorded traffic has passed and no job waits any more. */
  get workedOff(): boolean {
    return this.nowSeconds >= this.jobs.durationSeconds && this.#started === this.jobs.count;
  }

  // --- the lever ---------------------------------------------------------------------------------------------------

  /**
   * Asks for `count` workers in total, held within the bounds. Null when another change is running.
   *
   * @throws RangeError when `count` is not a whole number >= 0.
   */
  order(count: number): PlantAction | null {
    if (!Number.isInteger(count) || count < 0) throw new RangeError(`${count} workers: expected a whole number >= 0.`);
    const { minWorkers, maxWorkers } = this.settings;
    return this.actuator.accept(Math.min(Math.max(count, minWorkers), maxWorkers), this.nowSeconds);
  }

  // --- time --------------------------------------------------------------------------------------------------------

  /** Lets the world run until `seconds`; a time in the past changes nothing. */
  advance(seconds: number): void {
    for (;;) {
      const at = Math.min(this.actuator.endsAt, this.#workforce.nextUpAt, this.#nextSampleAt);
      if (at > seconds) break;
      this.#serveUntil(at);
      if (at === this.actuator.endsAt) this.#land();
      this.#workforce.comeUp(at);
      if (at === this.#nextSampleAt) this.#sample();
    }
    if (seconds > this.nowSeconds) this.#serveUntil(seconds);
  }

  /**
   * Ends the run: when the last running job is done if all were started, else now.
   *
   * @returns paid worker-seconds: from the acceptance of the action that started a worker to the end of its draining.
   */
  finish(): number {
    const end = this.workedOff ? Math.max(this.nowSeconds, this.#workforce.lastFreeAt()) : this.nowSeconds;
    this.#serveUntil(end);
    return this.#workforce.paidUntil(end);
  }

  /** Starts every job that can start up to `time`. Starts are in the order of arrival, so two positions tell it all. */
  #serveUntil(time: number): void {
    const { arrivalSeconds, serviceSeconds, count } = this.jobs;
    const slots = this.#slots;
    const waits = this.waitSeconds;
    let started = this.#started;
    while (started < count) {
      const arrival = arrivalSeconds[started] as number;
      const free = slots.earliest;
      const start = arrival > free ? arrival : free;
      if (start > time) break;
      waits[started] = start - arrival;
      slots.occupyEarliest(start + (serviceSeconds[started] as number));
      started += 1;
    }
    this.#started = started;
    let arrived = Math.max(this.#arrived, started);
    while (arrived < count && (arrivalSeconds[arrived] as number) <= time) arrived += 1;
    this.#arrived = arrived;
    this.nowSeconds = time;
  }

  #land(): void {
    const action = this.actuator.end();
    if (action?.succeeds) this.#workforce.resize(action.count, this.nowSeconds, action.acceptedAt);
  }

  #sample(): void {
    const { visible, inFlight, minutes } = this;
    this.#highestVisible = Math.max(this.#highestVisible, visible);
    this.#highestInFlight = Math.max(this.#highestInFlight, inFlight);
    this.#sumInFlight += inFlight;
    if (this.#nextSampleAt % 60 === 0) {
      const finished = this.#started - inFlight;
      minutes.write({
        visible: this.#highestVisible,
        inFlight: this.#highestInFlight,
        inFlightMean: this.#sumInFlight / (60 / SAMPLE_SECONDS),
        sent: this.#arrived - this.#arrivedBefore,
        deleted: finished - this.#finishedBefore,
        oldestAgeSeconds: this.oldestAgeSeconds,
        runningWorkers: this.runningWorkers,
      });
      this.#arrivedBefore = this.#arrived;
      this.#finishedBefore = finished;
      this.#highestVisible = 0;
      this.#highestInFlight = 0;
      this.#sumInFlight = 0;
    }
    this.#nextSampleAt += SAMPLE_SECONDS;
  }
}
