/**
 * What the account's answers look like on the wire (API v3, https://developers.cloud66.com).
 *
 * The documentation and the official Go client disagree in places; nobody outside knows which one production follows, and
 * perhaps both, by endpoint and by age. So each is a form of its own here: `documented` is what the samples show, `go` what
 * the Go client decodes, and `mixed` takes one or the other by chance for every single disagreement.
 */
import type { StackStatus } from '../../domain.ts';
import type { Random } from '../random.ts';
import type { ActionView, ProcessView, ServerHealth, ServerView, StackView } from './model.ts';
import type { Refusal } from './refusal.ts';

export type ReplyForm = 'documented' | 'go' | 'mixed';

/** Where a page of a list lies. Shown as `pagination`. */
export interface Page {
  readonly number: number;
  readonly size: number;
}

type Json = Readonly<Record<string, unknown>>;

/** The bodies of all answers. */
export interface ReplyForms {
  processes(processes: readonly ProcessView[], servers: readonly ServerView[], page: Page): Json;
  /** One process: documented as the list of all of them, decoded as one object. */
  process(name: string, processes: readonly ProcessView[], servers: readonly ServerView[], page: Page): Json;
  servers(stackUid: string, servers: readonly ServerView[], createdAtMs: number, page: Page): Json;
  stack(stack: StackView): Json;
  actions(actions: readonly ActionView[], resourceId: number, page: Page): Json;
  /** Documented without the envelope, decoded with it. */
  action(action: ActionView, resourceId: number): Json;
  /** The answer to a scale call: documented as a list of one action, decoded as one object. */
  accepted(action: ActionView, resourceId: number): Json;
}

/** `random` decides the mixed form. */
export function createReplyForms(form: ReplyForm, random: Random): ReplyForms {
  /** Decides one disagreement: what the documentation shows, or what the Go client decodes. */
  const either = <Documented, Go>(documented: Documented, go: Go): Documented | Go => {
    if (form === 'mixed') return random.chance(0.5) ? documented : go;
    return form === 'documented' ? documented : go;
  };

  const processJson = (process: ProcessView, servers: readonly ServerView[]): Json => ({
    md5: process.md5,
    name: process.name,
    command: process.command,
    servers: byServerName(process.counts, servers),
    // Only the Go client knows of pauses. Mixed always shows them: a field more is no disagreement.
    ...(form === 'documented' ? {} : { servers_pauses: byServerName(process.pauses, servers) }),
  });

  const actionJson = (action: ActionView, resourceId: number): Json => ({
    id: action.id,
    user: action.user,
    resource_type: 'stack',
    action: either(capitalized(action.kind), action.kind),
    resource_id: either(String(resourceId), form === 'mixed' ? resourceId : String(resourceId)),
    started_via: action.startedVia,
    started_at: either(isoZulu(action.startedAtMs), isoOffset(action.startedAtMs)),
    finished_at:
      action.finishedAtMs === null ? null : either(isoZulu(action.finishedAtMs), isoOffset(action.finishedAtMs)),
    finished_success: action.success === null ? null : either(String(action.success), action.success),
    finished_message: action.message,
    finished_result: null,
    metadata: action.userReference === null ? {} : { user_reference: action.userReference },
  });

  const processList: ReplyForms['processes'] = (processes, servers, page) =>
    listOf(processes, page, (process) => processJson(process, servers));

  return {
    processes: processList,
    process: (name, processes, servers, page) => {
      const one = processes.filter((process) => process.name === name).map((process) => processJson(process, servers));
      return either(processList(processes, servers, page), { response: one[0] });
    },
    servers: (stackUid, servers, createdAtMs, page) =>
      listOf(servers, page, (server) => serverJson(server, stackUid, createdAtMs)),
    stack: (stack) => ({ response: stackJson(stack) }),
    actions: (actions, resourceId, page) => listOf(actions, page, (action) => actionJson(action, resourceId)),
    action: (action, resourceId) => {
      const body = actionJson(action, resourceId);
      return either(body, { response: body });
    },
    accepted: (action, resourceId) => {
      const body = actionJson(action, resourceId);
      return { response: either([body], body) };
    },
  };
}

/** The documented error envelope. */
export function refusalJson(refusal: Refusal): Json {
  return { error: refusal.id, error_description: refusal.description, details: refusal.details };
}

function listOf<T>(items: readonly T[], { number, size }: Page, toJson: (item: T) => Json): Json {
  const pages = Math.max(1, Math.ceil(items.length / size));
  return {
    response: items.slice((number - 1) * size, number * size).map(toJson),
    count: items.length,
    pagination: {
      previous: number > 1 ? number - 1 : null,
      next: number < pages ? number + 1 : null,
      current: number,
      per_page: size,
      count: items.length,
      pages,
    },
  };
}

/** Process lists name servers, although scale calls take uids. */
function byServerName(counts: Readonly<Record<string, number>>, servers: readonly ServerView[]): Json {
  const shown = servers.filter((server) => counts[server.uid] !== undefined);
  return Object.fromEntries(shown.map((server) => [server.name, counts[server.uid]]));
}

const STATUS_CODES: Readonly<Record<StackStatus, number>> = {
  queued: 0,
  deployed: 1,
  failed: 2,
  analysing: 3,
  analysed: 4,
  queued_for_deploying: 5,
  deploying: 6,
  terminal_failure: 7,
  unknown: 99, // a code that is not documented
};

const HEALTH_CODES: Readonly<Record<ServerHealth, number>> = {
  unknown: 0,
  building: 1,
  impaired: 2,
  healthy: 3,
  failed: 4,
};

function stackJson(stack: StackView): Json {
  return {
    uid: stack.uid,
    name: stack.name,
    environment: 'production',
    cloud: 'aws',
    language: 'ruby',
    framework: 'rails',
    status: STATUS_CODES[stack.status],
    health: HEALTH_CODES[stack.health],
    maintenance_mode: stack.maintenanceMode,
    has_loadbalancer: false,
    created_at: dateUtc(stack.createdAtMs),
    created_at_iso: isoZulu(stack.createdAtMs),
  };
}

function serverJson(server: ServerView, stackUid: string, createdAtMs: number): Json {
  return {
    uid: server.uid,
    name: server.name,
    stack_uid: stackUid,
    server_type: 'aws',
    server_group_id: server.groupId,
    server_roles: server.roles,
    has_agent: server.hasAgent,
    health_state: HEALTH_CODES[server.health],
    user_name: 'ubuntu',
    region: 'eu-west-1',
    availability_zone: 'eu-west-1a',
    created_at: dateUtc(createdAtMs),
    created_at_iso: isoZulu(createdAtMs),
  };
}

/** `Process_scale`, as the documentation writes it. */
function capitalized(kind: string): string {
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}

/** `2014-09-01T19:08:05Z`: all of Cloud 66's dates are whole seconds. */
function isoZulu(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** `2014-08-14T01:46:53+00:00` */
function isoOffset(atMs: number): string {
  return isoZulu(atMs).replace('Z', '+00:00');
}

/** `2014-08-14 01:46:52 UTC` */
function dateUtc(atMs: number): string {
  return isoZulu(atMs).replace('T', ' ').replace('Z', ' UTC');
}
