/**
 * The shapes of Cloud 66's JSON, and the only place where its snake_case names are written. Nothing here does I/O or knows
 * HTTP. Public documentation and official Go client disagree in places; every form of either is accepted, anything else
 * is a problem with its path. Extra keys are ignored. Numbers that no stack can have are refused, because a count of
 * workers that was misread is worse than none.
 *
 * Sources: https://developers.cloud66.com/v3 and the Go module cloud66-oss/cloud66.
 */
import * as v from 'valibot';
import type { ServerCounts } from '../domain.ts';
import type { Problem } from '../errors.ts';
import {
  countExpected,
  field,
  isCount,
  isRecord,
  isUid,
  optionalField,
  readBoolean,
  readHealth,
  readName,
  readNumber,
  readText,
  readTimeMs,
  readUid,
  serverCounts,
  tell,
} from './fields.ts';

/** A process of a stack: how many workers each server runs, by server *name*. */
export interface ProcessReply {
  readonly name: string;
  readonly counts: ReadonlyMap<string, number>;
  /** Workers that were paused by hand; empty when Cloud 66 does not say. */
  readonly pausedCounts: ReadonlyMap<string, number>;
}

/** A server of a stack. `healthState` is a number in every form known (3 healthy, 4 failed); text is kept as it is. */
export interface ServerReply {
  readonly uid: string;
  readonly name: string;
  readonly healthState: number | string | null;
}

/** A stack: status 0..7, see https://developers.cloud66.com/v3/endpoints/stacks. */
export interface StackReply {
  readonly status: number;
  readonly maintenanceMode: boolean;
}

/** An asynchronous action. `finishedAtMs` null means running; times are milliseconds since the epoch. */
export interface ActionReply {
  readonly id: number;
  readonly kind: string;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly success: boolean | null;
  readonly message: string | null;
  readonly userReference: string | null;
}

/** An item of a list that could not be read: as it came, where, and all that is wrong with it, by path in the reply. */
export interface UnreadableItem {
  readonly value: unknown;
  /** Such as `response[3]`. */
  readonly path: string;
  readonly problems: readonly Problem[];
}

/** One page of a list. `next` is the number of the next page, null when this is the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly unreadable: readonly UnreadableItem[];
  readonly current: number | null;
  readonly next: number | null;
}

/** What came out of a reply, or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** A schema that turns one wire object into one of the types above. */
export type ItemSchema<T> = v.GenericSchema<unknown, T>;

// --- objects ----------------------------------------------------------------------------------------------------

/** An object of Cloud 66; keys that are not named are ignored. */
function object<const TEntries extends v.ObjectEntries>(entries: TEntries) {
  return v.object(entries, 'an object');
}

/** `{md5, name, command, servers: {NAME: count}}`; the Go client also knows `servers_pauses`. */
export const processSchema: ItemSchema<ProcessReply> = v.pipe(
  object({
    name: field('a process name', readName),
    servers: serverCounts,
    servers_pauses: v.nullish(serverCounts),
  }),
  v.transform((wire) => ({
    name: wire.name,
    counts: wire.servers,
    pausedCounts: wire.servers_pauses ?? new Map<string, number>(),
  })),
);

/** `{uid, name, server_roles, health_state, …}` */
export const serverSchema: ItemSchema<ServerReply> = v.pipe(
  object({
    uid: field('a server uid', readUid),
    name: field('a server name', readName),
    health_state: optionalField('a number or text', readHealth),
  }),
  v.transform((wire) => ({ uid: wire.uid, name: wire.name, healthState: wire.health_state })),
);

/** `{uid, name, status, health, maintenance_mode, …}`; an absent maintenance mode is off, as for stacks that have none. */
export const stackSchema: ItemSchema<StackReply> = v.pipe(
  object({
    status: field('a status number', readNumber),
    maintenance_mode: optionalField('a boolean', readBoolean),
  }),
  v.transform((wire) => ({ status: wire.status, maintenanceMode: wire.maintenance_mode ?? false })),
);

/** `{id, action, started_at, finished_at, finished_success, finished_message, metadata, …}` */
export const actionSchema: ItemSchema<ActionReply> = v.pipe(
  object({
    id: field('an action number', readNumber),
    action: field('a kind of action', readName),
    started_at: optionalField('a time', readTimeMs),
    finished_at: optionalField('a time', readTimeMs),
    finished_success: optionalField('a boolean', readBoolean),
    // Of no consequence to any decision: a form that we do not know must not make the action unreadable.
    finished_message: v.fallback(v.nullish(v.string(), null), null),
    metadata: v.optional(v.unknown()),
  }),
  v.transform((wire) => ({
    id: wire.id,
    kind: wire.action,
    startedAtMs: wire.started_at,
    finishedAtMs: wire.finished_at,
    success: wire.finished_success,
    message: wire.finished_message,
    userReference: referenceOf(wire.metadata),
  })),
);

function referenceOf(metadata: unknown): string | null {
  return isRecord(metadata) ? (readText(metadata.user_reference) ?? null) : null;
}

// --- replies ----------------------------------------------------------------------------------------------------

const paginationSchema = v.pipe(
  object({
    current: optionalField('a page number', readNumber),
    next: optionalField('a page number', readNumber),
  }),
);

/** Finds the payload: wrapped in `response` or bare. */
function unwrap(json: unknown): { readonly where: string; readonly payload: unknown; readonly pagination: unknown } {
  if (!isRecord(json) || !Object.hasOwn(json, 'response')) return { where: '', payload: json, pagination: null };
  return { where: 'response', payload: json.response, pagination: json.pagination ?? null };
}

/**
 * Reads one page: wrapped or bare, an array or one object. An empty array is an empty page; null is not. An item of an
 * array that cannot be read leaves the others readable: it may be somebody else's.
 * @returns the items and the page numbers, or every problem of a page that is none
 */
export function parsePage<T>(schema: ItemSchema<T>, json: unknown): Parsed<Page<T>> {
  const { where, payload, pagination } = unwrap(json);
  const items: T[] = [];
  const unreadable: UnreadableItem[] = [];
  const values: readonly unknown[] = Array.isArray(payload) ? payload : [payload];
  for (const [index, value] of values.entries()) {
    const path = Array.isArray(payload) ? `${where}[${index}]` : where;
    const item = parseItem(schema, value, path);
    if (item.kind === 'ok') items.push(item.value);
    else unreadable.push({ value, path, problems: item.problems });
  }
  const pages = parseItem(paginationSchema, pagination ?? {}, 'pagination');
  const isPage = pages.kind === 'ok' && (Array.isArray(payload) || unreadable.length === 0);
  if (isPage) return { kind: 'ok', value: { items, unreadable, ...pages.value } };
  const pageProblems = pages.kind === 'ok' ? [] : pages.problems;
  return { kind: 'problems', problems: [...unreadable.flatMap(({ problems }) => problems), ...pageProblems] };
}

function parseItem<T>(schema: ItemSchema<T>, value: unknown, path: string): Parsed<T> {
  const result = v.safeParse(schema, value);
  if (result.success) return { kind: 'ok', value: result.output };
  return { kind: 'problems', problems: result.issues.map((issue) => toProblem(path, issue)) };
}

/** What an unreadable process or server calls itself; null when not even that can be read. */
export function nameOf({ value }: UnreadableItem): string | null {
  return isRecord(value) ? (readName(value.name) ?? null) : null;
}

/**
 * What can still be said of an unreadable action: above all whether it runs, which it does unless its end can be read.
 * Null for what is no action at all.
 */
export function salvageAction({ value }: UnreadableItem): ActionReply | null {
  if (!isRecord(value)) return null;
  return {
    // Of no consequence beyond the order of the log: the oldest place is that of an action whose number is unknown.
    id: readNumber(value.id) ?? 0,
    kind: readName(value.action) ?? 'unknown',
    startedAtMs: readTimeMs(value.started_at) ?? null,
    finishedAtMs: readTimeMs(value.finished_at) ?? null,
    success: readBoolean(value.finished_success) ?? null,
    message: readText(value.finished_message) ?? null,
    userReference: referenceOf(value.metadata),
  };
}

/** One issue in our words: path, what was expected, what was found (in full: the client cleans and cuts it). */
function toProblem(where: string, issue: v.BaseIssue<unknown>): Problem {
  const path = [where, v.getDotPath(issue) ?? ''].filter((part) => part !== '').join('.');
  const missing = issue.type === 'object' && issue.input === undefined;
  const message = missing ? 'is missing' : `expected ${issue.message}, found ${issue.received}`;
  return { field: path || 'reply', message };
}

/** What an error body says: its id (`throttled`, `not_implemented`, …) and its best text. Both null for other bodies. */
export interface ToldError {
  readonly id: string | null;
  readonly text: string | null;
}

/** Reads `{"error", "error_description", "details"}`; of the texts the most detailed one that is set is the better. */
export function parseErrorBody(json: unknown): ToldError {
  if (!isRecord(json)) return { id: null, text: null };
  const texts = [json.details, json.error_description, json.error]
    .filter((value) => value !== undefined && value !== null && value !== '')
    .map((value) => (typeof value === 'string' ? value : tell(value)));
  return { id: readText(json.error) ?? null, text: texts[0] ?? null };
}

// --- requests ---------------------------------------------------------------------------------------------------

/** Query of the process list. */
export function processQuery(serverUid: string | undefined): Readonly<Record<string, string>> {
  return serverUid === undefined ? {} : { server_uid: serverUid };
}

/** A wish for absolute counts per server uid. Every server that runs the process should be named. */
export interface ScaleWish {
  readonly processName: string;
  readonly serverCount: ServerCounts;
  /** A note that Cloud 66 may echo in the action's metadata. */
  readonly userReference?: string;
}

/** Body of the scale call; `server_count` is an object, as in the Go client. */
export function scaleBody(wish: ScaleWish): string {
  return JSON.stringify({
    process_name: wish.processName,
    server_count: wish.serverCount,
    ...(wish.userReference === undefined ? {} : { user_reference: wish.userReference }),
  });
}

/** Everything that is wrong with a wish, before it is sent. */
export function scaleProblems(wish: ScaleWish): readonly Problem[] {
  const counts = Object.entries(wish.serverCount);
  const problems: Problem[] = counts.flatMap(([uid, count]) => {
    const field = `serverCount.${uid}`;
    const badUid = isUid(uid) ? [] : [{ field, message: 'expected a server uid' }];
    const badCount = isCount(count) ? [] : [{ field, message: `expected ${countExpected}, found ${tell(count)}` }];
    return [...badUid, ...badCount];
  });
  if (counts.length === 0) problems.push({ field: 'serverCount', message: 'names no server' });
  if ((wish.userReference?.length ?? 0) > 255) {
    problems.push({ field: 'userReference', message: 'is longer than 255 characters' });
  }
  return problems;
}
