/** What an execution environment knows of accepted actions and their records. */
import type { ActionRecord } from '../domain.ts';

/** A record that is not known to be stored. Without an action id, nobody knows whether the call was carried out. */
export type OwedRecord = Omit<ActionRecord, 'actionId'> & { readonly actionId?: number };

/** Ticks come every minute: a target that was not looked at for longer was another environment's, or nobody's. */
const PAUSE_SECONDS = 90;

/** Ids of stored records that are kept per target; the log that is searched for others holds some minutes. */
const MAX_STORED = 50;

/** Records that are owed, and those that are stored, by target id. */
export interface Ledger {
  /** A scale call was accepted, or may have been, and its record is not stored yet. */
  owe(record: OwedRecord): void;
  owed(targetId: string): readonly OwedRecord[];
  /** The record is stored, or nothing remains to be stored. */
  settle(record: OwedRecord): void;
  /** True for actions whose record this environment stored. */
  isStored(targetId: string, actionId: number): boolean;
  /** A pass over these targets begins. Those it did not look at for longer may have been changed by another environment. */
  begin(targetIds: readonly string[], nowMs: number): void;
  /** True once the log was searched for actions of the target that another environment left without a record. */
  isSearched(targetId: string): boolean;
  keepSearched(targetId: string, isSearched: boolean): void;
}

/** An empty ledger. */
export function createLedger(): Ledger {
  const owed = new Map<string, readonly OwedRecord[]>();
  const stored = new Map<string, readonly number[]>();
  const searched = new Set<string>();
  const lookedAtMs = new Map<string, number>();
  return {
    owed: (targetId) => owed.get(targetId) ?? [],
    owe: (record) => {
      owed.set(record.targetId, [...(owed.get(record.targetId) ?? []), record]);
    },
    settle: ({ targetId, decisionId, actionId }) => {
      owed.set(
        targetId,
        (owed.get(targetId) ?? []).filter((other) => other.decisionId !== decisionId),
      );
      if (actionId !== undefined) stored.set(targetId, [...(stored.get(targetId) ?? []), actionId].slice(-MAX_STORED));
    },
    isStored: (targetId, actionId) => stored.get(targetId)?.includes(actionId) === true,
    begin: (targetIds, nowMs) => {
      for (const id of targetIds) {
        if (!isRecent(lookedAtMs.get(id) ?? Number.NEGATIVE_INFINITY, nowMs, PAUSE_SECONDS)) searched.delete(id);
        lookedAtMs.set(id, nowMs);
      }
    },
    isSearched: (targetId) => searched.has(targetId),
    keepSearched: (targetId, isSearched) => {
      if (isSearched) searched.add(targetId);
      else searched.delete(targetId);
    },
  };
}

/** A clock that was set back makes what lies in the future worthless too. */
export function isRecent(atMs: number, nowMs: number, seconds: number): boolean {
  return atMs <= nowMs && nowMs - atMs < seconds * 1000;
}
