/**
 * `npm run bench:fleet`: a simulated day of 1,000 targets on 200 stacks, and how cost grows from 10 to 100 to 1,000 targets.
 * `--minutes 60` shows in seconds that it works. Nothing is stored.
 */
import { parseArgs } from 'node:util';
import { FLAG, runCommand, textOption, wholeOf } from './command.ts';
import { type FleetPlan, type FleetResult, runFleet } from './fleet-run.ts';

const HELP = `npm run bench:fleet -- [options]

The real look, reconcile, poller and Cloud 66 client over simulated queues, in one process and in virtual time.
  --targets 1000   --stacks 200        the fleet, with a mixed load
  --minutes 1440                       a day
  --limit 3000     --others 300        calls per hour of the account, and of those by people and CI
  --growth 60                          minutes that 10, 100 and 1,000 targets are run for comparison; 0 = not at all
  --json
`;

const MOST = 9_999_999;
const GROWTH = [10, 100, 1000] as const;
/** As in the fleet of the day. */
const TARGETS_PER_STACK = 5;

interface Options {
  readonly plan: FleetPlan;
  readonly growthMinutes: number;
  readonly json: boolean;
}

function optionsOf(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      targets: textOption('1000'),
      stacks: textOption('200'),
      minutes: textOption('1440'),
      limit: textOption('3000'),
      others: textOption('300'),
      growth: textOption('60'),
      json: FLAG,
      help: FLAG,
    },
  });
  if (values.help) return null;
  const plan = {
    targets: wholeOf('targets', values.targets, 1, MOST),
    stacks: wholeOf('stacks', values.stacks, 1, MOST),
    minutes: wholeOf('minutes', values.minutes, 1, MOST),
    callsPerHour: wholeOf('limit', values.limit, 1, MOST),
    othersPerHour: wholeOf('others', values.others, 0, MOST),
  };
  return { plan, growthMinutes: wholeOf('growth', values.growth, 0, MOST), json: values.json };
}

/** A run as people read it. */
export function fleetText(result: FleetResult): string {
  const { plan, calls, queueCalls, wall, outcomes } = result;
  const made = calls.reduce((sum, count) => sum + count, 0);
  const perHour = (count: number) => Math.round((60 * count) / plan.minutes);
  return [
    `${plan.targets} targets on ${plan.stacks} stacks, ${plan.minutes} min, ${plan.callsPerHour} calls an hour, of which others make ${plan.othersPerHour}`,
    `  throttled replies    ${result.throttled}`,
    `  breach to decision   ${result.breachTicks} ticks at most`,
    `  oldest count         ${result.oldestCountMinutes.toFixed(1)} min`,
    `  decisions            ${result.decisions}, ${result.changes} changes, ${result.spentHolds} holds without a call left, ${result.failures} failures`,
    `  outcomes             ${Object.entries(outcomes)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
    `  Cloud 66             ${perHour(made)} calls an hour, ${Math.max(0, ...calls)} in the busiest`,
    `  SQS, CloudWatch      ${perHour(queueCalls.depths)} depths, ${perHour(queueCalls.metrics)} metrics an hour`,
    `  a tick               ${wall.medianMs.toFixed(0)} ms, ${wall.p99Ms.toFixed(0)} ms at p99, without network`,
    `  peak memory          ${(result.peakBytes / 2 ** 20).toFixed(0)} MiB, the simulated world included`,
    `  result               ${result.hash}`,
  ].join('\n');
}

/** What a tick costs as the fleet grows; linear or better when the last column does not rise. */
export function growthText(results: readonly FleetResult[]): string {
  const lines = results.map(({ plan, wall }) => {
    const { medianMs } = wall;
    return `  ${String(plan.targets).padStart(5)} targets  ${medianMs.toFixed(1).padStart(7)} ms a tick  ${((1000 * medianMs) / plan.targets).toFixed(0).padStart(5)} us a target`;
  });
  return ['Growth', ...lines].join('\n');
}

async function main(options: Options): Promise<void> {
  const { plan, growthMinutes, json } = options;
  const day = await runFleet(plan);
  const growth: FleetResult[] = [];
  for (const targets of growthMinutes === 0 ? [] : GROWTH) {
    const stacks = Math.ceil(targets / TARGETS_PER_STACK);
    growth.push(await runFleet({ ...plan, targets, stacks, minutes: growthMinutes }));
  }
  process.stdout.write(`${json ? JSON.stringify({ day, growth }) : fleetText(day)}\n`);
  if (!json && growth.length > 0) process.stdout.write(`\n${growthText(growth)}\n`);
}

if (import.meta.main) await runCommand(HELP, optionsOf, main);
