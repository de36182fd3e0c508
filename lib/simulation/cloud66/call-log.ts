/** What was asked of the account over HTTP, so that a test can count reads and writes. Never holds a token. */

export interface Call {
  readonly atMs: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** Null when no answer was sent. */
  readonly status: number | null;
  /** Null when the call was not authenticated. */
  readonly user: string | null;
  /** The kind of the fault that was injected; null for an honest answer. */
  readonly fault: string | null;
}

/** Calls that are kept one by one; the oldest are dropped first, the totals stay right. */
const MAX_KEPT_CALLS = 20_000;

export class CallLog {
  readonly #calls: Call[] = [];
  #reads = 0;
  #writes = 0;

  record(call: Call): void {
    if (call.method === 'GET') this.#reads += 1;
    else this.#writes += 1;
    this.#calls.push(call);
    if (this.#calls.length > MAX_KEPT_CALLS) this.#calls.shift();
  }

  /** Oldest first. */
  all(): readonly Call[] {
    return this.#calls;
  }

  reads(): number {
    return this.#reads;
  }

  writes(): number {
    return this.#writes;
  }
}
