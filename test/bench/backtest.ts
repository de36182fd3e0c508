/**
 * How fast a backtest is: simulated minutes per second of one policy of ours, through the deployed reconcile, and how that
 * grows with the load. `npm run bench:backtest -- [days] [load,load,…] [policy,policy]`; when left out 27 days, loads 0.5 to
 * 40, latency and backlog.
 */
import { buildCell, fly, USUAL_CELL } from '../../lib/backtest/cell.ts';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import { syntheticTrace } from '../../lib/backtest/shapes.ts';

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
export async function measure(policyName: string, load: number, days: number): Promise<Measured> {
  const [policy] = policiesNamed(policyName);
  if (policy === undefined) throw new RangeError(`There is no policy "${policyName}".`);
  const minutes = days * 1440;
  const startedMs = performance.now();
  const trace = syntheticTrace({ shape: 'sine', minutes, meanPerMinute: 10 * load, seed: 1 });
  const cell = buildCell({ ...USUAL_CELL, trace, scaling: { kind: 'factor', factor: 1 }, seed: 1 });
  const { score } = await fly(cell, policy, { league: 'N', settings: policy.defaults(cell.workload) });
  const seconds = (performance.now() - startedMs) / 1000;
  return {
    policy: policyName,
    load,
    minutes,
    jobs: score.jobs,
    looks: score.looks,
    seconds,
    minutesPerSecond: minutes / seconds,
    peakMegabytes: process.resourceUsage().maxRSS / 1024,
  };
}

async function main([
  daysText = '27',
  loadsText = '0.5,3,10,40',
  names = 'latency,backlog',
]: readonly string[]): Promise<void> {
  const row = (cells: readonly string[]): void => {
    process.stdout.write(`${cells.map((cell) => cell.padStart(14)).join('')}\n`);
  };
  row(['policy', 'load', 'jobs', 'looks', 'seconds', 'minutes/s', 'peak MB']);
  const loads = loadsText.split(',').map(Number);
  for (const [name, load] of names.split(',').flatMap((each) => loads.map((load) => [each, load] as const))) {
    const { policy, jobs, looks, seconds, minutesPerSecond, peakMegabytes } = await measure(
      name,
      load,
      Number(daysText),
    );
    row(
      [policy, load, jobs, looks, seconds.toFixed(2), Math.round(minutesPerSecond), Math.round(peakMegabytes)].map(
        String,
      ),
    );
  }
}

if (import.meta.main) await main(process.argv.slice(2));
