/**
 * One test's world: the packaged functions in the local AWS with the simulated Cloud 66, and a queue whose depth the test
 * alone decides, because the workers take their jobs from another one. What the functions print is kept and read back.
 */
import type { Cloud, InvocationReport } from '../../lib/simulation/aws/cloud.ts';
import type { InvokeOutcome } from '../../lib/simulation/aws/lambda.ts';
import type { StackSeed } from '../../lib/simulation/cloud66/model.ts';
import type { Cloud66Stack } from '../../lib/simulation/cloud66/stack.ts';
import type { Transition } from '../../lib/simulation/cloudwatch/events.ts';
import { LOCAL_PROCESS, LOCAL_QUEUE, LOCAL_STACK_UID } from '../../lib/simulation/local/local-stack.ts';
import type { Packaged } from '../../lib/simulation/local/package.ts';
import { LOCAL_TOKEN, startWorld, type World, type WorldOptions } from '../../lib/simulation/local/world.ts';
import { installScaledTime, wall } from '../../lib/simulation/time.ts';

const NAME = 'cloud66-worker-autoscaler-local';
export const SCALE = `${NAME}-scale`;
export const POLLER = `${NAME}-poller`;
export const ACTIONS_QUEUE = `${NAME}-actions.fifo`;
export const DEAD_LETTERS = `${NAME}-actions-dead.fifo`;
export const FAILED_EVENTS = `${NAME}-failed-events`;
export const ALARM_PREFIX = `${NAME}-backlog-`;

export const LION = 'e63e859d5ab72b0bcf14321f0ffb013d';
export const TIGER = 'f74f960e6bc83c1cdf25432f1aac124e';
/** A queue that stays empty, for workers that shall do nothing. */
const IDLE_QUEUE = 'idle';

/** A stack with two servers, and some workers of one process on the first. */
export function stackOf(workers: number, changes: Partial<StackSeed> = {}): StackSeed {
  return {
    uid: LOCAL_STACK_UID,
    servers: [
      { uid: LION, name: 'lion' },
      { uid: TIGER, name: 'tiger' },
    ],
    processes: [{ name: LOCAL_PROCESS, counts: { [LION]: workers, [TIGER]: 0 } }],
    ...changes,
  };
}

/** What a scene starts with. */
export interface SceneOptions
  extends Partial<Pick<WorldOptions, 'stacks' | 'account' | 'scopes' | 'cloud66Faults' | 'replyForm'>> {
  readonly packaged: Packaged;
  /** Only the test calls the scale function: the schedule and the alarms of the template are switched off. */
  readonly byHand?: boolean;
  /** Variables of the functions that differ from the packaged ones. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly workers?: number;
  /** Messages in the queue from the beginning. */
  readonly jobs?: number;
  /** When given, the workers take their jobs from the target's queue, and each one takes about so long. */
  readonly jobSeconds?: number;
  readonly cloud?: WorldOptions['cloud'];
  /** Queues of the targets; one unless said otherwise. */
  readonly queues?: readonly string[];
}

/** One JSON line of a function, as far as tests look into it. */
export interface Line {
  readonly level: string;
  readonly message: string;
  readonly event?: 'decision' | 'outcome' | 'look';
  readonly targetId?: string;
  readonly looks?: number;
  readonly decision?: { readonly action: string; readonly reason: string; readonly desiredCount: number } | null;
  readonly result?: { readonly kind: string };
  readonly outcome?: { readonly kind: string; readonly why: string; readonly observedCount: number | null };
  readonly record?: { readonly actionId: number; readonly desiredCount: number };
}

export interface Scene {
  readonly world: World;
  readonly cloud: Cloud;
  readonly stack: Cloud66Stack;
  /** Everything that the functions printed. */
  readonly text: () => string;
  readonly lines: readonly Line[];
  readonly transitions: readonly Transition[];
  readonly invocations: readonly InvocationReport[];
  outcomes(): readonly Line[];
  decisions(): readonly Line[];
  failures(functionName: string): readonly string[];
  send(count: number, queue?: string): Promise<void>;
  /** Invokes a function as `RequestResponse` does, waiting while its only environment is busy with a tick. */
  invoke(functionName: string, event: unknown): Promise<Exclude<InvokeOutcome, { kind: 'throttled' }>>;
  /** Sends one tick after the other until something is the case. Throws as `until` does. */
  tickUntil(what: string, isSo: () => boolean): Promise<void>;
  /** Waits until something is the case. Throws with the newest lines of the log when it never is. */
  until(what: string, isSo: () => boolean): Promise<void>;
}

/** Limits of single calls are some seconds: at this speed nearly one on the wall, which a busy machine keeps. */
export const SPEED = 10;

/** Options of a group of scenes: most of their time is waiting, so they go side by side; a busy machine may take long. */
export const SIDE_BY_SIDE = { concurrent: true, timeout: 120_000 } as const;

/** Makes this process live faster; call it once per file, before the first scene. */
export function hurry(speed: number): () => void {
  const nowMs = Date.now();
  const time = installScaledTime({ speed, originRealMs: nowMs, originMs: nowMs });
  return () => time.uninstall();
}

/** The event of the minute tick. */
export function tick() {
  return {
    version: '0',
    id: '00000000-0000-0000-0000-000000000000',
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    time: new Date().toISOString(),
    detail: {},
  };
}

/** Plays a scene and ends its world. In every scene, whatever happens in it: the token is in no line of any log. */
export async function inScene(options: SceneOptions, play: (scene: Scene) => Promise<void>): Promise<void> {
  const printed: string[] = [];
  const lines: Line[] = [];
  const transitions: Transition[] = [];
  const invocations: InvocationReport[] = [];
  const world = await startWorld({
    ...worldOptions(options),
    onLog: ({ name, line }) => {
      printed.push(`${name}: ${line}`);
      const parsed = lineOf(line);
      if (parsed !== null) lines.push(parsed);
    },
    onAlarm: (transition) => transitions.push(transition),
    onInvocation: (report) => invocations.push(report),
  });
  const text = () => printed.join('\n');
  try {
    const scene = sceneOf(world, { text, lines, transitions, invocations });
    await scene.send(options.jobs ?? 0);
    await play(scene);
  } finally {
    await world.close();
  }
  if (text().includes(LOCAL_TOKEN)) throw new Error(`the token is in the log:\n${text()}`);
}

function worldOptions(options: SceneOptions): WorldOptions {
  const { packaged, settings = {}, workers = 1, account, cloud, queues = [LOCAL_QUEUE], jobSeconds } = options;
  const stacks = options.stacks ?? [stackOf(workers)];
  const processes = stacks.flatMap((stack) => stack.processes.map(({ name }) => name));
  return {
    packaged: options.byHand ? silenced(packaged) : packaged,
    stacks,
    queueOf: Object.fromEntries(processes.map((name) => [name, jobSeconds === undefined ? IDLE_QUEUE : LOCAL_QUEUE])),
    jobSeconds: jobSeconds ?? 1,
    seed: 1,
    // Quick and always the same: what these tests are about is not how long Cloud 66 takes.
    account: { scaleLatencySeconds: () => 20, startUpSeconds: () => 0, ...account },
    cloud: {
      ...cloud,
      queues: Object.fromEntries(queues.map((name) => [name, {}])),
      // A strategy whose numbers can be told in advance: 30 messages are three workers.
      extraEnvironment: { LOG_LEVEL: 'debug', STRATEGY: 'backlog', ...settings },
    },
    ...(options.scopes ? { scopes: options.scopes } : {}),
    ...(options.replyForm ? { replyForm: options.replyForm } : {}),
    ...(options.cloud66Faults ? { cloud66Faults: options.cloud66Faults } : {}),
  };
}

/** The same package, in which nothing calls a function but the actions queue. */
function silenced(packaged: Packaged): Packaged {
  const template = structuredClone(packaged.template) as Template;
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type === 'AWS::Events::Rule') Object.assign(Properties, { State: 'DISABLED' });
    if (Type === 'AWS::CloudWatch::Alarm') Object.assign(Properties, { ActionsEnabled: false });
  }
  return { ...packaged, template };
}

/** A template, as far as tests change it. */
export interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>;
}

/** The record in a line; null for metrics and for what is not JSON. */
function lineOf(line: string): Line | null {
  if (!line.startsWith('{"timestamp"')) return null;
  // The functions are ours, and what they write is tested elsewhere.
  return JSON.parse(line) as Line;
}

type Seen = Pick<Scene, 'text' | 'lines' | 'transitions' | 'invocations'>;

function sceneOf(world: World, seen: Seen): Scene {
  const { cloud } = world;
  const invoke: Scene['invoke'] = async (functionName, event) => {
    for (;;) {
      const outcome = await cloud.invoke(functionName, event);
      if (outcome.kind !== 'throttled') return outcome;
      await wallMs(POLL_WALL_MS);
    }
  };
  const until: Scene['until'] = (what, isSo) =>
    waitUntil(isSo, () => `never happened: ${what}\n${newestLines(seen.text())}`);
  return {
    ...seen,
    world,
    cloud,
    stack: world.account.stack(LOCAL_STACK_UID),
    outcomes: () => seen.lines.filter(({ event }) => event === 'outcome'),
    decisions: () => seen.lines.filter(({ event }) => event === 'decision'),
    failures: (functionName) =>
      seen.invocations.flatMap(({ functionName: name, outcome }) =>
        name === functionName && outcome.kind === 'failed' ? [outcome.payload.errorMessage] : [],
      ),
    async send(count, queue = LOCAL_QUEUE) {
      await Promise.all(Array.from({ length: count }, (_, job) => cloud.queues.send(queue, JSON.stringify({ job }))));
    },
    invoke,
    async tickUntil(what, isSo) {
      const endMs = wall.nowMs() + LIMIT_WALL_MS;
      for (; !isSo() && wall.nowMs() < endMs; await wallMs(TICK_WALL_MS)) await invoke(SCALE, tick());
      await until(what, isSo);
    },
    until,
  };
}

function newestLines(text: string): string {
  const told = text.split('\n').filter((line) => !line.includes('{"_aws"'));
  return told
    .map((line) => line.slice(0, 400))
    .slice(-25)
    .join('\n');
}

const POLL_WALL_MS = 15;
const TICK_WALL_MS = 300;
/** Far more than anything here takes; below the test's own limit, so that the log is shown. */
const LIMIT_WALL_MS = 80_000;

async function waitUntil(isSo: () => boolean, complaint: () => string): Promise<void> {
  const endMs = wall.nowMs() + LIMIT_WALL_MS;
  while (!isSo()) {
    if (wall.nowMs() > endMs) throw new Error(complaint());
    await wallMs(POLL_WALL_MS);
  }
}

/** Waits in real time. */
function wallMs(realMs: number): Promise<void> {
  return new Promise((resolve) => {
    wall.after(realMs, resolve);
  });
}
