/**
 * Whose workers are counted in this pass. A quiet stack is counted in turn, a few stacks a minute, so that every one is seen
 * again within a bound that `roundMinutes` states; a stack that was never counted, or is moving, does not wait for its turn.
 * What is breaching stands first in the queue, then what was not seen for longest.
 */

/** One stack, as far as its turn depends on it. */
export interface StackTurn {
  readonly stackUid: string;
  /** When its workers were last counted, the oldest of its targets; null = some never were. */
  readonly countedAtMs: number | null;
  /** `moving`: a change is under way or expected; `breaching`: more waits than the alarm of a target allows. */
  readonly state: 'moving' | 'breaching' | 'quiet';
}

/** What an account allows for counting in this pass. */
export interface TurnLimits {
  /** Calls per hour that are this program's. */
  readonly hourlyCalls: number;
  /** Of which this many are left for counting ... */
  readonly callsLeft: number;
  /** ... and this many, part of the reserve included, for stacks that were not counted for a whole round ... */
  readonly overdueCallsLeft: number;
  /** ... until then. */
  readonly resetAtMs: number;
  /** When calls run short, what moves waits for its turn as well. */
  readonly isStrained: boolean;
}

/** Every quiet stack is seen again within this time, as long as the calls allow. */
const ROUND_MINUTES = 5;
/** The rest of the calls is for changes, their confirmation, and stacks that move. 200 stacks have a quarter of an hour. */
const QUIET_SHARE = 3 / 8;
/** A moving stack is counted once in each tick. */
const MOVING_SECONDS = 50;
const MINUTE_MS = 60_000;

/** Minutes within which each of the stacks has its turn: 5, or as many as their number and the calls per hour ask for. */
export function roundMinutes(stacks: number, hourlyCalls: number): number {
  const perMinute = Math.max(1, Math.floor((hourlyCalls * QUIET_SHARE) / 60));
  return Math.max(ROUND_MINUTES, Math.ceil(stacks / perMinute));
}

/** The stacks of one account whose workers are counted now, the most urgent first. */
export function stacksToCount(stacks: readonly StackTurn[], nowMs: number, limits: TurnLimits): readonly string[] {
  const round = roundMinutes(stacks.length, limits.hourlyCalls);
  const known = stacks.map((stack) =>
    limits.isStrained && stack.state === 'moving' ? { ...stack, state: 'breaching' as const } : stack,
  );
  const due = known.filter((stack, index) => isDue(stack, index, round, nowMs)).toSorted(byUrgency);
  const minutesLeft = Math.max(1, Math.ceil((limits.resetAtMs - nowMs) / MINUTE_MS));
  // What others spent before is not taken from the quiet stacks at once: then all of them would be late at the hour's end.
  let turns = Math.max(Math.ceil(limits.callsLeft / minutesLeft), Math.ceil(stacks.length / round));
  let counted = 0;
  return due.flatMap(({ stackUid, countedAtMs, state }) => {
    const waitsForTurn = state === 'quiet' && (countedAtMs !== null || limits.callsLeft === 0);
    const isOverdue = countedAtMs === null || minuteOf(nowMs) - minuteOf(countedAtMs) >= round;
    const callsLeft = isOverdue ? limits.overdueCallsLeft : limits.callsLeft;
    if (counted >= callsLeft || (waitsForTurn && turns <= 0)) return [];
    counted += 1;
    if (waitsForTurn) turns -= 1;
    return [stackUid];
  });
}

/** Turns are spread over the minutes of a round by the place in the list, so that no minute has them all. */
function isDue({ countedAtMs, state }: StackTurn, index: number, round: number, nowMs: number): boolean {
  if (countedAtMs === null) return true;
  if (state === 'moving') return nowMs - countedAtMs >= MOVING_SECONDS * 1000;
  const minute = minuteOf(nowMs);
  const lastTurn = minute - ((minute + index) % round);
  return minuteOf(countedAtMs) < lastTurn;
}

/** Whole minutes, because answers come seconds after the pass that asked for them began. */
function minuteOf(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS);
}

function byUrgency(a: StackTurn, b: StackTurn): number {
  const calm = Number(a.state === 'quiet') - Number(b.state === 'quiet');
  return calm || (a.countedAtMs ?? 0) - (b.countedAtMs ?? 0);
}
