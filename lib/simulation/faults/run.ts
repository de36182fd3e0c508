/** A day with faults and a calm end, drawn from a seed. */
import { createRandom } from '../random.ts';
import { calmDown, disturb } from './disturb.ts';
import type { CrashPoint } from './functions.ts';
import type { Violation } from './observer.ts';
import { type Chances, createDice, type Dice, type FaultName } from './plan.ts';
import { ALARM_PREFIX, scenarioOf } from './scenario.ts';
import { poll, startVirtualWorld, type VirtualWorld } from './virtual-world.ts';

const POLL_SECONDS = 10;

/** How long a run is. */
export interface RunPlan {
  readonly faultyMinutes: number;
  /** Without faults and without jobs: within it the counts must have come down to the minimum. */
  readonly calmMinutes: number;
  /** One more crash, at a place of choice. */
  readonly crash?: CrashPoint;
  readonly chances?: Chances;
}

export const DAY: RunPlan = { faultyMinutes: 1200, calmMinutes: 240 };

/** What came of a seed. The same seed always gives the same. */
export interface RunResult {
  readonly seed: number;
  readonly targets: number;
  readonly violations: readonly Violation[];
  readonly faults: ReadonlyMap<FaultName, number>;
  readonly outcomes: ReadonlyMap<string, number>;
  readonly scaleCalls: number;
  readonly accepted: number;
  /** Accepted actions without a record: a crash, a lost answer, a refused record. Each was seen by someone. */
  readonly unrecorded: number;
  readonly calls: ReadonlySet<string>;
  readonly crashes: ReadonlySet<string>;
  /** Minutes of calm after which all counts stayed where a queue without jobs wants them. */
  readonly settledAfterMinutes: number;
  /** Over everything that was called, sent and written. */
  readonly digest: string;
}

/** Lives through the day of a seed. */
export async function runSeed(seed: number, plan: RunPlan = DAY): Promise<RunResult> {
  const { faultyMinutes, calmMinutes, crash, chances } = plan;
  const random = createRandom(`faults-${seed}`);
  const dice = createDice(random.fork('dice'), chances);
  const scenario = scenarioOf(random.fork('scenario'));
  const world = startVirtualWorld({ scenario, random, dice, ...(crash ? { crash } : {}) });
  const { services, observer } = world;
  let settledAfterMinutes = 0;
  try {
    for (let minute = 0; minute < faultyMinutes + calmMinutes; minute += 1) {
      if (minute === faultyMinutes) calmDown(services);
      await passMinute(world);
      if (!observer.isSettled()) settledAfterMinutes = Math.max(0, minute + 1 - faultyMinutes);
    }
    observer.finish(services.actions);
  } finally {
    world.close();
  }
  const { violations, outcomes, scaleCalls, accepted, calls, crashes } = observer;
  return {
    seed,
    targets: scenario.targets.length,
    violations,
    faults: dice.counts,
    outcomes,
    scaleCalls,
    accepted,
    unrecorded: accepted - services.actions.stored,
    calls,
    crashes,
    settledAfterMinutes,
    digest: observer.digest(),
  };
}

/** A minute of everything: jobs, people, a tick, alarms, and the poller as often as something is due. */
export async function passMinute(world: VirtualWorld): Promise<void> {
  const { services, functions, observer } = world;
  const { clock, jobs, dice } = services;
  observer.minute();
  for (const queue of jobs.values()) queue.pass(clock.nowMs());
  disturb(services, functions.setClocksBack);
  const ids = services.scenario.targets.map(({ id }) => id);
  const events = eventsOf(ids, dice, clock.nowMs());
  for (const event of events) void functions.invoke('scale', event);
  for (let second = 0; second < 60; second += POLL_SECONDS) {
    const isGiven = poll(world);
    await world.pass(POLL_SECONDS, !isGiven && (second > 0 || events.length === 0));
  }
}

/** What CloudWatch sends when the alarm of a target changes its state. */
export function alarmEvent(targetId: string, atMs: number): unknown {
  const time = new Date(atMs).toISOString();
  return {
    source: 'aws.cloudwatch',
    alarmArn: 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:other',
    time,
    alarmData: {
      alarmName: `${ALARM_PREFIX}${targetId}`,
      state: { value: 'ALARM', timestamp: time },
    },
  };
}

/** The schedule's event. */
export function tickEvent(atMs: number): unknown {
  return { 'detail-type': 'Scheduled Event', time: new Date(atMs).toISOString() };
}

/** The tick of a minute, or none, or two, and what alarms say. */
function eventsOf(targetIds: readonly string[], dice: Dice, nowMs: number): readonly unknown[] {
  const tick = tickEvent(nowMs);
  return [
    ...(dice.strikes('tick_missed') ? [] : [tick]),
    ...(dice.strikes('tick_doubled') ? [tick] : []),
    ...targetIds.flatMap((id) => [
      ...(dice.strikes('alarm_sent') ? [alarmEvent(id, nowMs)] : []),
      ...(dice.strikes('alarm_old') ? [alarmEvent(id, nowMs - 6 * 3_600_000)] : []),
    ]),
    ...(dice.strikes('alarm_garbled') ? [{ hello: 'world' }] : []),
  ];
}
