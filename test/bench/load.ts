/** `npm run load`: a burst of alarm events and action records, and a month of many targets with background faults. */
import { parseArgs } from 'node:util';
import { createProgress } from '../../lib/cli/progress.ts';
import { type BurstResult, runBurst, runSoak, type SoakResult } from './load-run.ts';

const HELP = `npm run load -- [options]

The deployed handlers in one process and in virtual time, with calls of 60 ms in the burst.
  --events 10000    alarm events at once           --records 10000   action records at once; 0 of both = no burst
  --fleet 100       targets of the burst; Cloud 66 throttles all calls in the middle of it
  --days 30         of the soak; 0 = none          --targets 50      of the soak, with the faults of npm run faults
  --seed 1          --json
`;
const MEGABYTE = 2 ** 20;

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
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    events: text('10000'),
    records: text('10000'),
    fleet: text('100'),
    days: text('30'),
    targets: text('50'),
    seed: text('1'),
    json: flag,
    help: flag,
  };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const whole = (name: 'events' | 'records' | 'fleet' | 'days' | 'targets' | 'seed', least: number) => {
    const value = Number(values[name]);
    if (/^\d{1,6}$/.test(values[name]) && value >= least) return value;
    throw new RangeError(`--${name}: found "${values[name]}", expected a whole number from ${least} to 999999`);
  };
  return {
    events: whole('events', 0),
    records: whole('records', 0),
    fleet: whole('fleet', 1),
    days: whole('days', 0),
    targets: whole('targets', 1),
    seed: whole('seed', 0),
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

async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const { events, records, fleet, days, targets, seed, json } = options;
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

try {
  await main();
} catch (error) {
  if (!(error instanceof RangeError || (error instanceof TypeError && 'code' in error))) throw error;
  process.stderr.write(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
