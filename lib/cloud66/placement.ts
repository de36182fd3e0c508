/** The workers of one process, joined from what Cloud 66 says of processes and of servers. Pure. */
import type { Placement, Reading, ServerWorkers } from '../domain.ts';
import { tellProblems } from './errors.ts';
import { nameOf, type ProcessReply, type ServerReply, type UnreadableItem } from './schema.ts';

/** A list as far as it could be read. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly unreadable: readonly UnreadableItem[];
}

/** A stack's processes and servers, as one pass sees them. */
export interface StackView {
  readonly processes: Listed<ProcessReply>;
  /** Null when only the process list was read. */
  readonly servers: Listed<ServerReply> | null;
  readonly observedAtMs: number;
}

/** Where the workers of one process are, in the order of the uid; or why that cannot be said. */
export function place(name: string, view: StackView): Reading<Placement> {
  const { observedAtMs } = view;
  const processes = view.processes.items;
  const known = view.servers ?? serversByName(processes);
  const servers = known.items;
  const process = processes.find((candidate) => candidate.name === name);
  const problem = processProblem(name, view.processes) ?? serverProblem(known);
  if (problem !== null) return malformed(problem);
  if (process === undefined) {
    const others = processes.slice(0, 20).map((candidate) => candidate.name);
    const detail = `process "${name}" is not in the stack, which has: ${others.join(', ') || 'none'}`;
    return { kind: 'failed', why: 'not_found', detail };
  }
  const [unknown] = unknownServers(process, servers);
  if (unknown !== undefined) {
    const detail = `process "${name}" runs on server "${unknown}", which is not in the stack's server list`;
    return malformed(detail + unreadableServer(known));
  }
  const busyNames = new Set(processes.flatMap(occupiedServers));
  const workers = servers.map((server) => toServerWorkers(server, process, busyNames));
  const placement = { processName: name, servers: workers.toSorted(byUid) };
  return { kind: 'ok', value: view.servers === null ? { ...placement, countsOnly: true } : placement, observedAtMs };
}

/** The servers that the processes name, as far as that goes: their names stand for the uids, and nobody says they are ill. */
function serversByName(processes: readonly ProcessReply[]): Listed<ServerReply> {
  const names = new Set(processes.flatMap(({ counts, pausedCounts }) => [...counts.keys(), ...pausedCounts.keys()]));
  return { items: [...names].map((name) => ({ uid: name, name, healthState: null })), unreadable: [] };
}

/** Why the list does not say what it should of the process; somebody else's process does not matter. */
function processProblem(name: string, { items, unreadable }: Listed<ProcessReply>): string | null {
  const broken = unreadable.find((item) => nameOf(item) === name);
  if (broken !== undefined) return `process "${name}" could not be read: ${tellProblems(broken.problems)}`;
  const found = items.filter((candidate) => candidate.name === name).length;
  if (found > 1) return `process "${name}" is listed twice`;
  const nameless = unreadable.find((item) => nameOf(item) === null);
  if (found === 1 || nameless === undefined) return null;
  return `process "${name}" is not among those that could be read: ${tellProblems(nameless.problems)}`;
}

function serverProblem({ items, unreadable }: Listed<ServerReply>): string | null {
  const [broken] = unreadable;
  if (items.length === 0 && broken) return `no server could be read: ${tellProblems(broken.problems)}`;
  const doubled = firstDouble(items.map(({ name }) => name)) ?? firstDouble(items.map(({ uid }) => uid));
  return doubled === null ? null : `the stack has two servers "${doubled}"; which one is meant is unclear`;
}

function unreadableServer({ unreadable }: Listed<ServerReply>): string {
  const problems = unreadable.flatMap((item) => item.problems);
  return problems.length === 0 ? '' : ` as far as it could be read (${tellProblems(problems)})`;
}

function malformed(detail: string): Reading<never> {
  return { kind: 'failed', why: 'malformed', detail };
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
export function unknownServers(process: ProcessReply, servers: readonly ServerReply[]): readonly string[] {
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
