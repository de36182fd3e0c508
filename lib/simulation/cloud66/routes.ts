/**
 * Answers a call of the Cloud 66 API from the account: who may, how often, which endpoint, which body. Still no sockets,
 * so that a simulation can call it directly; `server.ts` puts it behind a port.
 */
import type { ServerCounts } from '../../domain.ts';
import type { Cloud66Account } from './account.ts';
import type { Scope, Token } from './model.ts';
import type { Budget } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { type Page, type ReplyForms, refusalJson } from './reply-forms.ts';
import type { Cloud66Stack } from './stack.ts';

export const BASE_PATH = '/api/3';

/** Fixed in the documentation. */
const DEFAULT_PAGE_SIZE = 30;

export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: string;
}

export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  readonly user: string | null;
}

export interface Api {
  readonly account: Cloud66Account;
  readonly forms: ReplyForms;
  /** Items per page; another size than Cloud 66's 30 makes paging testable with few items. */
  readonly pageSize?: number;
}

/** Answers one call. Never throws for anything the caller sent. */
export function answer(api: Api, request: ApiRequest): ApiReply {
  const { account } = api;
  const headers: Record<string, string> = {};
  if (account.settings.warning !== null) headers['x-cloud66-warning'] = account.settings.warning;
  let user: string | null = null;
  try {
    const token = account.authenticate(request.authorization);
    user = token.user;
    const budget = account.spend(user);
    headers['x-ratelimit-limit'] = String(budget.limit);
    headers['x-ratelimit-remaining'] = String(budget.remaining);
    checkAccount(account, budget, headers);
    return { status: 200, headers, body: route(api, request, token), user };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: error.status, headers, body: refusalJson(error), user };
  }
}

function checkAccount({ settings }: Cloud66Account, budget: Budget, headers: Record<string, string>): void {
  if (settings.trialExpired) throw new Refusal('trial_expired', 'add a payment method to go on');
  if (budget.allowed) return;
  if (settings.throttledStatus === 503) throw new Refusal('throttled', `${budget.limit} calls in this hour`);
  headers['retry-after'] = String(budget.secondsUntilReset);
  throw new Refusal('too_many_requests', `${budget.limit} calls in this hour`);
}

/** One call to one endpoint of a stack. */
interface StackCall {
  readonly api: Api;
  readonly request: ApiRequest;
  readonly token: Token;
  readonly stack: Cloud66Stack;
  readonly page: Page;
  /** What the path names behind the collection: a process name, an action id. */
  readonly item: string;
}

interface Endpoint {
  readonly scope: Scope;
  readonly run: (call: StackCall) => ApiReply['body'];
}

/** By method and the shape of the path behind `/stacks/{uid}`. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'GET ': { scope: 'public', run: ({ api, stack }) => api.forms.stack(stack.view()) },
  'GET servers': { scope: 'public', run: listServers },
  'GET processes': { scope: 'public', run: listProcesses },
  'GET processes/*': { scope: 'public', run: oneProcess },
  'POST processes': { scope: 'admin', run: scaleProcess },
  'GET actions': { scope: 'public', run: listActions },
  'GET actions/*': { scope: 'public', run: oneAction },
};

function route(api: Api, request: ApiRequest, token: Token): ApiReply['body'] {
  const [collection, stackUid, name = '', item = '', ...rest] = segmentsOf(request.path);
  const endpoint = ENDPOINTS[`${request.method} ${name}${item === '' ? '' : '/*'}`];
  if (collection !== 'stacks' || stackUid === undefined || rest.length > 0 || endpoint === undefined) {
    throw new Refusal('not_found', `no endpoint ${request.method} ${request.path}`);
  }
  api.account.checkScope(token, endpoint.scope);
  const stack = api.account.stack(stackUid);
  const page = { number: pageNumber(request.query), size: api.pageSize ?? DEFAULT_PAGE_SIZE };
  return endpoint.run({ api, request, token, stack, page, item });
}

/** The decoded segments behind the base path, with or without `.json` at the end. */
function segmentsOf(path: string): readonly string[] {
  if (!path.startsWith(`${BASE_PATH}/`)) throw new Refusal('not_found', `no endpoint ${path}`);
  const segments = path
    .slice(BASE_PATH.length + 1)
    .replace(/\.json$/, '')
    .split('/');
  try {
    return segments.map(decodeURIComponent);
  } catch {
    throw new Refusal('bad_request', 'the path is not properly encoded');
  }
}

function pageNumber(query: URLSearchParams): number {
  const asked = query.get('page') ?? '1';
  if (!/^[1-9]\d{0,5}$/.test(asked)) throw new Refusal('bad_request', `page: ${asked}, expected a number from 1`);
  return Number(asked);
}

function listServers({ api, stack, page }: StackCall): ApiReply['body'] {
  const { uid, createdAtMs } = stack.view();
  return api.forms.servers(uid, stack.servers(), createdAtMs, page);
}

function listProcesses({ api, request, stack, page }: StackCall): ApiReply['body'] {
  const serverUid = request.query.get('server_uid') ?? undefined;
  return api.forms.processes(stack.processes(serverUid), stack.servers(), page);
}

function oneProcess({ api, request, stack, page, item }: StackCall): ApiReply['body'] {
  const processes = stack.processes(request.query.get('server_uid') ?? undefined);
  if (!processes.some((process) => process.name === item)) {
    throw new Refusal('not_found', `no process ${item} in this stack`);
  }
  return api.forms.process(item, processes, stack.servers(), page);
}

function listActions({ api, request, stack, page }: StackCall): ApiReply['body'] {
  const reference = request.query.get('user_reference');
  const actions = stack.actions().filter((action) => reference === null || action.userReference === reference);
  return api.forms.actions(actions, stack.view().resourceId, page);
}

function oneAction({ api, stack, item }: StackCall): ApiReply['body'] {
  if (!/^\d{1,15}$/.test(item)) throw new Refusal('not_found', `no action ${item} in this stack`);
  return api.forms.action(stack.action(Number(item)), stack.view().resourceId);
}

function scaleProcess({ api, request, token, stack }: StackCall): ApiReply['body'] {
  const parameters = parametersOf(request);
  const processName = parameters.process_name;
  if (typeof processName !== 'string' || processName === '') throw new Refusal('bad_request', 'process_name: missing');
  const userReference = parameters.user_reference;
  const action = stack.scale({
    processName,
    counts: countsOf(parameters.server_count),
    user: token.user,
    userReference: typeof userReference === 'string' ? userReference : null,
  });
  return api.forms.accepted(action, stack.view().resourceId);
}

/** The JSON body, and the query parameters as which the documentation's table lists the same names. */
function parametersOf({ query, body }: ApiRequest): Readonly<Record<string, unknown>> {
  const fromQuery = Object.fromEntries(query);
  if (body === '') return fromQuery;
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...fromQuery, ...parsed };
  } catch {
    // Falls through to the same refusal as JSON that is not an object.
  }
  throw new Refusal('bad_request', 'the body is not a JSON object');
}

/** `server_count`: an object in the Go client, the text `uid:count` (commas between several) in the documentation. */
function countsOf(serverCount: unknown): ServerCounts {
  if (typeof serverCount === 'string') return countsFromPairs(serverCount.split(',').map((pair) => pair.split(':')));
  if (typeof serverCount === 'object' && serverCount !== null && !Array.isArray(serverCount)) {
    return countsFromPairs(Object.entries(serverCount));
  }
  throw new Refusal('bad_request', 'server_count: missing, expected {server_uid: count}');
}

function countsFromPairs(pairs: readonly (readonly unknown[])[]): ServerCounts {
  const counts = pairs.map(([uid, count, ...rest]): [string, number] => {
    const isNumber = typeof count === 'number' || (typeof count === 'string' && /^\s*-?\d+\s*$/.test(count));
    if (typeof uid !== 'string' || !isNumber || rest.length > 0) {
      throw new Refusal('bad_request', 'server_count: expected {server_uid: count} with whole numbers');
    }
    return [uid.trim(), Number(count)];
  });
  return Object.fromEntries(counts);
}
