/** `npm run load`: a burst of alarm events and action records, and a month of many targets with background faults. */
import { parseArgs } from 'node:util';
import { createProgress } from '../../lib/cli/progress.ts';
import { FLAG, runCommand, textOption, wholeOf } from './command.ts';
import { type BurstResult, runBurst, runSoak, type SoakResult } from './load-run.ts';

const HELP = `npm run load -- [options]

The deployed handlers in one process and in virtual time, with calls of 60 ms in the burst.
  --events 10000    alarm events at once           --records 10000   action records at once; 0 of both = no burst
  --fleet 100       targets of the burst; Cloud 66 throttles all calls in the middle of it
  --days 30         of the soak; 0 = none          --targets 50      of the soak, with the faults of npm run faults
  --seed 1          --json
`;
const MEGABYTE = 2 ** 20;
const MOST = 999_999;

interface Options {
  readonly events: number;
  readonly records: number;
  readonly fleet: number;
  readonly days: number;
  readonly targets: number;
  readonly seed: number;
  readonly json: boolean;
}

/** @throws RangeError that names the option. */
function optionsOf(args: readonly string[]): Options | null {
  const options = {
    events: textOption('10000'),
    records: textOption('10000'),
    fleet: textOption('100'),
    days: textOption('30'),
    targets: textOption('50'),
    seed: textOption('1'),
    json: FLAG,
    help: FLAG,
  };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const whole = (name: Exclude<keyof Options, 'json'>, least = 0) => wholeOf(name, values[name], least, MOST);
  return {
    events: whole('events'),
    records: whole('records'),
    fleet: whole('fleet', 1),
    days: whole('days'),
    targets: whole('targets', 1),
    seed: whole('seed'),
    json: values.json,
  };
}

const listed = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
const megabytes = (bytes: number) => `${Math.round(bytes / MEGABYTE)} MiB`;

function burstText(burst: BurstResult): string {
  return [
    `burst: ${burst.events} alarm events and ${burst.records} action records at once, ${burst.targets} targets`,
    `  events    ${burst.looked} looks for alarms, ${burst.ticks} ticks beside them; ${burst.expired} older than five minutes before their turn`,
    `  records   ${listed(burst.outcomes)}; dead-lettered with a reason ${burst.deadLettered} of ${burst.foreign}; lost ${burst.lost}`,
    `  calls     ${burst.busiestHourCalls} in the busiest hour of ${burst.callsPerHour}`,
    `  calm      after ${burst.calmAfterMinutes} min; peak memory ${megabytes(burst.peakBytes)}, simulation included`,
    `  ${burst.violations.length} violations`,
  ].join('\n');
}

function soakText(soak: SoakResult): string {
  return [
    `soak: ${soak.days} days, ${soak.targets} targets`,
    `  scale calls ${soak.scaleCalls}, accepted ${soak.accepted}`,
    `  outcomes  ${listed(soak.outcomes)}`,
    `  faults    ${listed(soak.faults as Record<string, number>)}`,
    `  heap      ${soak.heapBytesByDay.map(megabytes).join(', ')}; last tenth to second tenth ${soak.heapGrowth.toFixed(2)}`,
    `  peak memory ${megabytes(soak.peakBytes)}, simulation included`,
    `  ${soak.violations.length} violations`,
  ].join('\n');
}

async function main(options: Options): Promise<void> {
  const { events, records, fleet, days, targets, seed, json } = options;
  // The simulation replaces the clock of the process.
  const wallMs = Date.now.bind(Date);
  const progress = createProgress(process.stderr, wallMs);
  const burst =
    events + records === 0 ? null : await runBurst({ events, records, targets: fleet, seed }, progress.show);
  const soak = days === 0 ? null : await runSoak({ days, targets, seed }, progress.show);
  progress.done();
  const texts = [burst && burstText(burst), soak && soakText(soak)].filter((part) => part !== null);
  process.stdout.write(`${json ? JSON.stringify({ burst, soak }) : texts.join('\n\n')}\n`);
  const broken = [...(burst?.violations ?? []), ...(soak?.violations ?? [])];
  for (const violation of broken.slice(0, 20)) process.stderr.write(`${violation}\n`);
  if (broken.length > 0 || (burst?.lost ?? 0) > 0) process.exitCode = 1;
}

await runCommand(HELP, optionsOf, main);
