/** `npm run tune`: settings for the user's own traffic, as a block for `.env`. */
import { Command } from 'commander';
import { tune as runTune, type TuneResult } from '../backtest/tune.ts';
import { InvalidInputError } from '../errors.ts';
import { flagshipName, USUAL_TRAFFIC } from './backtest.ts';
import { OptionReader } from './problems.ts';
import { createProgress } from './progress.ts';
import { stopOnSignal } from './stop.ts';
import { readTraffic } from './traffic.ts';
import { type RawTrafficOptions, readTrafficOptions, withTrafficOptions } from './traffic-options.ts';
import { envBlock, tuneText } from './tune-text.ts';

interface RawOptions extends RawTrafficOptions {
  readonly budget: string;
  readonly threads: string;
  readonly json: boolean;
}

/** The `tune` command. */
export function tuneCommand(): Command {
  const command = new Command('tune').description(
    'Finds settings for given traffic: the cheapest that keep the target, what each of them buys, and the choices between\n' +
      'cost and wait. Prints a block for .env.',
  );
  return withTrafficOptions(command, flagshipName())
    .option('--budget <n>', 'settings that are tried per policy', '40')
    .option('--threads <n>', 'threads that fly them', '2')
    .option('--json', 'print one JSON object and nothing else', false)
    .action((raw: RawOptions) => tune(raw, command));
}

async function tune(raw: RawOptions, command: Command): Promise<void> {
  const reader = new OptionReader();
  const { cell, ...options } = readTrafficOptions(raw, USUAL_TRAFFIC, command, reader, process.env);
  const budget = reader.number('budget', raw.budget, { min: 3, max: 2000, whole: true });
  const threads = reader.number('threads', raw.threads, { min: 0, max: 64, whole: true });
  if (Object.keys(options.settings).length > 0) {
    reader.add(
      'set',
      'a knob of a policy (policy.knob=value) is what tune looks for; give settings by their own names',
    );
  }
  if (reader.problems.length > 0) throw new InvalidInputError('tune', reader.problems);

  const signal = stopOnSignal();
  const { trace, notes } = await readTraffic({ cell, ...options }, Date.now(), signal);
  const progress = createProgress(process.stderr, Date.now);
  const { seeds, league, policies, overrides } = options;
  const result = await runTune({
    cell: { ...cell, trace },
    seeds,
    league,
    policies,
    overrides,
    budget,
    threads,
    signal,
    onProgress: (flown, all) => progress.show(flown / all, `${flown} of at most ${all} runs`),
  });
  progress.done();
  process.stdout.write(
    raw.json ? `${JSON.stringify(asJson(result, notes, overrides))}\n` : tuneText(result, notes, overrides),
  );
  if (!result.complete) process.exitCode = 130;
}

function asJson(result: TuneResult, notes: readonly string[], overrides: Readonly<Record<string, string>>): object {
  const policies = result.policies.map((tuned) => ({ ...tuned, env: envBlock(tuned, result, overrides) }));
  return { ...result, policies, notes };
}
