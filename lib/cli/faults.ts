/** `npm run faults`: days of the deployed handlers under faults, one per seed; a failure names the line that repeats it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Command } from 'commander';
import { InvalidInputError } from '../errors.ts';
import { DAY, type RunResult } from '../simulation/faults/run.ts';
import { createProgress } from './progress.ts';
import { stopOnSignal } from './stop.ts';

const MINUTES_PER_DAY = 1440;

/** The `faults` command. */
export function faultsCommand(): Command {
  return new Command('faults')
    .description(
      'Runs the handlers as deployed, in virtual time, against simulated\n' +
        'services with faults drawn from a seed: 20 hours of faults and 4 of calm.',
    )
    .option('--seeds <range>', 'one seed, or a range such as 1-100', '1-10')
    .action(async ({ seeds }: { readonly seeds: string }) => {
      const [first, last] = rangeOf(seeds);
      const results: RunResult[] = [];
      const stop = stopOnSignal();
      const progress = createProgress(process.stderr, () => Date.now());
      const seen = (result: RunResult) => {
        results.push(result);
        const { seed, violations } = result;
        const days = last - first + 1;
        progress.show(results.length / days, `${results.length} of ${days} days`);
        for (const { invariant, detail } of violations) console.log(`seed ${seed}: ${invariant}: ${detail}`);
        if (violations.length > 0) console.log(`  repeat with: npm run faults -- --seeds ${seed}`);
      };
      await liveThrough(first, last, seen, stop);
      progress.done();
      const days = last - first + 1;
      if (results.length < days) console.log(`stopped after ${results.length} of ${days} days; of these:`);
      console.log(summaryOf(results));
      const isBroken = results.some(({ violations }) => violations.length > 0);
      process.exitCode = isBroken ? 1 : results.length < days ? 130 : 0;
    });
}

/** A day leaves hardly anything behind: with room for its short-lived objects, little is collected twice. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 64 };

/** A thread per core, each with one seed at a time; what a stop interrupts is not counted. */
async function liveThrough(
  first: number,
  last: number,
  seen: (result: RunResult) => void,
  signal: AbortSignal,
): Promise<void> {
  let next = first;
  const stopped = new Promise<null>((resolve) => {
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const work = async () => {
    const thread = new Worker(new URL('../simulation/faults/thread.ts', import.meta.url), {
      resourceLimits: THREAD_LIMITS,
    });
    try {
      while (next <= last) {
        const seed = next;
        next += 1;
        const result = await Promise.race([runIn(thread, seed), stopped]);
        if (result === null) return;
        seen(result);
      }
    } finally {
      await thread.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), last - first + 1) }, work));
}

function runIn(thread: Worker, seed: number): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (result: RunResult) => {
      thread.off('error', reject);
      resolve(result);
    });
    thread.postMessage(seed);
  });
}

function rangeOf(text: string): readonly [number, number] {
  const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text) ?? [];
  if (first !== undefined && Number(first) <= Number(last)) return [Number(first), Number(last)];
  throw new InvalidInputError('faults', [
    { field: '--seeds', message: `found "${text}", expected a seed or a range of them, such as 7 or 1-100` },
  ]);
}

/** What all seeds came to. */
export function summaryOf(results: readonly RunResult[]): string {
  const total = (numberOf: (result: RunResult) => number) => results.reduce((sum, one) => sum + numberOf(one), 0);
  const merged = (countsOf: (result: RunResult) => ReadonlyMap<string, number>) => {
    const sums = new Map<string, number>();
    for (const result of results) {
      for (const [name, count] of countsOf(result)) sums.set(name, (sums.get(name) ?? 0) + count);
    }
    return [...sums].toSorted(([a], [b]) => a.localeCompare(b)).map(([name, count]) => `${name} ${count}`);
  };
  const crashable = new Set(
    results.flatMap(({ calls }) => [...calls].flatMap((call) => [`${call} before`, `${call} after`])),
  );
  const crashed = new Set(results.flatMap(({ crashes }) => [...crashes]));
  const missing = [...crashable].filter((point) => !crashed.has(point));
  const days = (results.length * (DAY.faultyMinutes + DAY.calmMinutes)) / MINUTES_PER_DAY;
  return [
    `days simulated: ${days}, with ${total(({ targets }) => targets)} targets; calm again after at most ` +
      `${Math.max(0, ...results.map(({ settledAfterMinutes }) => settledAfterMinutes))} min`,
    `faults: ${merged(({ faults }) => faults).join(', ')}`,
    `scale calls: ${total(({ scaleCalls }) => scaleCalls)}, accepted ${total(({ accepted }) => accepted)}, ` +
      `without a record ${total(({ unrecorded }) => unrecorded)}`,
    `outcomes: ${merged(({ outcomes }) => outcomes).join(', ')}`,
    `crash points: ${crashed.size}/${crashable.size}${missing.length > 0 ? `, not yet: ${missing.join('; ')}` : ''}`,
    `${total(({ violations }) => violations.length)} violations`,
  ].join('\n');
}
