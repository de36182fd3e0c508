/** What people and machines do to the stacks, minute by minute. */
import type { Cloud66Stack } from '../cloud66/stack.ts';
import type { Random } from '../random.ts';
import type { Dice } from './plan.ts';
import { type SimulatedTarget, TOKEN, USER } from './scenario.ts';
import type { Services } from './services.ts';

const MINUTE_MS = 60_000;
const DEPLOYMENT_SECONDS = 180;
const SET_BACK_MS = 3_000;
const MOST_BY_HAND = 12;
/** Of the hour's calls: less than is ever this program's to spend. */
const FEW_SHARE = 0.03;

/** Where a server was removed, workers may be too few for a day's jobs; what they cannot finish within the calm is purged. */
const MOST_LEFT = 1000;

/** One minute's worth of trouble. */
export function disturb(services: Services, setClocksBack: (byMs: number) => void): void {
  const { account, scenario, dice, random, clock, outages } = services;
  if (dice.strikes('sends_refused_long')) outages.sendsUntilMs = clock.nowMs() + 3 * MINUTE_MS;
  if (dice.strikes('cloud66_outage')) outages.cloud66UntilMs = clock.nowMs() + 15 * MINUTE_MS;
  if (dice.strikes('clock_set_back')) setClocksBack(SET_BACK_MS);
  if (dice.strikes('token_rotated')) rotateToken(services);
  spendCalls(services);
  for (const { uid } of scenario.stacks) {
    const own = scenario.targets.filter(({ stackUid }) => stackUid === uid);
    disturbStack(account.stack(uid), own, dice, random);
  }
}

/** Nothing goes wrong any more, and what went wrong for good is put right by people. */
export function calmDown({ account, scenario, dice, jobs, outages }: Services): void {
  dice.calm();
  for (const queue of jobs.values()) {
    queue.isFed = false;
    queue.visible = Math.min(queue.visible, MOST_LEFT);
  }
  Object.assign(outages, { sendsUntilMs: 0, cloud66UntilMs: 0 });
  for (const { uid } of scenario.stacks) {
    const stack = account.stack(uid);
    for (const server of stack.servers()) stack.setServerHealth(server.uid, 'healthy');
    // A deployment that never ends rightly holds every change, until a person deploys again.
    if (stack.view().status === 'deploying') stack.deploy(60);
  }
}

function disturbStack(stack: Cloud66Stack, targets: readonly SimulatedTarget[], dice: Dice, random: Random): void {
  if (dice.strikes('deployment')) stack.deploy(DEPLOYMENT_SECONDS);
  const servers = stack.servers();
  if (dice.strikes('count_by_hand')) {
    const { processName } = random.pick(targets);
    stack.changeByHand(processName, { [random.pick(servers).uid]: random.integer(0, MOST_BY_HAND) });
  }
  // One server always stays in order: without any there is nothing to decide.
  const [, second] = servers;
  if (second && dice.strikes('server_unhealthy')) stack.setServerHealth(second.uid, 'failed');
  else if (random.chance(0.1)) {
    for (const { uid, health } of servers) if (health === 'failed') stack.setServerHealth(uid, 'healthy');
  }
  const nextName = `server-${servers.length}-${random.integer(0, 1_000_000)}`;
  if (dice.strikes('server_added') && servers.length < 5) stack.addServer({ uid: `uid-${nextName}`, name: nextName });
  if (dice.strikes('server_renamed')) stack.renameServer(random.pick(servers).uid, `renamed-${nextName}`);
  if (dice.strikes('server_removed')) removeServer(stack);
}

/** Removes a server without which every process still has another: one that has none is nobody's to scale. */
function removeServer(stack: Cloud66Stack): void {
  const victim = stack
    .servers()
    .find(({ uid }) =>
      stack
        .processes()
        .every(({ counts }) => Object.entries(counts).some(([other, count]) => other !== uid && count > 0)),
    );
  if (victim) stack.removeServer(victim.uid);
}

/** The old token is revoked at once; whoever did it writes the new one into the parameter a little later. */
function rotateToken({ account, clock, random, token }: Services): void {
  const next = `${TOKEN}-${random.integer(0, 1_000_000_000)}`;
  account.replaceTokens(USER, next);
  clock.schedule(clock.nowMs() + random.integer(0, 120_000), () => {
    token.value = next;
  });
}

function spendCalls({ account, dice }: Services): void {
  const { remaining, limit } = account.spend(USER, 0);
  const few = Math.round(limit * FEW_SHARE);
  if (dice.strikes('calls_by_others')) account.spend(USER, Math.min(remaining, Math.round(limit / 10)));
  if (dice.strikes('calls_nearly_used_up')) account.spend(USER, Math.max(0, account.spend(USER, 0).remaining - few));
  if (dice.strikes('calls_used_up')) account.spend(USER, account.spend(USER, 0).remaining);
}
