/**
 * What an execution environment may remember from one pass to the next: earlier looks, and readings that change slowly.
 * A cold start begins with nothing and loses precision only: every decision is made on what it is given, and this is given
 * to it as part of the observation.
 */

import type { ArrivalForecast, Evidence, Look, RateHistory, Reading } from '../domain.ts';
import type { Attentive } from '../policy/attention.ts';

/** Looks older than this say nothing about the present. */
const LOOKS_SECONDS = 600;
/** Ten minutes of looks every ten seconds. */
const MAX_LOOKS = 60;
/** CloudWatch has a new minute once a minute. */
const RATES_SECONDS = 30;
/** What returns with the clock is learned anew this often: two weeks of minutes are a large answer. */
const FORECAST_SECONDS = 900;

/** The memory of one execution environment, by target id. */
export interface Memory {
  /** Earlier looks, oldest first. */
  looks(targetId: string, nowMs: number): Evidence<readonly Look[]>;
  addLook(targetId: string, look: Look): void;
  /** The rates if they were read a moment ago; null = read them. */
  rates(targetId: string, nowMs: number): Reading<RateHistory> | null;
  keepRates(targetId: string, reading: Reading<RateHistory>, nowMs: number): void;
  forecast(targetId: string, nowMs: number): Reading<ArrivalForecast> | null;
  keepForecast(targetId: string, reading: Reading<ArrivalForecast>, nowMs: number): void;
  /** What the last pass over the target said about looking again soon. */
  attention(targetId: string): Attentive;
  keepAttention(targetId: string, attentive: Attentive): void;
}

/** An empty memory. It grows with the number of targets, not with time. */
export function createMemory(): Memory {
  const looks = new Map<string, readonly Look[]>();
  const rates = slowReadings<RateHistory>(RATES_SECONDS);
  const attention = new Map<string, Attentive>();
  const forecasts = slowReadings<ArrivalForecast>(FORECAST_SECONDS);
  return {
    looks: (targetId, nowMs) => {
      const recent = (looks.get(targetId) ?? []).filter(({ atMs }) => isRecent(atMs, nowMs, LOOKS_SECONDS));
      const newest = recent.at(-1);
      return newest ? { kind: 'ok', value: recent, observedAtMs: newest.atMs } : { kind: 'not_read' };
    },
    addLook: (targetId, look) => {
      const kept = (looks.get(targetId) ?? []).filter(({ atMs }) => isRecent(atMs, look.atMs, LOOKS_SECONDS));
      looks.set(targetId, [...kept.slice(1 - MAX_LOOKS), look]);
    },
    rates: rates.get,
    keepRates: rates.keep,
    forecast: forecasts.get,
    keepForecast: forecasts.keep,
    attention: (targetId) => attention.get(targetId) ?? { awake: false },
    keepAttention: (targetId, attentive) => {
      attention.set(targetId, attentive);
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
    /** What could not be read is not kept, so that the next pass tries again. */
    keep: (targetId: string, reading: Reading<T>, atMs: number): void => {
      if (reading.kind === 'ok') kept.set(targetId, { reading, atMs });
    },
  };
}

/** A clock that was set back makes what lies in the future worthless too. */
function isRecent(atMs: number, nowMs: number, seconds: number): boolean {
  return atMs <= nowMs && nowMs - atMs < seconds * 1000;
}
