/**
 * Wire shapes to domain nouns and back: the Cloud 66 side of the ports in `lib/reconcile/ports.ts`. Joins server names
 * (which the process list speaks) with server uids (which the scale call speaks). Decides nothing.
 */
import type { Action, Placement, Reading, ReadingProblem, ScaleRequest, StackState, StackStatus } from '../domain.ts';
import { AutoscalerError, InvalidInputError } from '../errors.ts';
import type { ActionLook, Clock, ProcessHost, ScaleAnswer, Scaler } from '../reconcile/ports.ts';
import type { ApiBudget, CallPurpose } from './budget.ts';
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
import { place } from './placement.ts';
import { type ActionReply, salvageAction } from './schema.ts';
import { createStackViews, tellItem } from './stack-views.ts';

export interface ProcessHostOptions {
  readonly client: Cloud66Client;
  readonly clock: Clock;
  /** How long a server list is kept: servers change rarely, and each list is a call. */
  readonly cacheSeconds?: number;
  /** The name of the account, such as the name of the parameter with its token. */
  readonly account?: string;
  /** What is read here is for changes and the counts on the way to them, or for their confirmation. */
  readonly purpose?: 'change' | 'confirm';
  /** Told what had to be left out of a list, each time anew. */
  readonly onWarning?: (warning: string) => void;
}

/** Pages of the action log that are read at most, of about 30 actions each. */
const MAX_ACTION_PAGES = 5;

/** Reads placements, stacks and actions. Trouble becomes a failed `Reading`; only a bug of ours is thrown. */
export function createProcessHost(options: ProcessHostOptions): ProcessHost {
  const { client, clock, cacheSeconds = 300, account = '', purpose = 'change', onWarning = () => {} } = options;
  const views = createStackViews({ client, clock, cacheSeconds, onWarning });

  const readActions = async (stackUid: string, sinceMs: number | undefined, signal: AbortSignal) => {
    const salvaged: ActionReply[] = [];
    const replies = await client.listActions(
      stackUid,
      {
        ...(sinceMs === undefined
          ? { maxPages: 1 }
          : { maxPages: MAX_ACTION_PAGES, sinceMs, onCut: () => onWarning(CUT) }),
        onUnreadable(item) {
          const action = salvageAction(item);
          const taken = action === null ? 'left out' : action.finishedAtMs === null ? 'running' : 'finished';
          onWarning(
            `action ${action?.id || 'without a number'} could not be read and is taken as ${taken}: ${tellItem(item)}`,
          );
          if (action !== null) salvaged.push(action);
        },
      },
      signal,
    );
    // Ids grow by one per action, so they order what the documentation leaves unordered.
    return [...replies, ...salvaged].map(toAction).toSorted((a, b) => b.id - a.id);
  };

  /** Reads when the budget has a call for that; else says so, without asking. */
  const affordable = async <T>(calledFor: CallPurpose, read: () => Promise<T>): Promise<Answered<T>> => {
    const { budget } = client;
    const nowMs = clock.nowMs();
    return budget.allows(calledFor, nowMs) ? await readingOf(read) : overBudget(calledFor, budget, nowMs);
  };

  return {
    allowance: () => ({ account, ...client.budget.allowance(clock.nowMs()) }),
    async placements(stackUid, processNames, signal, servers = 'recent') {
      const calledFor = servers === 'if_known' && purpose === 'change' ? 'count' : purpose;
      const read = await affordable(calledFor, () => views.view(stackUid, signal, servers));
      const placementIn = (name: string): Reading<Placement> => (read.kind === 'ok' ? place(name, read.value) : read);
      return new Map(processNames.map((name) => [name, placementIn(name)]));
    },
    async stack(stackUid, signal) {
      const observedAtMs = clock.nowMs();
      const read = await affordable(purpose, () => client.getStack(stackUid, signal));
      return read.kind === 'ok' ? ok(stackState(read.value.status, read.value.maintenanceMode), observedAtMs) : read;
    },
    async actions(stackUid, signal, sinceMs) {
      const observedAtMs = clock.nowMs();
      const read = await affordable(purpose, () => readActions(stackUid, sinceMs, signal));
      return read.kind === 'ok' ? ok(read.value, observedAtMs) : read;
    },
    async action(stackUid, actionId, signal) {
      if (!client.budget.allows(purpose, clock.nowMs())) {
        return { kind: 'not_asked', why: overBudget(purpose, client.budget, clock.nowMs()).detail };
      }
      const look = await lookAt(client, stackUid, actionId, signal);
      // A list that was asked for before the action was seen finished may show the workers before it.
      if (look.kind === 'found' && look.action.finishedAtMs !== null) views.forget(stackUid);
      return look;
    },
  };
}

/** Told when a log is followed back, and five pages do not reach as far as was asked. */
const CUT = 'the action log is longer than what is read of it; a change further back is not seen';

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

/** Missing and not failed: nothing is wrong but the hour, which ends by itself. */
function overBudget(purpose: CallPurpose, budget: ApiBudget, nowMs: number): Exclude<Reading<never>, { kind: 'ok' }> {
  const until = new Date(budget.allowance(nowMs).resetAtMs).toISOString();
  const left = `${budget.remaining(nowMs)} of ${budget.limit()} calls to Cloud 66 are left until ${until}`;
  return {
    kind: 'missing',
    why: 'over_budget',
    detail: `not asked: ${left}, and those are not for this (${purpose}).`,
  };
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
