/**
 * `npm start`: a load on a queue, and the packaged autoscaler on its own. Everything that happens is told as it happens;
 * at the end the loop is either closed (backlog gone, minimum reached, every action confirmed) or it is said what is not.
 */
import type { StackSeed } from '../cloud66/model.ts';
import type { ReplyForm } from '../cloud66/reply-forms.ts';
import { createRandom } from '../random.ts';
import { currentTimeSettings, wall } from '../time.ts';
import { Gremlin } from './gremlin.ts';
import type { Load } from './load.ts';
import type { Packaged } from './package.ts';
import { recordOf, type SeenRecord, whyOf } from './records.ts';
import { type EndedAction, type Evidence, problemsOf, resultsOf } from './verdict.ts';
import { Visitor } from './visitor.ts';
import { startWorld, type World } from './world.ts';

export const LOCAL_STACK_UID = '5999b763474b0eafa5fafb64bff0ba80';
export const LOCAL_PROCESS = 'worker';
export const LOCAL_QUEUE = 'jobs';
/** `MIN_WORKERS` of the local target. */
export const LOCAL_MIN_WORKERS = 1;

/** The stack that is scaled: two servers, one worker. */
const STACK: StackSeed = {
  uid: LOCAL_STACK_UID,
  name: 'shop',
  servers: [
    { uid: 'e63e859d5ab72b0bcf14321f0ffb013d', name: 'lion' },
    { uid: 'f74f960e6bc83c1cdf25432f1aac124e', name: 'tiger' },
  ],
  processes: [
    {
      name: LOCAL_PROCESS,
      command: 'bundle exec sidekiq',
      stopSequence: 'term, 90, kill',
      counts: { e63e859d5ab72b0bcf14321f0ffb013d: LOCAL_MIN_WORKERS, f74f960e6bc83c1cdf25432f1aac124e: 0 },
    },
  ],
};

const SERVER_UIDS = STACK.servers.map(({ uid }) => uid);

/** What a run is made of. */
export interface RunOptions {
  readonly packaged: Packaged;
  readonly load: Load;
  readonly seed: number;
  readonly jobSeconds: number;
  /** How Cloud 66 writes its replies; either way, by chance, unless said otherwise. */
  readonly replyForm?: ReplyForm;
  /** Simulated time after which a loop that is not closed counts as failed. */
  readonly limitSeconds: number;
  /** Told each event; `atSeconds` is simulated time since the start. */
  readonly tell: (atSeconds: number, what: EventKind, text: string) => void;
  /** Ends the run early, cleanly. */
  readonly signal: AbortSignal;
  /** Who may act on the run from outside; nobody unless given. */
  readonly visitor?: Visitor;
  /** Seed of faults that are drawn during the first ten minutes; none unless given. */
  readonly faultSeed?: number;
  /** Sees the world from inside. */
  readonly onlooker?: Onlooker;
  /** Called with the summary before the world ends, which waits for it. */
  readonly afterwards?: (summary: RunSummary) => Promise<void>;
}

/** Whoever watches a run as it happens, such as the local page. */
export interface Onlooker {
  begin(world: World): void;
  /** Every line of the functions and of the platform. */
  log(from: 'function' | 'platform', name: string, line: string): void;
  alarm(name: string, state: string): void;
  end(): void;
}

/** A visitor of the local run's stack. */
export function createVisitor(): Visitor {
  return new Visitor({ stackUid: LOCAL_STACK_UID, processName: LOCAL_PROCESS, queueName: LOCAL_QUEUE });
}

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

/** Plays the load and waits until the loop is closed, the limit is reached or the signal fires. */
export async function runLocal(options: RunOptions): Promise<RunSummary> {
  const visitor = options.visitor ?? createVisitor();
  const { onlooker, faultSeed } = options;
  const gremlin = faultSeed === undefined ? null : new Gremlin(faultSeed, visitor);
  let isOver = false;
  // What is cut off when the world ends is nobody's trouble.
  const tell: RunOptions['tell'] = (...line) => isOver || options.tell(...line);
  const seen = createWitness({ ...options, tell }, { visitor, gremlin });
  const world = await startWorld({
    packaged: options.packaged,
    stacks: [STACK],
    queueOf: { [LOCAL_PROCESS]: LOCAL_QUEUE },
    jobSeconds: options.jobSeconds,
    seed: options.seed,
    ...(options.replyForm ? { replyForm: options.replyForm } : {}),
    account: { actionFault: (action) => visitor.actionFault(action) ?? gremlin?.actionFault(action) ?? null },
    cloud66Faults: (request) => visitor.apiFault() ?? gremlin?.apiFault(request) ?? null,
    // Every decision is wanted, those that nobody has to read included; the terminal shows what the default would.
    cloud: { extraEnvironment: { LOG_LEVEL: 'debug' }, ...(gremlin ? { faults: gremlin.awsFault } : {}) },
    onLog({ from, name, line }) {
      seen.log(from, name, line);
      onlooker?.log(from, name, line);
    },
    onAlarm({ event: { alarmData } }) {
      seen.alarm(alarmData.alarmName, alarmData.state.value);
      onlooker?.alarm(alarmData.alarmName, alarmData.state.value);
    },
    onWorkers: ({ running }) => seen.workers(running),
  });
  try {
    visitor.enter(world);
    seen.begin(world);
    onlooker?.begin(world);
    await Promise.race([play(world, options, seen), seen.closed(), aborted(options.signal)]);
    const summary = seen.summary(world);
    await options.afterwards?.(summary);
    return summary;
  } finally {
    isOver = true;
    seen.end();
    onlooker?.end();
    await world.close();
  }
}

/** Sends the messages on time. Never resolves: that the load is over is only the beginning of the end. */
async function play(world: World, { load, signal }: RunOptions, seen: Witness): Promise<never> {
  const startMs = Date.now();
  for (const [index, atSeconds] of load.sendAtSeconds.entries()) {
    await sleepUntil(startMs + atSeconds * 1000);
    if (signal.aborted) break;
    await world.cloud.queues.send(LOCAL_QUEUE, JSON.stringify({ job: index }));
    seen.sent += 1;
  }
  return new Promise(() => {});
}

interface Witness {
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
function createWitness(options: RunOptions, { visitor, gremlin }: Outsiders): Witness {
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
function withoutRepeats(tell: RunOptions['tell']): RunOptions['tell'] {
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

async function sleepUntil(atMs: number): Promise<void> {
  const delayMs = atMs - Date.now();
  if (delayMs <= 0) return;
  await new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A random source for the load that does not disturb the world's own. */
export function loadRandom(seed: number) {
  return createRandom(seed).fork('load');
}
