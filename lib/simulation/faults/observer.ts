/** Watches a run: what must never happen, and what did. The invariants are here and nowhere else. */
import type { Cloud66Account } from '../cloud66/account.ts';
import { createDigest } from './digest.ts';
import { FollowedActions } from './followed.ts';
import { overspending, type Told } from './overspending.ts';
import type { ActionsQueue } from './queues.ts';
import { PLACE, type Scenario, type SimulatedTarget, TOKEN } from './scenario.ts';

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

/** As much of an environment as matters here. */
interface Asker {
  readonly name: string;
  readonly scope: string | null;
  readonly countsSeen: Map<string, Set<number>>;
  readonly logsRead: readonly { readonly stackUid: string; readonly atMs: number }[];
  readonly depthsKnown: ReadonlySet<string>;
  readonly owed: Set<number>;
  readonly told: Told | null;
}

/** The stack is held by an action that never ends for a while only; what follows it then is no second hand. */
const HELD_MS = 900_000;
/** Servers are known for a quarter of an hour, workers are counted every five minutes, and outages last a quarter of an hour. */
const HOLD_MS = 2_400_000;
/** Notes are compared for so long. */
const REMEMBERED_MS = 7_200_000;
/** A pass that began before a window did may end in it, by a clock that is behind. */
const WINDOW_MARGIN_MS = 120_000;

export class Observer {
  readonly violations: Violation[] = [];
  readonly outcomes = new Map<string, number>();
  /** Outside calls by function, and where an environment died. */
  readonly calls = new Set<string>();
  readonly crashes = new Set<string>();
  scaleCalls = 0;
  accepted = 0;
  readonly #account: Cloud66Account;
  readonly #scenario: Scenario;
  /** Notes of scale calls, and when each was made. */
  readonly #references = new Map<string, number>();
  readonly #followed = new FollowedActions();
  /** Since when targets are held for want of room that is there. */
  readonly #heldSinceMs = new Map<string, number>();
  /** Workers by process and server a minute ago: what a decision may still have been made on. */
  #recentCounts = new Map<string, Readonly<Record<string, number>>>();
  readonly #digest = createDigest();

  constructor(account: Cloud66Account, scenario: Scenario) {
    this.#account = account;
    this.#scenario = scenario;
  }

  called(functionName: string, call: string): void {
    this.calls.add(`${functionName} ${call}`);
    this.#digest.add(`${functionName} ${call}`);
  }

  crashed(functionName: string, call: string, when: 'before' | 'after'): void {
    this.crashes.add(`${functionName} ${call} ${when}`);
  }

  /** A minute begins. */
  minute(): void {
    this.#recentCounts = new Map(this.#scenario.targets.map((target) => [target.id, this.#countsOf(target)]));
  }

  /** Cloud 66 is about to be asked. */
  asks(asker: Asker | undefined, method: string): void {
    const broken = asker?.told ? overspending(asker.told, method, this.#nowMs(), this.#scenario.stacks.length) : null;
    if (broken) this.#broken(broken.invariant, broken.detail);
  }

  /** The process list of a stack was answered. */
  counts(asker: Asker, stackUid: string): void {
    for (const target of this.#scenario.targets) {
      if (target.stackUid !== stackUid) continue;
      const seen = asker.countsSeen.get(target.id) ?? new Set<number>();
      asker.countsSeen.set(target.id, seen.add(this.counted(target)));
    }
  }

  /** An invocation has read these action logs and lived to its end, so that it could store what was missing. */
  logsRead({ name, scope, logsRead }: Asker): void {
    if (name !== 'scale') return;
    for (const { stackUid, atMs } of logsRead) this.#followed.logRead(stackUid, { atMs, scope });
  }

  /** A scale call that reached the account. */
  posted(asker: Asker | undefined, stackUid: string, body: string, status: number, reply: unknown): void {
    this.scaleCalls += 1;
    this.#digest.add(`${body} ${status}`);
    const sent = JSON.parse(body) as ScaleBody;
    const target = this.#scenario.targets.find(
      (one) => one.stackUid === stackUid && one.processName === sent.process_name,
    );
    if (target === undefined) {
      this.#broken('only_its_targets', `${stackUid}: ${body}`);
      return;
    }
    const wanted = Object.values(sent.server_count).reduce((sum, count) => sum + Number(count), 0);
    this.#checkLimits(target, sent, wanted);
    if (this.#references.has(sent.user_reference)) this.#broken('one_call_per_pass', `sent twice: ${body}`);
    this.#references.set(sent.user_reference, this.#nowMs());
    if (status !== 200) return;
    this.accepted += 1;
    this.#checkOneHand(target, asker, sent.user_reference, reply);
    const counted = this.counted(target);
    if (wanted < counted && asker?.depthsKnown.has(`${PLACE}/${target.queueName}`) !== true) {
      this.#broken('no_scale_in_on_unknown', `${counted} to ${wanted}, and the depth was not read`);
    }
  }

  /** An action that was accepted before anybody watched. */
  accept(actionId: number, target: SimulatedTarget, decisionId: string): void {
    this.#followed.accept(actionId, target, decisionId, this.#nowMs());
  }

  /** A line of a handler's log. */
  wrote(asker: Asker | undefined, line: string): void {
    const functionName = asker?.name ?? 'none';
    this.#digest.add(`${functionName} ${line}`);
    if (line.includes(TOKEN)) this.#broken('token_in_no_output', line.slice(0, 200));
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry.level === 'error') {
      this.#followed.failureTold(entry.decisionId, this.#nowMs());
      // A record that could not be stored is told whole, also by a later decision that tried again.
      const { error } = (entry.result ?? {}) as {
        readonly error?: { readonly record?: { readonly decisionId: string } };
      };
      if (error?.record) this.#followed.failureTold(error.record.decisionId, this.#nowMs());
    }
    if (entry.event === 'decision') this.#checkHold(entry as unknown as DecisionLine);
    if (entry.event === 'outcome') this.#checkOutcome(asker, entry as unknown as OutcomeLine, line.slice(0, 400));
  }

  /** After the calm: every record has come to an end or to a place, and the count to where it belongs. */
  finish(queue: ActionsQueue): void {
    this.settle(queue);
    for (const { body } of queue.waiting.values()) this.#broken('every_action_ends', `still waits: ${body}`);
    for (const target of this.#scenario.targets) {
      const count = this.counted(target);
      if (count === target.minWorkers) continue;
      this.#broken(
        'converges',
        `${target.id}: ${count} workers, expected ${target.minWorkers} without a job for hours`,
      );
    }
  }

  /** Forgets what was over hours ago, so that a run can go on for weeks. Call `settle` first. */
  forget(queue: ActionsQueue): void {
    const nowMs = this.#nowMs();
    this.#followed.forget(queue, nowMs);
    queue.forget();
    for (const [reference, atMs] of this.#references) {
      if (atMs < nowMs - REMEMBERED_MS) this.#references.delete(reference);
    }
  }

  /** Every record so far is somewhere or has ended, and every accepted action has one. */
  settle(queue: ActionsQueue): void {
    const log = new Set(this.#scenario.stacks.flatMap(({ uid }) => this.#actions(uid).map(({ id }) => id)));
    for (const { invariant, detail } of this.#followed.settle(queue, log)) this.#broken(invariant, detail);
  }

  /** A failure that nobody can see. */
  silent(detail: string): void {
    this.#broken('failures_are_seen', detail);
  }

  digest(): string {
    return this.#digest.value();
  }

  /** Workers on the account's books. */
  counted(target: SimulatedTarget): number {
    return Object.values(this.#countsOf(target)).reduce((sum, count) => sum + count, 0);
  }

  /** Every process has the workers that a queue without jobs needs. */
  isSettled(): boolean {
    return this.#scenario.targets.every((target) => this.counted(target) === target.minWorkers);
  }

  #nowMs(): number {
    return this.#account.clock.nowMs();
  }

  #countsOf({ stackUid, processName }: SimulatedTarget): Readonly<Record<string, number>> {
    return (
      this.#account
        .stack(stackUid)
        .processes()
        .find(({ name }) => name === processName)?.counts ?? {}
    );
  }

  #actions(stackUid: string) {
    return this.#account.stack(stackUid).actions();
  }

  #checkLimits(target: SimulatedTarget, { server_count: asked }: ScaleBody, wanted: number): void {
    const { minWorkers, maxWorkers, maxWorkersPerServer, floors } = target;
    const detail = `${target.id}: ${JSON.stringify(asked)}`;
    if (wanted < minWorkers || wanted > maxWorkers) this.#broken('within_limits', detail);
    const nowMs = this.#nowMs();
    const floor = floors.find(
      ({ fromMs, untilMs }) => nowMs > fromMs + WINDOW_MARGIN_MS && nowMs < untilMs - WINDOW_MARGIN_MS,
    );
    if (floor && wanted < floor.minWorkers) this.#broken('schedule_is_kept', detail);
    const now = this.#countsOf(target);
    for (const [uid, count] of Object.entries(asked)) {
      const had = Math.max(now[uid] ?? 0, this.#recentCounts.get(target.id)?.[uid] ?? 0);
      if (count > maxWorkersPerServer && count > had) this.#broken('within_server_limits', detail);
    }
  }

  #checkOneHand(target: SimulatedTarget, asker: Asker | undefined, reference: string, reply: unknown): void {
    const [action, ...before] = this.#actions(target.stackUid);
    if (action === undefined) return;
    asker?.owed.add(action.id);
    const { processName } = target;
    this.accept(action.id, target, reference.split(':')[1] ?? '');
    const running = before.find(
      (one) =>
        one.finishedAtMs === null &&
        one.kind === 'process_scale' &&
        one.processName === processName &&
        action.startedAtMs - one.startedAtMs < HELD_MS,
    );
    if (running) this.#broken('one_action_at_a_time', `${running.id} still runs: ${JSON.stringify(reply)}`);
  }

  /** What is held for want of room must see before long that there is some. */
  #checkHold({ targetId, decision }: DecisionLine): void {
    const target = this.#scenario.targets.find(({ id }) => id === targetId);
    if (target === undefined) return;
    const counts = this.#countsOf(target);
    const hasRoom = this.#account
      .stack(target.stackUid)
      .servers()
      .some(({ uid, health }) => health !== 'failed' && (counts[uid] ?? Infinity) < target.maxWorkersPerServer);
    if (decision?.reason.endsWith('_unknown')) return;
    if (decision?.reason !== 'no_capacity' || !hasRoom) {
      this.#heldSinceMs.delete(targetId);
      return;
    }
    const sinceMs = this.#heldSinceMs.get(targetId) ?? this.#nowMs();
    this.#heldSinceMs.set(targetId, sinceMs);
    if (this.#nowMs() - sinceMs < HOLD_MS) return;
    this.#heldSinceMs.delete(targetId);
    this.#broken('holds_end', `${targetId} has room on a server since ${new Date(sinceMs).toISOString()}`);
  }

  #checkOutcome(asker: Asker | undefined, { record, outcome }: OutcomeLine, line: string): void {
    const kinds = this.#followed.ended(record.actionId, outcome.kind);
    if (kinds.has('confirmed') && kinds.has('failed')) this.#broken('one_outcome', line);
    this.outcomes.set(outcome.kind, (this.outcomes.get(outcome.kind) ?? 0) + 1);
    if (outcome.kind !== 'confirmed') return;
    const seen = asker?.countsSeen.get(record.targetId);
    if (asker && !seen?.has(record.desiredCount)) {
      this.#broken('confirmed_means_seen', `${[...(seen ?? [])].join()} workers seen: ${line}`);
    }
    if (outcome.observedCount !== record.desiredCount) this.#broken('confirmed_means_seen', line);
    const action = this.#actions(record.stackUid).find(({ id }) => id === record.actionId);
    if (action?.success !== true) this.#broken('confirmed_means_seen', `action ${record.actionId} did not succeed`);
  }

  #broken(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail: `${new Date(this.#nowMs()).toISOString()}: ${detail}` });
  }
}

interface ScaleBody {
  readonly process_name: string;
  readonly server_count: Readonly<Record<string, number>>;
  readonly user_reference: string;
}

interface DecisionLine {
  readonly targetId: string;
  readonly decision: { readonly reason: string } | null;
}

interface OutcomeLine {
  readonly record: {
    readonly actionId: number;
    readonly desiredCount: number;
    readonly targetId: string;
    readonly stackUid: string;
  };
  readonly outcome: { readonly kind: string; readonly observedCount: number | null };
}
