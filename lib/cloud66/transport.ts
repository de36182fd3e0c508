/**
 * One HTTP exchange: a request out, a whole reply (or what became of it) back. The only file that imports ky, and it does
 * so late: what ky needs of Node takes some 25 ms, a sixth of a cold start. Nothing here decides, retries or throws.
 *
 * ky does no more here than it is asked for: its retries, its timeout (which ends with the headers) and its errors for
 * statuses (which hold the request and with it the token) are off. Timers are plain setTimeout, so that a run with scaled
 * time scales them too.
 */
import type { KyInstance } from 'ky';
import type { Fetch } from './node-fetch.ts';

/** A request, complete but for the token. */
export interface WireRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** JSON text; null for none. */
  readonly body: string | null;
}

/** A reply whose headers arrived. */
export interface WireReply {
  readonly kind: 'reply';
  readonly status: number;
  readonly headers: Headers;
  /** The body as far as it was read. */
  readonly text: string;
  /** Why the body was not read to its end; null when it was. */
  readonly bodyFault: 'cut' | 'timeout' | 'stopped' | 'oversized' | null;
}

/** What became of one exchange. `sent` false: the request certainly never reached anybody. */
export type Exchange =
  | WireReply
  | { readonly kind: 'timeout' | 'stopped'; readonly sent: boolean }
  | { readonly kind: 'failed'; readonly sent: boolean; readonly why: string };

/** Bounds of one exchange, the reading of the body included. */
export interface ExchangeLimits {
  readonly timeoutMs: number;
  readonly maxReplyBytes: number;
}

/** Failures in which no byte of the request was taken: no address, no connection, no trust. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|CERT_\w+|ERR_TLS_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

let kyLoading: Promise<KyInstance> | undefined;

function loadKy(): Promise<KyInstance> {
  kyLoading ??= import('ky').then((module) => module.default);
  return kyLoading;
}

/** After so many turns of the event loop a request to a service on this machine has left, and others look for their host. */
const TURNS = 3;

/** Loads what the first exchange needs, while others wait for answers. Never rejects: that exchange would tell. */
export async function prepareExchange(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  await loadKy().catch(() => {});
}

/** Sends the request once and reads the reply within the limits; never rejects. */
export async function exchange(
  request: WireRequest,
  token: string,
  limits: ExchangeLimits,
  signal: AbortSignal,
  fetch: Fetch,
): Promise<Exchange> {
  const ky = await loadKy();
  if (signal.aborted) return { kind: 'stopped', sent: false };
  const end = endOf(limits.timeoutMs, signal);
  try {
    const send = (sent: Request) => fetch(sent, end.signal);
    const response = await ky(request.url, {
      ...requestOptions(request, token),
      fetch: send as typeof globalThis.fetch,
    });
    const body = await readBody(response, limits.maxReplyBytes, end);
    return { kind: 'reply', status: response.status, headers: response.headers, ...body };
  } catch (error) {
    const kind = end.cause();
    return kind === null ? failureOf(error) : { kind, sent: true };
  } finally {
    end.clear();
  }
}

type EndCause = 'timeout' | 'stopped';

/** When an exchange ends, whatever became of its connection. */
interface End {
  /** Ends the connection. */
  readonly signal: AbortSignal;
  /** Null before the end. */
  cause(): EndCause | null;
  /** Nothing is timed or listened to from now on. */
  clear(): void;
}

function endOf(timeoutMs: number, signal: AbortSignal): End {
  const connection = new AbortController();
  let cause: EndCause | null = null;
  const end = (why: EndCause) => {
    cause ??= why;
    connection.abort();
  };
  const stop = () => end('stopped');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  return {
    signal: connection.signal,
    cause: () => cause,
    clear: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    },
  };
}

function requestOptions(request: WireRequest, token: string) {
  return {
    method: request.method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': 'cloud66-worker-autoscaler',
      ...(request.body === null ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === null ? {} : { body: request.body }),
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
  } as const;
}

/** Reads the body piece by piece, up to the limit. A body that breaks off is kept as far as it came. */
async function readBody(
  response: Response,
  maxBytes: number,
  end: End,
): Promise<Pick<WireReply, 'text' | 'bodyFault'>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return { text: '', bodyFault: null };
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  try {
    for (;;) {
      const piece = await reader.read();
      if (piece.done) return { text: text + decoder.decode(), bodyFault: null };
      bytes += piece.value.byteLength;
      if (bytes > maxBytes) {
        // Closes the connection.
        reader.cancel().catch(() => {});
        return { text, bodyFault: 'oversized' };
      }
      text += decoder.decode(piece.value, { stream: true });
    }
  } catch {
    return { text, bodyFault: end.cause() ?? 'cut' };
  }
}

/**
 * What a failed connection is called: the code of the error, dug out of those wrapped around it, or the name of the
 * innermost. The errors themselves hold the request, and with it the token, so they end here.
 */
function failureOf(error: unknown): Exchange {
  let code: string | null = null;
  let name = 'unknown';
  let inner: unknown = error;
  for (let depth = 0; depth < 5 && inner instanceof Error; depth += 1) {
    name = inner.name;
    if ('code' in inner && typeof inner.code === 'string') code = inner.code;
    inner = inner.cause;
  }
  const what = code ?? name;
  return { kind: 'failed', sent: !NOT_SENT.test(what), why: `the connection failed (${what})` };
}
