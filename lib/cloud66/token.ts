/**
 * Where the API token comes from. A personal token does not expire, it is revoked and replaced; so it is cached, and read
 * again when Cloud 66 no longer accepts it. Nothing here logs, and no error here holds the token.
 */
import { AutoscalerError } from '../errors.ts';

/** The token, as the client asks for it. */
export interface TokenSource {
  /** Where it comes from, such as the name of its parameter; null when there is no name for that. */
  readonly name: string | null;
  /** The token, possibly from the cache. */
  get(): Promise<string>;
  /** The token after a 401: read again, unless that was done moments ago. */
  refresh(): Promise<string>;
}

export interface TokenSourceOptions {
  /** Of the parameter. */
  readonly name: string;
  /** Reads the parameter's value; its errors are passed on. */
  readonly readParameter: () => Promise<string>;
  readonly clock: { nowMs(): number };
  readonly cacheSeconds?: number;
  /** Refreshes within this time of the last read answer from the cache: a revoked token must not hammer the store. */
  readonly refreshSeconds?: number;
}

/**
 * A token that is kept in a parameter store. Concurrent reads are one read; a failed read is not cached.
 * @throws AutoscalerError when the parameter is empty
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { name, readParameter, clock, cacheSeconds = 300, refreshSeconds = 30 } = options;
  let cached: { readonly token: string; readonly readAtMs: number } | null = null;
  let reading: Promise<string> | null = null;

  const read = async (): Promise<string> => {
    const token = (await readParameter()).trim();
    if (token === '') throw new AutoscalerError(`the parameter of the Cloud 66 API token, ${name}, is empty`);
    cached = { token, readAtMs: clock.nowMs() };
    return token;
  };
  const newerThan = async (maxAgeSeconds: number): Promise<string> => {
    if (cached !== null && clock.nowMs() - cached.readAtMs < maxAgeSeconds * 1000) return cached.token;
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };

  return {
    name,
    get: () => newerThan(cacheSeconds),
    refresh: () => newerThan(Math.min(refreshSeconds, cacheSeconds)),
  };
}

/** A token that is simply given, for local use. */
export function fixedToken(token: string): TokenSource {
  return { name: null, get: async () => token, refresh: async () => token };
}
