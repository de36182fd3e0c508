/** One stack: what can be done to it and seen of it. Its books change when an action ends, and its workers follow. */
import type { ServerCounts, StackStatus } from '../../domain.ts';
import type { SimulationClock } from '../clock.ts';
import type { Random } from '../random.ts';
import { ActionLog } from './actions.ts';
import { Books } from './books.ts';
import type {
  AccountSettings,
  ActionView,
  ProcessView,
  ServerHealth,
  ServerSeed,
  ServerView,
  StackSeed,
  StackView,
  WorkersEvent,
} from './model.ts';
import { Refusal } from './refusal.ts';
import { createCrew } from './workers.ts';

/** A scale call, as the API takes it. */
export interface ScaleCall {
  readonly processName: string;
  /** Absolute counts by server uid. */
  readonly counts: ServerCounts;
  readonly user: string;
  readonly userReference: string | null;
}

export interface StackOptions {
  readonly seed: StackSeed;
  readonly resourceId: number;
  readonly clock: SimulationClock;
  readonly random: Random;
  readonly settings: AccountSettings;
  readonly nextActionId: () => number;
  readonly onWorkersChanged: (event: WorkersEvent) => void;
}

/** Who changes things in the dashboard. */
const DASHBOARD = { user: 'person@example.com', startedVia: 'web', userReference: null } as const;

/** Operations throw Refusal where Cloud 66 would answer with an error. */
export class Cloud66Stack {
  readonly #identity: Pick<StackView, 'uid' | 'name' | 'resourceId' | 'createdAtMs'>;
  readonly #settings: AccountSettings;
  readonly #latencies: Random;
  readonly #books: Books;
  readonly #log: ActionLog;
  #status: StackStatus;
  #maintenanceMode: boolean;

  constructor({ seed, resourceId, clock, random, settings, nextActionId, onWorkersChanged }: StackOptions) {
    this.#identity = { uid: seed.uid, name: seed.name ?? seed.uid, resourceId, createdAtMs: clock.nowMs() };
    this.#settings = settings;
    this.#latencies = random.fork('latency');
    this.#status = seed.status ?? 'deployed';
    this.#maintenanceMode = seed.maintenanceMode ?? false;
    this.#log = new ActionLog({ clock, nextId: nextActionId, faultOf: settings.actionFault });
    this.#books = new Books(seed.servers, seed.processes, (processName, initial, stopSeconds) => {
      const startUps = random.fork(`start-up/${processName}`);
      return createCrew({
        clock,
        startUpSeconds: () => settings.startUpSeconds(startUps),
        initial,
        onChanged: (running) => onWorkersChanged({ stackUid: seed.uid, processName, running, stopSeconds }),
      });
    });
  }

  view(): StackView {
    return {
      ...this.#identity,
      status: this.#status,
      health: this.#health(),
      maintenanceMode: this.#maintenanceMode,
    };
  }

  servers(): readonly ServerView[] {
    return this.#books.servers();
  }

  /** With `serverUid`, only what that server lists. Throws not_found for a server that does not exist. */
  processes(serverUid?: string): readonly ProcessView[] {
    const processes = this.#books.processes().map((process) => this.#listed(process, serverUid));
    if (serverUid === undefined) return processes;
    if (!this.servers().some((server) => server.uid === serverUid)) {
      throw new Refusal('not_found', `no server ${serverUid} in this stack`);
    }
    return processes.filter((process) => Object.keys(process.counts).length > 0);
  }

  /** Workers of the process that really run, on one server or on all; those that still start up do not count yet. */
  workers(processName: string, serverUid?: string): number {
    return this.#books.runningWorkers(processName, serverUid);
  }

  /** Newest first. */
  actions(): readonly ActionView[] {
    return this.#log.newest();
  }

  action(id: number): ActionView {
    const action = this.#log.find(id);
    if (action === undefined) throw new Refusal('not_found', `no action ${id} in this stack`);
    return action;
  }

  /** Throws not_found or bad_request, and conflict while the stack is busy unless calls are set to queue. */
  scale({ processName, counts, user, userReference }: ScaleCall): ActionView {
    this.#books.check(processName, counts);
    if (this.#log.busy() && this.#settings.whenBusy === 'conflict') {
      throw new Refusal('conflict', 'another action of this stack is in progress');
    }
    const echoed = this.#settings.echoesUserReference ? userReference : null;
    const requestedCounts = { ...counts };
    return this.#log.begin(
      { kind: 'process_scale', user, startedVia: 'api', processName, requestedCounts, userReference: echoed },
      {
        latencySeconds: () => this.#settings.scaleLatencySeconds(this.#latencies),
        onStart: () => {},
        apply: () => this.#books.write(processName, requestedCounts, this.#settings.omittedServers),
        onOver: () => {},
      },
    );
  }

  /** A person changes the counts of some servers in the dashboard: done at once, whatever else runs. */
  changeByHand(processName: string, counts: ServerCounts): ActionView {
    this.#books.check(processName, counts);
    this.#books.write(processName, counts, 'keep');
    return this.#log.record({ ...DASHBOARD, kind: 'process_scale', processName, requestedCounts: { ...counts } });
  }

  /** A person pauses the process: every server goes to zero and its count is remembered. */
  pause(processName: string): ActionView {
    this.#books.pause(processName);
    return this.#log.record({ ...DASHBOARD, kind: 'process_pause', processName, requestedCounts: {} });
  }

  unpause(processName: string): ActionView {
    this.#books.unpause(processName);
    return this.#log.record({ ...DASHBOARD, kind: 'process_resume', processName, requestedCounts: {} });
  }

  /** A person deploys; waits for its turn while another action runs. Ends with new workers everywhere. */
  deploy(durationSeconds: number): ActionView {
    if (this.#log.busy()) this.#status = 'queued_for_deploying';
    return this.#log.begin(
      { ...DASHBOARD, kind: 'stack_redeploy', processName: null, requestedCounts: {} },
      {
        latencySeconds: () => durationSeconds,
        onStart: () => this.setStatus('deploying'),
        apply: () => {
          if (this.#settings.restartsWorkersOnDeploy) this.#books.restartWorkers();
        },
        onOver: (success) => this.setStatus(success ? 'deployed' : 'failed'),
      },
    );
  }

  setStatus(status: StackStatus): void {
    this.#status = status;
  }

  setMaintenanceMode(on: boolean): void {
    this.#maintenanceMode = on;
  }

  addServer(seed: ServerSeed): void {
    this.#books.addServer(seed);
  }

  /** Its workers stop at once and no process lists it any more. */
  removeServer(uid: string): void {
    this.#books.removeServer(uid);
  }

  renameServer(uid: string, name: string): void {
    this.#books.renameServer(uid, name);
  }

  /** On a failed server nothing runs until it recovers; the books keep its counts. */
  setServerHealth(uid: string, health: ServerHealth): void {
    this.#books.setServerHealth(uid, health);
  }

  /** Stops time for this stack: nothing that is under way happens any more. */
  close(): void {
    this.#log.close();
    this.#books.close();
  }

  #listed(process: ProcessView, serverUid: string | undefined): ProcessView {
    const counts = Object.entries(process.counts).filter(([uid, count]) => {
      const shown = count > 0 || this.#settings.listsZeroCounts || process.pauses[uid] !== undefined;
      return shown && (serverUid === undefined || uid === serverUid);
    });
    return { ...process, counts: Object.fromEntries(counts) };
  }

  #health(): ServerHealth {
    if (this.#status === 'deploying') return 'building';
    return this.servers().some((server) => server.health === 'failed') ? 'impaired' : 'healthy';
  }
}
