/**
 * Wire shapes to domain nouns and back: the Cloud 66 side of the ports in `lib/reconcile/ports.ts`. Joins server names
 * (which the process list speaks) with server uids (which the scale call speaks). Decides nothing.
 */
import type {
  Action,
  Placement,
  Reading,
  ReadingProblem,
  ScaleRequest,
  ServerWorkers,
  StackState,
  StackStatus,
} from '../domain.ts';
import { AutoscalerError, InvalidInputError } from '../errors.ts';
import type { ActionLook, Clock, ProcessHost, ScaleAnswer, Scaler } from '../reconcile/ports.ts';
import type { Cloud66Client } from './client.ts';
import {
  ConflictError,
  ForbiddenError,
  MalformedReplyError,
  NotFoundError,
  ThrottledError,
  TrialExpiredError,
  UnauthorizedError,
  UnknownOutcomeError,
} from './errors.ts';
import type { ActionReply, ProcessReply, ServerReply } from './schema.ts';

export interface ProcessHostOptions {
  readonly client: Cloud66Client;
  readonly clock: Clock;
  /** How long a server list is kept: servers change rarely, and each list is a call. */
  readonly cacheSeconds?: number;
}

/** A stack's processes and servers, as one pass sees them. */
interface StackView {
  readonly processes: readonly ProcessReply[];
  readonly servers: readonly ServerReply[];
  readonly observedAtMs: number;
}

interface CachedServers {
  readonly servers: readonly ServerReply[];
  readonly readAtMs: number;
}

/** Server lists kept at most: far more stacks than one account scales. */
const MAX_CACHED_STACKS = 100;

/** Reads placements, stacks and actions. Trouble becomes a failed `Reading`; only a bug of ours is thrown. */
export function createProcessHost({ client, clock, cacheSeconds = 300 }: ProcessHostOptions): ProcessHost {
  const serverLists = new Map<string, CachedServers>();
  const viewsUnderway = new Map<string, { readonly signal: AbortSignal; readonly view: Promise<StackView> }>();

  const readServers = async (stackUid: string, signal: AbortSignal): Promise<readonly ServerReply[]> => {
    const readAtMs = clock.nowMs();
    const servers = await client.listServers(stackUid, signal);
    if (serverLists.size >= MAX_CACHED_STACKS) serverLists.clear();
    serverLists.set(stackUid, { servers, readAtMs });
    return servers;
  };

  const readView = async (stackUid: string, signal: AbortSignal): Promise<StackView> => {
    const observedAtMs = clock.nowMs();
    const cached = serverLists.get(stackUid);
    const isFresh = cached !== undefined && observedAtMs - cached.readAtMs < cacheSeconds * 1000;
    const [processes, known] = await Promise.all([
      client.listProcesses(stackUid, {}, signal),
      isFresh ? cached.servers : readServers(stackUid, signal),
    ]);
    const isOutdated = isFresh && processes.some((process) => unknownServers(process, known).length > 0);
    return { processes, servers: isOutdated ? await readServers(stackUid, signal) : known, observedAtMs };
  };

  /** Callers of one pass (one signal) that ask while the answer is under way share it. */
  const shareView = (stackUid: string, signal: AbortSignal): Promise<StackView> => {
    const underway = viewsUnderway.get(stackUid);
    if (underway?.signal === signal) return underway.view;
    const view = readView(stackUid, signal).finally(() => {
      if (viewsUnderway.get(stackUid)?.view === view) viewsUnderway.delete(stackUid);
    });
    viewsUnderway.set(stackUid, { signal, view });
    return view;
  };

  return {
    async placements(stackUid, processNames, signal) {
      const read = await readingOf(() => shareView(stackUid, signal));
      const placementIn = (name: string): Reading<Placement> => (read.kind === 'ok' ? place(name, read.value) : read);
      return new Map(processNames.map((name) => [name, placementIn(name)]));
    },
    async stack(stackUid, signal) {
      const observedAtMs = clock.nowMs();
      const read = await readingOf(() => client.getStack(stackUid, signal));
      return read.kind === 'ok' ? ok(stackState(read.value.status, read.value.maintenanceMode), observedAtMs) : read;
    },
    async actions(stackUid, signal) {
      const observedAtMs = clock.nowMs();
      const read = await readingOf(() => client.listActions(stackUid, { maxPages: 1 }, signal));
      // Ids grow by one per action, so they order what the documentation leaves unordered.
      return read.kind === 'ok'
        ? ok(
            read.value.map(toAction).toSorted((a, b) => b.id - a.id),
            observedAtMs,
          )
        : read;
    },
    async action(stackUid, actionId, signal) {
      const look = await lookAt(client, stackUid, actionId, signal);
      // A list that was asked for before the action was seen finished may show the workers before it.
      if (look.kind === 'found' && look.action.finishedAtMs !== null) viewsUnderway.delete(stackUid);
      return look;
    },
  };
}

// --- placements -------------------------------------------------------------------------------------------------

/** Where the workers of one process are, in the order of the uid; or why that cannot be said. */
function place(name: string, { processes, servers, observedAtMs }: StackView): Reading<Placement> {
  const process = processes.find((candidate) => candidate.name === name);
  if (process === undefined) {
    const known = processes.slice(0, 20).map((candidate) => candidate.name);
    return failed('not_found', `process "${name}" is not in the stack, which has: ${known.join(', ') || 'none'}`);
  }
  const doubled = firstDouble(servers.map((server) => server.name)) ?? firstDouble(servers.map((server) => server.uid));
  if (doubled !== null)
    return failed('malformed', `the stack has two servers "${doubled}"; which one is meant is unclear`);
  if (processes.filter((candidate) => candidate.name === name).length > 1) {
    return failed('malformed', `process "${name}" is listed twice`);
  }
  const [unknown] = unknownServers(process, servers);
  if (unknown !== undefined) {
    return failed(
      'malformed',
      `process "${name}" runs on server "${unknown}", which is not in the stack's server list`,
    );
  }
  const busyNames = new Set(processes.flatMap(occupiedServers));
  const workers = servers.map((server) => toServerWorkers(server, process, busyNames));
  return ok({ processName: name, servers: workers.toSorted(byUid) }, observedAtMs);
}

function toServerWorkers(server: ServerReply, process: ProcessReply, busyNames: ReadonlySet<string>): ServerWorkers {
  return {
    uid: server.uid,
    name: server.name,
    count: process.counts.get(server.name) ?? 0,
    pausedCount: process.pausedCounts.get(server.name) ?? 0,
    healthy: isHealthy(server.healthState),
    listed: process.counts.has(server.name) || process.pausedCounts.has(server.name),
    runsCode: busyNames.has(server.name),
  };
}

/** Names of the servers that run, or ran before a pause, workers of the process. */
function occupiedServers({ counts, pausedCounts }: ProcessReply): readonly string[] {
  return [...counts, ...pausedCounts].filter(([, count]) => count > 0).map(([server]) => server);
}

/** Servers that run workers and are not listed. One that is gone and counts nothing is no loss. */
function unknownServers(process: ProcessReply, servers: readonly ServerReply[]): readonly string[] {
  const known = new Set(servers.map((server) => server.name));
  return occupiedServers(process).filter((name) => !known.has(name));
}

function firstDouble(names: readonly string[]): string | null {
  return names.find((name, index) => names.indexOf(name) !== index) ?? null;
}

/** By code unit, so that the order is the same everywhere. */
function byUid(a: ServerWorkers, b: ServerWorkers): number {
  return a.uid < b.uid ? -1 : 1;
}

/**
 * The Go client reads a server's `health_state` as one of the stack's health codes: 0 unknown, 1 building, 2 impaired,
 * 3 healthy, 4 failed. Only what clearly says failed keeps new workers away; text is not documented and taken kindly.
 */
function isHealthy(healthState: number | string | null): boolean {
  if (typeof healthState === 'string') return !/^(hlt_)?(broken|failed|unreachable)$/i.test(healthState.trim());
  return healthState !== 4;
}

// --- stacks and actions -----------------------------------------------------------------------------------------

/** By status number: https://developers.cloud66.com/v3/endpoints/stacks (stack status values). */
const STACK_STATUSES: readonly StackStatus[] = [
  'queued',
  'deployed',
  'failed',
  'analysing',
  'analysed',
  'queued_for_deploying',
  'deploying',
  'terminal_failure',
];

function stackState(status: number, maintenanceMode: boolean): StackState {
  return { status: STACK_STATUSES[status] ?? 'unknown', maintenanceMode };
}

/** Kinds are written `Process_scale`, `process scale`, `stack-redeploy`: one spelling for all. */
function toAction(reply: ActionReply): Action {
  return {
    ...reply,
    kind: reply.kind
      .trim()
      .toLowerCase()
      .replaceAll(/[\s-]+/g, '_'),
  };
}

async function lookAt(
  client: Cloud66Client,
  stackUid: string,
  actionId: number,
  signal: AbortSignal,
): Promise<ActionLook> {
  try {
    return { kind: 'found', action: toAction(await client.getAction(stackUid, actionId, signal)) };
  } catch (error) {
    if (error instanceof NotFoundError) return { kind: 'gone', detail: error.message };
    if (error instanceof AutoscalerError) return { kind: 'unreadable', why: error.message };
    throw error;
  }
}

// --- readings ---------------------------------------------------------------------------------------------------

type Answered<T> = { readonly kind: 'ok'; readonly value: T } | Exclude<Reading<T>, { readonly kind: 'ok' }>;

function ok<T>(value: T, observedAtMs: number): Reading<T> {
  return { kind: 'ok', value, observedAtMs };
}

function failed(why: ReadingProblem, detail: string): Exclude<Reading<never>, { readonly kind: 'ok' }> {
  return { kind: 'failed', why, detail };
}

/** Trouble with the call as a failed reading. @throws what is not one of our own errors */
async function readingOf<T>(read: () => Promise<T>): Promise<Answered<T>> {
  try {
    return { kind: 'ok', value: await read() };
  } catch (error) {
    if (error instanceof AutoscalerError) return failed(problemOf(error), error.message);
    throw error;
  }
}

function problemOf(error: AutoscalerError): ReadingProblem {
  if (error instanceof ThrottledError) return 'throttled';
  if (error instanceof NotFoundError || error instanceof InvalidInputError) return 'not_found';
  if (error instanceof MalformedReplyError) return 'malformed';
  const isDenied =
    error instanceof UnauthorizedError || error instanceof ForbiddenError || error instanceof TrialExpiredError;
  return isDenied ? 'access_denied' : 'unavailable';
}

// --- the lever --------------------------------------------------------------------------------------------------

/** Scales through the API. Never throws: each way to fail is a kind of answer. */
export function createScaler({ client }: { readonly client: Cloud66Client }): Scaler {
  return {
    async scale(request, signal) {
      const { stackUid, processName, counts, userReference } = request;
      try {
        const wish = { processName, serverCount: counts, userReference };
        const action = await client.scaleProcess(stackUid, wish, signal);
        return { kind: 'accepted', actionId: action.id };
      } catch (error) {
        return answerTo(error, request);
      }
    },
  };
}

function answerTo(error: unknown, { processName }: ScaleRequest): ScaleAnswer {
  if (error instanceof ConflictError) return { kind: 'busy', detail: error.message };
  if (error instanceof UnknownOutcomeError) return { kind: 'unknown', error };
  if (error instanceof AutoscalerError) return { kind: 'refused', error };
  // A bug of ours may have struck after the request was sent.
  const cause = error instanceof Error ? error : new Error(`scaling "${processName}" failed: ${String(error)}`);
  return { kind: 'unknown', error: cause };
}
