/**
 * One HTTP exchange: a request out, a whole reply (or what became of it) back. The only file that imports ky, and it does
 * so on first use: ky's feature probe costs 27 ms of a cold start that a pass without a call need not pay. Nothing here
 * decides, retries or throws.
 *
 * ky does no more here than it is asked for: its retries, its timeout (which ends with the headers) and its errors for
 * statuses (which hold the request and with it the token) are off. Timers are plain setTimeout, so that a run with scaled
 * time scales them too.
 */
import type { KyInstance } from 'ky';

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
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_\w+|ERR_TLS_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

let kyLoading: Promise<KyInstance> | undefined;

function loadKy(): Promise<KyInstance> {
  kyLoading ??= import('ky').then((module) => module.default);
  return kyLoading;
}

/** Sends the request once and reads the reply within the limits; never rejects. */
export async function exchange(
  request: WireRequest,
  token: string,
  limits: ExchangeLimits,
  signal: AbortSignal,
): Promise<Exchange> {
  const ky = await loadKy();
  if (signal.aborted) return { kind: 'stopped', sent: false };
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), limits.timeoutMs);
  const stop = AbortSignal.any([signal, timeout.signal]);
  const cause = (): 'timeout' | 'stopped' | null => {
    if (signal.aborted) return 'stopped';
    return timeout.signal.aborted ? 'timeout' : null;
  };
  try {
    const response = await ky(request.url, requestOptions(request, token, stop));
    const body = await readBody(response, limits.maxReplyBytes, cause);
    return { kind: 'reply', status: response.status, headers: response.headers, ...body };
  } catch (error) {
    const kind = cause();
    return kind === null ? failureOf(error) : { kind, sent: true };
  } finally {
    clearTimeout(timer);
  }
}

function requestOptions(request: WireRequest, token: string, signal: AbortSignal) {
  return {
    method: request.method,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
      'user-agent': 'cloud66-worker-autoscaler',
      ...(request.body === null ? {} : { 'content-type': 'application/json' }),
    },
    ...(request.body === null ? {} : { body: request.body }),
    // A redirect would carry the token to wherever it points.
    redirect: 'manual',
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    signal,
  } as const;
}

/** Reads the body piece by piece, up to the limit. A body that breaks off is kept as far as it came. */
async function readBody(
  response: Response,
  maxBytes: number,
  cause: () => 'timeout' | 'stopped' | null,
): Promise<Pick<WireReply, 'text' | 'bodyFault'>> {
  const decoder = new TextDecoder();
  const pieces: string[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      // Leaving the loop cancels the stream and closes the connection.
      if (bytes > maxBytes) return { text: pieces.join(''), bodyFault: 'oversized' };
      pieces.push(decoder.decode(chunk, { stream: true }));
    }
  } catch {
    return { text: pieces.join(''), bodyFault: cause() ?? 'cut' };
  }
  return { text: pieces.join('') + decoder.decode(), bodyFault: null };
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
