/** Reading the text of options: every problem is collected, so that a user sees all of them at once. */
import type { Problem } from '../errors.ts';

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole?: true;
}

/** Collects what is wrong with some options. */
export class OptionReader {
  readonly problems: Problem[] = [];

  add(option: string, message: string): void {
    this.problems.push({ field: `--${option}`, message });
  }

  /** A number within its bounds; the lower bound, and a problem, when it is none. */
  number(option: string, text: string, { min, max, whole }: Bounds): number {
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text.trim()) ? Number(text) : Number.NaN;
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    this.add(option, `found "${text}", expected a ${whole ? 'whole ' : ''}number from ${min} to ${max}`);
    return min;
  }

  /** The same for an option that may be left out. */
  optional(option: string, text: string | undefined, bounds: Bounds): number | null {
    return text === undefined ? null : this.number(option, text, bounds);
  }
}

/**
 * Reports what commander left over because no option or argument has that name.
 * What follows an unknown option is probably its value and is not reported again.
 */
export function reportLeftovers(leftovers: readonly string[], known: readonly string[], reader: OptionReader): void {
  for (const [index, text] of leftovers.entries()) {
    if (text.startsWith('-')) {
      const name = text.replace(/^-+/, '').split('=')[0] ?? '';
      const near = known.find((each) => each.startsWith(name) || name.startsWith(each) || swapped(each, name));
      reader.problems.push({
        field: text,
        message: `is not an option${near === undefined ? '' : `; did you mean --${near}?`}`,
      });
    } else if (index === 0 || leftovers[index - 1]?.startsWith('-') !== true) {
      reader.problems.push({
        field: text,
        message: 'is not expected here: values follow their option, such as --load 3',
      });
    }
  }
}

/** The same letters in another order. */
function swapped(one: string, other: string): boolean {
  const sorted = (text: string): string => text.split('').sort().join('');
  return sorted(one) === sorted(other);
}
