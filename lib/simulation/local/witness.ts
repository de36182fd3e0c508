/** Sees everything of a local run, tells it, knows when the loop is closed, and sums it up. */
import { currentTimeSettings, wall } from '../time.ts';
import type { Gremlin } from './gremlin.ts';
import type { Load } from './load.ts';
import { LOCAL_MIN_WORKERS, LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK, LOCAL_STACK_UID } from './local-stack.ts';
import { recordOf, type SeenRecord, whyOf } from './records.ts';
import { type EndedAction, type Evidence, problemsOf, resultsOf } from './verdict.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** What happened, for the left column. */
export type EventKind = 'backlog' | 'alarm' | 'decide' | 'workers' | 'outcome' | 'notice' | 'trouble';

/** What a run came to. Times are simulated seconds. */
export interface RunSummary {
  readonly jobs: number;
  readonly jobsDone: number;
  readonly p50WaitSeconds: number;
  readonly p95WaitSeconds: number;
  readonly maxWaitSeconds: number;
  readonly peakBacklog: number;
  readonly peakWorkers: number;
  readonly finalWorkers: number;
  readonly workerSeconds: number;
  readonly actions: Readonly<Record<'accepted' | 'confirmed' | 'mismatched' | 'failed' | 'timedOut' | 'lost', number>>;
  readonly scaleOuts: number;
  readonly scaleIns: number;
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  readonly speed: number;
  readonly seed: number;
  readonly load: string;
  /** What keeps the loop from being closed; empty = success. */
  readonly problems: readonly string[];
  /** What was done to the run from outside, in order. */
  readonly interventions: readonly { readonly atSeconds: number; readonly text: string }[];
  /** Actions that did not end as asked, because of that. */
  readonly excused: readonly string[];
}

/** Told each event; `atSeconds` is simulated time since the start. */
export type Tell = (atSeconds: number, what: EventKind, text: string) => void;

/** What a witness has to know of the run. */
export interface WitnessOptions {
  readonly load: Load;
  readonly tell: Tell;
  readonly seed: number;
  /** Simulated time after which a loop that is not closed counts as failed. */
  readonly limitSeconds: number;
}

const SERVER_UIDS = LOCAL_STACK.servers.map(({ uid }) => uid);

/** Sees a run from its beginning to its summary. */
export interface Witness {
  sent: number;
  begin(world: World): void;
  log(from: 'function' | 'platform', name: string, line: string): void;
  alarm(name: string, state: string): void;
  workers(running: number): void;
  closed(): Promise<void>;
  summary(world: World): RunSummary;
  end(): void;
}

/** Who acts on the run from outside. */
interface Outsiders {
  readonly visitor: Visitor;
  readonly gremlin: Gremlin | null;
}

/** Sees everything, tells it, and knows when the loop is closed. */
export function createWitness(options: WitnessOptions, { visitor, gremlin }: Outsiders): Witness {
  const { load, tell, seed, limitSeconds } = options;
  const wallStartMs = wall.nowMs();
  let startMs = Date.now();
  const outcomes: EndedAction[] = [];
  const peak = { backlog: 0, workers: LOCAL_MIN_WORKERS };
  const timers: NodeJS.Timeout[] = [];
  const tellNews = withoutRepeats(tell);
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const now = () => (Date.now() - startMs) / 1000;
  const evidenceOf = (world: World): Evidence => ({
    stack: world.account.stack(LOCAL_STACK_UID),
    crew: world.consumers.get(LOCAL_PROCESS),
    processName: LOCAL_PROCESS,
    minWorkers: LOCAL_MIN_WORKERS,
    sent: self.sent + visitor.addedJobs(),
    unsent: load.sendAtSeconds.length - self.sent,
    outcomes,
    visitor,
    ...(gremlin ? { disturbance: `the faults of seed ${gremlin.seed}` } : {}),
  });

  const self: Witness = {
    sent: 0,
    begin(world) {
      startMs = Date.now();
      const watch = () => {
        const { visible, inFlight } = world.cloud.queues.depth(LOCAL_QUEUE);
        peak.backlog = Math.max(peak.backlog, visible + inFlight);
        const isLoopClosed = problemsOf(evidenceOf(world)).length === 0;
        if (isLoopClosed || now() > (doneTo(visitor, startMs).at(-1)?.atSeconds ?? 0) + limitSeconds) close();
      };
      let told = '';
      const tellBacklog = () => {
        const text = backlogText(world);
        if (text !== told) tell(now(), 'backlog', text);
        told = text;
      };
      const trouble = () => gremlin?.minute(SERVER_UIDS, now());
      timers.push(setInterval(watch, 1000), setInterval(tellBacklog, 30_000), setInterval(trouble, 60_000));
    },
    log(from, name, line) {
      const record = from === 'function' ? recordOf(line) : null;
      if (record?.event === 'outcome') outcomes.push({ ...record, seenAtMs: Date.now() });
      const told = record ? lineOf(record) : from === 'platform' ? (['trouble', `${name}: ${line}`] as const) : null;
      if (told) tellNews(now(), ...told);
    },
    alarm: (name, state) => tell(now(), 'alarm', `${name} is ${state}`),
    workers(running) {
      peak.workers = Math.max(peak.workers, running);
      tell(now(), 'workers', `${running} running`);
    },
    closed: () => closed,
    summary: (world) => ({
      ...resultsOf(evidenceOf(world)),
      peakBacklog: peak.backlog,
      peakWorkers: peak.workers,
      simulatedSeconds: Math.round(now()),
      wallSeconds: Math.round((wall.nowMs() - wallStartMs) / 1000),
      speed: currentTimeSettings().speed,
      seed,
      load: load.piece,
      interventions: [...doneTo(visitor, startMs), ...(gremlin?.interventions(now()) ?? [])],
    }),
    end() {
      for (const timer of timers) clearInterval(timer);
    },
  };
  return self;
}

/** A look every few seconds decides the same until something happens: that is told once. */
function withoutRepeats(tell: Tell): Tell {
  let lastDecision = '';
  return (atSeconds, what, text) => {
    if (what !== 'decide' || text !== lastDecision) tell(atSeconds, what, text);
    if (what === 'decide') lastDecision = text;
  };
}

function backlogText(world: World): string {
  const { visible, inFlight } = world.cloud.queues.depth(LOCAL_QUEUE);
  const running = world.account.stack(LOCAL_STACK_UID).workers(LOCAL_PROCESS);
  return `${visible} waiting, ${inFlight} in flight, ${running} worker${running === 1 ? '' : 's'}`;
}

function doneTo(visitor: Visitor, startMs: number): RunSummary['interventions'] {
  return visitor
    .interventions()
    .map(({ fromMs, text }) => ({ atSeconds: Math.round((fromMs - startMs) / 1000), text }));
}

function lineOf(record: SeenRecord): readonly [EventKind, string] | null {
  if (record.level === 'debug') return null;
  switch (record.event) {
    case 'decision': {
      if (record.decision === null || record.result.kind === 'failed') return ['trouble', record.message];
      return ['decide', `${record.message}. ${whyOf(record.decision)}`];
    }
    case 'outcome':
      return ['outcome', record.message];
    case 'notice':
      // A change is told as a decision already.
      return record.kind === 'scaled' ? null : ['notice', record.message];
    case undefined:
      return record.level === 'error' || record.level === 'warn' ? ['trouble', record.message] : null;
  }
}
