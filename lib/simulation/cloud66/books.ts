/**
 * Cloud 66's books of one stack: which servers there are, and how many workers of which process each should run. The
 * workers themselves follow the books, see `workers.ts`.
 */
import { createHash } from 'node:crypto';
import type { ServerCounts } from '../../domain.ts';
import type { ProcessSeed, ProcessView, ServerHealth, ServerSeed, ServerView } from './model.ts';
import { Refusal } from './refusal.ts';
import { type Crew, stopSecondsOf } from './workers.ts';

/** Cloud 66's stop sequence for Sidekiq and generic processes. */
const DEFAULT_STOP_SEQUENCE = 'term, 90, kill';

/** Makes the crew of a process that starts with these workers by server uid. */
export type HireCrew = (processName: string, initial: ServerCounts, stopSeconds: number) => Crew;

interface Process {
  readonly name: string;
  readonly command: string;
  readonly md5: string;
  readonly stopSequence: string;
  readonly counts: Map<string, number>;
  readonly pauses: Map<string, number>;
  readonly crew: Crew;
}

export class Books {
  readonly #servers = new Map<string, ServerView>();
  readonly #processes = new Map<string, Process>();

  /** Throws RangeError for seeds that contradict themselves. */
  constructor(servers: readonly ServerSeed[], processes: readonly ProcessSeed[], hireCrew: HireCrew) {
    for (const server of servers) this.addServer(server);
    for (const process of processes) this.#addProcess(process, hireCrew);
  }

  servers(): readonly ServerView[] {
    return [...this.#servers.values()];
  }

  processes(): readonly ProcessView[] {
    return [...this.#processes.values()].map((process) => ({
      name: process.name,
      command: process.command,
      md5: process.md5,
      stopSequence: process.stopSequence,
      counts: Object.fromEntries(process.counts),
      pauses: Object.fromEntries(process.pauses),
    }));
  }

  runningWorkers(processName: string, serverUid?: string): number {
    return this.#process(processName).crew.running(serverUid);
  }

  /** Throws Refusal not_found for the process, bad_request for the counts. */
  check(processName: string, counts: ServerCounts): void {
    this.#process(processName);
    if (Object.keys(counts).length === 0) throw new Refusal('bad_request', 'server_count: names no server');
    for (const [uid, count] of Object.entries(counts)) {
      if (!this.#servers.has(uid)) throw new Refusal('bad_request', `server_count: no server ${uid} in this stack`);
      if (!Number.isSafeInteger(count) || count < 0) {
        throw new Refusal('bad_request', `server_count: ${count} for server ${uid}, expected a whole number >= 0`);
      }
    }
  }

  /** Writes absolute counts. Servers that have gone since the call are passed over. */
  write(processName: string, counts: ServerCounts, omittedServers: 'keep' | 'zero'): void {
    const process = this.#process(processName);
    for (const uid of this.#servers.keys()) {
      const left = omittedServers === 'zero' && process.counts.has(uid) ? 0 : undefined;
      const count = counts[uid] ?? left;
      if (count === undefined) continue;
      process.pauses.delete(uid);
      this.#setCount(process, uid, count);
    }
  }

  /** Scales every server to zero and remembers what it had. */
  pause(processName: string): void {
    const process = this.#process(processName);
    for (const [uid, count] of process.counts) {
      if (count === 0) continue;
      process.pauses.set(uid, count);
      this.#setCount(process, uid, 0);
    }
  }

  unpause(processName: string): void {
    const process = this.#process(processName);
    for (const [uid, count] of process.pauses) this.#setCount(process, uid, count);
    process.pauses.clear();
  }

  restartWorkers(): void {
    for (const process of this.#processes.values()) process.crew.restart();
  }

  addServer(seed: ServerSeed): void {
    if (this.#servers.has(seed.uid)) throw new RangeError(`server ${seed.uid} exists already`);
    this.#checkNameIsFree(seed.name);
    this.#servers.set(seed.uid, { roles: ['web'], groupId: 1, health: 'healthy', hasAgent: true, ...seed });
  }

  removeServer(uid: string): void {
    this.#server(uid);
    for (const process of this.#processes.values()) {
      process.crew.settle(uid, 0);
      process.counts.delete(uid);
      process.pauses.delete(uid);
    }
    this.#servers.delete(uid);
  }

  renameServer(uid: string, name: string): void {
    const server = this.#server(uid);
    this.#checkNameIsFree(name);
    this.#servers.set(uid, { ...server, name });
  }

  setServerHealth(uid: string, health: ServerHealth): void {
    this.#servers.set(uid, { ...this.#server(uid), health });
    for (const process of this.#processes.values()) {
      const count = process.counts.get(uid);
      if (count !== undefined) this.#setCount(process, uid, count);
    }
  }

  close(): void {
    for (const process of this.#processes.values()) process.crew.close();
  }

  #addProcess(seed: ProcessSeed, hireCrew: HireCrew): void {
    if (this.#processes.has(seed.name)) throw new RangeError(`process ${seed.name} exists already`);
    for (const uid of Object.keys(seed.counts)) this.#server(uid);
    const command = seed.command ?? `bundle exec rake jobs:${seed.name}`;
    const stopSequence = seed.stopSequence ?? DEFAULT_STOP_SEQUENCE;
    const running = Object.entries(seed.counts).map(([uid, count]) => [uid, this.#alive(uid) ? count : 0]);
    this.#processes.set(seed.name, {
      name: seed.name,
      command,
      md5: createHash('md5').update(command).digest('hex'),
      stopSequence,
      counts: new Map(Object.entries(seed.counts)),
      pauses: new Map(),
      crew: hireCrew(seed.name, Object.fromEntries(running), stopSecondsOf(stopSequence)),
    });
  }

  #setCount(process: Process, uid: string, count: number): void {
    process.counts.set(uid, count);
    process.crew.settle(uid, this.#alive(uid) ? count : 0);
  }

  /** On a failed server nothing runs, whatever the books say. */
  #alive(uid: string): boolean {
    return this.#server(uid).health !== 'failed';
  }

  // Process lists are keyed by server name, so two servers of one name could not be told apart.
  #checkNameIsFree(name: string): void {
    if (this.servers().some((server) => server.name === name))
      throw new RangeError(`a server is named ${name} already`);
  }

  #server(uid: string): ServerView {
    const server = this.#servers.get(uid);
    if (server === undefined) throw new Refusal('not_found', `no server ${uid} in this stack`);
    return server;
  }

  #process(name: string): Process {
    const process = this.#processes.get(name);
    if (process === undefined) throw new Refusal('not_found', `no process ${name} in this stack`);
    return process;
  }
}
