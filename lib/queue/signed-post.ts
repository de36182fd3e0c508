/**
 * One signed request to an AWS service, on the SDK's own signer and connections. The SDK's clients for the six calls that a
 * function makes would add 150 kB (50 kB zipped) to each bundle, more than all of the program's own code.
 */
import { createHash, createHmac } from 'node:crypto';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { SignatureV4 } from '@smithy/signature-v4';
import { type AwsConnection, credentialsOf, requestHandlerSettings } from './connection.ts';

/** A request to be signed. */
interface SignedRequest {
  /** Name under which the request is signed, such as `ssm`. */
  readonly service: string;
  /** Such as `https://ssm.us-east-1.amazonaws.com`. */
  readonly endpoint: string;
  /** Type of the body, and whatever else the service's protocol wants. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the answer; a parameter of SSM, 8 kB with its envelope, fits into the default many times. */
  readonly maxAnswerBytes?: number;
}

/** Status and text of an answer, whatever the status. */
interface TextAnswer {
  readonly status: number;
  readonly text: string;
}

/** Throws what the connection throws; an answer with an error status is an answer. */
export type SignedPost = (request: SignedRequest, signal: AbortSignal) => Promise<TextAnswer>;

const DEFAULT_MAX_ANSWER_BYTES = 64 * 1024;

/** A function that signs and sends, over connections of its own that are kept open until `destroy`. */
export function createSignedPost(connection: AwsConnection): { signedPost: SignedPost; destroy(): void } {
  const handler = connection.requestHandler ?? new NodeHttpHandler(requestHandlerSettings(connection));
  const {
    region,
    signer = new SignatureV4({ service: 'sqs', region, credentials: credentialsOf(connection), sha256: Sha256 }),
  } = connection;
  return {
    async signedPost({ maxAnswerBytes = DEFAULT_MAX_ANSWER_BYTES, ...request }, signal) {
      const signed = await signer.sign(httpRequest(request), { signingService: request.service });
      const { response } = await handler.handle(signed as never, { abortSignal: signal });
      return { status: response.statusCode, text: await readText(response.body, maxAnswerBytes, signal) };
    },
    destroy: () => handler.destroy(),
  };
}

/** Node's own digest in the form that the signer wants. The SDK's own class brings one in JavaScript along. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(chunk));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  /** Wanted by the type; the signer makes a new one each time. */
  reset(): never {
    throw new TypeError('a digest is made once');
  }
}

function bytesOf(source: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof source === 'string') return Buffer.from(source);
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
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
    headers: { ...headers, host: url.host, 'content-length': String(Buffer.byteLength(body)) },
    body,
  };
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number, signal: AbortSignal): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    signal.throwIfAborted();
    bytes += part.length;
    if (bytes > maxBytes) throw new TypeError(`the answer is larger than ${maxBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
