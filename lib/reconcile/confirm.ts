/**
 * The other half of the loop: what became of an action. `confirmed` takes three things: the action finished, it
 * succeeded, and the workers are seen where they were asked for. Whatever cannot be read is looked at again, and in the
 * end reported as `timed_out`: never as a success.
 */
import type { Action, ActionRecord, Outcome, OutcomeKind, Placement } from '../domain.ts';
import { mayConcern, processOfReference } from '../policy/actions.ts';
import { totalWorkers } from '../policy/distribute.ts';
import { workersThat } from '../policy/wording.ts';
import type { Clock, ProcessHost } from './ports.ts';

/** An action that was just accepted may not be listed yet, and workers may show up a moment after their action ended. */
const GRACE_SECONDS = 60;

/** One look at an action. */
export type ConfirmResult =
  | { readonly kind: 'ended'; readonly outcome: Outcome }
  | {
      readonly kind: 'look_again';
      readonly why: string;
      /** True when the action or its workers could not be read: somebody may have to look, too. */
      readonly unreadable: boolean;
    };

/**
 * Looks at the recorded action once.
 *
 * @param timeoutSeconds after this age an action that has not ended, or cannot be read, is reported as timed out.
 */
export async function confirm(
  record: ActionRecord,
  ports: { readonly clock: Clock; readonly host: ProcessHost },
  timeoutSeconds: number,
  signal: AbortSignal,
): Promise<ConfirmResult> {
  const look = await ports.host.action(record.stackUid, record.actionId, signal);
  const ageSeconds = Math.round((ports.clock.nowMs() - record.acceptedAtMs) / 1000);
  const notYet: NotYet = (why, unreadable = false) =>
    ageSeconds < timeoutSeconds ? lookAgain(why, unreadable) : ended('timed_out', `After ${ageSeconds} s: ${why}`);
  switch (look.kind) {
    case 'not_asked':
      return lookAgain(look.why);
    case 'unreadable':
      return notYet(`the action could not be read: ${look.why}`, true);
    case 'gone':
      if (ageSeconds < GRACE_SECONDS) return lookAgain('the action is not listed yet.');
      return ended('lost', `Cloud 66 does not know the action any more: ${look.detail}`);
    case 'found':
      break;
  }
  const { action } = look;
  if (action.finishedAtMs === null) return notYet('the action is still running.');
  if (action.success === null) return notYet('the action has ended without saying whether it succeeded.');
  if (!action.success) return ended('failed', action.message ?? 'Cloud 66 reports a failure without a message.');
  return compareWorkers(record, action, ports, signal, notYet);
}

/** Looks again while there is time, and gives up afterwards. */
type NotYet = (why: string, unreadable?: boolean) => ConfirmResult;

async function compareWorkers(
  record: ActionRecord,
  action: Action,
  ports: { readonly clock: Clock; readonly host: ProcessHost },
  signal: AbortSignal,
  notYet: NotYet,
): Promise<ConfirmResult> {
  const placements = await ports.host.placements(record.stackUid, [record.processName], signal);
  const placement = placements.get(record.processName);
  if (placement?.kind !== 'ok') {
    if (placement?.why === 'over_budget') return lookAgain(placement.detail);
    const why = placement ? `${placement.kind} (${placement.why}): ${placement.detail}` : 'no answer';
    return notYet(`the action succeeded, but the workers could not be read: ${why}`, true);
  }
  const observedCount = totalWorkers(placement.value);
  const differences = differencesOf(record, placement.value);
  if (differences.length === 0) {
    const running = workersThat(observedCount, 'is running where it was', 'are running where they were');
    return ended('confirmed', `${running} asked for.`, observedCount);
  }
  const why = `The action succeeded, but ${differences.join('; ')}`;
  const log = await ports.host.actions(record.stackUid, signal);
  const later = log.kind === 'ok' ? laterChange(log.value, action, record.processName) : null;
  const sinceEndSeconds = (ports.clock.nowMs() - (action.finishedAtMs ?? 0)) / 1000;
  // Where nothing tells whose the later action is, the workers may as well only be late.
  const isOver = later !== null && processOfReference(later.userReference) === record.processName;
  if (!isOver && sinceEndSeconds < GRACE_SECONDS) return lookAgain(`${why}.`);
  if (later === null) return ended('mismatched', `${why}.`, observedCount);
  const outcome = { kind: 'mismatched', observedCount, supersededBy: later.id } as const;
  return { kind: 'ended', outcome: { ...outcome, why: `${why}: superseded by action ${later.id}.` } };
}

/** The newest scale action of the process, as far as one can tell, that came after this one; null when there is none. */
function laterChange(log: readonly Action[], action: Action, processName: string): Action | null {
  const { id, finishedAtMs } = action;
  const isLater = (other: Action) =>
    other.id > id ||
    (other.id !== id && other.startedAtMs !== null && finishedAtMs !== null && other.startedAtMs >= finishedAtMs);
  const later = log.filter((other) => isLater(other) && mayConcern(other, processName));
  const ours = later.find(({ userReference }) => processOfReference(userReference) === processName);
  return ours ?? later[0] ?? null;
}

function differencesOf(record: ActionRecord, placement: Placement): readonly string[] {
  const { requestedCounts, desiredCount } = record;
  if (requestedCounts === null) {
    const total = totalWorkers(placement);
    return total === desiredCount ? [] : [`${total} workers run where ${desiredCount} were asked for`];
  }
  const seen = new Map(placement.servers.map(({ uid, name, count }) => [uid, { name, count }]));
  const uids = new Set([...Object.keys(requestedCounts), ...seen.keys()]);
  return [...uids].flatMap((uid) => {
    const requested = requestedCounts[uid] ?? 0;
    const server = seen.get(uid);
    if (!server) return requested === 0 ? [] : [`server ${uid} is gone (${requested} workers were asked for)`];
    if (server.count === requested) return [];
    return [`${server.name} runs ${server.count} workers where ${requested} were asked for`];
  });
}

function lookAgain(why: string, unreadable = false): ConfirmResult {
  return { kind: 'look_again', why, unreadable };
}

function ended(kind: OutcomeKind, why: string, observedCount: number | null = null): ConfirmResult {
  return { kind: 'ended', outcome: { kind, why, observedCount } };
}
