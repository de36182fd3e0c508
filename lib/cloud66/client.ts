/**
 * Client of the Cloud 66 API v3, for processes, servers, stacks and actions. It speaks wire shapes, knows nothing of
 * targets or decisions, and could stand alone. What may not live here: policy, logging, environment.
 *
 * Sources: https://developers.cloud66.com/v3 and the Go module cloud66-oss/cloud66. Paths carry `.json`, as in the Ruby
 * samples and the Go client. Every method throws `Cloud66Error` or a subclass for trouble with the call, and
 * `InvalidInputError` for arguments that must not be sent.
 */
import { InvalidInputError, type Problem } from '../errors.ts';
import { type ApiBudget, createBudget, type RateLimit } from './budget.ts';
import {
  type Answer,
  type ApiRequest,
  type CallContext,
  type ClientLimits,
  callApi,
  DEFAULT_LIMITS,
  holdWithinReserve,
} from './call.ts';
import { MalformedReplyError, NotFoundError, tellProblems, UnknownOutcomeError } from './errors.ts';
import { isUid } from './fields.ts';
import { type Fetch, nodeFetch } from './node-fetch.ts';
import {
  type ActionReply,
  actionSchema,
  type ItemSchema,
  type Page,
  type ProcessReply,
  parsePage,
  processQuery,
  processSchema,
  type ScaleWish,
  type ServerReply,
  type StackReply,
  scaleBody,
  scaleProblems,
  serverSchema,
  stackSchema,
  type UnreadableItem,
} from './schema.ts';
import type { TokenSource } from './token.ts';

export interface Cloud66ClientOptions {
  /** Such as `https://app.cloud66.com/api/3`; https, unless it is this machine. */
  readonly apiUrl: string;
  readonly token: TokenSource;
  readonly clock: { nowMs(): number };
  readonly limits?: Partial<ClientLimits>;
  readonly budget?: ApiBudget;
  /** Carries the requests instead of sockets: a simulation answers in the same process. */
  readonly fetch?: Fetch;
  /** Called with the text of `X-Cloud66-Warning`, on one line, tokens struck out. */
  readonly onWarning?: (warning: string) => void;
  /** Called for every reply that carries rate limit headers, errors included. */
  readonly onRateLimit?: (rateLimit: RateLimit) => void;
}

/** What to do with an item of a list that cannot be read. Without an answer to that, the whole list is unreadable. */
export interface ListOptions {
  readonly onUnreadable?: (item: UnreadableItem) => void;
}

export interface ActionListOptions extends ListOptions {
  readonly maxPages: number;
  /** No further page is read once an action that started before this is on one; all `maxPages` unless given. */
  readonly sinceMs?: number;
  /** There are more actions than `maxPages` show. */
  readonly onCut?: () => void;
}

export interface Cloud66Client {
  /** `GET /stacks/{uid}/processes`: all processes of the stack, on all pages; scope `public`. */
  listProcesses(
    stackUid: string,
    options: ListOptions & { readonly serverUid?: string },
    signal: AbortSignal,
  ): Promise<readonly ProcessReply[]>;
  /** `GET /stacks/{uid}/processes/{name}`; scope `public`. @throws NotFoundError naming those that exist */
  getProcess(stackUid: string, name: string, signal: AbortSignal): Promise<ProcessReply>;
  /** `POST /stacks/{uid}/processes`: asks for absolute counts; scope `admin`. @throws UnknownOutcomeError, ConflictError */
  scaleProcess(stackUid: string, wish: ScaleWish, signal: AbortSignal): Promise<ActionReply>;
  /** `GET /stacks/{uid}/servers`: all servers of the stack, on all pages; scope `public`. */
  listServers(stackUid: string, signal: AbortSignal, options?: ListOptions): Promise<readonly ServerReply[]>;
  /** `GET /stacks/{uid}`; scope `public`. */
  getStack(stackUid: string, signal: AbortSignal): Promise<StackReply>;
  /** `GET /stacks/{uid}/actions`: the first pages, in Cloud 66's order; scope `public`. */
  listActions(stackUid: string, options: ActionListOptions, signal: AbortSignal): Promise<readonly ActionReply[]>;
  /** `GET /stacks/{uid}/actions/{id}`; scope `public`. */
  getAction(stackUid: string, id: number, signal: AbortSignal): Promise<ActionReply>;
  /** What is left of the API budget. */
  readonly budget: ApiBudget;
}

/** @throws InvalidInputError when `apiUrl` is not usable */
export function createCloud66Client(options: Cloud66ClientOptions): Cloud66Client {
  const apiUrl = checkApiUrl(options.apiUrl);
  const context: CallContext = {
    token: options.token,
    clock: options.clock,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    budget: options.budget ?? createBudget(),
    fetch: options.fetch ?? nodeFetch,
    onWarning: options.onWarning ?? (() => {}),
    onRateLimit: options.onRateLimit ?? (() => {}),
  };
  const { maxPages } = context.limits;
  const get = (path: string, query: Readonly<Record<string, string>> = {}): ApiRequest => {
    const search = new URLSearchParams(query).toString();
    return { method: 'GET', url: `${apiUrl}${path}.json${search && `?${search}`}`, body: null, scope: 'public' };
  };
  const list = async <T>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: ItemSchema<T>,
    options: ListOptions,
    signal: AbortSignal,
  ) => {
    const bounds = { ...options, maxPages, wholeList: true };
    return await readPages((page) => get(path, { ...query, ...page }), schema, context, bounds, signal);
  };
  const one = async <T>(path: string, schema: ItemSchema<T>, signal: AbortSignal): Promise<T> => {
    const request = get(path);
    return onlyItem(request, schema, await callApi(request, context, signal));
  };

  return {
    budget: context.budget,
    listProcesses: async (stackUid, { serverUid, ...options }, signal) => {
      if (serverUid !== undefined) checkUid('serverUid', serverUid);
      return await list(`${stackPath(stackUid)}/processes`, processQuery(serverUid), processSchema, options, signal);
    },
    getProcess: async (stackUid, name, signal) => {
      const path = `${stackPath(stackUid)}/processes/${encodeURIComponent(checkProcessName(name))}`;
      const processes = await list(path, {}, processSchema, {}, signal);
      return pickProcess(name, processes, get(path));
    },
    scaleProcess: async (stackUid, wish, signal) => {
      const path = `${stackPath(stackUid)}/processes`;
      checkProcessName(wish.processName);
      const problems = scaleProblems(wish);
      if (problems.length > 0) throw new InvalidInputError('the scale request is not sent', problems);
      const request: ApiRequest = { ...get(path), method: 'POST', body: scaleBody(wish), scope: 'admin' };
      return onlyItem(request, actionSchema, await callApi(request, context, signal));
    },
    listServers: async (stackUid, signal, options = {}) =>
      await list(`${stackPath(stackUid)}/servers`, {}, serverSchema, options, signal),
    getStack: async (stackUid, signal) => await one(stackPath(stackUid), stackSchema, signal),
    listActions: async (stackUid, { maxPages: pages, sinceMs = Number.NEGATIVE_INFINITY, ...options }, signal) => {
      const path = `${stackPath(stackUid)}/actions`;
      const isEnough = (actions: readonly ActionReply[]) =>
        actions.some((action) => (action.startedAtMs ?? sinceMs) < sinceMs);
      const bounds = { ...options, isEnough, maxPages: Math.min(pages, maxPages), wholeList: false };
      return await readPages((page) => get(path, page), actionSchema, context, bounds, signal);
    },
    getAction: async (stackUid, id, signal) => {
      const path = `${stackPath(stackUid)}/actions/${checkActionId(id)}`;
      const action = await one(path, actionSchema, signal);
      if (action.id === id) return action;
      const message = `expected action ${id}, found ${action.id}`;
      throw new MalformedReplyError([{ field: 'id', message }], get(path), 200);
    },
  };
}

// --- replies ----------------------------------------------------------------------------------------------------

/** Where the reading of a list ends. */
interface PageBounds<T> extends ListOptions {
  readonly maxPages: number;
  /** More pages than that are an error, because half of this list would be a wrong list. */
  readonly wholeList: boolean;
  /** True when this page leads as far as its reader wants to see. */
  readonly isEnough?: (items: readonly T[]) => boolean;
  readonly onCut?: () => void;
}

/** Follows `pagination.next` while it is larger than the page at hand. */
async function readPages<T>(
  pageRequest: (query: Readonly<Record<string, string>>) => ApiRequest,
  schema: ItemSchema<T>,
  context: CallContext,
  { maxPages, wholeList, isEnough = () => false, onUnreadable, onCut }: PageBounds<T>,
  signal: AbortSignal,
): Promise<readonly T[]> {
  const items: T[] = [];
  let page = 1;
  let request = pageRequest({});
  for (let pages = 1; pages <= maxPages; pages += 1) {
    if (pages > 1) holdWithinReserve(request, context);
    const reply = parseAnswer(request, schema, await callApi(request, context, signal));
    items.push(...reply.items);
    if (reply.unreadable.length > 0 && !onUnreadable) throw unreadable(problemsOf(reply.unreadable), request);
    for (const item of reply.unreadable) onUnreadable?.(item);
    const current = reply.current ?? page;
    if (current !== page) throw wrongPage(`expected page ${page}, found ${current}`, request);
    if (reply.next === null || reply.next <= current || isEnough(reply.items)) return items;
    page = reply.next;
    request = pageRequest({ page: String(page) });
  }
  // Half a list of processes or servers would look like workers that are not there.
  if (wholeList) throw wrongPage(`expected at most ${maxPages} pages`, request);
  onCut?.();
  return items;
}

function wrongPage(message: string, request: ApiRequest): MalformedReplyError {
  return new MalformedReplyError([{ field: 'pagination', message }], request, 200);
}

function parseAnswer<T>(request: ApiRequest, schema: ItemSchema<T>, { json, clean }: Answer): Page<T> {
  const parsed = parsePage(schema, json);
  const cleaned = (problems: readonly Problem[]) =>
    problems.map(({ field, message }) => ({ field: clean(field), message: clean(message) }));
  if (parsed.kind === 'problems') throw unreadable(cleaned(parsed.problems), request);
  const items = parsed.value.unreadable.map((item) => ({ ...item, problems: cleaned(item.problems) }));
  return { ...parsed.value, unreadable: items };
}

function problemsOf(items: readonly UnreadableItem[]): readonly Problem[] {
  return items.flatMap(({ problems }) => problems);
}

/** The one object of a reply, which may stand alone or in an array. */
function onlyItem<T>(request: ApiRequest, schema: ItemSchema<T>, answer: Answer): T {
  const { items, unreadable: broken } = parseAnswer(request, schema, answer);
  if (broken.length > 0) throw unreadable(problemsOf(broken), request);
  const [item] = items;
  if (item !== undefined && items.length === 1) return item;
  throw unreadable([{ field: 'response', message: `expected one object, found ${items.length}` }], request);
}

/** A success that cannot be read: of a change it is not known what became of it. */
function unreadable(problems: readonly Problem[], request: ApiRequest): Error {
  if (request.method === 'GET') return new MalformedReplyError(problems, request, 200);
  const text = `the reply could not be understood: ${tellProblems(problems)}; the change was probably accepted`;
  return new UnknownOutcomeError(text, request, 200);
}

/** The documentation shows an array of *all* processes, the Go client reads one object: pick by name. */
function pickProcess(name: string, processes: readonly ProcessReply[], request: ApiRequest): ProcessReply {
  const process = processes.find((candidate) => candidate.name === name);
  if (process !== undefined) return process;
  const known = processes.map((candidate) => candidate.name).slice(0, 20);
  throw new NotFoundError(`no process "${name}" among ${known.join(', ') || 'none'}`, request, 200);
}

// --- arguments --------------------------------------------------------------------------------------------------

/** The base of all URLs, without a slash at the end. A token must not travel in clear text. */
function checkApiUrl(apiUrl: string): string {
  const problem = (message: string): InvalidInputError =>
    new InvalidInputError('Cloud 66 client', [{ field: 'apiUrl', message }]);
  if (!URL.canParse(apiUrl)) throw problem('expected a URL such as https://app.cloud66.com/api/3');
  const url = new URL(apiUrl);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.username !== '' || url.password !== '') throw problem('expected no user name or password');
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw problem(`expected https (plain http only to this machine), found ${url.protocol}//${url.hostname}`);
  }
  if (url.search !== '' || url.hash !== '') throw problem('expected no query and no fragment');
  return url.href.replace(/\/+$/, '');
}

function stackPath(stackUid: string): string {
  return `/stacks/${checkUid('stackUid', stackUid)}`;
}

function checkUid(field: string, uid: string): string {
  if (isUid(uid)) return uid;
  throw new InvalidInputError('Cloud 66 client', [
    { field, message: `expected letters and digits, found ${JSON.stringify(uid).slice(0, 80)}` },
  ]);
}

/** A name that stays one step of the path: `.` and `..` would be taken for directories even when encoded. */
function checkProcessName(name: string): string {
  const isUsable = name.length > 0 && name.length <= 255 && !/^\.{1,2}$|\p{Cc}|\p{Cs}/u.test(name);
  if (isUsable) return name;
  throw new InvalidInputError('Cloud 66 client', [
    { field: 'processName', message: `expected a process name, found ${JSON.stringify(name).slice(0, 80)}` },
  ]);
}

function checkActionId(id: number): number {
  if (Number.isSafeInteger(id) && id >= 0) return id;
  throw new InvalidInputError('Cloud 66 client', [{ field: 'actionId', message: `expected a number, found ${id}` }]);
}
