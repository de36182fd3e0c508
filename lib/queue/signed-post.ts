/**
 * One signed request to another AWS service (SSM speaks AWS JSON 1.1, SNS takes forms), through the signer and the connections of the SQS
 * client. A client of the SDK for a single call would add about 100 kB and 9 ms to every cold start.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';

/** A request to be signed. */
interface SignedRequest {
  /** Name under which the request is signed, such as `ssm`. */
  readonly service: string;
  /** Such as `https://ssm.us-east-1.amazonaws.com`. */
  readonly endpoint: string;
  /** Type of the body, and whatever else the service's protocol wants. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Status and text of an answer, whatever the status. */
interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** Throws what the connection throws; an answer with an error status is an answer. */
export type SignedPost = (request: SignedRequest, signal: AbortSignal) => Promise<TextAnswer>;

/** The largest SSM parameter has 8 kB; the rest is room for its envelope. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** A function that signs and sends through the given client. */
export function createSignedPost(client: SQSClient): SignedPost {
  return async (request, signal) => {
    const signer = await client.config.signer();
    // The service is given here and not to `signer()`, which would store it as the client's own.
    const signed = await signer.sign(httpRequest(request), { signingService: request.service });
    const { response } = await client.config.requestHandler.handle(signed as never, { abortSignal: signal });
    return { status: response.statusCode, text: await readText(response.body, signal) };
  };
}

function httpRequest({ endpoint, headers, body }: SignedRequest) {
  const url = new URL(endpoint);
  return {
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: {},
    headers: { ...headers, host: url.host },
    body,
  };
}

async function readText(body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    signal.throwIfAborted();
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new TypeError(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
