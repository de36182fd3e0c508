/**
 * `npm run bench:backtest`: how fast a backtest is, in simulated minutes per second of one policy through the deployed
 * reconcile, and how that grows with the load.
 */
import { parseArgs } from 'node:util';
import { buildCell, fly, USUAL_CELL } from '../../lib/backtest/cell.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import type { ReplayPolicy } from '../../lib/backtest/policies.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';
import { FLAG, numberOf, runCommand, textOption } from './command.ts';

export interface Measured {
  readonly policy: string;
  readonly load: number;
  readonly minutes: number;
  readonly jobs: number;
  readonly looks: number;
  /** Drawing the jobs, flying, scoring. */
  readonly seconds: number;
  readonly minutesPerSecond: number;
  /** Highest resident memory of the process so far. */
  readonly peakMegabytes: number;
}

/** Measures one policy at one load over so many days of a daily pattern, jobs drawn included. */
export async function measure(policy: ReplayPolicy, load: number, days: number): Promise<Measured> {
  const minutes = days * 1440;
  const startedMs = performance.now();
  const trace = syntheticTrace({ shape: 'sine', minutes, meanPerMinute: 10 * load, seed: 1 });
  const cell = buildCell({ ...USUAL_CELL, trace, scaling: { kind: 'factor', factor: 1 }, seed: 1 });
  const { score } = await fly(cell, policy, { league: 'N', settings: policy.defaults(cell.workload) });
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    policy: policy.name,
    load,
    minutes,
    jobs: score.jobs,
    looks: score.looks,
    seconds,
    minutesPerSecond: minutes / seconds,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}

const HELP = `npm run bench:backtest -- [options]

Simulated minutes a second of one policy at a time, through the deployed reconcile, with the drawing of the jobs.
  --days 27                     of a daily pattern
  --loads 0.5,3,10,40           mean busy workers
  --policies latency,backlog    names, as of npm run backtest
`;

interface Options {
  readonly days: number;
  readonly loads: readonly number[];
  readonly policies: readonly ReplayPolicy[];
}

function optionsOf(args: readonly string[]): Options | null {
  const options = {
    days: textOption('27'),
    loads: textOption('0.5,3,10,40'),
    policies: textOption('latency,backlog'),
    help: FLAG,
  };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const loads = values.loads.split(',').map((load) => numberOf('loads', load, 10_000));
  return { days: numberOf('days', values.days, 366), loads, policies: policiesNamed(values.policies) };
}

async function main({ days, loads, policies }: Options): Promise<void> {
  const row = (cells: readonly (string | number)[]): void => {
    process.stdout.write(`${cells.map((cell) => String(cell).padStart(14)).join('')}\n`);
  };
  row(['policy', 'load', 'jobs', 'looks', 'seconds', 'minutes/s', 'peak MB']);
  for (const policy of policies) {
    for (const load of loads) {
      const { jobs, looks, seconds, minutesPerSecond, peakMegabytes } = await measure(policy, load, days);
      row([
        policy.name,
        load,
        jobs,
        looks,
        seconds.toFixed(2),
        Math.round(minutesPerSecond),
        Math.round(peakMegabytes),
      ]);
    }
  }
}

if (import.meta.main) await runCommand(HELP, optionsOf, main);
