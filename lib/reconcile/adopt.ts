/**
 * An accepted action whose record was never stored is found again, and followed like any other: the answer of its call was
 * lost, the queue refused the record, or the environment died in between. Cloud 66's action log shows the note on our calls,
 * and SQS drops a second record of an action within five minutes of the first
 * (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html),
 * which makes it harmless to store one that may be stored already.
 */
import type { Action, ActionRecord, Evidence, Target } from '../domain.ts';
import { noteOf } from '../policy/actions.ts';
import { totalWorkers } from '../policy/distribute.ts';
import type { Counts, Depths } from './counts.ts';
import type { OwedRecord } from './ledger.ts';
import type { Memory } from './memory.ts';
import type { ActionSender, Clock, ProcessHost, Reporter } from './ports.ts';
import type { PassSignals } from './reconcile.ts';

/** A minute less than SQS remembers: a record stored later might be the second one, and its action reported twice. */
const ADOPT_SECONDS = 240;
/** From then on it is not even tried any more: SQS would soon take it for a new record. */
const STORABLE_SECONDS = 290;
/** Until then another environment may be about to store its own record, which says more. */
const SETTLING_SECONDS = 30;
/** Until then an action that was just accepted may not be listed yet. */
const LISTED_SECONDS = 60;
/** Calls of a pass for process lists and for searches where nothing moves: what quiet targets may cost in a minute. */
const CALLS_PER_PASS = 4;
/** Of an account's calls that are left, where something moves: changes need the others. */
const SEARCH_SHARE = 0.1;

/** What adopting needs. */
export interface AdoptPorts {
  readonly clock: Clock;
  readonly sender: ActionSender;
  readonly reporter: Reporter;
  readonly memory: Memory;
}

/**
 * The stacks whose action log is read although no decision may ask for it: those that owe a record, and those that this
 * environment has not searched since another may have died between call and record. A change that was made lately is where
 * work waits or workers are more than the fewest; stacks that are at rest have their turn a few at a time.
 */
export function mustSearch(
  { stacks, asked, placements }: Counts,
  depths: Depths,
  { memory, host }: { readonly memory: Memory; readonly host: ProcessHost },
): ReadonlySet<string> {
  const owing = stacks.filter(([, targets]) => targets.some(({ id }) => memory.owed(id).length > 0));
  const unknown = stacks.filter(([, targets]) => targets.some(({ id }) => !memory.isSearched(id)));
  const isAtRest = ({ id, policy }: Target) => {
    const [depth, placement] = [depths.get(id), placements.get(id)];
    if (depth?.kind !== 'ok' || placement?.kind !== 'ok') return false;
    const { visible, inFlight, delayed } = depth.value;
    return visible + inFlight + delayed === 0 && totalWorkers(placement.value) <= policy.minWorkers;
  };
  const searchesOf = new Map<string, number>();
  const isAffordable = ([stackUid]: Counts['stacks'][number]) => {
    const { account, callsLeft } = host.allowance(stackUid);
    const searches = (searchesOf.get(account) ?? 0) + 1;
    searchesOf.set(account, searches);
    return searches <= callsLeft * SEARCH_SHARE;
  };
  const moving = unknown.filter(([, targets]) => !targets.every(isAtRest)).filter(isAffordable);
  const others = unknown.filter((stack) => !moving.includes(stack));
  const left = Math.max(0, CALLS_PER_PASS - asked);
  return new Set([...owing, ...moving, ...others.slice(0, left)].map(([stackUid]) => stackUid));
}

/**
 * Stores the records that are missing, as far as the log tells. While that fails the target fails: nothing is changed on
 * top of a change that nobody follows.
 */
export async function adopt(
  target: Target,
  actions: Evidence<readonly Action[]>,
  ports: AdoptPorts,
  signals: PassSignals,
): Promise<void> {
  const { memory, clock } = ports;
  const nowMs = clock.nowMs();
  const store = async (record: ActionRecord) => {
    const leftMs = record.acceptedAtMs + STORABLE_SECONDS * 1000 - clock.nowMs();
    await within(leftMs, signals.last, (signal) => ports.sender.send(record, signal));
    memory.settle(record);
    ports.reporter.adopted({ record });
  };
  for (const owed of memory.owed(target.id)) {
    const found = isKnown(owed) ? owed : foundIn(actions, owed);
    const ageSeconds = (clock.nowMs() - owed.acceptedAtMs) / 1000;
    if (ageSeconds >= ADOPT_SECONDS || (found === null && isListed(actions, owed))) {
      memory.settle(owed); // its failure was told when it happened
    } else if (found !== null) await store(found);
  }
  if (actions.kind !== 'ok') return;
  const recent = actions.value.filter(({ startedAtMs }) => isWithin(startedAtMs, nowMs, ADOPT_SECONDS));
  // Changes that a dry run only imagines have negative ids.
  const own = recent.filter(
    ({ id, userReference }) => id > 0 && noteOf(userReference)?.processName === target.processName,
  );
  const unknown = own.filter(({ id }) => !memory.isStored(target.id, id));
  const settled = unknown.filter(({ startedAtMs }) => !isWithin(startedAtMs, nowMs, SETTLING_SECONDS));
  memory.keepSearched(target.id, false); // should one fail to be stored, the next pass looks again
  for (const action of settled) {
    const record = recordFrom(action, target);
    // Storing the one before may have taken a minute.
    if (record !== null && isWithin(action.startedAtMs, clock.nowMs(), ADOPT_SECONDS)) await store(record);
  }
  memory.keepSearched(target.id, settled.length === unknown.length);
}

/** Aborts after the time, or with the signal. */
async function within(
  timeMs: number,
  signal: AbortSignal,
  run: (limited: AbortSignal) => Promise<void>,
): Promise<void> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), Math.max(0, timeMs));
  try {
    await run(AbortSignal.any([signal, timeout.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function isKnown(owed: OwedRecord): owed is ActionRecord {
  return owed.actionId !== undefined;
}

/** True when the log was read so late that it would show the action of the call. */
function isListed(actions: Evidence<unknown>, { acceptedAtMs }: OwedRecord): boolean {
  return actions.kind === 'ok' && actions.observedAtMs - acceptedAtMs >= LISTED_SECONDS * 1000;
}

function foundIn(actions: Evidence<readonly Action[]>, owed: OwedRecord): ActionRecord | null {
  if (actions.kind !== 'ok') return null;
  const action = actions.value.find(({ userReference }) => noteOf(userReference)?.decisionId === owed.decisionId);
  return action === undefined ? null : { ...owed, actionId: action.id };
}

/** The log tells the sum of the workers that were asked for, not their servers. */
function recordFrom(action: Action, { id: targetId, stackUid, tokenParameter }: Target): ActionRecord | null {
  const note = noteOf(action.userReference);
  if (note === null || action.startedAtMs === null) return null;
  return {
    version: 1,
    targetId,
    stackUid,
    ...note,
    actionId: action.id,
    requestedCounts: null,
    acceptedAtMs: action.startedAtMs,
    ...(tokenParameter === undefined ? {} : { tokenParameter }),
  };
}

/** Started at most this long ago; an action that seems to start in the future, by another clock, has just begun. */
function isWithin(startedAtMs: number | null, nowMs: number, seconds: number): boolean {
  return startedAtMs !== null && nowMs - startedAtMs < seconds * 1000;
}
