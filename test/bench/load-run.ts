/** The two loads of `npm run load`, on the deployed handlers in virtual time: a burst of everything at once, and a month. */

import { createDice, type FaultName } from '../../lib/simulation/faults/plan.ts';
import { alarmEvent, passMinute, tickEvent } from '../../lib/simulation/faults/run.ts';
import { fleetOf, type SimulatedTarget, serversOf, USER } from '../../lib/simulation/faults/scenario.ts';
import { poll, startVirtualWorld, type VirtualWorld } from '../../lib/simulation/faults/virtual-world.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const MINUTES_PER_DAY = 1440;
const CALL_MS = 60;
const LIMIT = 3600;
/** As deployed: a scale event that nobody took in this time goes to the failed-events queue. */
const EVENT_AGE_MS = 300_000;
const HALF_HOUR_MINUTES = 30;
const MOST_HOURS = 24;
const TARGETS_PER_STACK = 2;
const TENTH = 0.1;

/** How large a burst is. */
export interface BurstPlan {
  readonly events: number;
  readonly records: number;
  readonly targets: number;
  readonly seed: number;
}

/** What became of everything. */
export interface BurstResult extends BurstPlan {
  /** Looks at a target that alarm events led to, ticks beside them, and events that were too old before their turn came. */
  readonly looked: number;
  readonly ticks: number;
  readonly expired: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Messages that were no records, each with its reason in the dead-letter queue. */
  readonly foreign: number;
  readonly deadLettered: number;
  readonly lost: number;
  readonly violations: readonly string[];
  /** Calls to Cloud 66 of the busiest hour, and what the hour allows. */
  readonly busiestHourCalls: number;
  readonly callsPerHour: number;
  /** Until every record had its outcome. */
  readonly calmAfterMinutes: number;
  readonly peakBytes: number;
}

/** Says how far it is, between 0 and 1. */
export type Tell = (share: number, what: string) => void;

/** Everything at once, at half past; with some of the records still waiting, other people use up the hour's calls. */
export async function runBurst(plan: BurstPlan, tell: Tell): Promise<BurstResult> {
  const random = createRandom(`burst-${plan.seed}`);
  const dice = createDice(random);
  dice.calm();
  const scenario = fleetOf(stacksOf(plan.targets), { callsPerHour: LIMIT, settings: { STRATEGY: 'backlog' } });
  const world = startVirtualWorld({ scenario, random, dice, callMs: CALL_MS });
  const memory = peakMemory();
  const { services, observer } = world;
  try {
    await world.pass(HALF_HOUR_MINUTES * 60);
    const foreign = fill(world, scenario.targets, plan);
    const events = eventQueue(world);
    for (let event = 0; event < plan.events; event += 1) {
      const target = scenario.targets[event % scenario.targets.length] as SimulatedTarget;
      events.add(alarmEvent(target.id, services.clock.nowMs()));
    }
    const calls = callsByHour(world);
    const usedUpAtMinute = Math.max(1, Math.ceil(plan.records / 1000));
    let minute = 0;
    for (; minute < MOST_HOURS * 60 && services.actions.waiting.size + events.waiting() > 0; minute += 1) {
      if (minute === usedUpAtMinute) services.account.spend(USER, services.account.spend(USER, 0).remaining);
      events.add(tickEvent(services.clock.nowMs()));
      for (let second = 0; second < 60; second += 1) {
        events.pump();
        void poll(world);
        void poll(world);
        await world.pass(1);
      }
      memory.look();
      const { size: left } = services.actions.waiting;
      tell(1 - left / Math.max(1, plan.records), `${left} records left`);
    }
    observer.settle(services.actions);
    return {
      ...plan,
      looked: events.looked(),
      ticks: minute,
      expired: events.expired(),
      outcomes: Object.fromEntries(observer.outcomes),
      foreign,
      deadLettered: services.actions.buried.length,
      lost:
        services.actions.waiting.size +
        observer.violations.filter(({ invariant }) => invariant === 'no_record_lost').length,
      violations: observer.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
      busiestHourCalls: calls.busiest(),
      callsPerHour: LIMIT,
      calmAfterMinutes: minute,
      peakBytes: memory.peakBytes(),
    };
  } finally {
    world.close();
  }
}

/** Two processes a stack. */
function stacksOf(targets: number): readonly string[] {
  return Array.from({ length: targets }, (_, index) => {
    const stack = Math.floor(index / TARGETS_PER_STACK);
    return `s${stack}/${['worker', 'mailer'][index % TARGETS_PER_STACK]}`;
  });
}

/** Accepted actions with their records, a tenth of a percent of them torn; returns the number of the torn ones. */
function fill(
  { services, observer }: VirtualWorld,
  targets: readonly SimulatedTarget[],
  { records }: BurstPlan,
): number {
  const { account, actions, clock } = services;
  let foreign = 0;
  for (let index = 0; index < records; index += 1) {
    const target = targets[index % targets.length] as SimulatedTarget;
    const { stackUid, processName, id: targetId } = target;
    const [server] = serversOf(stackUid);
    const action = account.stack(stackUid).changeByHand(processName, { [server]: 1 });
    const decisionId = `burst-${index}`;
    observer.accept(action.id, target, decisionId);
    const record = { version: 1, targetId, stackUid, processName, actionId: action.id };
    const counts = { requestedCounts: { [server]: 1 }, desiredCount: 1, previousCount: 2 };
    actions.add(JSON.stringify({ ...record, ...counts, decisionId, acceptedAtMs: clock.nowMs() }), `${index}`);
    if (index % 1000 === 999) {
      actions.addForeign('{"version":1,"targetId":', `torn-${index}`, targetId);
      foreign += 1;
    }
  }
  return foreign;
}

/** Lambda's queue of asynchronous events before the scale function. */
function eventQueue({ services: { clock }, functions }: VirtualWorld) {
  const waiting: { readonly event: unknown; readonly atMs: number }[] = [];
  let [looked, expired, busy] = [0, 0, 0];
  const take = async (): Promise<void> => {
    busy += 1;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (clock.nowMs() - next.atMs > EVENT_AGE_MS) {
        expired += 1;
        continue;
      }
      const ending = await functions.invoke('scale', next.event);
      if (ending.kind === 'throttled') {
        waiting.unshift(next);
        break;
      }
      // One target is an alarm's, all of them a tick's. A look that failed names none.
      if (ending.kind === 'returned' && Object.keys(ending.value as object).length === 1) looked += 1;
    }
    busy -= 1;
  };
  return {
    add: (event: unknown) => void waiting.push({ event, atMs: clock.nowMs() }),
    pump: () => {
      while (busy < 2 && waiting.length > 0) void take();
    },
    waiting: () => waiting.length,
    looked: () => looked,
    expired: () => expired,
  };
}

function callsByHour({ services: { clock, account } }: VirtualWorld) {
  const hours = new Map<number, number>();
  const spend = account.spend.bind(account);
  // A call through the API names no number.
  account.spend = (user: string, calls?: number) => {
    const hour = Math.floor(clock.nowMs() / 3_600_000);
    if (calls === undefined) hours.set(hour, (hours.get(hour) ?? 0) + 1);
    return spend(user, calls);
  };
  return { busiest: () => Math.max(0, ...hours.values()) };
}

function peakMemory() {
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, process.memoryUsage().rss);
  };
  look();
  return { look, peakBytes: () => peak };
}

/** How long a soak is. */
export interface SoakPlan {
  readonly days: number;
  readonly targets: number;
  readonly seed: number;
}

/** What a soak came to. */
export interface SoakResult extends SoakPlan {
  readonly scaleCalls: number;
  readonly accepted: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  readonly violations: readonly string[];
  /** Used heap at the end of each day, after a collection where node was started with --expose-gc. */
  readonly heapBytesByDay: readonly number[];
  /** Mean of the last tenth of the days to that of the second tenth: 1 = flat. */
  readonly heapGrowth: number;
  readonly peakBytes: number;
}

/** Days of many targets with background faults, one after the other in the same process. */
export async function runSoak(plan: SoakPlan, tell: Tell): Promise<SoakResult> {
  const random = createRandom(`soak-${plan.seed}`);
  const dice = createDice(random.fork('dice'));
  const scenario = fleetOf(stacksOf(plan.targets), { callsPerHour: LIMIT, settings: { STRATEGY: 'backlog' } });
  const world = startVirtualWorld({ scenario, random, dice });
  const memory = peakMemory();
  const { services, observer } = world;
  const heapBytesByDay: number[] = [];
  try {
    for (let minute = 0; minute < plan.days * MINUTES_PER_DAY; minute += 1) {
      await passMinute(world);
      memory.look();
      tell(minute / (plan.days * MINUTES_PER_DAY), `day ${Math.floor(minute / MINUTES_PER_DAY) + 1} of ${plan.days}`);
      if (minute % 60 === 59) {
        observer.settle(services.actions);
        observer.forget(services.actions);
      }
      if ((minute + 1) % MINUTES_PER_DAY === 0) {
        globalThis.gc?.();
        heapBytesByDay.push(process.memoryUsage().heapUsed);
      }
    }
    return {
      ...plan,
      scaleCalls: observer.scaleCalls,
      accepted: observer.accepted,
      outcomes: Object.fromEntries(observer.outcomes),
      faults: Object.fromEntries(dice.counts),
      violations: observer.violations.map(({ invariant, detail }) => `${invariant}: ${detail}`),
      heapBytesByDay,
      heapGrowth: growthOf(heapBytesByDay),
      peakBytes: memory.peakBytes(),
    };
  } finally {
    world.close();
  }
}

/** The first days are left out: caches fill up. */
function growthOf(bytes: readonly number[]): number {
  const tenth = Math.max(1, Math.round(bytes.length * TENTH));
  const mean = (some: readonly number[]) => some.reduce((sum, value) => sum + value, 0) / Math.max(1, some.length);
  return mean(bytes.slice(-tenth)) / mean(bytes.slice(tenth, 2 * tenth));
}
