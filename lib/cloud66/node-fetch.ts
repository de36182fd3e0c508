/**
 * `fetch` on Node's own HTTP, for ky: the connections to AWS run on it already, while the global `fetch` sets a second HTTP
 * client and its WebAssembly to work in every cold start. It follows no redirect, takes no compression, knows no proxy (nor do
 * the calls to AWS), and ends with the signal that it is given, the body included; the global one hears of an abort through
 * weak references, which a garbage collection can cut (Node 24).
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Sends a request and answers when the headers are here. Rejects with the connection's error, or once `signal` is aborted. */
export type Fetch = (request: Request, signal: AbortSignal) => Promise<Response>;

/**
 * A connection is kept for the next call of the pass. Idle for longer it is closed: servers close idle ones as well, and a
 * scale call that meets that moment would have an unknown outcome.
 */
const AGENT = { keepAlive: true, timeout: 4_000 };

const agents = { http: new HttpAgent(AGENT), https: new HttpsAgent(AGENT) };

/** Through sockets. Also rejects with RangeError for a status that does not exist. */
export const nodeFetch: Fetch = async (request, signal) => {
  const body = request.body === null ? undefined : await request.text();
  // Without it any encoding would be welcome (RFC 9110, section 12.5.3).
  const headers = { ...Object.fromEntries(request.headers), 'accept-encoding': 'identity' };
  const options = { method: request.method, headers, signal };
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    // Listened to as well as handed on, so that the end does not rest on what Node makes of it.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const sent = request.url.startsWith('https:')
      ? httpsRequest(request.url, { ...options, agent: agents.https })
      : httpRequest(request.url, { ...options, agent: agents.http });
    sent.on('response', resolve);
    // What breaks after the headers breaks the body, too, which tells of it.
    sent.on('error', reject);
    // Without an error: a server wanted to go on in another protocol (101).
    sent.on('close', () => reject(new ClosedError()));
    sent.end(body);
  });
  return responseOf(message);
};

/** Named as Node names a connection that ends too early. */
class ClosedError extends Error {
  readonly code = 'ECONNRESET';
}

/** Statuses with which `Response` takes no body. Source: https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY = new Set([204, 205, 304]);

function responseOf(message: IncomingMessage): Response {
  const { statusCode: status = 0 } = message;
  const headers = new Headers(Object.entries(message.headers).map(([name, value]) => [name, String(value)]));
  const isEmpty = WITHOUT_BODY.has(status);
  try {
    const response = new Response(isEmpty ? null : ReadableStream.from(message), { status, headers });
    // Nobody will read what may follow.
    if (isEmpty) message.destroy();
    return response;
  } catch (error) {
    message.destroy(); // a status that does not exist
    throw error;
  }
}
