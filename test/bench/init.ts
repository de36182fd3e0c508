/** `npm run bench:init`: what a cold start costs, and how quickly an alarm becomes a scale call. See init-run.ts. */
import { parseArgs } from 'node:util';
import { FLAG, runCommand, textOption, wholeOf } from './command.ts';
import { type InitResult, measureInit, WARM_TICKS } from './init-run.ts';

/** A result as people read it. */
export function initText(result: InitResult): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const { importMs, firstMs, memoryOverEmptyBytes: memory } = result;
  const names = ['empty', 'sqs-tuned', 'sqs-defaults', 'scale'] as const;
  return [
    `${result.rounds} rounds, Node ${process.version}, medians; result ${result.hash}`,
    '',
    'handler        import      import + first call',
    ...names.map((name) => `${name.padEnd(14)} ${ms(importMs[name]).padEnd(11)} ${ms(firstMs[name])}`),
    '',
    `import, to a tuned handler with @aws-sdk/client-sqs alone  ${result.importToTuned.toFixed(2)} (at most 1.5)`,
    `import, to an empty handler                                ${result.importToEmpty.toFixed(2)}`,
    `import + first call, to such a one by esbuild's defaults   ${result.firstToDefaults.toFixed(2)} (at most 1.0)`,
    `  to the tuned one                                         ${result.firstToTuned.toFixed(2)}`,
    `peak memory over an empty handler, after the first call    ${megabytes(memory.first)} (at most 20)`,
    `  after ${WARM_TICKS} quiet ticks                                     ${megabytes(memory.warm)}`,
    `a quiet tick, warm                                         ${ms(result.quietTickMs)}`,
    `alarm to scale call, warm                                  ${ms(result.reactionMs)}, of which calls take ${ms(result.outsideMs)}`,
    `  to the calls' own time                                   ${result.reactionToOutside.toFixed(2)} (at most 3)`,
    '',
    `scale.mjs: ${(result.bytes / 1000).toFixed(1)} kB, ${(result.gzippedBytes / 1000).toFixed(1)} kB gzipped; most of it:`,
    ...result.topModules.map(([name, bytes]) => `${String(bytes).padStart(7)}  ${name}`),
  ].join('\n');
}

const HELP = `npm run bench:init -- [options]

Cold starts of the packaged functions, each in a process of its own against servers on loopback, beside handlers of nothing
but an SQS client. Two cores and nothing else on the machine, or it measures the neighbours.
  --rounds 25   of each handler; the medians are shown
  --json
`;

interface Options {
  readonly rounds: number;
  readonly json: boolean;
}

function optionsOf(args: readonly string[]): Options | null {
  const options = { rounds: textOption('25'), json: FLAG, help: FLAG };
  const { values } = parseArgs({ args: [...args], options });
  return values.help ? null : { rounds: wholeOf('rounds', values.rounds, 1, 1000), json: values.json };
}

async function main({ rounds, json }: Options): Promise<void> {
  const result = await measureInit({ rounds });
  process.stdout.write(`${json ? JSON.stringify(result) : initText(result)}\n`);
}

if (import.meta.main) await runCommand(HELP, optionsOf, main);
