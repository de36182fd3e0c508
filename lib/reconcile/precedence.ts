/**
 * Whose turn it is among the processes of a stack. Whether Cloud 66 takes a second scale action while one runs is documented
 * nowhere, so it is tried; a stack that refused it is *serial* for some hours: its processes wait for each other.
 */
import { isRecent } from './ledger.ts';

/** Which target of which stack. */
interface TargetKey {
  readonly id: string;
  readonly stackUid: string;
}

/** A stack may change its mind, or have refused for a reason of its own. */
const SERIAL_SECONDS = 6 * 3600;
/** Ticks come every minute: what did not ask again by then does not wait any more. */
const WAITING_SECONDS = 150;

/** What an execution environment remembers of it. */
export interface Precedence {
  /** True while the stack is taken to refuse a second action. */
  isSerial(stackUid: string, nowMs: number): boolean;
  keepSerial(stackUid: string, nowMs: number): void;
  /** A change of the target was accepted. */
  changed(targetId: string, nowMs: number): void;
  /** When that was; 0 = not that we know. */
  changedAtMs(targetId: string, nowMs: number): number;
  /** Whether the target was held because its stack was busy, whatever with. */
  keepWaiting(target: TargetKey, isWaiting: boolean, nowMs: number): void;
  /** True when another target of the serial stack waits whose own last change was before this one's. */
  mustYield(target: TargetKey, nowMs: number): boolean;
}

/** Knows of nothing yet. */
export function createPrecedence(): Precedence {
  const serial = new Map<string, number>();
  const changes = new Map<string, number>();
  const waiting = new Map<string, Map<string, number>>();
  const changedAtMs = (targetId: string, nowMs: number) => {
    const atMs = changes.get(targetId) ?? 0;
    // By a clock that was set back it lies in the future, and would put the target last for as long.
    return atMs <= nowMs ? atMs : 0;
  };
  const isSerial = (stackUid: string, nowMs: number) =>
    isRecent(serial.get(stackUid) ?? Number.NEGATIVE_INFINITY, nowMs, SERIAL_SECONDS);
  return {
    isSerial,
    keepSerial: (stackUid, nowMs) => {
      serial.set(stackUid, nowMs);
    },
    changed: (targetId, nowMs) => {
      changes.set(targetId, nowMs);
    },
    changedAtMs,
    keepWaiting: ({ id, stackUid }, isWaiting, nowMs) => {
      const its = waiting.get(stackUid) ?? new Map<string, number>();
      if (isWaiting) waiting.set(stackUid, its.set(id, nowMs));
      else its.delete(id);
    },
    mustYield: ({ id, stackUid }, nowMs) =>
      isSerial(stackUid, nowMs) &&
      [...(waiting.get(stackUid) ?? [])].some(
        ([other, sinceMs]) =>
          other !== id &&
          isRecent(sinceMs, nowMs, WAITING_SECONDS) &&
          changedAtMs(other, nowMs) < changedAtMs(id, nowMs),
      ),
  };
}
