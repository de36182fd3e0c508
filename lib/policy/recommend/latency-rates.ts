/**
 * Strategy `latency`, first part: what is going on. Service time, arrivals and the time a change takes, estimated from
 * the queue and the action log. Everything here is per second and per worker unless its name says otherwise.
 *
 * Service time by Little's law: the mean number of jobs in hand = jobs finished per second × seconds per job, so
 * seconds per job = Σ in hand / Σ finished, over the last hour. Idle minutes weigh nothing, a hint counts as the first few jobs.
 * Arrivals by balance: what came = what is there now − what was there + what was finished meanwhile.
 * The first look has nothing to compare with: it goes by the record, and by what is there where nothing is on record.
 */
import type { Backlog, LatencyStrategy, Look, RateHistory } from '../../domain.ts';

/** Without any hint a job is thought to run this long, until the first jobs were seen. */
const UNKNOWN_JOB_SECONDS = 10;
/** The start, hint or guess, weighs as much as this many finished jobs: what is seen soon outweighs a wrong hint. */
const START_JOBS = 2;
/** Until then jobs are taken to run this many times the hint: workers too many for a minute cost less than those missing. */
const HINT_CAUTION = 1.5;
/** Shorter jobs than this are not told apart by samples a minute apart. */
const MIN_JOB_SECONDS = 0.01;

/** The usual time of an action of Cloud 66, until the action log has shown some. */
const USUAL_ACTION_SECONDS = 60;
/** A worker needs up to so long to come up after its action. */
const STARTUP_SECONDS = 15;

/** Looks within this time tell the newest rate; the balance goes back at least so far, to be more than noise. */
const LOOKBACK_SECONDS = 100;
const BALANCE_SECONDS = 40;
/** What the first look finds in a queue without a past is taken to have come within so long. */
const FIRST_SEEN_SECONDS = 60;
/** The usual rate is that of so many recorded minutes. */
const USUAL_MINUTES = 5;

/** Seconds that one job keeps one slot of a worker busy. */
export function serviceSeconds(strategy: LatencyStrategy, rates: RateHistory | null): number {
  const { jobSeconds } = strategy;
  let jobs = START_JOBS;
  let busySeconds = jobs * (jobSeconds === null ? UNKNOWN_JOB_SECONDS : HINT_CAUTION * jobSeconds);
  if (rates !== null) {
    for (let at = 0; at < rates.deleted.length; at += 1) {
      const deleted = rates.deleted[at] ?? null;
      const inFlight = rates.inFlight[at] ?? null;
      if (deleted === null || inFlight === null) continue;
      jobs += deleted;
      busySeconds += inFlight * rates.periodSeconds;
    }
  }
  return Math.max(MIN_JOB_SECONDS, busySeconds / jobs);
}

/**
 * Messages in hand that no worker works on (their worker died; they return to the queue later) would make jobs look
 * longer than they are: the share of what is in hand that the workers seen lately could really have in hand.
 */
export function trueShareInHand(
  backlog: Backlog,
  workers: number,
  looks: readonly Look[],
  jobsPerWorker: number,
): number {
  if (looks.length === 0) return 1;
  let most = workers;
  for (const look of looks) most = Math.max(most, look.workers);
  const slots = most * jobsPerWorker;
  return slots > 0 && backlog.inFlight > slots ? slots / backlog.inFlight : 1;
}

/** Seconds from ordering a change until its workers take jobs: the mean of the last changes and the usual. */
export function leadSeconds(changeSeconds: readonly number[]): number {
  const all = changeSeconds.reduce((sum, seconds) => sum + seconds, USUAL_ACTION_SECONDS);
  return all / (changeSeconds.length + 1) + STARTUP_SECONDS / 2;
}

/** The longest that the last changes took: what must not come late allows for it. */
export function longestLeadSeconds(changeSeconds: readonly number[]): number {
  return Math.max(USUAL_ACTION_SECONDS, ...changeSeconds) + STARTUP_SECONDS;
}

/** Arrivals per second. */
export interface ArrivalRates {
  /** Over the last few recorded minutes. */
  readonly usual: number;
  /** Over the last minute or less, from the balance of the looks; the usual one when there are none, see also `firstSeen`. */
  readonly newest: number;
  /** Standard deviation of a count of the usual rate over a minute, per second. */
  readonly noise: number;
  /** The best guess of both: the newest where it clearly differs from the usual, else their mean. */
  readonly best: number;
  /** How far the newest rate is above the usual one, beyond what noise explains. */
  readonly rise: number;
  /** The part of the rise that the look before the last did not show: it began at an unknown moment since. */
  readonly jump: number;
}

/** A count varies by more than a Poisson count, since jobs come in groups: at least so many times its variance. */
const LEAST_DISPERSION = 2;
/** What one recorded minute and the next tell of it is believed from so many pairs on. */
const LEAST_PAIRS = 10;
/** The median of a squared normal deviation, whose mean is 1. */
const MEDIAN_OF_SQUARE = 0.455;
const CLEAR_DEVIATIONS = 3;

/** The arrival rates at `now`, with jobs of `jobSeconds`. `rates`: null = could not be read; empty = nothing is on record. */
export function arrivalRates(
  now: number,
  backlog: Backlog,
  looks: readonly Look[],
  rates: RateHistory | null,
  jobSeconds: number,
): ArrivalRates {
  const usual = usualRate(rates);
  const newest = newestRate(now, backlog, looks, rates, jobSeconds);
  const level = usual ?? newest;
  const noise = Math.sqrt(dispersionOf(rates) * Math.max(level * 60, 1)) / 60;
  const clear = Math.abs(newest - level) > CLEAR_DEVIATIONS * noise;
  const best = clear ? newest : (newest + level) / 2;
  const rise = Math.max(0, newest - level - CLEAR_DEVIATIONS * noise);
  const jump = Math.max(0, rise - Math.max(0, rateBefore(looks, jobSeconds) - level));
  return { usual: level, newest, noise, best, rise, jump };
}

/** Arrivals per second over the last minute or less, as `ArrivalRates.newest`. */
export function newestRate(
  now: number,
  backlog: Backlog,
  looks: readonly Look[],
  rates: RateHistory | null,
  jobSeconds: number,
): number {
  return balance(now, backlog, looks, jobSeconds) ?? usualRate(rates) ?? firstSeen(backlog, looks, rates);
}

/**
 * How many times its mean the count of a minute varies (index of dispersion; 1 = Poisson), from the differences of
 * neighbouring minutes of the last hour: (b − a)² / (a + b) is 1 on average where jobs come one by one, 20 where they come in
 * groups of 20. Its median tells the usual unrest of this queue: neither the few minutes in which its rate changed move it,
 * nor single batches in a queue that is mostly silent. (Where a minute brings one group at most it says about twice as much.)
 */
function dispersionOf(rates: RateHistory | null): number {
  const sent = rates?.sent ?? [];
  const squares = new Float64Array(sent.length);
  let pairs = 0;
  for (let at = 1; at < sent.length; at += 1) {
    const [before, after] = [sent[at - 1] ?? null, sent[at] ?? null];
    if (before === null || after === null) continue;
    squares[pairs] = (after - before) ** 2 / Math.max(1, before + after);
    pairs += 1;
  }
  if (pairs < LEAST_PAIRS) return LEAST_DISPERSION;
  const median = squares.subarray(0, pairs).sort()[pairs >> 1] as number;
  return Math.max(LEAST_DISPERSION, median / MEDIAN_OF_SQUARE);
}

/**
 * The first look at a queue of which nothing is on record: what is there is taken to have come within a minute, per second.
 * Where the record could not be read, or looks are too old, nothing is taken of it: what waits may be old.
 */
function firstSeen({ visible, inFlight }: Backlog, looks: readonly Look[], rates: RateHistory | null): number {
  const isFirst = looks.length === 0 && rates?.sent.length === 0;
  return isFirst ? (visible + inFlight) / FIRST_SEEN_SECONDS : 0;
}

/** The rate as it was at the last look, from the looks before it; 0 where there were none. */
function rateBefore(looks: readonly Look[], jobSeconds: number): number {
  const last = looks.at(-1);
  return last === undefined ? 0 : (balance(last.atMs, last, looks.slice(0, -1), jobSeconds) ?? 0);
}

/** Mean of the last `USUAL_MINUTES` of the record, per second; null when none of them is there. */
function usualRate(rates: RateHistory | null): number | null {
  if (rates === null) return null;
  const { sent, periodSeconds } = rates;
  let sum = 0;
  let count = 0;
  for (let at = Math.max(0, sent.length - USUAL_MINUTES); at < sent.length; at += 1) {
    const messages = sent[at] ?? null;
    if (messages === null) continue;
    sum += messages;
    count += 1;
  }
  return count === 0 ? null : sum / count / periodSeconds;
}

/** What came since a look `BALANCE_SECONDS` ago, per second; null without looks. */
function balance(
  now: number,
  backlog: Pick<Backlog, 'visible' | 'inFlight'>,
  looks: readonly Look[],
  jobSeconds: number,
): number | null {
  let later = { atMs: now, inFlight: backlog.inFlight };
  let finished = 0;
  let rate: number | null = null;
  for (let at = looks.length - 1; at >= 0; at -= 1) {
    const look = looks[at];
    if (look === undefined || now - look.atMs > LOOKBACK_SECONDS * 1000) break;
    const seconds = (later.atMs - look.atMs) / 1000;
    finished += (((look.inFlight + later.inFlight) / 2) * seconds) / jobSeconds;
    later = look;
    const elapsedSeconds = (now - look.atMs) / 1000;
    if (elapsedSeconds <= 0) continue;
    const grown = backlog.visible + backlog.inFlight - look.visible - look.inFlight;
    rate = Math.max(0, (grown + finished) / elapsedSeconds);
    if (elapsedSeconds >= BALANCE_SECONDS) break;
  }
  return rate;
}

/** A minute that is not there is not a minute without jobs: it is taken to be like the busier of those beside it. */
export function withoutGaps(counts: readonly (number | null)[]): readonly number[] {
  return counts.map((count, at) => count ?? Math.max(knownBeside(counts, at, -1), knownBeside(counts, at, 1)));
}

function knownBeside(counts: readonly (number | null)[], at: number, step: -1 | 1): number {
  for (let beside = at + step; beside >= 0 && beside < counts.length; beside += step) {
    const count = counts[beside] ?? null;
    if (count !== null) return count;
  }
  return 0;
}
