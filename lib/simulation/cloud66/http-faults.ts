/** What a network and the proxies in front of an API do to an answer. Decided per request, carried out on the socket. */
import type { ServerResponse } from 'node:http';

export type HttpFault =
  /** The connection is reset before the call is carried out. */
  | { readonly kind: 'reset' }
  /** The call is carried out; then the connection is reset instead of an answer. */
  | { readonly kind: 'lose_answer' }
  /** No answer ever, and the call is not carried out. */
  | { readonly kind: 'hang' }
  /** The call is carried out; half of its answer arrives. */
  | { readonly kind: 'cut_body' }
  /** 200, and a proxy's page instead of JSON; not carried out. */
  | { readonly kind: 'garbage' }
  /** Another answer than the account's, a 502 or a redirect for instance; not carried out. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The honest answer, later. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** The honest answer with this many spaces behind it. */
  | { readonly kind: 'oversized'; readonly extraBytes: number };

/** What a fault may depend on. */
interface FaultQuestion {
  readonly method: string;
  readonly path: string;
  /** Number of the request since the server's start, from 0. */
  readonly index: number;
  readonly atMs: number;
}

/** Null for an honest answer. */
export type FaultDecision = (question: FaultQuestion) => HttpFault | null;

/** True for faults after which the account must not see the call. */
export function keepsCallAway(fault: HttpFault): boolean {
  return ['reset', 'hang', 'garbage', 'status'].includes(fault.kind);
}

const GARBAGE = '<html><head><title>Just a moment...</title></head><body>Checking your browser</body></html>';

/** Carries out a fault that keeps the call away. Returns the status that was sent, null for none. */
export function answerInstead(fault: HttpFault, response: ServerResponse): number | null {
  if (fault.kind === 'garbage') {
    response.writeHead(200, { 'content-type': 'text/html' }).end(GARBAGE);
    return 200;
  }
  if (fault.kind === 'status') {
    const headers = { 'content-type': 'text/html', ...fault.headers };
    response.writeHead(fault.status, headers).end(fault.body ?? `<html><body>${fault.status}</body></html>`);
    return fault.status;
  }
  if (fault.kind === 'reset') reset(response);
  return null;
}

/** Sends a TCP reset, as a crashed server or an impatient firewall does. */
export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Announces the whole body and ends the connection in the middle of it. */
export function sendHalf(response: ServerResponse, body: Buffer): void {
  response.setHeader('content-length', body.byteLength);
  response.write(body.subarray(0, Math.floor(body.byteLength / 2)), () => response.socket?.destroy());
}
