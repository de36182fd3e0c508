/** Reads the overrides of a deployment, rarely enough to cost nothing and often enough to be obeyed within a minute. */
import type { Reading } from '../domain.ts';
import { AutoscalerError, InvalidInputError } from '../errors.ts';
import type { Clock, OverrideReader } from '../reconcile/ports.ts';
import { type Overrides, parseOverrides } from './document.ts';

/** Shorter than the time between two ticks, so that each of them reads anew; looks in between do not. */
const CACHE_SECONDS = 50;
/** While the store cannot be read, what was read last goes on: an override says itself when it ends. */
const KEEP_SECONDS = 600;

/** What the reader works with. */
export interface OverrideSourceOptions {
  /** The document; null when there is none. @throws AutoscalerError when that cannot be told */
  readonly readDocument: (signal: AbortSignal) => Promise<string | null>;
  readonly clock: Clock;
}

/** A reader with a memory; without one, an unreadable store is a failed reading and never "no overrides". */
export function createOverrideReader({ readDocument, clock }: OverrideSourceOptions): OverrideReader {
  let known: { readonly value: Overrides; readonly observedAtMs: number } | null = null;
  const isWithin = (seconds: number, nowMs: number) =>
    known !== null && known.observedAtMs <= nowMs && nowMs - known.observedAtMs < seconds * 1000;

  return {
    async read(signal): Promise<Reading<Overrides>> {
      const observedAtMs = clock.nowMs();
      if (known !== null && isWithin(CACHE_SECONDS, observedAtMs)) return { kind: 'ok', ...known };
      try {
        const text = await readDocument(signal);
        known = { value: text === null ? new Map() : parseOverrides(text), observedAtMs };
        return { kind: 'ok', ...known };
      } catch (error) {
        if (!(error instanceof AutoscalerError)) throw error;
        if (known !== null && isWithin(KEEP_SECONDS, observedAtMs)) return { kind: 'ok', ...known };
        const why = error instanceof InvalidInputError ? 'malformed' : 'unavailable';
        return { kind: 'failed', why, detail: error.message };
      }
    },
  };
}
