/**
 * `npm start`: a load on a queue, and the packaged autoscaler on its own. Everything that happens is told as it happens;
 * at the end the loop is either closed (backlog gone, minimum reached, every action confirmed) or it is said what is not.
 */
import type { ReplyForm } from '../cloud66/reply-forms.ts';
import { createRandom } from '../random.ts';
import { Gremlin } from './gremlin.ts';
import { LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK, LOCAL_STACK_UID } from './local-stack.ts';
import type { Packaged } from './package.ts';
import { Visitor } from './visitor.ts';
import { createWitness, type RunSummary, type Tell, type Witness, type WitnessOptions } from './witness.ts';
import { startWorld, type World } from './world.ts';

/** What a run is made of. */
export interface RunOptions extends WitnessOptions {
  readonly packaged: Packaged;
  readonly jobSeconds: number;
  /** How Cloud 66 writes its replies; either way, by chance, unless said otherwise. */
  readonly replyForm?: ReplyForm;
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

/** Plays the load and waits until the loop is closed, the limit is reached or the signal fires. */
export async function runLocal(options: RunOptions): Promise<RunSummary> {
  const visitor = options.visitor ?? createVisitor();
  const { onlooker, faultSeed } = options;
  const gremlin = faultSeed === undefined ? null : new Gremlin(faultSeed, visitor);
  let isOver = false;
  // What is cut off when the world ends is nobody's trouble.
  const tell: Tell = (...line) => isOver || options.tell(...line);
  const seen = createWitness({ ...options, tell }, { visitor, gremlin });
  const world = await startWorld({
    packaged: options.packaged,
    stacks: [LOCAL_STACK],
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
