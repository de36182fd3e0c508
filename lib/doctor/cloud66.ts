/** Cloud 66: is the token good, may it scale, are stacks and processes there, is enough of the API budget left? */
import type { Cloud66Client } from '../cloud66/client.ts';
import {
  ConflictError,
  ForbiddenError,
  NotFoundError,
  ThrottledError,
  TrialExpiredError,
  UnauthorizedError,
} from '../cloud66/errors.ts';
import type { ProcessReply } from '../cloud66/schema.ts';
import type { TokenSource } from '../cloud66/token.ts';
import type { Target } from '../domain.ts';
import { roundMinutes } from '../policy/turns.ts';
import {
  type Attempt,
  attempt,
  type CheckResult,
  type Checks,
  type Examined,
  fail,
  notChecked,
  ok,
  type Subject,
  warn,
} from './check.ts';
import { processResult, serversResult } from './processes.ts';

/** What is looked at of one account. */
interface AccountExamined extends Pick<Examined, 'clock' | 'watchIntervalSeconds' | 'probesScope' | 'signal'> {
  readonly client: Cloud66Client;
  readonly token: TokenSource;
  /** Name of the token's parameter. */
  readonly tokenParameter: string;
  readonly targets: readonly Target[];
  readonly tokenSubject: Subject;
  readonly budgetSubject: Subject;
}

/** Checks the stacks of all accounts, one after the other, with as few calls as one pass makes. */
export async function* checkCloud66(examined: Examined): Checks {
  const { deployment, accountOf } = examined;
  for (const [own, targets] of Map.groupBy(deployment.targets, ({ tokenParameter }) => tokenParameter)) {
    const [id, name] = own === undefined ? ['', ''] : [`:${own}`, ` ${own}`];
    yield* checkAccount({
      ...examined,
      ...accountOf(own),
      tokenParameter: own ?? deployment.tokenParameter,
      targets,
      tokenSubject: { id: `token${id}`, title: `Cloud 66 accepts the token${name}` },
      budgetSubject: { id: `budget${id}`, title: `The API budget${name && ` of${name}`} suffices` },
    });
  }
}

async function* checkAccount(examined: AccountExamined): Checks {
  const stacks = [...Map.groupBy(examined.targets, ({ stackUid }) => stackUid)];
  const [firstUid = ''] = stacks[0] ?? [];
  const token = await tokenResult(examined, firstUid);
  yield token.result;
  if (token.obstacle !== null) {
    for (const [uid, stackTargets] of stacks) yield* unchecked(uid, stackTargets, token.obstacle);
  } else {
    for (const [uid, stackTargets] of stacks) yield* checkStack(examined, uid, stackTargets);
  }
  yield budgetResult(examined, stacks.length, token.obstacle);
}

/** What keeps everything else at Cloud 66 from being looked at; null when nothing does. */
interface TokenVerdict {
  readonly result: CheckResult;
  readonly obstacle: string | null;
}

async function tokenResult(examined: AccountExamined, stackUid: string): Promise<TokenVerdict> {
  const { client, token, signal, tokenParameter, tokenSubject: TOKEN } = examined;
  const read = await attempt(() => token.get());
  if (read.kind === 'error') {
    const advice = `Store the token as SecureString ${tokenParameter} in the deployment's account and region.`;
    return { result: fail(TOKEN, read.message, advice), obstacle: 'the token could not be read' };
  }
  const seen = await attempt(() => client.getStack(stackUid, signal));
  if (seen.kind === 'ok') return { result: ok(TOKEN, 'it reads'), obstacle: null };
  const { error, message } = seen;
  if (error instanceof NotFoundError) return { result: ok(TOKEN, 'it is accepted'), obstacle: null };
  if (error instanceof ThrottledError) {
    const obstacle = 'Cloud 66 throttles';
    return { result: notChecked(TOKEN, obstacle), obstacle };
  }
  return { result: fail(TOKEN, message, tokenAdvice(error)), obstacle: 'Cloud 66 does not let us read' };
}

function tokenAdvice(error: unknown): string {
  if (error instanceof UnauthorizedError) {
    return 'Create a personal token with the scopes public and admin in the Cloud 66 dashboard and store it anew.';
  }
  if (error instanceof ForbiddenError) return 'The token lacks the scope public: create one with public and admin.';
  if (error instanceof TrialExpiredError) return 'The trial of the Cloud 66 account is over: add a payment method.';
  return 'Is CLOUD66_API_URL right, and can this machine reach it?';
}

function stackSubject(uid: string) {
  return { id: `stack:${uid}`, title: `Stack ${uid} exists and is live` };
}

function scopeSubject(uid: string) {
  return { id: `scope:${uid}`, title: `The token may scale stack ${uid}` };
}

function processSubject({ id, processName }: Target) {
  return { id: `process:${id}`, title: `Process ${processName} exists` };
}

function serversSubject({ id }: Target) {
  return { id: `servers:${id}`, title: `The servers of ${id} are known` };
}

function* unchecked(uid: string, targets: readonly Target[], why: string): Generator<CheckResult, void> {
  yield notChecked(stackSubject(uid), why);
  yield* uncheckedInside(uid, targets, why);
}

function* uncheckedInside(uid: string, targets: readonly Target[], why: string): Generator<CheckResult, void> {
  yield notChecked(scopeSubject(uid), why);
  for (const target of targets) {
    yield notChecked(processSubject(target), why);
    yield notChecked(serversSubject(target), why);
  }
}

async function* checkStack(examined: AccountExamined, uid: string, targets: readonly Target[]): Checks {
  const { client, signal } = examined;
  const stack = await attempt(() => client.getStack(uid, signal));
  yield stackResult(uid, stack);
  if (stack.kind === 'error') {
    yield* uncheckedInside(uid, targets, 'the stack could not be read');
    return;
  }
  const processes = await attempt(() => client.listProcesses(uid, {}, signal));
  const servers = await attempt(() => client.listServers(uid, signal));
  if (processes.kind === 'error' || servers.kind === 'error') {
    const [failed] = [processes, servers].flatMap((read) => (read.kind === 'error' ? [read.message] : []));
    yield* uncheckedInside(uid, targets, failed ?? 'processes or servers could not be read');
    return;
  }
  yield await scopeResult(examined, uid, processes.value);
  for (const target of targets) {
    yield processResult(processSubject(target), target, processes.value);
    yield serversResult(serversSubject(target), target, processes.value, servers.value);
  }
}

/** Statuses as numbers: https://developers.cloud66.com/v3 (stacks). */
const DEPLOYED = 1;
const DEPLOYMENT_FAILED = 2;
const TERMINAL_FAILURE = 7;

type StackAttempt = Attempt<{ readonly status: number; readonly maintenanceMode: boolean }>;

function stackResult(uid: string, stack: StackAttempt): CheckResult {
  const subject = stackSubject(uid);
  if (stack.kind === 'error') {
    if (stack.error instanceof ThrottledError) return notChecked(subject, 'Cloud 66 throttles');
    return fail(subject, stack.message, 'Check STACK_UID, and that the owner of the token may see the stack.');
  }
  const { status, maintenanceMode } = stack.value;
  if (status === TERMINAL_FAILURE) {
    return fail(subject, 'a terminal failure is reported', 'Mend the stack in the Cloud 66 dashboard.');
  }
  if (maintenanceMode) return warn(subject, 'it is in maintenance mode', 'Nothing is scaled until that ends.');
  if (status === DEPLOYED || status === DEPLOYMENT_FAILED) return ok(subject, 'it is live');
  return warn(subject, `it is being deployed (status ${status})`, 'Nothing is scaled until that is done.');
}

/** No process has this name; one that does is not probed with. */
const PROBE_PROCESS = 'cloud66-autoscaler-scope-probe';
/** No server has this uid. */
const PROBE_SERVER = '0'.repeat(32);

/**
 * May the token scale? The API tells the scopes of a token nowhere, so the answer is found by asking for something that
 * must be refused whatever the scopes are: the scale call for a process that does not exist (the list just read shows
 * that), with zero workers, on a server that does not exist. Scopes are part of the access token and are checked before a
 * request is looked at (https://developers.cloud66.com/v3/getting-started/scoped-access), so a token without `admin` gets
 * 403, and one with it 400 or 404 (or 409 from a busy stack). Were the call accepted against all documents, it would ask
 * for no worker of nothing. Whoever does not want it made leaves it out with --no-scope-check.
 */
async function scopeResult(
  { client, signal, probesScope }: AccountExamined,
  uid: string,
  processes: readonly ProcessReply[],
): Promise<CheckResult> {
  const subject = scopeSubject(uid);
  if (!probesScope) return warn(subject, 'not checked: --no-scope-check', 'The first scale call will tell.');
  if (processes.some(({ name }) => name === PROBE_PROCESS)) {
    return warn(subject, `not checked: the stack has a process ${PROBE_PROCESS}`, 'The first scale call will tell.');
  }
  const wish = { processName: PROBE_PROCESS, serverCount: { [PROBE_SERVER]: 0 } };
  const probe = await attempt(() => client.scaleProcess(uid, wish, signal));
  if (probe.kind === 'ok') {
    const detail = `Cloud 66 accepted a call that asks for nothing, as action ${probe.value.id}`;
    return warn(
      subject,
      detail,
      'The token may scale. Look at that action in the dashboard, and use --no-scope-check.',
    );
  }
  const { error, message } = probe;
  if (error instanceof ForbiddenError) {
    return fail(subject, message, 'Create a personal token with the scopes public and admin and store it anew.');
  }
  if (error instanceof ThrottledError) return notChecked(subject, 'Cloud 66 throttles');
  const isRefusal = error instanceof NotFoundError || error instanceof ConflictError || isBadRequest(error);
  if (isRefusal) return ok(subject, 'a call that must be refused was refused for the right reason');
  return warn(subject, message, 'Run doctor again: this answer does not tell whether the token may scale.');
}

function isBadRequest(error: unknown): boolean {
  const status = typeof error === 'object' && error !== null ? Reflect.get(error, 'status') : null;
  return status === 400 || status === 422;
}

const HOUR_SECONDS = 3600;
/** Stack and action log: what a look at an awake target costs its stack. */
const CALLS_PER_LOOK = 2;
/** Stack, actions, processes, servers, the call itself, and what it takes to see it done: see `npm run bench:fleet`. */
const CALLS_PER_CHANGE = 12;
const DOCUMENTED_LIMIT = 3000;

function budgetResult(
  { client, clock, targets, watchIntervalSeconds, budgetSubject: BUDGET }: AccountExamined,
  stacks: number,
  obstacle: string | null,
): CheckResult {
  const nowMs = clock.nowMs();
  const untilMs = client.budget.throttledUntilMs(nowMs);
  if (untilMs !== null) {
    const detail = `Cloud 66 throttles until ${new Date(untilMs).toISOString()}`;
    return fail(BUDGET, detail, 'The budget belongs to the user: give the autoscaler one of its own, or call less.');
  }
  if (obstacle !== null) return notChecked(BUDGET, obstacle);
  const { hourlyCalls } = client.budget.allowance(nowMs);
  const hourly = Math.ceil((stacks * HOUR_SECONDS) / (60 * roundMinutes(stacks, hourlyCalls)));
  const left = client.budget.remaining(nowMs);
  const restSeconds = HOUR_SECONDS - (Math.floor(nowMs / 1000) % HOUR_SECONDS);
  const needed = Math.ceil((hourly * restSeconds) / HOUR_SECONDS);
  // Only strategy `latency` has targets that are looked at between the ticks.
  const watched = targets.some(({ policy }) => policy.strategy.kind === 'latency');
  const watching = watched ? Math.ceil((HOUR_SECONDS / watchIntervalSeconds) * CALLS_PER_LOOK) : 0;
  const detail =
    `${left} calls left; ${hourly} an hour at rest, about ${CALLS_PER_CHANGE} for each change` +
    `${watching === 0 ? '' : `, up to ${watching} an hour for each stack while one of its targets is awake`}`;
  if (left < needed) {
    return fail(BUDGET, `${detail}; ${needed} are needed in the rest of the hour`, 'Who else uses this token or user?');
  }
  if (hourly + watching > DOCUMENTED_LIMIT / 2)
    return warn(BUDGET, detail, 'Share the stacks among tokens of several users.');
  return ok(BUDGET, detail);
}
