/** A short text for all that happened in a run, in its order: two runs that did the same have the same. */
import { createHash } from 'node:crypto';

const CHARACTERS = 16;
/** Left out, so that a digest depends on what the program does and not on where it lies. */
const STACK = /"stack":"(?:[^"\\]|\\.)*"/g;

/** Collects lines; `value` may be asked for at any time. */
export interface Digest {
  /** A call, or a line of a log. */
  add(line: string): void;
  /** 16 hexadecimal digits of the SHA-256 of the lines so far. */
  value(): string;
}

export function createDigest(): Digest {
  const hash = createHash('sha256');
  return {
    add: (line) => {
      hash.update(`${line.replaceAll(STACK, '')}\n`);
    },
    value: () => hash.copy().digest('hex').slice(0, CHARACTERS),
  };
}
