/**
 * The handlers as they are deployed, in one process and in virtual time, with the services around them. One at a time in a
 * process, because it replaces the process's clock and timers.
 */
import { createVirtualClock } from '../clock.ts';
import { Cloud66Account } from '../cloud66/account.ts';
import type { ActionFault } from '../cloud66/model.ts';
import type { Random } from '../random.ts';
import { type CrashPoint, createFunctions } from './functions.ts';
import { Observer } from './observer.ts';
import type { Dice } from './plan.ts';
import { ActionsQueue, JobQueue } from './queues.ts';
import { type Scenario, START_MS, TOKEN, USER } from './scenario.ts';
import type { Services } from './services.ts';
import { installVirtualTime, runUntil } from './virtual-time.ts';

const SLOW_SECONDS = 900;

/** A world that stands still until it is told to go on. */
export interface VirtualWorld {
  readonly services: Services;
  readonly observer: Observer;
  readonly functions: ReturnType<typeof createFunctions>;
  /** Lives on for so long; `isStill` when nothing was started since it last did. */
  pass(seconds: number, isStill?: boolean): Promise<void>;
  /** Gives the process its own time back. */
  close(): void;
}

/** What a world is made of. */
export interface VirtualWorldOptions {
  readonly scenario: Scenario;
  readonly random: Random;
  readonly dice: Dice;
  readonly crash?: CrashPoint;
  readonly callMs?: number;
}

/** Starts it, at the scenario's hour. */
export function startVirtualWorld({ scenario, random, dice, crash, callMs = 0 }: VirtualWorldOptions): VirtualWorld {
  const clock = createVirtualClock(START_MS);
  const jobs = new Map(
    scenario.targets.map(({ id, queueName }, index) => [
      queueName,
      new JobQueue(random.fork(index === 0 ? 'jobs' : `jobs/${id}`), 2 * index),
    ]),
  );
  const queueOf = new Map(
    scenario.targets.map(({ stackUid, processName, queueName }) => [`${stackUid}/${processName}`, queueName]),
  );
  const account = new Cloud66Account({
    clock,
    random: random.fork('account'),
    stacks: scenario.stacks,
    tokens: [{ value: TOKEN, user: USER, scopes: ['public', 'admin'] }],
    settings: { callsPerHour: scenario.callsPerHour, actionFault: () => actionFault(dice) },
    onWorkersChanged: ({ stackUid, processName, running }) => {
      const queue = jobs.get(queueOf.get(`${stackUid}/${processName}`) ?? '');
      if (queue) queue.workers = running;
    },
  });
  const actions = new ActionsQueue(clock);
  const outages = { sendsUntilMs: 0, cloud66UntilMs: 0 };
  const token = { value: TOKEN };
  const services: Services = { clock, scenario, account, jobs, actions, dice, random, outages, token, callMs };
  const observer = new Observer(account, scenario);
  const functions = createFunctions(services, scenario.settings, observer, random.fork('ids'), crash);
  const uninstall = installVirtualTime(clock, random.fork('math'));
  return {
    services,
    observer,
    functions,
    pass: (seconds, isStill) => runUntil(clock, clock.nowMs() + seconds * 1000, isStill),
    close() {
      uninstall();
      account.close();
    },
  };
}

function actionFault(dice: Dice): ActionFault | null {
  if (dice.strikes('action_fails'))
    return { kind: 'fails', message: `curl -H 'authorization: Bearer ${TOKEN}' failed` };
  if (dice.strikes('action_never_ends')) return { kind: 'never_finishes', holdsStackSeconds: 1200 };
  if (dice.strikes('action_vanishes')) return { kind: 'vanishes', afterSeconds: 30, appliesChange: true };
  if (dice.strikes('action_slow')) return { kind: 'slow', latencySeconds: SLOW_SECONDS };
  return dice.strikes('action_does_nothing') ? { kind: 'changes_nothing' } : null;
}

/** Gives the poller what is due, as the event source mapping does. False when nothing is. */
export function poll(world: VirtualWorld): boolean {
  const messages = world.services.actions.receive();
  if (messages.length === 0) return false;
  void deliver(world, messages);
  return true;
}

async function deliver(
  { services: { actions, dice }, functions: { invoke } }: VirtualWorld,
  messages: ReturnType<ActionsQueue['receive']>,
): Promise<void> {
  const Records = messages.map(({ id, body, groupId, receives }) => {
    const attributes = { ApproximateReceiveCount: String(receives), MessageGroupId: groupId };
    return { messageId: id, receiptHandle: id, body, attributes };
  });
  if (dice.strikes('record_delivered_twice')) void invoke('poller', { Records });
  const ending = await invoke('poller', { Records });
  if (ending.kind !== 'returned' || dice.strikes('record_delivered_late')) return;
  const { batchItemFailures } = ending.value as {
    readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
  };
  const kept = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  for (const { id } of messages) if (!kept.has(id)) actions.waiting.delete(id);
}
