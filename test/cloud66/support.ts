/** What the tests of this folder share: a client with short limits, fixtures, and a clock that tests move. */
import { readFileSync } from 'node:fs';
import type { ClientLimits } from '../../lib/cloud66/call.ts';
import { type Cloud66Client, type Cloud66ClientOptions, createCloud66Client } from '../../lib/cloud66/client.ts';
import { fixedToken } from '../../lib/cloud66/token.ts';

export const STACK = '5999b763474b0eafa5fafb64bff0ba80';
export const TOKEN = 'b3c0ffee5262d64b892e8d4341000001';

/** Limits that keep waiting tests quick; everything else is as deployed. A busy machine needs half a second for a local answer. */
export const QUICK: Partial<ClientLimits> = {
  tryTimeoutMs: 600,
  scaleTimeoutMs: 600,
  totalMs: 10_000,
  retryDelayMs: 1,
};

const realClock = { nowMs: (): number => Date.now() };

/** A documented reply, as it stands in the documentation. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/cloud66/${name}.json`, import.meta.url), 'utf8');
}

export function clientOf(url: string, options: Partial<Cloud66ClientOptions> = {}): Cloud66Client {
  const { limits, ...rest } = options;
  return createCloud66Client({
    apiUrl: `${url}/api/3`,
    token: fixedToken(TOKEN),
    clock: realClock,
    limits: { ...QUICK, ...limits },
    ...rest,
  });
}

/** A signal that nobody aborts. */
export function calm(): AbortSignal {
  return new AbortController().signal;
}

/** The error that a promise ends in. */
export async function errorFrom(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('expected an error, and there was none');
}
