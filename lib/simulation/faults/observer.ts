/** Watches a run: what must never happen, and what did. The invariants are here and nowhere else. */
import { createHash } from 'node:crypto';
import type { Cloud66Account } from '../cloud66/account.ts';
import { overspending, type Told } from './overspending.ts';
import { type ActionsQueue, actionIdOf } from './queues.ts';
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
  readonly depthsKnown: ReadonlySet<string>;
  readonly owed: Set<number>;
  readonly told: Told | null;
}

/** The stack is held by an action that never ends for a while only; what follows it then is no second hand. */
const HELD_MS = 900_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Servers are known for a quarter of an hour, workers are counted every five minutes, and outages last a quarter of an hour. */
const HOLD_MS = 2_400_000;
/** From half a minute to four minutes after its call an action without a record is looked for, by clocks that are skewed. */
const FINDABLE_MS = { from: 40_000, until: 225_000 } as const;
/** Longer than any action is followed. */
const REMEMBERED_MS = 2 * HOUR_MS;
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
  /** Outcomes by action. */
  readonly #ended = new Map<number, Set<string>>();
  /** By action id. */
  readonly #accepted = new Map<number, AcceptedAction>();
  /** When the action log of a stack was answered to the scale function, and whether to a look at one target only. */
  readonly #logReads = new Map<string, LogRead[]>();
  /** Decisions whose failure was told as an error, and when. */
  readonly #failed = new Map<unknown, number>();
  /** Since when targets are held for want of room that is there. */
  readonly #heldSinceMs = new Map<string, number>();
  /** Workers by process and server a minute ago: what a decision may still have been made on. */
  #recentCounts = new Map<string, Readonly<Record<string, number>>>();
  readonly #hash = createHash('sha256');

  constructor(account: Cloud66Account, scenario: Scenario) {
    this.#account = account;
    this.#scenario = scenario;
  }

  called(functionName: string, call: string): void {
    this.calls.add(`${functionName} ${call}`);
    this.#hash.update(`${functionName} ${call}\n`);
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

  /** The action log of a stack was answered. */
  logged({ name, scope }: Asker, stackUid: string): void {
    if (name !== 'scale') return;
    const reads = this.#logReads.get(stackUid) ?? [];
    reads.push({ atMs: this.#nowMs(), scope });
    this.#logReads.set(stackUid, reads);
  }

  /** A scale call that reached the account. */
  posted(asker: Asker | undefined, stackUid: string, body: string, status: number, reply: unknown): void {
    this.scaleCalls += 1;
    this.#hash.update(`${body} ${status}\n`);
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
  accept(actionId: number, { id: targetId, stackUid }: SimulatedTarget, decisionId: string): void {
    this.#accepted.set(actionId, { stackUid, targetId, decisionId, atMs: this.#nowMs() });
  }

  /** A line of a handler's log. */
  wrote(asker: Asker | undefined, line: string): void {
    const functionName = asker?.name ?? 'none';
    this.#hash.update(`${functionName} ${line}\n`);
    if (line.includes(TOKEN)) this.#broken('token_in_no_output', line.slice(0, 200));
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry.level === 'error') {
      this.#failed.set(entry.decisionId, this.#nowMs());
      // A record that could not be stored is told whole, also by a later decision that tried again.
      const { error } = (entry.result ?? {}) as {
        readonly error?: { readonly record?: { readonly decisionId: string } };
      };
      if (error?.record) this.#failed.set(error.record.decisionId, this.#nowMs());
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
    const beforeMs = this.#nowMs() - REMEMBERED_MS;
    for (const [id, { atMs }] of this.#accepted) {
      if (atMs > beforeMs || (queue.recorded.has(id) && !this.#ended.has(id))) continue;
      this.#accepted.delete(id);
      this.#ended.delete(id);
      queue.recorded.delete(id);
    }
    forgetBefore(this.#references, beforeMs);
    forgetBefore(this.#failed, beforeMs);
    for (const [uid, reads] of this.#logReads) {
      this.#logReads.set(
        uid,
        reads.filter(({ atMs }) => atMs > beforeMs),
      );
    }
    queue.forget();
  }

  /** Every record so far is somewhere or has ended, and every accepted action has one. */
  settle(queue: ActionsQueue): void {
    const bodies = [...[...queue.waiting.values()].map(({ body }) => body), ...queue.buried];
    const kept = new Set(bodies.map(actionIdOf));
    for (const id of queue.recorded) {
      if (this.#ended.has(id) || kept.has(id)) continue;
      this.#broken('no_record_lost', `the record of action ${id} has no outcome and is in no queue`);
    }
    for (const id of queue.recordedTwice) this.#broken('recorded_once', `action ${id} has two records`);
    for (const id of queue.recorded) {
      if (!this.#accepted.has(id)) this.#broken('records_are_true', `a record tells of action ${id}, which never was`);
    }
    const log = new Set(this.#scenario.stacks.flatMap(({ uid }) => this.#actions(uid).map(({ id }) => id)));
    for (const [id, action] of this.#accepted) {
      const { decisionId } = action;
      // One that vanished from the log cannot be found; a failure that names it was told.
      if (queue.recorded.has(id) || !log.has(id) || this.#failed.has(decisionId)) continue;
      // Its environment was killed, which the platform tells, and then Cloud 66 could not be read.
      if (!this.#wasFindable(action)) continue;
      this.#accepted.delete(id);
      this.#broken(
        'accepted_is_followed',
        `action ${id} of decision ${decisionId} has no record, and no error names it`,
      );
    }
  }

  /** A failure that nobody can see. */
  silent(detail: string): void {
    this.#broken('failures_are_seen', detail);
  }

  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  /** Workers on the account's books. */
  counted(target: SimulatedTarget): number {
    return Object.values(this.#countsOf(target)).reduce((sum, count) => sum + count, 0);
  }

  /** Every process has the workers that a queue without jobs needs. */
  isSettled(): boolean {
    return this.#scenario.targets.every((target) => this.counted(target) === target.minWorkers);
  }

  /**
   * The log was read twice while a missing record could still be told from one that SQS has forgotten: whoever read it once
   * may have died before the record was stored.
   */
  #wasFindable({ stackUid, targetId, atMs }: AcceptedAction): boolean {
    const reads = this.#logReads.get(stackUid) ?? [];
    const finding = reads.filter(
      (read) =>
        read.atMs >= atMs + FINDABLE_MS.from &&
        read.atMs < atMs + FINDABLE_MS.until &&
        (read.scope === null || read.scope === targetId),
    );
    return (finding.at(-1)?.atMs ?? 0) - (finding[0]?.atMs ?? 0) >= MINUTE_MS;
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
    const kinds = this.#ended.get(record.actionId) ?? new Set();
    this.#ended.set(record.actionId, kinds.add(outcome.kind));
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
    this.violations.push({ invariant, detail: `${new Date(this.#account.clock.nowMs()).toISOString()}: ${detail}` });
  }
}

function forgetBefore(times: Map<unknown, number>, beforeMs: number): void {
  for (const [key, atMs] of times) if (atMs < beforeMs) times.delete(key);
}

interface LogRead {
  readonly atMs: number;
  readonly scope: string | null;
}

interface AcceptedAction {
  readonly stackUid: string;
  readonly targetId: string;
  readonly decisionId: string;
  readonly atMs: number;
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
