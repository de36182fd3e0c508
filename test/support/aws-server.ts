/**
 * A scripted AWS endpoint over HTTP for what an emulator does not do on demand: faults, refusals and odd answers. Each
 * request is answered by the next line of the script; the last line answers all that follow.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface AwsRequest {
  /** Such as `GetMetricData`, from `x-amz-target`. */
  readonly operation: string;
  /** Service name in the scope of the signature. */
  readonly service: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** What to do with one request. */
export type Answer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | 'reset'
  | 'hang'
  | 'cut'
  | 'stall';

type Script = readonly (Answer | ((request: AwsRequest) => Answer))[];

/** The running server. */
export interface AwsServer {
  readonly endpoint: string;
  readonly requests: AwsRequest[];
  /** Starts a new script and forgets the requests so far. */
  play(...script: Script): void;
  stop(): Promise<void>;
}

/** An answer with status 200. */
export function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** An error as AWS writes it. */
export function refusal(status: number, type: string, message = 'because'): Answer {
  return { status, body: { __type: `com.amazonaws#${type}`, message } };
}

/** Starts a server of its own for one test file. */
export async function startAwsServer(): Promise<AwsServer> {
  let script: Script = [];
  const requests: AwsRequest[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const seen = await readRequest(request);
    requests.push(seen);
    const line = script[Math.min(requests.length, script.length) - 1] ?? refusal(501, 'NoScript');
    give(typeof line === 'function' ? line(seen) : line, response);
  };
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    play(...lines) {
      script = lines;
      requests.length = 0;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readRequest(request: IncomingMessage): Promise<AwsRequest> {
  let text = '';
  for await (const part of request) text += part;
  const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(request.headers.authorization ?? '');
  return {
    operation: String(request.headers['x-amz-target']).split('.').at(-1) ?? '',
    service: scope?.[1] ?? '',
    headers: request.headers,
    body: JSON.parse(text),
  };
}

function give(answer: Answer, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (answer === 'cut' || answer === 'stall') {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '1000' });
    response.write('{"Attributes":{');
    if (answer === 'cut') setImmediate(() => response.socket?.destroy());
    return;
  }
  const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', ...answer.headers });
  response.end(text);
}
