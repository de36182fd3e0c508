/** Execution environments of the two functions: reused, killed in the middle, started cold, at most two of each at once. */
import type { VirtualClock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { Told } from './overspending.ts';
import type { Dice } from './plan.ts';

const MAX_ENVIRONMENTS = 2;
/** As in serverless.yml. */
const TIMEOUT_MS = { scale: 75_000, poller: 60_000 } as const;
const MAX_SKEW_MS = 5_000;
export type FunctionName = keyof typeof TIMEOUT_MS;

/** How an invocation ended. */
export type Ending =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Killed, by its timeout or by a crash. */
  | { readonly kind: 'killed' }
  | { readonly kind: 'throttled' };

/** One execution environment. */
export interface Environment {
  readonly name: FunctionName;
  readonly handler: (event: unknown, context: never) => Promise<unknown>;
  readonly clock: SkewedClock;
  isBusy: boolean;
  isDead: boolean;
  /** The target that this invocation looks at; null = all. */
  scope: string | null;
  /** Queues whose depth was answered in this invocation, the last time it was asked. */
  readonly depthsKnown: Set<string>;
  /** By process, the workers of all counts that were answered in this invocation. */
  readonly countsSeen: Map<string, Set<number>>;
  /** Stacks whose action log was answered in this invocation, and when. */
  readonly logsRead: { readonly stackUid: string; readonly atMs: number }[];
  /** Actions that Cloud 66 accepted in this invocation and whose record is not stored yet. */
  readonly owed: Set<number>;
  /** What Cloud 66 last said of the calls that are left. */
  told: Told | null;
  kill: () => void;
}

/** The clock of one environment, ahead of true time or behind. */
export interface SkewedClock {
  nowMs(): number;
  skewMs: number;
}

/** The living environments. */
export interface Environments {
  /** An idle one, or a new one; null when too many are busy. */
  take(name: FunctionName): Environment | null;
  /** A clock that is set back, on whatever runs the environments. */
  setClocksBack(byMs: number): void;
}

/** `wire` makes the handler of a new environment, as a cold start does. */
export function createEnvironments(
  { clock, dice }: { readonly clock: VirtualClock; readonly dice: Dice },
  random: Random,
  wire: (name: FunctionName, clock: SkewedClock) => Environment['handler'],
): Environments {
  let alive: readonly Environment[] = [];
  const start = (name: FunctionName): Environment => {
    const skewMs = dice.strikes('clock_skewed') ? random.integer(-MAX_SKEW_MS, MAX_SKEW_MS) : 0;
    const ownClock: SkewedClock = { skewMs, nowMs: () => clock.nowMs() + ownClock.skewMs };
    return {
      name,
      handler: wire(name, ownClock),
      clock: ownClock,
      isBusy: false,
      scope: null,
      isDead: false,
      depthsKnown: new Set(),
      countsSeen: new Map(),
      logsRead: [],
      owed: new Set(),
      told: null,
      kill: () => {},
    };
  };
  return {
    take(name) {
      alive = alive.filter(({ isDead }) => !isDead);
      const own = alive.filter((one) => one.name === name);
      const idle = own.find(({ isBusy }) => !isBusy);
      if (idle && !dice.strikes('cold_start')) return idle;
      if (idle) idle.isDead = true;
      if (!idle && own.length >= MAX_ENVIRONMENTS) return null;
      const fresh = start(name);
      alive = [...alive, fresh];
      return fresh;
    },
    setClocksBack: (byMs) => {
      // Never far from the truth: whoever sets a clock back has just read a better one.
      for (const { clock: own } of alive) own.skewMs = Math.max(own.skewMs - byMs, -MAX_SKEW_MS - byMs);
    },
  };
}

/** One invocation, to its end or its death. */
export function live(
  environment: Environment,
  clock: VirtualClock,
  run: (times: { getRemainingTimeInMillis(): number }) => Promise<unknown>,
): Promise<Ending> {
  environment.isBusy = true;
  environment.depthsKnown.clear();
  environment.countsSeen.clear();
  environment.logsRead.length = 0;
  environment.owed.clear();
  const endsAtMs = clock.nowMs() + TIMEOUT_MS[environment.name];
  return new Promise((resolve) => {
    const cancel = clock.schedule(endsAtMs, () => environment.kill());
    const end = (ending: Ending) => {
      cancel();
      environment.isBusy = false;
      resolve(ending);
    };
    environment.kill = () => {
      environment.isDead = true;
      end({ kind: 'killed' });
    };
    run({ getRemainingTimeInMillis: () => endsAtMs - clock.nowMs() }).then(
      (value) => end({ kind: 'returned', value }),
      (error: unknown) => end({ kind: 'failed', error }),
    );
  });
}
