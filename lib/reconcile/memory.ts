/**
 * What an execution environment may remember from one pass to the next: earlier looks, and readings that change slowly.
 * A cold start begins with nothing and loses precision only: every decision is made on what it is given, and this is given
 * to it as part of the observation.
 */

import type { Action, ArrivalForecast, Evidence, Look, Placement, RateHistory, Reading } from '../domain.ts';
import { type ChangeTimes, changeSecondsOf, changeTimes } from '../policy/actions.ts';
import type { Attentive } from '../policy/attention.ts';
import { totalWorkers } from '../policy/distribute.ts';
import { createLedger, isRecent, type Ledger } from './ledger.ts';
import { createPrecedence, type Precedence } from './precedence.ts';

/** Looks older than this say nothing about the present. */
const LOOKS_SECONDS = 600;
/** Ten minutes of looks every ten seconds. */
const MAX_LOOKS = 60;
/** CloudWatch has a new minute once a minute. */
const RATES_SECONDS = 30;
/** What returns with the clock is learned anew this often: two weeks of minutes are a large answer. */
const FORECAST_SECONDS = 900;
/** A queue without a message in two weeks has nothing that returns; the first message ends this. */
const UNUSED_SECONDS = 6 * 3600;
/** Resting targets learn in so many groups, one a minute, from this time after they were first seen. */
const LEARNING_GROUPS = 15;
const LEARN_AFTER_SECONDS = 45;

/** Which process of which stack. */
export interface ProcessKey {
  readonly stackUid: string;
  readonly processName: string;
}

/** Actions take 20 s to 3 minutes; what has not been seen by then is seen when the stack has its turn. */
const EXPECT_SECONDS = 300;

/** The memory of one execution environment, by target id. */
export interface Memory extends Ledger, Precedence {
  /** Earlier looks, oldest first. */
  looks(targetId: string, nowMs: number): Evidence<readonly Look[]>;
  addLook(targetId: string, look: Look): void;
  /** The rates if they were read a moment ago; null = read them. What could not be read is tried again by the next pass. */
  rates(targetId: string, nowMs: number): Reading<RateHistory> | null;
  keepRates(targetId: string, reading: Reading<RateHistory>, nowMs: number): void;
  /** The workers as they were last counted. */
  placement(target: ProcessKey): Reading<Placement> | null;
  keepPlacement(target: ProcessKey, reading: Reading<Placement>): void;
  /** Seconds that the last changes of the process took, newest first, as logs of its stack showed; null until one was read. */
  changeSeconds(target: ProcessKey): Reading<readonly number[]> | null;
  /** Keeps of a stack's action log how long changes took; of one that could not be read, nothing. */
  keepLog(stackUid: string, log: Reading<readonly Action[]>): void;
  /** A change to this count was accepted: until it is seen, or some time has passed, the workers are counted often. */
  expect(targetId: string, desiredCount: number, nowMs: number): void;
  /** True while an accepted change has not been seen in the count. */
  isExpecting(target: ProcessKey & { readonly id: string }, nowMs: number): boolean;
  /** The forecast if it was learned lately; for a target that rests and has had no work for weeks, some hours ago. */
  forecast(targetId: string, nowMs: number, state: 'resting' | 'working'): Reading<ArrivalForecast> | null;
  /** `isUnused`: the recorded past shows no message at all. */
  keepForecast(targetId: string, reading: Reading<ArrivalForecast>, nowMs: number, isUnused: boolean): void;
  /** Those of the resting targets whose forecast is learned now: a few at a time, and none when it was first seen. */
  learners(resting: readonly string[], known: ReadonlyMap<string, unknown>, nowMs: number): ReadonlySet<string>;
  /** What the last pass over the target said about looking again soon. */
  attention(targetId: string): Attentive;
  keepAttention(targetId: string, attentive: Attentive): void;
}

/** An empty memory. It grows with the number of targets, not with time. With `learnAfterSeconds` 0 all learn at once. */
export function createMemory({ learnAfterSeconds = LEARN_AFTER_SECONDS } = {}): Memory {
  const looks = new Map<string, readonly Look[]>();
  const rates = slowReadings<RateHistory>(RATES_SECONDS);
  const attention = new Map<string, Attentive>();
  const placements = new Map<string, Reading<Placement>>();
  const expectations = new Map<string, { readonly desiredCount: number; readonly untilMs: number }>();
  const placementOf = ({ stackUid, processName }: ProcessKey) => placements.get(`${stackUid} ${processName}`) ?? null;
  const forecasts = slowReadings<ArrivalForecast>(FORECAST_SECONDS);
  const unused = slowReadings<ArrivalForecast>(UNUSED_SECONDS);
  const firstSeenMs = new Map<string, number>();
  return {
    ...createLedger(),
    ...createPrecedence(),
    ...changesOfStacks(),
    looks: (targetId, nowMs) => {
      const recent = (looks.get(targetId) ?? []).filter(({ atMs }) => isRecent(atMs, nowMs, LOOKS_SECONDS));
      const newest = recent.at(-1);
      return newest ? { kind: 'ok', value: recent, observedAtMs: newest.atMs } : { kind: 'not_read' };
    },
    addLook: (targetId, look) => {
      const kept = (looks.get(targetId) ?? []).filter(({ atMs }) => isRecent(atMs, look.atMs, LOOKS_SECONDS));
      looks.set(targetId, [...kept.slice(1 - MAX_LOOKS), look]);
      // Work has come: what it may return as is learned again as soon as the queue rests.
      if (look.visible + look.inFlight > 0) unused.forget(targetId);
    },
    rates: rates.get,
    keepRates: (targetId, reading, nowMs) => {
      if (reading.kind === 'ok') rates.keep(targetId, reading, nowMs);
    },
    placement: placementOf,
    keepPlacement: ({ stackUid, processName }, reading) => {
      if (reading.kind === 'ok') placements.set(`${stackUid} ${processName}`, reading);
    },
    expect: (targetId, desiredCount, nowMs) => {
      expectations.set(targetId, { desiredCount, untilMs: nowMs + EXPECT_SECONDS * 1000 });
    },
    isExpecting: (target, nowMs) => {
      const expected = expectations.get(target.id);
      const placement = placementOf(target);
      if (!expected || expected.untilMs <= nowMs) return false;
      return placement?.kind !== 'ok' || totalWorkers(placement.value) !== expected.desiredCount;
    },
    forecast: (targetId, nowMs, state) =>
      forecasts.get(targetId, nowMs) ?? (state === 'resting' ? unused.get(targetId, nowMs) : null),
    keepForecast: (targetId, reading, nowMs, isUnused) => {
      if (reading.kind === 'ok') forecasts.keep(targetId, reading, nowMs);
      if (isUnused) unused.keep(targetId, reading, nowMs);
    },
    learners: (resting, known, nowMs) => {
      for (const id of resting) if (!firstSeenMs.has(id)) firstSeenMs.set(id, nowMs);
      const ready = resting.filter(
        (id) => !known.has(id) && nowMs - (firstSeenMs.get(id) ?? nowMs) >= learnAfterSeconds * 1000,
      );
      return new Set(learnAfterSeconds === 0 ? ready : ready.slice(0, Math.ceil(resting.length / LEARNING_GROUPS)));
    },
    attention: (targetId) => attention.get(targetId) ?? { awake: false },
    keepAttention: (targetId, attentive) => {
      attention.set(targetId, attentive);
    },
  };
}

function changesOfStacks(): Pick<Memory, 'changeSeconds' | 'keepLog'> {
  const changes = new Map<string, { readonly times: ChangeTimes; readonly observedAtMs: number }>();
  return {
    changeSeconds: ({ stackUid, processName }) => {
      const known = changes.get(stackUid);
      if (!known) return null;
      return { kind: 'ok', value: changeSecondsOf(known.times, processName), observedAtMs: known.observedAtMs };
    },
    keepLog: (stackUid, log) => {
      if (log.kind !== 'ok') return;
      // A process whose changes no longer show in the log keeps its old ones.
      const times = new Map([...(changes.get(stackUid)?.times ?? []), ...changeTimes(log.value)]);
      changes.set(stackUid, { times, observedAtMs: log.observedAtMs });
    },
  };
}

function slowReadings<T>(seconds: number) {
  const kept = new Map<string, { readonly reading: Reading<T>; readonly atMs: number }>();
  return {
    get: (targetId: string, nowMs: number): Reading<T> | null => {
      const known = kept.get(targetId);
      return known && isRecent(known.atMs, nowMs, seconds) ? known.reading : null;
    },
    keep: (targetId: string, reading: Reading<T>, atMs: number): void => {
      kept.set(targetId, { reading, atMs });
    },
    forget: (targetId: string): void => {
      kept.delete(targetId);
    },
  };
}
