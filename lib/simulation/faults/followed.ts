/** What became of every accepted action: its record, its outcome, or somebody who was told. */
import type { Violation } from './observer.ts';
import { type ActionsQueue, actionIdOf } from './queues.ts';
import type { SimulatedTarget } from './scenario.ts';

const HOUR_MS = 3_600_000;
/** From half a minute to four minutes after its call an action without a record is looked for, by clocks that are skewed. */
const FINDABLE_MS = { from: 40_000, until: 225_000 } as const;
/** Longer than any action is followed. */
const REMEMBERED_MS = 2 * HOUR_MS;

interface AcceptedAction {
  readonly stackUid: string;
  readonly targetId: string;
  readonly decisionId: string;
  readonly atMs: number;
}

interface LogRead {
  readonly atMs: number;
  /** The only target that the look was at; null = all. */
  readonly scope: string | null;
}

/** All times are true ones, in milliseconds. */
export class FollowedActions {
  /** By action id. */
  readonly #accepted = new Map<number, AcceptedAction>();
  /** Outcomes by action. */
  readonly #ended = new Map<number, Set<string>>();
  /** By stack, when its action log was answered to an invocation of the scale function that lived to its end. */
  readonly #logReads = new Map<string, LogRead[]>();
  /** Decisions whose failure was told as an error, and when. */
  readonly #told = new Map<unknown, number>();

  accept(actionId: number, { id: targetId, stackUid }: SimulatedTarget, decisionId: string, atMs: number): void {
    this.#accepted.set(actionId, { stackUid, targetId, decisionId, atMs });
  }

  logRead(stackUid: string, read: LogRead): void {
    const reads = this.#logReads.get(stackUid) ?? [];
    reads.push(read);
    this.#logReads.set(stackUid, reads);
  }

  failureTold(decisionId: unknown, atMs: number): void {
    this.#told.set(decisionId, atMs);
  }

  /** All outcomes of the action so far, this one included. */
  ended(actionId: number, kind: string): ReadonlySet<string> {
    const kinds = (this.#ended.get(actionId) ?? new Set()).add(kind);
    this.#ended.set(actionId, kinds);
    return kinds;
  }

  /** What is wrong so far; `log` holds the ids that Cloud 66 still shows. Each wrong is told once. */
  settle(queue: ActionsQueue, log: ReadonlySet<number>): readonly Violation[] {
    const bodies = [...[...queue.waiting.values()].map(({ body }) => body), ...queue.buried];
    const kept = new Set(bodies.map(actionIdOf));
    const lost = [...queue.recorded].filter((id) => !this.#ended.has(id) && !kept.has(id));
    const untrue = [...queue.recorded].filter((id) => !this.#accepted.has(id));
    const unfollowed = [...this.#accepted].filter(([id, action]) => {
      // One that vanished from the log cannot be found; a failure that names it was told. Where Cloud 66 could not be read after
      // its environment was killed, the platform has told of that.
      const isExcused = !log.has(id) || this.#told.has(action.decisionId) || !this.#wasFindable(action);
      return !queue.recorded.has(id) && !isExcused;
    });
    const violations = [
      ...lost.map((id) => broken('no_record_lost', `the record of action ${id} has no outcome and is in no queue`)),
      ...[...queue.recordedTwice].map((id) => broken('recorded_once', `action ${id} has two records`)),
      ...untrue.map((id) => broken('records_are_true', `a record tells of action ${id}, which never was`)),
      ...unfollowed.map(([id, { decisionId }]) =>
        broken('accepted_is_followed', `action ${id} of decision ${decisionId} has no record, and no error names it`),
      ),
    ];
    for (const id of [...lost, ...untrue]) queue.recorded.delete(id);
    for (const [id] of unfollowed) this.#accepted.delete(id);
    queue.recordedTwice.clear();
    return violations;
  }

  /** Forgets what was over hours ago, so that a run can go on for weeks. Call `settle` first. */
  forget(queue: ActionsQueue, nowMs: number): void {
    const beforeMs = nowMs - REMEMBERED_MS;
    for (const [id, { atMs }] of this.#accepted) {
      if (atMs > beforeMs || (queue.recorded.has(id) && !this.#ended.has(id))) continue;
      this.#accepted.delete(id);
      this.#ended.delete(id);
      queue.recorded.delete(id);
    }
    for (const [decisionId, atMs] of this.#told) if (atMs < beforeMs) this.#told.delete(decisionId);
    for (const [uid, reads] of this.#logReads) {
      const recent = reads.filter(({ atMs }) => atMs > beforeMs);
      this.#logReads.set(uid, recent);
    }
  }

  /**
   * The log was read while a missing record could still be told from one that SQS has forgotten, by an invocation that
   * lived to its end: one that is killed as well takes what it found with it, and the platform tells of that.
   */
  #wasFindable({ stackUid, targetId, atMs }: AcceptedAction): boolean {
    const reads = this.#logReads.get(stackUid) ?? [];
    return reads.some(
      (read) =>
        read.atMs >= atMs + FINDABLE_MS.from &&
        read.atMs < atMs + FINDABLE_MS.until &&
        (read.scope === null || read.scope === targetId),
    );
  }
}

function broken(invariant: string, detail: string): Violation {
  return { invariant, detail };
}
