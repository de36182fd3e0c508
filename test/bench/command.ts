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

/** Runs a command; options that are wrong or unknown are told with its help, and end it with 2. */
export async function runCommand(help: string, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const isWrong = error instanceof RangeError || error instanceof InvalidInputError;
    if (!isWrong && !(error instanceof TypeError && 'code' in error)) throw error;
    process.stderr.write(`${error.message}\n\n${help}`);
    process.exitCode = 2;
  }
}
