/**
 * The only hand on the lever: the one place that scales, once per target and pass. An accepted action is recorded before
 * anything else happens, so that the poller can tell what became of it.
 */
import type { Action, ActionRecord, Decision, DecisionInput, ServerCounts, Target } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { blockingActions, processOfReference, userReferenceFor } from '../policy/actions.ts';
import { distribute, totalWorkers } from '../policy/distribute.ts';
import type { OwedRecord } from './ledger.ts';
import type { Memory } from './memory.ts';
import type { ActionSender, Clock, Scaler, TargetResult } from './ports.ts';
import type { PassSignals } from './reconcile.ts';

/** A decision on its way to becoming a call. */
export interface Order {
  readonly target: Target;
  readonly decisionId: string;
  readonly decision: Decision;
  /** What the decision was made on. */
  readonly input: DecisionInput;
}

/** What carrying out an order needs. */
interface ActPorts {
  readonly clock: Clock;
  readonly scaler: Scaler;
  readonly sender: ActionSender;
  readonly memory: Memory;
}

/** What came of an order. */
export interface Acted {
  readonly result: TargetResult;
  /** Workers per server that were asked for; null for a hold. */
  readonly counts: ServerCounts | null;
  /** The action that the call began, as Cloud 66 will list it. */
  readonly begun?: Action;
}

/**
 * Carries out a decision. A hold does nothing, except that a hold on a reading that *failed* is a failure: somebody has
 * to look at it.
 */
export async function act(order: Order, ports: ActPorts, signals: PassSignals): Promise<Acted> {
  const { target, decision, input } = order;
  const { placement } = input.observation;
  if (decision.action === 'hold' || decision.desiredCount === null || placement.kind !== 'ok') {
    return { result: heldResult(decision, input), counts: null };
  }
  if (ports.memory.mustYield(target, ports.clock.nowMs())) {
    const why = 'another process of the stack, which was not changed for longer, waits for its turn';
    return { result: { kind: 'held', decision: heldAsBusy(decision, why) }, counts: null };
  }
  const counts = distribute(placement.value, decision.desiredCount, target.policy);
  if (signals.work.aborted) {
    const error = new AutoscalerError(`No time left to scale "${target.id}"; the next pass decides afresh.`);
    return { result: { kind: 'failed', decision, error }, counts };
  }
  const { stackUid, processName } = target;
  const sent = recordOf(order, counts, ports.clock);
  const userReference = userReferenceFor(sent);
  const answer = await ports.scaler.scale({ stackUid, processName, counts, userReference }, signals.last);
  switch (answer.kind) {
    case 'accepted': {
      const begun = { ...BEGUN, id: answer.actionId, startedAtMs: sent.acceptedAtMs, userReference };
      return {
        result: await recorded(decision, { ...sent, actionId: answer.actionId }, ports, signals),
        counts,
        begun,
      };
    }
    case 'busy':
      // Perhaps with an action of another environment, which may be the only one to know of it.
      ports.memory.keepSearched(target.id, false);
      if (anotherIsScaled(input, processName)) ports.memory.keepSerial(stackUid, ports.clock.nowMs());
      return { result: { kind: 'held', decision: heldAsBusy(decision, answer.detail) }, counts };
    case 'not_sent':
      return { result: { kind: 'dry_run', decision }, counts };
    case 'unknown':
      // Should it have been carried out, the action log says so, and the action is followed from there.
      ports.memory.owe(sent);
      return { result: { kind: 'failed', decision, error: answer.error }, counts };
    case 'refused':
      return { result: { kind: 'failed', decision, error: answer.error }, counts };
  }
}

/** A scale action that has just begun. */
const BEGUN = { kind: 'process_scale', finishedAtMs: null, success: null, message: null } as const;

/** True when the log shows that we are changing another process of the stack. */
function anotherIsScaled({ now, policy, observation: { actions } }: DecisionInput, processName: string): boolean {
  if (actions.kind !== 'ok') return false;
  const how = { timeoutSeconds: policy.actionTimeoutSeconds, isSerial: true };
  const running = blockingActions(actions.value, processName, now, how);
  return running.some(({ userReference }) => processOfReference(userReference) !== null);
}

/** The action runs, whatever happens now: a record that could not be stored fails with everything that is known of it. */
async function recorded(
  decision: Decision,
  record: ActionRecord,
  ports: ActPorts,
  signals: PassSignals,
): Promise<TargetResult> {
  const { actionId } = record;
  ports.memory.owe(record);
  try {
    await ports.sender.send(record, signals.last);
    ports.memory.settle(record);
    return { kind: 'scaled', decision, actionId };
  } catch (error) {
    return { kind: 'failed', decision, error: asError(error) };
  }
}

function recordOf({ target, decisionId, input }: Order, counts: ServerCounts, clock: Clock): OwedRecord {
  const { placement } = input.observation;
  return {
    version: 1,
    targetId: target.id,
    stackUid: target.stackUid,
    processName: target.processName,
    requestedCounts: counts,
    desiredCount: Object.values(counts).reduce((sum, count) => sum + count, 0),
    previousCount: placement.kind === 'ok' ? totalWorkers(placement.value) : 0,
    decisionId,
    acceptedAtMs: clock.nowMs(),
    ...(target.tokenParameter === undefined ? {} : { tokenParameter: target.tokenParameter }),
  };
}

/** Cloud 66 had the last word: the wanted change becomes a hold, its working kept. */
export function heldAsBusy(decision: Decision, detail: string): Decision {
  const { currentCount } = decision;
  const step = {
    name: 'scale',
    before: decision.desiredCount,
    after: currentCount,
    why: `Cloud 66 is busy: ${detail}`,
  };
  return {
    ...decision,
    action: 'hold',
    desiredCount: currentCount,
    reason: 'stack_busy',
    steps: [...decision.steps, step],
  };
}

function heldResult(decision: Decision, { observation, override }: DecisionInput): TargetResult {
  const failures = Object.entries({ ...observation, override }).flatMap(([name, reading]) =>
    reading.kind === 'failed' ? [`${name} (${reading.why}): ${reading.detail}`] : [],
  );
  if (failures.length === 0) return { kind: 'held', decision };
  const error = new AutoscalerError(`Held (${decision.reason}) because readings failed: ${failures.join('; ')}`);
  return { kind: 'failed', decision, error };
}
