// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the texts are TypeScript
/**
 * Faults of our own: each is one change to a source file that breaks a promise, and the invariant that has to see it. A
 * checker that cannot fail proves nothing.
 */

import type { CrashPoint } from '../../lib/simulation/faults/functions.ts';
import type { Chances } from '../../lib/simulation/faults/plan.ts';

/** One broken version of the program. */
export interface Mutant {
  readonly name: string;
  /** Below lib/. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Any of these may be the first to see it. */
  readonly invariants: readonly string[];
  /** Where an environment has to die for it to show. */
  readonly crash?: CrashPoint;
  /** What has to go wrong more often than on other days for it to show. */
  readonly chances?: Chances;
}

const ACT = 'reconcile/act.ts';
const CONFIRM = 'reconcile/confirm.ts';
const RECORDS = 'lambda/records.ts';
const SEEN = ['confirmed_means_seen'];
const FOLLOWED = ['accepted_is_followed', 'failures_are_seen'];
const SEND = 'await ports.sender.send(record, signals.last);\n    ports.memory.settle(record);';
const CALL = 'const answer = await ports.scaler.scale({ stackUid, processName, counts, userReference }, signals.last);';
const RUNNING = "return notYet('the action is still running.')";
const CONFIRMED = "return ended('confirmed', '', record.desiredCount)";
const DEPTH = "backlog: depths.get(target.id) ?? noAnswer('queue depth'),";
const ZERO = "{ kind: 'ok', observedAtMs: Date.now(), value: { visible: 0, inFlight: 0, delayed: 0 } }";

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'a lost answer is taken for a hold',
    file: ACT,
    find: "      ports.memory.owe(sent);\n      return { result: { kind: 'failed', decision, error: answer.error }, counts };",
    replace: "      return { result: { kind: 'held', decision }, counts };",
    invariants: FOLLOWED,
  },
  { name: 'the record is never sent', file: ACT, find: SEND, replace: '', invariants: FOLLOWED },
  {
    name: 'a record that could not be stored is no failure',
    file: ACT,
    find: "return { kind: 'failed', decision, error: asError(error) };",
    replace: "return { kind: 'scaled', decision, actionId };",
    chances: { sends_refused_long: 0.05 },
    invariants: FOLLOWED,
  },
  {
    name: 'the scale call is made again when its answer is unclear',
    file: ACT,
    find: CALL,
    replace: `let ${CALL.slice(6)} if (answer.kind === 'unknown') ${CALL.slice(6)}`,
    invariants: ['one_call_per_pass'],
  },
  {
    name: 'the scale call is made twice',
    file: ACT,
    find: CALL,
    replace: `await ports.scaler.scale({ stackUid, processName, counts, userReference }, signals.last); ${CALL}`,
    invariants: ['one_call_per_pass'],
  },
  {
    name: 'a record is sent before the call',
    file: ACT,
    find: CALL,
    replace: `await ports.sender.send({ ...sent, actionId: 999_999 }, signals.last); ${CALL}`,
    invariants: ['records_are_true', 'recorded_once'],
  },
  {
    name: 'a refusal because of another action is taken for an action',
    file: ACT,
    find: "return { result: { kind: 'held', decision: heldAsBusy(decision, answer.detail) }, counts };",
    replace: 'return { result: await recorded(decision, { ...sent, actionId: 999_999 }, ports, signals), counts };',
    invariants: ['records_are_true', 'recorded_once'],
  },
  {
    name: 'one worker more than decided',
    file: ACT,
    find: 'distribute(placement.value, decision.desiredCount, target.policy)',
    replace: 'distribute(placement.value, decision.desiredCount + 1, target.policy)',
    invariants: ['within_limits', 'converges'],
  },
  {
    name: 'one worker less than decided',
    file: ACT,
    find: 'distribute(placement.value, decision.desiredCount, target.policy)',
    replace: 'distribute(placement.value, decision.desiredCount - 1, target.policy)',
    invariants: ['within_limits', 'converges'],
  },
  {
    name: 'the record tells a wrong count',
    file: ACT,
    find: 'desiredCount: Object.values(counts).reduce((sum, count) => sum + count, 0),',
    replace: 'desiredCount: 1 + Object.values(counts).reduce((sum, count) => sum + count, 0),',
    invariants: SEEN,
  },
  {
    name: 'nothing is ever scaled in',
    file: ACT,
    find: "if (decision.action === 'hold' ||",
    replace: "if (decision.action === 'scale_in' || decision.action === 'hold' ||",
    invariants: ['converges'],
  },
  {
    name: 'a failed action counts as confirmed',
    file: CONFIRM,
    find: "return ended('failed', action.message ?? 'Cloud 66 reports a failure without a message.')",
    replace: CONFIRMED,
    invariants: SEEN,
  },
  {
    name: 'workers that are not there are confirmed',
    file: CONFIRM,
    find: 'if (differences.length === 0) {',
    replace: 'if (differences.length >= 0) {',
    invariants: SEEN,
  },
  {
    name: 'the workers are not looked at',
    file: CONFIRM,
    find: 'return compareWorkers(record, action, ports, signal, notYet);',
    replace: `${CONFIRMED};`,
    invariants: SEEN,
  },
  { name: 'a running action counts as confirmed', file: CONFIRM, find: RUNNING, replace: CONFIRMED, invariants: SEEN },
  {
    name: 'an action that is gone counts as confirmed',
    file: CONFIRM,
    find: "return ended('lost', `Cloud 66 does not know the action any more: ${look.detail}`);",
    replace: `${CONFIRMED};`,
    invariants: SEEN,
  },
  {
    name: 'an action that cannot be read counts as confirmed',
    file: CONFIRM,
    find: 'return notYet(`the action could not be read: ${look.why}`, true);',
    replace: `${CONFIRMED};`,
    invariants: SEEN,
  },
  {
    name: 'confirmed without a count',
    file: CONFIRM,
    find: '`${running} asked for.`, observedCount)',
    replace: "'')",
    invariants: SEEN,
  },
  {
    name: 'an action is waited for without end',
    file: CONFIRM,
    find: 'ageSeconds < timeoutSeconds ?',
    replace: 'ageSeconds < Number.POSITIVE_INFINITY ?',
    invariants: ['every_action_ends'],
  },
  {
    name: 'a record of a running action is deleted',
    file: RECORDS,
    find: "=== 'keep' ? [message] : [];",
    replace: "=== 'keep' ? [] : [];",
    invariants: ['no_record_lost'],
  },
  {
    name: 'a record whose handling failed is deleted',
    file: RECORDS,
    find: 'messageId: message.messageId, error });\n        return [message];',
    replace: 'messageId: message.messageId, error });\n        return [];',
    invariants: ['no_record_lost'],
  },
  {
    name: 'the end of an action is not told',
    file: RECORDS,
    find: 'ports.reporter.ended({ record, outcome: result.outcome, looks });',
    replace: '',
    invariants: ['no_record_lost'],
  },
  {
    name: 'a batch is always taken for done',
    file: RECORDS,
    find: 'return { batchItemFailures: kept.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };',
    replace: 'return { batchItemFailures: [] };',
    invariants: ['no_record_lost'],
  },
  {
    name: 'an unknown depth is zero',
    file: 'reconcile/observe.ts',
    find: DEPTH,
    replace: `backlog: (depths.get(target.id)?.kind === 'ok' ? depths.get(target.id) : ${ZERO}) as never,`,
    invariants: ['no_scale_in_on_unknown'],
  },
  {
    name: 'failures of targets stay inside',
    file: 'lambda/look.ts',
    find: 'if (failures.length > 0) throw',
    replace: 'if (failures.length > 1000) throw',
    invariants: FOLLOWED,
  },
  {
    name: 'all decisions have one name',
    file: 'lambda/wire.ts',
    find: 'newDecisionId: platform.newId,',
    replace: "newDecisionId: () => 'same',",
    invariants: ['one_call_per_pass'],
  },
  {
    name: 'the token is written to the log',
    file: 'lambda/wire.ts',
    find: 'const client = createCloud66Client({',
    replace:
      'void token.get().then((value) => write(JSON.stringify({ value })));\n    const client = createCloud66Client({',
    invariants: ['token_in_no_output'],
  },
  {
    name: 'a refused record is not sent again, and that is no failure',
    file: 'actions/sender.ts',
    find: 'if (attempt < maxAttempts && (await pause(pauseMs, signal))) continue;',
    replace: 'return;',
    invariants: FOLLOWED,
  },
  {
    name: 'each try to store a record counts as another record',
    file: 'actions/sender.ts',
    find: '`${record.stackUid}-${record.actionId}`',
    replace: '`${record.stackUid}-${record.actionId}-${Math.random()}`',
    invariants: ['recorded_once'],
  },
  {
    name: 'nobody looks for actions that a dead environment left',
    file: 'reconcile/adopt.ts',
    find: 'for (const action of settled) {',
    replace: 'for (const action of settled.slice(0, 0)) {',
    crash: { call: 'scale POST /processes.json', when: 'after', occurrence: 2 },
    invariants: ['accepted_is_followed'],
  },
  {
    name: 'actions are adopted that have long been recorded',
    file: 'reconcile/adopt.ts',
    find: 'const ADOPT_SECONDS = 240;',
    replace: 'const ADOPT_SECONDS = 2400;',
    invariants: ['recorded_once'],
  },
  {
    name: 'an action that never ends holds for ever',
    file: 'policy/actions.ts',
    find: 'if (startedAtMs !== null && now - startedAtMs > timeoutSeconds * 1000) return false;',
    replace: '',
    invariants: ['converges'],
  },
  {
    name: 'a deployed stack is held',
    file: 'policy/gate.ts',
    find: 'if (stack.maintenanceMode) return',
    replace: "if (stack.status === 'deployed') return",
    invariants: ['converges'],
  },
  {
    name: 'a server takes as many as come',
    file: 'policy/distribute.ts',
    find: 'const perServer = policy.maxWorkersPerServer ?? Number.POSITIVE_INFINITY;',
    replace: 'const perServer = Number.POSITIVE_INFINITY;',
    invariants: ['within_server_limits'],
  },
  {
    name: 'a schedule is read and not obeyed',
    file: 'policy/schedule.ts',
    find: 'const open = windows.filter(({ startMs, endMs }) => startMs <= now && now < endMs);',
    replace: 'const open = windows.slice(0, 0);',
    invariants: ['schedule_is_kept'],
  },
  {
    name: 'what is kept for people is spent',
    file: 'cloud66/budget.ts',
    find: 'remaining(nowMs) > RESERVE_KEPT[purpose] * reserveShare * limit',
    replace: "purpose !== 'change' || nowMs > 0",
    invariants: ['reserve_is_kept', 'throttling_is_obeyed'],
  },
  {
    name: 'another process is scaled',
    file: ACT,
    find: 'ports.scaler.scale({ stackUid, processName,',
    replace: "ports.scaler.scale({ stackUid, processName: 'web',",
    invariants: ['only_its_targets'],
  },
];
