/** Watches a run: what must never happen, and what did. The invariants are here and nowhere else. */
import { createHash } from 'node:crypto';
import type { Cloud66Account } from '../cloud66/account.ts';
import type { ActionsQueue } from './queues.ts';
import { TOKEN } from './services.ts';

/** A promise that was broken. */
export interface Violation {
  readonly invariant: string;
  readonly detail: string;
}

export interface Limits {
  readonly minWorkers: number;
  readonly maxWorkers: number;
}

/** As much of an environment as matters here. */
interface Asker {
  readonly name: string;
  readonly countsSeen: ReadonlySet<number>;
  readonly depthIsKnown: boolean;
  owesRecord: boolean;
}

export class Observer {
  readonly violations: Violation[] = [];
  readonly outcomes = new Map<string, number>();
  /** Outside calls by function, and where an environment died. */
  readonly calls = new Set<string>();
  readonly crashes = new Set<string>();
  scaleCalls = 0;
  accepted = 0;
  readonly #account: Cloud66Account;
  readonly #limits: Limits;
  readonly #references = new Set<string>();
  /** Outcomes by action. */
  readonly #ended = new Map<number, Set<string>>();
  /** Accepted actions, each with the decision that asked for it. */
  readonly #accepted = new Map<number, string>();
  /** Decisions whose failure was told as an error. */
  readonly #failed = new Set<unknown>();
  readonly #hash = createHash('sha256');

  constructor(account: Cloud66Account, limits: Limits) {
    this.#account = account;
    this.#limits = limits;
  }

  called(functionName: string, call: string): void {
    this.calls.add(`${functionName} ${call}`);
    this.#hash.update(`${functionName} ${call}\n`);
  }

  crashed(functionName: string, call: string, when: 'before' | 'after'): void {
    this.crashes.add(`${functionName} ${call} ${when}`);
  }

  /** A scale call that reached the account. */
  posted(asker: Asker | undefined, body: string, status: number, reply: unknown): void {
    this.scaleCalls += 1;
    this.#hash.update(`${body} ${status}\n`);
    const sent = JSON.parse(body) as { server_count: Record<string, number>; user_reference: string };
    const wanted = Object.values(sent.server_count).reduce((sum, count) => sum + Number(count), 0);
    const { minWorkers, maxWorkers } = this.#limits;
    if (wanted < minWorkers || wanted > maxWorkers) this.#broken('within_limits', `${wanted} workers asked: ${body}`);
    if (this.#references.has(sent.user_reference)) this.#broken('one_call_per_pass', `sent twice: ${body}`);
    this.#references.add(sent.user_reference);
    if (status !== 200) return;
    this.accepted += 1;
    if (asker) asker.owesRecord = true;
    const [action, before] = this.#account.stack('shop').actions();
    if (action) this.#accepted.set(action.id, sent.user_reference.split(':')[1] ?? '');
    if (before?.finishedAtMs === null && before.kind === 'process_scale' && action?.kind === 'process_scale') {
      // An action that never ends holds the stack for a while only; what follows it then is no second hand.
      const holdMs = action.startedAtMs - before.startedAtMs;
      if (holdMs < 900_000) this.#broken('one_action_at_a_time', `${before.id} still runs: ${JSON.stringify(reply)}`);
    }
    const counted = this.counted();
    if (wanted < counted && asker?.depthIsKnown !== true) {
      this.#broken('no_scale_in_on_unknown', `${counted} to ${wanted}, and the depth was not read`);
    }
  }

  /** A line of a handler's log. */
  wrote(asker: Asker | undefined, line: string): void {
    const functionName = asker?.name ?? 'none';
    this.#hash.update(`${functionName} ${line}\n`);
    if (line.includes(TOKEN)) this.#broken('token_in_no_output', line.slice(0, 200));
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry.level === 'error') {
      this.#failed.add(entry.decisionId);
      // A record that could not be stored is told whole, also by a later decision that tried again.
      const { error } = (entry.result ?? {}) as {
        readonly error?: { readonly record?: { readonly decisionId: string } };
      };
      if (error?.record) this.#failed.add(error.record.decisionId);
    }
    if (entry.event !== 'outcome') return;
    const { record, outcome } = entry as unknown as {
      readonly record: { readonly actionId: number; readonly desiredCount: number };
      readonly outcome: { readonly kind: string; readonly observedCount: number | null };
    };
    const kinds = this.#ended.get(record.actionId) ?? new Set();
    this.#ended.set(record.actionId, kinds.add(outcome.kind));
    if (kinds.has('confirmed') && kinds.has('failed')) this.#broken('one_outcome', line.slice(0, 400));
    this.outcomes.set(outcome.kind, (this.outcomes.get(outcome.kind) ?? 0) + 1);
    if (outcome.kind !== 'confirmed') return;
    if (asker && !asker.countsSeen.has(record.desiredCount)) {
      this.#broken('confirmed_means_seen', `${[...asker.countsSeen].join()} workers seen: ${line.slice(0, 400)}`);
    }
    if (outcome.observedCount !== record.desiredCount) this.#broken('confirmed_means_seen', line.slice(0, 400));
    const action = this.#account
      .stack('shop')
      .actions()
      .find(({ id }) => id === record.actionId);
    if (action?.success !== true) this.#broken('confirmed_means_seen', `action ${record.actionId} did not succeed`);
  }

  /** After the calm: every record has come to an end or to a place, and the count to where it belongs. */
  finish(queue: ActionsQueue): void {
    const bodies = [...[...queue.waiting.values()].map(({ body }) => body), ...queue.buried];
    const kept = new Set(bodies.map((body) => (JSON.parse(body) as { readonly actionId?: number }).actionId));
    for (const id of queue.recorded) {
      if (this.#ended.has(id) || kept.has(id)) continue;
      this.#broken('no_record_lost', `the record of action ${id} has no outcome and is in no queue`);
    }
    for (const id of queue.recordedTwice) this.#broken('recorded_once', `action ${id} has two records`);
    for (const id of queue.recorded) {
      if (!this.#accepted.has(id)) this.#broken('records_are_true', `a record tells of action ${id}, which never was`);
    }
    const log = new Set(
      this.#account
        .stack('shop')
        .actions()
        .map(({ id }) => id),
    );
    for (const [id, decisionId] of this.#accepted) {
      // One that vanished from the log cannot be found; a failure that names it was told.
      if (queue.recorded.has(id) || !log.has(id) || this.#failed.has(decisionId)) continue;
      this.#broken(
        'accepted_is_followed',
        `action ${id} of decision ${decisionId} has no record, and no error names it`,
      );
    }
    for (const { body } of queue.waiting.values()) this.#broken('every_action_ends', `still waits: ${body}`);
    const count = this.counted();
    if (count !== this.#limits.minWorkers) {
      this.#broken('converges', `${count} workers, expected ${this.#limits.minWorkers} after hours without a job`);
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
  counted(): number {
    const process = this.#account
      .stack('shop')
      .processes()
      .find(({ name }) => name === 'worker');
    return Object.values(process?.counts ?? {}).reduce((sum, count) => sum + count, 0);
  }

  #broken(invariant: string, detail: string): void {
    this.violations.push({ invariant, detail: `${new Date(this.#account.clock.nowMs()).toISOString()}: ${detail}` });
  }
}
