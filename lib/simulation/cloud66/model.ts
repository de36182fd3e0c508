/**
 * The nouns of the simulated Cloud 66 account: what it starts with, how it behaves where the public documents are silent,
 * and what it shows. Types only, in our own words; the forms on the wire are in `reply-forms.ts`.
 */
import type { ServerCounts, StackStatus } from '../../domain.ts';
import type { Random } from '../random.ts';

export type ServerHealth = 'unknown' | 'building' | 'impaired' | 'healthy' | 'failed';

/** A server of a stack. What is left out is an ordinary healthy web server with an agent. */
export interface ServerSeed {
  readonly uid: string;
  readonly name: string;
  readonly roles?: readonly string[];
  readonly groupId?: number;
  readonly health?: ServerHealth;
  readonly hasAgent?: boolean;
}

/** A process and its workers per server uid. A server that is not named does not list the process. */
export interface ProcessSeed {
  readonly name: string;
  readonly command?: string;
  /** Cloud 66's notation, such as `term, 90, kill`: the seconds a worker has to end its job before it is killed. */
  readonly stopSequence?: string;
  readonly counts: ServerCounts;
}

export interface StackSeed {
  readonly uid: string;
  readonly name?: string;
  readonly status?: StackStatus;
  readonly maintenanceMode?: boolean;
  readonly servers: readonly ServerSeed[];
  readonly processes: readonly ProcessSeed[];
}

/** `public` reads, `redeploy` runs stack actions, `admin` scales. */
export type Scope = 'public' | 'redeploy' | 'admin';

/** An access token. The rate limit belongs to its user: two tokens of one user share it. */
export interface Token {
  readonly value: string;
  readonly user: string;
  readonly scopes: readonly Scope[];
}

/** How one action goes wrong. */
export type ActionFault =
  /** Ends with `finished_success` false and this message; nothing changes. */
  | { readonly kind: 'fails'; readonly message: string }
  /** Never ends. The stack stays busy for `holdsStackSeconds`, for ever when that is left out. */
  | { readonly kind: 'never_finishes'; readonly holdsStackSeconds?: number }
  /** Disappears from the action log, with or without having changed the workers. */
  | { readonly kind: 'vanishes'; readonly afterSeconds: number; readonly appliesChange: boolean }
  /** Reports success although nothing changed. */
  | { readonly kind: 'changes_nothing' }
  /** Works, after this time instead of the usual one. */
  | { readonly kind: 'slow'; readonly latencySeconds: number };

/** How the account behaves where Cloud 66's documents leave it open, and what goes wrong. */
export interface AccountSettings {
  /** How long a scale action takes. */
  readonly scaleLatencySeconds: (random: Random) => number;
  /** How long a new worker needs, after its action has ended, until it takes its first job. */
  readonly startUpSeconds: (random: Random) => number;
  /** A scale call while another action of the stack runs: refused with 409, or done afterwards. */
  readonly whenBusy: 'conflict' | 'queue';
  /** Servers that a scale call does not name: they keep their workers, or lose them. */
  readonly omittedServers: 'keep' | 'zero';
  /** Whether an action shows the `user_reference` of its scale call. */
  readonly echoesUserReference: boolean;
  /** Whether a process still lists a server on which it has been scaled to zero. */
  readonly listsZeroCounts: boolean;
  readonly restartsWorkersOnDeploy: boolean;
  readonly callsPerHour: number;
  /** 503 `throttled` is the documented answer to a used-up rate limit; 429 with Retry-After is the usual one. */
  readonly throttledStatus: 503 | 429;
  /** Every call is answered with 402. */
  readonly trialExpired: boolean;
  /** Text of the `X-Cloud66-Warning` header. */
  readonly warning: string | null;
  /** Asked once for each action that starts. */
  readonly actionFault: (action: ActionView) => ActionFault | null;
}

type ActionKind = 'process_scale' | 'process_pause' | 'process_resume' | 'stack_redeploy';

/** An action as the account knows it. Exactly the finished ones have a result. */
export interface ActionView {
  readonly id: number;
  readonly kind: ActionKind;
  readonly user: string;
  readonly startedVia: 'api' | 'web';
  /** Null for deployments. */
  readonly processName: string | null;
  /** What a scale call asked for, as sent. */
  readonly requestedCounts: ServerCounts;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly success: boolean | null;
  readonly message: string | null;
  readonly userReference: string | null;
}

export interface ServerView {
  readonly uid: string;
  readonly name: string;
  readonly roles: readonly string[];
  readonly groupId: number;
  readonly health: ServerHealth;
  readonly hasAgent: boolean;
}

export interface ProcessView {
  readonly name: string;
  readonly command: string;
  readonly md5: string;
  readonly stopSequence: string;
  /** Workers by server uid, as Cloud 66 has them on its books; the listed servers only. */
  readonly counts: ServerCounts;
  /** Workers that a pause took away, by server uid. */
  readonly pauses: ServerCounts;
}

export interface StackView {
  readonly uid: string;
  readonly name: string;
  readonly resourceId: number;
  readonly status: StackStatus;
  readonly health: ServerHealth;
  readonly maintenanceMode: boolean;
  readonly createdAtMs: number;
}

/** The workers of one process that really run; those that start up are not among them yet. */
export interface WorkersEvent {
  readonly stackUid: string;
  readonly processName: string;
  readonly running: number;
  /** Seconds that a worker which is stopped now has for its job. */
  readonly stopSeconds: number;
}
