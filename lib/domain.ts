/**
 * The nouns of this program. Read this first. Types only: nothing here runs, nothing here imports anything.
 *
 * Units stand last in names (`cooldownSeconds`, `observedAtMs`). Times are milliseconds since the epoch. Everything is
 * plain JSON, so that a decision copied from the log can be pasted into a test and decided again.
 */

// --- what we know, and what we do not ---------------------------------------------------------------------------

/** Why a reading has no value. A closed set, because a sleeping queue, a gap and a refusal call for different help. */
export type ReadingProblem =
  | 'asleep' // the source publishes nothing because nobody has used it for hours (SQS metrics do this)
  | 'no_points' // the source answered, without the value that was asked for
  | 'too_old' // the newest value is older than the limit for it
  | 'access_denied' // credentials, permission or scope
  | 'not_found' // the queue, metric, stack, process or server does not exist
  | 'over_budget' // not asked: the calls that this program may make are used up
  | 'throttled' // the source refuses for now because of a rate limit
  | 'unavailable' // no answer, a server error, a timeout
  | 'malformed'; // an answer that could not be understood

/**
 * A value together with when it was true, or the reason why there is none. Zero is a value; absence is not: code that
 * wants the number must first look at `kind`, so an outage can never be read as an empty queue.
 */
export type Reading<T> =
  | { readonly kind: 'ok'; readonly value: T; readonly observedAtMs: number }
  | { readonly kind: 'missing' | 'stale' | 'failed'; readonly why: ReadingProblem; readonly detail: string };

/** Evidence that costs a call and is therefore read only when a decision asks for it. */
export type Evidence<T> = Reading<T> | { readonly kind: 'not_read' };

// --- the queue --------------------------------------------------------------------------------------------------

/** Where the depth of a queue is read. */
export type QueueSource =
  | { readonly kind: 'sqs'; readonly queueUrl: string }
  | { readonly kind: 'sqs_name'; readonly queueName: string }
  | {
      readonly kind: 'metric';
      readonly namespace: string;
      readonly name: string;
      readonly dimensions: Readonly<Record<string, string>>;
      readonly stat: string;
    };

/** Messages of a queue at one moment. For a CloudWatch metric the whole depth is `visible`. */
export interface Backlog {
  /** Waiting to be received. */
  readonly visible: number;
  /** Received by a worker and not yet deleted. */
  readonly inFlight: number;
  /** Sent with a delay that has not passed. */
  readonly delayed: number;
}

/** One point of the queue's own past: the highest depth within its period. */
export interface BacklogPoint extends Backlog {
  /** Start of the period. */
  readonly atMs: number;
}

/** The queue's past as CloudWatch recorded it, oldest point first; minutes without a point are absent, not zero. */
export interface BacklogHistory {
  readonly periodSeconds: number;
  readonly points: readonly BacklogPoint[];
}

/**
 * How much came and went per period, as CloudWatch recorded it, oldest first, the newest last. Columns that were asked for are
 * of equal length, the others empty. Null = no point; that is not zero.
 */
export interface RateHistory {
  /** Start of the first period. */
  readonly startMs: number;
  readonly periodSeconds: number;
  /** Messages sent to the queue in the period (`NumberOfMessagesSent`, Sum). */
  readonly sent: readonly (number | null)[];
  /** Messages deleted, which is finished, in the period (`NumberOfMessagesDeleted`, Sum). */
  readonly deleted: readonly (number | null)[];
  /** Messages in the hands of workers, on average (`ApproximateNumberOfMessagesNotVisible`, Average). */
  readonly inFlight: readonly (number | null)[];
}

/** What the queue's past says of the minutes around now: arrivals that return with the clock. */
export interface ArrivalForecast {
  /** Start of the first period; it lies in the past, so that what was foreseen lately can be told from surprises. */
  readonly startMs: number;
  readonly periodSeconds: number;
  /** Messages expected in each period; 0 = nothing that returns with the clock. */
  readonly expected: readonly number[];
  /** For each period, after how many minutes its arrivals return; 0 where nothing is expected. */
  readonly cycleMinutes: readonly number[];
}

/** What an earlier look of this execution environment saw. Losing these costs precision, never correctness. */
export interface Look {
  readonly atMs: number;
  readonly visible: number;
  readonly inFlight: number;
  readonly workers: number;
}

// --- Cloud 66 ---------------------------------------------------------------------------------------------------

/** One server of the stack and what it runs of one process. */
export interface ServerWorkers {
  readonly uid: string;
  readonly name: string;
  /** Workers of the process on this server now. */
  readonly count: number;
  /** Workers that were paused here by hand (pausing = scaled to zero, the old count remembered by Cloud 66). */
  readonly pausedCount: number;
  /** False when Cloud 66 reports the server as failed or unreachable: nothing new is placed there. */
  readonly healthy: boolean;
  /** True when Cloud 66 lists this server for the process, with whatever count. */
  readonly listed: boolean;
  /** True when the server runs workers of any process of the stack: it then carries the application's code. */
  readonly runsCode: boolean;
}

/** Where the workers of one process are: every server of the stack, in the order of the uid. */
export interface Placement {
  readonly processName: string;
  readonly servers: readonly ServerWorkers[];
  /** Only in a dry run, whose counts are virtual: workers that really run. */
  readonly actualCount?: number;
  /**
   * True when the process list alone was read: counts are right, but servers are known by name only (it stands for the
   * uid), those without workers are not known, and all are taken as healthy. Enough to hold on, never to change anything.
   */
  readonly countsOnly?: true;
}

export type StackStatus =
  | 'queued'
  | 'deployed'
  | 'failed'
  | 'analysing'
  | 'analysed'
  | 'queued_for_deploying'
  | 'deploying'
  | 'terminal_failure'
  | 'unknown';

/** What Cloud 66 says of a whole stack. */
export interface StackState {
  readonly status: StackStatus;
  readonly maintenanceMode: boolean;
}

/** An asynchronous piece of work of Cloud 66. Always theirs; our message about one is an action record. */
export interface Action {
  readonly id: number;
  /** Lower-cased kind, such as `process_scale` or `stack_redeploy`: Cloud 66 writes it in several casings. */
  readonly kind: string;
  readonly startedAtMs: number | null;
  /** Null while the action runs. */
  readonly finishedAtMs: number | null;
  readonly success: boolean | null;
  readonly message: string | null;
  /** Our own note, when Cloud 66 echoes it (`metadata.user_reference`). */
  readonly userReference: string | null;
}

// --- a target and its policy ------------------------------------------------------------------------------------

/** How many workers one change may move: a number of workers, or a percentage of the current count (at least one). */
export type StepLimit =
  | { readonly kind: 'workers'; readonly workers: number }
  | { readonly kind: 'percent'; readonly percent: number };

/** One step of the `step` strategy: at a backlog of `atLeast` or more, the count changes by `change` workers. */
export interface StepRule {
  readonly atLeast: number;
  readonly change: number;
}

/** How a backlog becomes a recommended count. */
export type Strategy =
  | { readonly kind: 'backlog'; readonly backlogPerWorker: number }
  | { readonly kind: 'step'; readonly steps: readonly StepRule[] }
  | LatencyStrategy;

/** Strategy `latency`: the count is found from the wait that jobs may have. */
export interface LatencyStrategy {
  readonly kind: 'latency';
  /** How long a job may wait for its start ... */
  readonly targetSeconds: number;
  /** ... and which percentage of the jobs must not wait longer. */
  readonly targetPercent: number;
  /** How long a job runs, until the queue's own history tells; null = no hint. */
  readonly jobSeconds: number | null;
  /** Jobs that one worker runs at once. */
  readonly jobsPerWorker: number;
  /** Be there before arrivals that return with the clock. */
  readonly learnPatterns: boolean;
  /** Share of the target (0.5 = 50 %) within which a backlog is to be worked off once a scale out has landed. */
  readonly drainShare: number;
  /** Standard deviations of the arrivals that are kept as head-room; null = the quantile of `targetPercent`. */
  readonly headroom: number | null;
  /**
   * A worker is kept until it has not been needed for this long, up to four times as long where few are idle; shortened for
   * targets longer than a scale out takes.
   */
  readonly keepIdleSeconds: number;
  /** What just began to rise is taken to rise further by this factor until a scale out lands. */
  readonly surgeFactor: number;
}

/** Limits by the clock: from each time that the cron expression names, for a while. Null = no limit of that kind. */
export interface ScheduleRule {
  readonly cron: string;
  /** Of the IANA time zone database, such as `Europe/Berlin`. */
  readonly timeZone: string;
  readonly durationSeconds: number;
  readonly minWorkers: number | null;
  readonly maxWorkers: number | null;
}

/** One opening of a schedule rule. */
export interface ScheduleWindow {
  readonly startMs: number;
  readonly endMs: number;
  readonly minWorkers: number | null;
  readonly maxWorkers: number | null;
}

/** Everything the decision needs to know about the user's wishes. Complete: no field is optional. */
export interface Policy {
  readonly minWorkers: number;
  readonly maxWorkers: number;
  readonly strategy: Strategy;
  /** Count messages sent with a delay as backlog. */
  readonly countDelayed: boolean;
  /** Share (0.1 = 10 %) by which the recommendation must differ from the current count before anything moves. */
  readonly tolerance: number;
  readonly scaleOutStabilizationSeconds: number;
  readonly scaleInStabilizationSeconds: number;
  readonly scaleOutMaxStep: StepLimit | null;
  readonly scaleInMaxStep: StepLimit | null;
  /** Quiet time before a scale in, since the last finished change of the process in either direction. */
  readonly scaleInCooldownSeconds: number;
  /** Server names that may run the process; null = those that already do. */
  readonly servers: readonly string[] | null;
  readonly maxWorkersPerServer: number | null;
  /** Readings older than this are stale. */
  readonly metricMaxAgeSeconds: number;
  /** An action that has run longer than this no longer holds back the next change. */
  readonly actionTimeoutSeconds: number;
  readonly schedule: readonly ScheduleRule[];
  /** How long a job may run at most; null = not told. */
  readonly maxJobSeconds: number | null;
  /** How long Cloud 66 lets a stopping worker finish, by the stop sequence of its process. */
  readonly stopSeconds: number;
  /** What to do about a scale in that could cut jobs short. */
  readonly longJobs: 'warn' | 'refuse';
  /** A deployment restarts the workers: for so long after its end a backlog calls for no more of them. */
  readonly deployGraceSeconds: number;
  /** A count that somebody changed by hand in Cloud 66 is left alone for so long. */
  readonly manualChangeHoldSeconds: number;
}

/** A CloudWatch alarm on the depth of the target's queue; it only makes us look sooner. */
export interface AlarmSettings {
  /** The alarm goes off at this depth or above. */
  readonly threshold: number;
  readonly periodSeconds: number;
}

/** One Cloud 66 process and the queue that feeds it. */
export interface Target {
  /** Short lower-case name, used in settings (upper-cased as prefix), alarms, logs and records. */
  readonly id: string;
  readonly stackUid: string;
  readonly processName: string;
  /** Name of the parameter with the token of the stack's account, where that is not the one for all. */
  readonly tokenParameter?: string;
  readonly source: QueueSource;
  readonly policy: Policy;
  readonly alarm: AlarmSettings;
}

// --- deciding ---------------------------------------------------------------------------------------------------

/** Evidence that a decision may ask for; `placement`: the workers counted anew, with their servers. */
export type EvidenceName = 'history' | 'rates' | 'forecast' | 'stack' | 'actions' | 'placement';

/** The world as one pass saw it. */
export interface Observation {
  readonly backlog: Reading<Backlog>;
  readonly placement: Reading<Placement>;
  readonly history: Evidence<BacklogHistory>;
  /** The last hour of arrivals and completions. */
  readonly rates: Evidence<RateHistory>;
  readonly forecast: Evidence<ArrivalForecast>;
  /** Earlier looks of this execution environment, oldest first; `not_read` after a cold start. */
  readonly looks: Evidence<readonly Look[]>;
  readonly stack: Evidence<StackState>;
  /** The stack's newest actions, other people's included. */
  readonly actions: Evidence<readonly Action[]>;
  /**
   * How long the last changes of the process took, in seconds, as this environment remembers them from the stack's action
   * log; absent until it has read one. The log itself is here only where a change depends on it.
   */
  readonly changeSeconds?: Reading<readonly number[]>;
}

/** What a person decided in this program's place, with the reason, until it ends by itself. */
export interface Override {
  readonly kind: 'count' | 'pause' | 'pause_scale_in';
  /** The pinned count; null unless the kind is `count`. */
  readonly workers: number | null;
  readonly untilMs: number;
  /** In the words of whoever set it. */
  readonly why: string;
}

/** Everything a decision depends on. The same input gives the same decision, for ever. */
export interface DecisionInput {
  readonly now: number;
  readonly policy: Policy;
  /** The target's override, ended or not; null = nobody set one. Not to know is not the same as null. */
  readonly override: Reading<Override | null>;
  /** Windows of the policy's schedule around `now`. */
  readonly windows: readonly ScheduleWindow[];
  /** True once Cloud 66 refused a change because one of another process of the stack ran: then they wait for each other. */
  readonly isSerial?: boolean;
  readonly observation: Observation;
}

/** One line of a decision's working: the wanted count before and after a rule, and why. Null = not known yet. */
export interface Step {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly why: string;
}

/** Why a decision is what it is. Closed; each code has a sentence in `policy/reasons.ts` and a row in the README. */
export type Reason =
  | 'backlog_above_target'
  | 'backlog_below_target'
  | 'from_zero'
  | 'below_minimum'
  | 'above_maximum'
  | 'on_target'
  | 'at_minimum'
  | 'at_maximum'
  | 'within_tolerance'
  | 'stabilizing_scale_out'
  | 'stabilizing_scale_in'
  | 'wait_above_target'
  | 'wait_below_target'
  | 'pattern_ahead'
  | 'cooling_down'
  | 'no_capacity'
  | 'jobs_outlast_stop'
  | 'overridden'
  | 'paused_by_override'
  | 'scale_in_paused'
  | 'override_unknown'
  | 'changed_by_hand'
  | 'deploy_grace'
  | 'scale_out_ineffective'
  | 'process_paused'
  | 'stack_deploying'
  | 'stack_not_live'
  | 'stack_in_maintenance'
  | 'stack_busy'
  | 'action_in_progress'
  | 'api_budget_spent'
  | 'backlog_unknown'
  | 'workers_unknown'
  | 'history_unknown'
  | 'stack_unknown'
  | 'actions_unknown';

/** What to do about the number of workers, and the working that led there. */
export interface Decision {
  readonly kind: 'decision';
  readonly action: 'scale_out' | 'scale_in' | 'hold';
  /** Null only when the current count could not be read; the action is then `hold`. */
  readonly currentCount: number | null;
  /** What the strategy alone would like, before the later rules; null when it was not asked. */
  readonly recommendedCount: number | null;
  /** Equals `currentCount` exactly when the action is `hold`. */
  readonly desiredCount: number | null;
  readonly reason: Reason;
  readonly steps: readonly Step[];
}

/** The answer of a decision that cannot be made on what was read so far. Never asks for what it already has. */
export interface NeedsEvidence {
  readonly kind: 'needs_evidence';
  readonly evidence: readonly EvidenceName[];
}

/** Workers per server uid: the complete list that a scale call sends. */
export type ServerCounts = Readonly<Record<string, number>>;

// --- acting and confirming --------------------------------------------------------------------------------------

/** What is asked of Cloud 66: absolute counts, so that repeating it is harmless. */
export interface ScaleRequest {
  readonly stackUid: string;
  readonly processName: string;
  readonly counts: ServerCounts;
  /** Our note on the action; Cloud 66 may echo it in the action log. */
  readonly userReference: string;
}

/** Our message about an action that Cloud 66 accepted: all that the poller needs. */
export interface ActionRecord {
  readonly version: 1;
  readonly targetId: string;
  readonly stackUid: string;
  readonly processName: string;
  readonly actionId: number;
  /** Null when the action was found again in the action log, which tells the sum only. */
  readonly requestedCounts: ServerCounts | null;
  readonly desiredCount: number;
  readonly previousCount: number;
  readonly decisionId: string;
  readonly acceptedAtMs: number;
  /** As of its target; absent where the token for all is meant. */
  readonly tokenParameter?: string;
}

/** How an action ended. `confirmed` only when it succeeded *and* the workers were seen where they were asked for. */
export type OutcomeKind = 'confirmed' | 'mismatched' | 'failed' | 'timed_out' | 'lost';

/** The end of one action, as reported. */
export interface Outcome {
  readonly kind: OutcomeKind;
  /** One sentence: what was seen. */
  readonly why: string;
  /** Workers seen at the end; null when they could not be read. */
  readonly observedCount: number | null;
  /** Of a mismatch: the later scale action that explains it. */
  readonly supersededBy?: number;
}
