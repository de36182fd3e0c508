/** Process list and server list of a stack, read together: the one from Cloud 66 each time, the other kept for a while. */
import type { Clock } from '../reconcile/ports.ts';
import type { Cloud66Client } from './client.ts';
import { tellProblems } from './errors.ts';
import { type Listed, type StackView, unknownServers } from './placement.ts';
import { nameOf, type ServerReply, type UnreadableItem } from './schema.ts';

export interface StackViewOptions {
  readonly client: Cloud66Client;
  readonly clock: Clock;
  readonly cacheSeconds: number;
  readonly onWarning: (warning: string) => void;
}

/** Reads what a stack looks like. */
export interface StackViews {
  /** @throws Cloud66Error, InvalidInputError */
  view(stackUid: string, signal: AbortSignal, fresh: boolean): Promise<StackView>;
  /** What is under way for this stack is not shared with anybody any more. */
  forget(stackUid: string): void;
}

interface CachedServers {
  readonly servers: Listed<ServerReply>;
  readonly readAtMs: number;
}

/** Server lists kept at most: far more stacks than one account scales. */
const MAX_CACHED_STACKS = 100;

export function createStackViews({ client, clock, cacheSeconds, onWarning }: StackViewOptions): StackViews {
  const serverLists = new Map<string, CachedServers>();
  const viewsUnderway = new Map<string, { readonly signal: AbortSignal; readonly view: Promise<StackView> }>();

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

  const readView = async (stackUid: string, maxAgeSeconds: number, signal: AbortSignal): Promise<StackView> => {
    const observedAtMs = clock.nowMs();
    const cached = serverLists.get(stackUid);
    const isFresh = cached !== undefined && observedAtMs - cached.readAtMs < maxAgeSeconds * 1000;
    const [processes, known] = await Promise.all([
      listOf('process', (keep) => client.listProcesses(stackUid, keep, signal)),
      isFresh ? cached.servers : readServers(stackUid, signal),
    ]);
    const isOutdated = isFresh && processes.items.some((process) => unknownServers(process, known.items).length > 0);
    return { processes, servers: isOutdated ? await readServers(stackUid, signal) : known, observedAtMs };
  };

  /** Callers of one pass (one signal) that ask while the answer is under way share it, unless it may be too old. */
  const view = (stackUid: string, signal: AbortSignal, fresh: boolean): Promise<StackView> => {
    const underway = viewsUnderway.get(stackUid);
    if (underway?.signal === signal && !fresh) return underway.view;
    const reading = readView(stackUid, fresh ? 0 : cacheSeconds, signal).finally(() => {
      if (viewsUnderway.get(stackUid)?.view === reading) viewsUnderway.delete(stackUid);
    });
    viewsUnderway.set(stackUid, { signal, view: reading });
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
