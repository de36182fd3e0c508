/**
 * The local page: shows a run in a browser on this machine while it happens, and lets its visitor disturb it. Lives in
 * this folder: what the page knows, how it gets there, and the page itself (`assets/`). May not live here: what the run
 * does. Nothing of this is deployed.
 *
 * This file keeps what the page shows, newest things last, and tells whoever listens of each change.
 */

/** The world at one moment; `null` is not known, not zero. */
export interface Sample {
  /** Simulated seconds since the run began. */
  readonly atSeconds: number;
  readonly waiting: number;
  readonly inFlight: number;
  /** Workers that take jobs. */
  readonly running: number;
  /** Workers that Cloud 66 has on its books. */
  readonly ordered: number;
  /** Workers that the backlog calls for, before any limit. */
  readonly needed: number | null;
  /** Wait of the jobs that were taken up during the last minute. */
  readonly p50WaitSeconds: number | null;
  readonly p95WaitSeconds: number | null;
  readonly outage: boolean;
  readonly deploying: boolean;
}

/** How an entry is to be taken. */
export type Tone = 'out' | 'in' | 'hold' | 'quiet' | 'good' | 'bad' | 'alarm' | 'you';

/** Something that happened. */
export interface Entry {
  readonly id: number;
  readonly atSeconds: number;
  readonly kind: 'decision' | 'outcome' | 'alarm' | 'trouble' | 'intervention';
  readonly tone: Tone;
  readonly title: string;
  /** One sentence on why. */
  readonly why: string;
  /** What the code of the reason means; null when there is none. */
  readonly meaning: string | null;
  /** True for a hold for the same reason as the decision before it. */
  readonly repeats: boolean;
  /** The log record, as it was written; null when there is none. */
  readonly record: string | null;
}

/** One server and its workers of the scaled process. */
export interface PlaceServer {
  readonly uid: string;
  readonly name: string;
  readonly healthy: boolean;
  readonly ordered: number;
  readonly running: number;
}

/** An action of Cloud 66, whoever asked for it. */
export interface PlaceAction {
  readonly id: number;
  readonly what: string;
  readonly by: 'autoscaler' | 'person';
  readonly startedAtSeconds: number;
  readonly finishedAtSeconds: number | null;
  readonly success: boolean | null;
}

/** Cloud 66 as it is now, and what is wrong with it. */
export interface Place {
  readonly stackName: string;
  readonly status: string;
  readonly processName: string;
  readonly servers: readonly PlaceServer[];
  /** Newest first. */
  readonly actions: readonly PlaceAction[];
  readonly limits: { readonly min: number; readonly max: number } | null;
  readonly outage: boolean;
  readonly failsNext: boolean;
  readonly deploying: boolean;
}

/** What the run came to. */
export interface Ending {
  readonly verdict: 'closed' | 'disturbed' | 'open' | 'stopped';
  readonly sentence: string;
  readonly details: readonly string[];
  readonly figures: readonly { readonly name: string; readonly value: string }[];
}

/** The run as a whole. */
export interface Run {
  /** `over`: nothing moves any more. A run that has its ending may go on when it was asked to stay. */
  readonly phase: 'packaging' | 'running' | 'over';
  readonly load: string;
  readonly speed: number;
  readonly ending: Ending | null;
}

/** Everything that the page shows. */
export interface PageState {
  readonly run: Run;
  readonly samples: readonly Sample[];
  readonly entries: readonly Entry[];
  readonly place: Place | null;
}

/** One change of it. */
export type Change =
  | { readonly name: 'run'; readonly value: Run }
  | { readonly name: 'sample'; readonly value: Sample }
  | { readonly name: 'entry'; readonly value: Entry }
  | { readonly name: 'place'; readonly value: Place };

/** Kept and told on. */
export interface Feed {
  state(): PageState;
  /** Returns what ends the listening. */
  listen(listener: (change: Change) => void): () => void;
  setRun(changes: Partial<Run>): void;
  addSample(sample: Sample): void;
  addEntry(entry: Omit<Entry, 'id' | 'repeats'>): void;
  /** Told on only when it differs from what was set before. */
  setPlace(place: Place): void;
}

/** Hours of a run that stays; what is older is forgotten. */
export const MOST_SAMPLES = 2000;
export const MOST_ENTRIES = 300;

/** A feed of a run that has not begun. */
export function createFeed(run: Pick<Run, 'load' | 'speed'>): Feed {
  const listeners = new Set<(change: Change) => void>();
  const samples: Sample[] = [];
  const entries: Entry[] = [];
  let current: Run = { ...run, phase: 'packaging', ending: null };
  let place: Place | null = null;
  let nextId = 1;

  const tell = (change: Change) => {
    for (const listener of listeners) listener(change);
  };
  return {
    state: () => ({ run: current, samples, entries, place }),
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setRun(changes) {
      current = { ...current, ...changes };
      tell({ name: 'run', value: current });
    },
    addSample(sample) {
      samples.push(sample);
      if (samples.length > MOST_SAMPLES) samples.shift();
      tell({ name: 'sample', value: sample });
    },
    addEntry(entry) {
      const before = entries.findLast(({ kind }) => kind === 'decision');
      const added = { ...entry, id: nextId++, repeats: isRepeat(entry, before) };
      entries.push(added);
      if (entries.length > MOST_ENTRIES) entries.shift();
      tell({ name: 'entry', value: added });
    },
    setPlace(next) {
      if (JSON.stringify(next) === JSON.stringify(place)) return;
      place = next;
      tell({ name: 'place', value: next });
    },
  };
}

function isRepeat(entry: Omit<Entry, 'id' | 'repeats'>, before: Entry | undefined): boolean {
  if (entry.kind !== 'decision' || entry.tone === 'out' || entry.tone === 'in') return false;
  return entry.title === before?.title && entry.meaning === before.meaning;
}
