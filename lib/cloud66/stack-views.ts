/** Process list and server list of a stack, read together: the one from Cloud 66 each time, the other kept for a while. */
import type { Clock } from '../reconcile/ports.ts';
import type { Cloud66Client } from './client.ts';
import { tellProblems } from './errors.ts';
import { type Listed, type StackView, unknownServers } from './placement.ts';
import { nameOf, type ServerReply, type UnreadableItem } from './schema.ts';

/** How old the server list may be: minutes, not at all, or whatever is known from the last quarter of an hour. */
export type ServerListAge = 'recent' | 'anew' | 'if_known';

export interface StackViewOptions {
  readonly client: Cloud66Client;
  readonly clock: Clock;
  readonly cacheSeconds: number;
  readonly onWarning: (warning: string) => void;
}

/** Reads what a stack looks like. */
export interface StackViews {
  /** @throws Cloud66Error, InvalidInputError */
  view(stackUid: string, signal: AbortSignal, servers: ServerListAge): Promise<StackView>;
  /** What is under way for this stack is not shared with anybody any more. */
  forget(stackUid: string): void;
}

interface CachedServers {
  readonly servers: Listed<ServerReply>;
  readonly readAtMs: number;
}

interface UnderwayView {
  readonly signal: AbortSignal;
  readonly servers: ServerListAge;
  readonly view: Promise<StackView>;
}

/**
 * Older than this, servers are not known any more: a hold for want of room rests on their health, asks for nothing, and would
 * never see a failed server recover.
 */
const KNOWN_SECONDS = 900;

/** Server lists kept at most: more stacks than a fleet of a thousand targets has. */
const MAX_CACHED_STACKS = 300;

export function createStackViews({ client, clock, cacheSeconds, onWarning }: StackViewOptions): StackViews {
  const serverLists = new Map<string, CachedServers>();
  const viewsUnderway = new Map<string, UnderwayView>();

  /** What cannot be read of a list is kept beside it: whether it matters depends on what is asked. */
  const listOf = async <T>(
    what: string,
    read: (keep: { readonly onUnreadable: (item: UnreadableItem) => void }) => Promise<readonly T[]>,
  ): Promise<Listed<T>> => {
    const unreadable: UnreadableItem[] = [];
    const items = await read({ onUnreadable: (item) => unreadable.push(item) });
    for (const item of unreadable) {
      const name = nameOf(item);
      onWarning(`${what} ${name === null ? 'without a name' : `"${name}"`} could not be read: ${tellItem(item)}`);
    }
    return { items, unreadable };
  };

  const readServers = async (stackUid: string, signal: AbortSignal): Promise<Listed<ServerReply>> => {
    const readAtMs = clock.nowMs();
    const servers = await listOf('server', (keep) => client.listServers(stackUid, signal, keep));
    if (serverLists.size >= MAX_CACHED_STACKS) serverLists.clear();
    serverLists.set(stackUid, { servers, readAtMs });
    return servers;
  };

  const readView = async (stackUid: string, age: ServerListAge, signal: AbortSignal): Promise<StackView> => {
    const observedAtMs = clock.nowMs();
    const cached = serverLists.get(stackUid);
    const maxAgeMs = { recent: cacheSeconds * 1000, anew: 0, if_known: KNOWN_SECONDS * 1000 }[age];
    const isUsable = cached !== undefined && observedAtMs - cached.readAtMs < maxAgeMs;
    const [processes, known] = await Promise.all([
      listOf('process', (keep) => client.listProcesses(stackUid, keep, signal)),
      isUsable ? cached.servers : age === 'if_known' ? null : readServers(stackUid, signal),
    ]);
    const isOutdated =
      isUsable && processes.items.some((process) => unknownServers(process, cached.servers.items).length > 0);
    if (!isOutdated) return { processes, servers: known, observedAtMs };
    return { processes, servers: age === 'if_known' ? null : await readServers(stackUid, signal), observedAtMs };
  };

  /** Callers of one pass (one signal) that ask while the answer is under way share it, unless it may be too old. */
  const view = (stackUid: string, signal: AbortSignal, servers: ServerListAge): Promise<StackView> => {
    const underway = viewsUnderway.get(stackUid);
    if (underway?.signal === signal && underway.servers === servers && servers !== 'anew') return underway.view;
    const reading = readView(stackUid, servers, signal).finally(() => {
      if (viewsUnderway.get(stackUid)?.view === reading) viewsUnderway.delete(stackUid);
    });
    viewsUnderway.set(stackUid, { signal, servers, view: reading });
    return reading;
  };

  return { view, forget: (stackUid) => viewsUnderway.delete(stackUid) };
}

/** The problems of an item, without its place in the list, which changes from reply to reply. */
export function tellItem({ path, problems }: UnreadableItem): string {
  return tellProblems(
    problems.map(({ field, message }) => ({ field: field.slice(path.length).replace(/^\./, '') || 'it', message })),
  );
}
