/** `npm run cost`: what a month of the deployment costs, from the calls that it makes in simulation. */
import { parseArgs } from 'node:util';
import { FLAG, runCommand, textOption, wholeOf } from './command.ts';
import { type Bill, billOf, billsText, PRICES } from './cost-model.ts';

const HELP = `npm run cost -- [options]

US dollars a month, from calls counted in the simulated fleet (five targets a stack) and list prices.
  --targets 1,10,100,1000   sizes of the fleet
  --load quiet,mixed,busy   quiet: a job now and then; mixed: real work on 9 of 100; busy: on all
  --minutes 1440            simulated, from which a month is billed; left out: 240 beyond 100 targets
  --json
`;
const MOST = 99_999;
const LOADS: readonly Bill['load'][] = ['quiet', 'mixed', 'busy'];

interface Options {
  readonly sizes: readonly number[];
  readonly loads: readonly Bill['load'][];
  readonly minutes: number | null;
  readonly json: boolean;
}

/** @throws RangeError that names the option. */
function optionsOf(args: readonly string[]): Options | null {
  const options = {
    targets: textOption('1,10,100,1000'),
    load: textOption(LOADS.join()),
    minutes: { type: 'string' } as const,
    json: FLAG,
    help: FLAG,
  };
  const { values } = parseArgs({ args: [...args], options });
  if (values.help) return null;
  const loads = values.load.split(',').map((name) => {
    const load = LOADS.find((known) => known === name);
    if (load === undefined) throw new RangeError(`--load: found "${name}", expected ${LOADS.join(', ')}`);
    return load;
  });
  const sizes = values.targets.split(',').map((size) => wholeOf('targets', size, 1, MOST));
  return {
    sizes,
    loads,
    minutes: values.minutes === undefined ? null : wholeOf('minutes', values.minutes, 1, MOST),
    json: values.json,
  };
}

async function main(options: Options): Promise<void> {
  const bills: Bill[] = [];
  for (const targets of options.sizes) {
    for (const load of options.loads)
      bills.push(await billOf(targets, load, options.minutes ?? (targets > 100 ? 240 : 1440)));
  }
  const text = `${billsText(bills)}\n\nList prices of us-east-1, ${PRICES.asOf}, without free tiers: ${PRICES.sources.join(' ')}`;
  process.stdout.write(`${options.json ? JSON.stringify({ prices: PRICES, bills }) : text}\n`);
}

await runCommand(HELP, optionsOf, main);
