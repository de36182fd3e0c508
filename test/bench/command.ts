/** What commands beside the product's own have in common: their options, and one clear error with the help for a wrong one. */

import { InvalidInputError } from '../../lib/errors.ts';

/** For `parseArgs`: an option with a text, and one without. */
export const textOption = (value: string) => ({ type: 'string', default: value }) as const;
export const FLAG = { type: 'boolean', default: false } as const;

/** The whole number of an option. @throws RangeError that names the option */
export function wholeOf(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw new RangeError(`--${name}: found "${text}", expected a whole number from ${least} to ${most}`);
}

/** The number of an option, or one of its numbers: above 0, at most `most`. @throws RangeError that names the option */
export function numberOf(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0 && value <= most) return value;
  throw new RangeError(`--${name}: found "${text}", expected a number above 0, at most ${most}`);
}

/**
 * Runs a command. `read` makes options of the arguments, or null when help is asked for; what it finds wrong is told with the
 * help, and ends the command with 2. Nothing that goes wrong later is taken for a wrong option, but for a wrong setting of ours.
 */
export async function runCommand<T>(
  help: string,
  read: (args: readonly string[]) => T | null | Promise<T | null>,
  run: (options: T) => Promise<void>,
): Promise<void> {
  const fail = (text: string): void => {
    process.stderr.write(`${text}\n`);
    process.exitCode = 2;
  };
  let options: T | null;
  try {
    options = await read(process.argv.slice(2));
  } catch (error) {
    const isWrong = error instanceof RangeError || error instanceof InvalidInputError;
    if (!isWrong && !(error instanceof TypeError && 'code' in error)) throw error;
    fail(`${error.message}\n\n${help}`);
    return;
  }
  if (options === null) {
    process.stdout.write(help);
    return;
  }
  try {
    await run(options);
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    fail(error.message);
  }
}
