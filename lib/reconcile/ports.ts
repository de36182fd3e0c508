/**
 * What a reconcile needs from the outside world, as types. Small ports, each with one owner; adapters implement them,
 * `lambda/wire.ts` puts them together, tests pass fakes that keep the same contract.
 *
 * Reads never throw for trouble in the outside world: they answer with a `Reading` that says what is wrong.
 * Every call takes the signal of the invocation, which is aborted shortly before the function's own timeout.
 */
import type {
  Action,
  ActionRecord,
  Backlog,
  BacklogHistory,
  Decision,
  DecisionInput,
  Outcome,
  Override,
  Placement,
  QueueSource,
  RateHistory,
  Reading,
  ScaleRequest,
  StackState,
} from '../domain.ts';

/** The only source of time. */
export interface Clock {
  nowMs(): number;
}

/** What a queue read needs to know of its target. */
export interface QueueQuery {
  readonly targetId: string;
  readonly source: QueueSource;
  readonly maxAgeSeconds: number;
}

/** Rates cost a metric each: whoever wants to know only what was sent does not pay for the rest (null throughout). */
export interface RatesQuery extends QueueQuery {
  readonly windowSeconds: number;
  readonly columns: 'all' | 'sent';
}

/** Depths of queues, now and before. Keyed by target id; every query gets an answer. */
export interface QueueReader {
  depths(queries: readonly QueueQuery[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading<Backlog>>>;
  /** Points that cover at least the last `windowSeconds`. */
  histories(
    queries: readonly (QueueQuery & { readonly windowSeconds: number })[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Reading<BacklogHistory>>>;
  /**
   * One-minute periods that cover the last `windowSeconds`, ending with the newest period that is out; gaps are null.
   * Never one that is not over. A source that counts no messages sent and deleted has no rates: missing.
   */
  rates(queries: readonly RatesQuery[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading<RateHistory>>>;
}

/** What people decided in this program's place. */
export interface OverrideReader {
  /** Overrides by target id, `*` for all targets that have none of their own; ended ones may be among them. */
  read(signal: AbortSignal): Promise<Reading<ReadonlyMap<string, Override>>>;
}

/** How one look at an action ended. */
export type ActionLook =
  | { readonly kind: 'found'; readonly action: Action }
  | { readonly kind: 'gone'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly why: string }
  /** No call is left for it in this hour. */
  | { readonly kind: 'not_asked'; readonly why: string };

/** What may be spent of an account's calls to Cloud 66. */
export interface CallAllowance {
  /** The account: stacks of one share its calls. */
  readonly account: string;
  /** Calls per hour that are this program's. */
  readonly hourlyCalls: number;
  /** Calls that are left in this hour for looking at what is quiet. */
  readonly callsLeft: number;
  /** With those of the reserve that may be taken for what has waited for too long. */
  readonly overdueCallsLeft: number;
  /** When the next hour's calls come. */
  readonly resetAtMs: number;
  /** True when more was spent than the part of the hour that has passed allows: what can wait should. */
  readonly isStrained: boolean;
}

/** Where the workers run: the reading side of Cloud 66. */
export interface ProcessHost {
  /**
   * Placements of the named processes of one stack; one process list and at most one server list for all of them.
   *
   * @param servers `recent` (the default): the server list, and with it the servers' health, may be some minutes old;
   * `anew`: both lists are read now; `if_known`: no server list is read for this: one of the last quarter of an hour is used,
   * else see `Placement.countsOnly`.
   */
  placements(
    stackUid: string,
    processNames: readonly string[],
    signal: AbortSignal,
    servers?: 'recent' | 'anew' | 'if_known',
  ): Promise<ReadonlyMap<string, Reading<Placement>>>;
  /** What the account of the stack allows for now. */
  allowance(stackUid: string): CallAllowance;
  stack(stackUid: string, signal: AbortSignal): Promise<Reading<StackState>>;
  /**
   * The stack's newest actions, newest first: the first page, enough to see what runs and what ended lately, and with
   * `sinceMs` further ones, within bounds, until the log has been followed back to that time.
   */
  actions(stackUid: string, signal: AbortSignal, sinceMs?: number): Promise<Reading<readonly Action[]>>;
  action(stackUid: string, actionId: number, signal: AbortSignal): Promise<ActionLook>;
}

/** How a scale call ended. Only `accepted` has an action to follow. */
export type ScaleAnswer =
  | { readonly kind: 'accepted'; readonly actionId: number }
  /** Cloud 66 said that the stack is busy: nothing happened, decide afresh later. */
  | { readonly kind: 'busy'; readonly detail: string }
  /** Dry run: nothing was sent. */
  | { readonly kind: 'not_sent' }
  /** Refused, or throttled: nothing happened. */
  | { readonly kind: 'refused'; readonly error: Error }
  /** The call may or may not have been carried out; the next look will tell. */
  | { readonly kind: 'unknown'; readonly error: Error };

/** The lever. Only `reconcile/act.ts` holds it. */
export interface Scaler {
  scale(request: ScaleRequest, signal: AbortSignal): Promise<ScaleAnswer>;
}

/** Puts action records where the poller finds them. Throws when the record could not be stored. */
export interface ActionSender {
  send(record: ActionRecord, signal: AbortSignal): Promise<void>;
}

/** What one pass over one target came to. */
export type TargetResult =
  | { readonly kind: 'held'; readonly decision: Decision }
  | { readonly kind: 'scaled'; readonly decision: Decision; readonly actionId: number }
  | { readonly kind: 'dry_run'; readonly decision: Decision }
  | { readonly kind: 'failed'; readonly decision: Decision | null; readonly error: Error };

/** Where every decision and outcome is written down: logs and metrics. Never throws. */
export interface Reporter {
  decided(event: {
    readonly targetId: string;
    readonly decisionId: string;
    readonly input: DecisionInput;
    readonly result: TargetResult;
    readonly counts: Readonly<Record<string, number>> | null;
  }): void;
  /** The end of an action; told twice when SQS delivers its record once more than needed. */
  ended(event: { readonly record: ActionRecord; readonly outcome: Outcome; readonly looks: number }): void;
  /** An action was found that has no record as far as this environment knows; one was stored, which SQS drops if it is the second. */
  adopted(event: { readonly record: ActionRecord }): void;
  /** An action was looked at, and its end is not known yet. */
  looked(event: {
    readonly record: ActionRecord;
    readonly looks: number;
    readonly lookAgainSeconds: number;
    /** One sentence: what was seen. */
    readonly why: string;
    /** True when the action or its workers could not be read. */
    readonly unreadable: boolean;
  }): void;
}
