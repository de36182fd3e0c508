/**
 * The one door to the local AWS: an HTTP server that finds out from the signature who calls which service, asks the
 * guard, and passes the request on. Lives here: HTTP. What is allowed is decided in `access.ts`, what is done in the
 * services. Signatures are not verified: the keys are made up and the server listens on the loopback address only.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Caller, Guard } from './access.ts';
import { sessionArn } from './access.ts';
import { lambdaRequest } from './control-plane.ts';
import { isRecord } from './intrinsics.ts';
import { requiredAccess } from './operations.ts';
import { type Parameter, parameterArn } from './parameters.ts';
import { errorReply, type ServiceHandler, type ServiceReply } from './protocol.ts';
import type { Place } from './template.ts';

/** A request, as faults and the log see it. */
export interface GatewayRequest {
  /** `sqs`, `monitoring`, `ssm`, `lambda`, `events`, `logs` or `sts`: the name in the signature. */
  readonly service: string;
  readonly operation: string;
  /** Name of the calling function; null for the operator's key. */
  readonly functionName: string | null;
}

/** What a test can make happen instead of an answer. `hang` never answers, `reset` cuts the connection. */
export type Fault =
  | { readonly kind: 'error'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' };

/** Asked before each request; null lets it through. */
export type FaultHook = (request: GatewayRequest) => Fault | null;

/** One line of the request log. */
export interface RequestRecord extends GatewayRequest {
  readonly atMs: number;
  readonly outcome: 'answered' | 'denied' | 'fault';
  /** HTTP status; 0 where a fault left none. */
  readonly status: number;
}

/** Everything the gateway leads to. Given after the start, because queue URLs contain the port. */
interface GatewayRoutes {
  readonly place: Place;
  readonly guard: Guard;
  /** Services by the name in the signature. STS is answered by the gateway itself. */
  readonly services: Readonly<Record<string, ServiceHandler>>;
  /** Callers by access key id; null is the operator, who may do everything. */
  readonly callers: ReadonlyMap<string, Caller | null>;
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly faults: FaultHook | null;
}

export interface Gateway {
  /** Base address, such as `http://127.0.0.1:40123`. */
  readonly endpoint: string;
  /** The newest requests, oldest first. */
  readonly requests: readonly RequestRecord[];
  /** Begins to answer; before, every request gets 503. */
  open(routes: GatewayRoutes): void;
  /** Stops at once; open connections are cut. */
  close(): Promise<void>;
}

/** SQS takes up to 1 MiB; with JSON escapes and a batch's frame twice that is plenty. */
const BODY_MAX_BYTES = 4 * 1024 * 1024;
const REQUESTS_KEPT = 10_000;

/** Listens on a free port of 127.0.0.1. */
export async function startGateway(): Promise<Gateway> {
  let routes: GatewayRoutes | null = null;
  const requests: RequestRecord[] = [];
  const server = createServer((request, response) => {
    const unavailable = errorReply(503, 'ServiceUnavailable', 'The local AWS is starting');
    const answering = routes === null ? Promise.resolve(unavailable) : answer(request, routes, requests);
    answering
      .catch((error: unknown) => errorReply(500, 'InternalFailure', String(error)))
      .then((reply) => send(request, response, reply))
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    open: (opened) => {
      routes = opened;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

type Answer = ServiceReply | { readonly text: string } | Extract<Fault, { kind: 'hang' | 'reset' }>;

async function answer(message: IncomingMessage, routes: GatewayRoutes, requests: RequestRecord[]): Promise<Answer> {
  const scope = credentialScope(message.headers.authorization);
  if (scope === null) {
    return errorReply(403, 'MissingAuthenticationToken', 'The request has no AWS signature');
  }
  const caller = routes.callers.get(scope.accessKeyId);
  if (caller === undefined) {
    return errorReply(403, 'UnrecognizedClientException', 'The security token included in the request is invalid');
  }
  const text = await readText(message);
  // Lambda names its operations by method and path.
  const rest = scope.service === 'lambda' ? lambdaRequest(message.method ?? 'GET', message.url ?? '/') : null;
  const operation = rest?.operation ?? operationOf(message, text);
  const request = { service: scope.service, operation, functionName: caller?.functionName ?? null };
  const log = (outcome: RequestRecord['outcome'], status: number): void => {
    requests.push({ ...request, atMs: Date.now(), outcome, status });
    if (requests.length > REQUESTS_KEPT) {
      requests.shift();
    }
  };
  const fault = routes.faults?.(request) ?? null;
  if (fault !== null) {
    log('fault', fault.kind === 'error' ? fault.status : 0);
    return fault.kind === 'error' ? errorReply(fault.status, fault.code, fault.message) : fault;
  }
  if (request.service === 'sts') {
    log('answered', 200);
    return { text: callerIdentity(routes.place, caller) };
  }
  const body: unknown = rest?.body ?? bodyOf(message, text);
  const denied = deny(request, body, caller, routes);
  if (denied !== null) {
    log('denied', denied.status);
    return denied;
  }
  const reply = await pass(request, body, routes);
  log('answered', reply.status);
  return reply;
}

function pass(request: GatewayRequest, body: unknown, routes: GatewayRoutes): ServiceReply | Promise<ServiceReply> {
  const handler = routes.services[request.service];
  return handler === undefined
    ? errorReply(400, 'UnknownOperationException', `The local AWS has no service ${request.service}`)
    : handler(request.operation, body);
}

/** The refusal that a request earns, or null. */
function deny(
  request: GatewayRequest,
  body: unknown,
  caller: Caller | null,
  routes: GatewayRoutes,
): ServiceReply | null {
  const required = requiredAccess(request.service, request.operation, body, routes.place);
  if (caller === null || required === null) {
    return null;
  }
  const refusal =
    routes.guard.check(caller, required.action, required.resource, required.context) ??
    denyDecryption(request, body, caller, routes);
  return refusal === null ? null : errorReply(403, 'AccessDeniedException', refusal.message);
}

/**
 * Reading a SecureString also decrypts. The account's own key `alias/aws/ssm` lets everybody in who may read the
 * parameter; any other key must be allowed in the role. Source: "How Parameter Store uses AWS KMS".
 */
function denyDecryption(request: GatewayRequest, body: unknown, caller: Caller, routes: GatewayRoutes) {
  const name = isRecord(body) ? String(body.Name) : '';
  const parameter = routes.parameters.get(name);
  const decrypts = request.service === 'ssm' && isRecord(body) && body.WithDecryption === true;
  if (!decrypts || parameter?.type !== 'SecureString') {
    return null;
  }
  const { place, guard } = routes;
  const context = {
    'kms:viaservice': `ssm.${place.region}.amazonaws.com`,
    'kms:calleraccount': place.accountId,
    'kms:encryptioncontext:parameter_arn': parameterArn(place, name),
  };
  const ownKey = `arn:${place.partition}:kms:${place.region}:${place.accountId}:key/aws-ssm`;
  return parameter.keyArn === undefined
    ? guard.checkNotDenied(caller, 'kms:Decrypt', ownKey, context)
    : guard.check(caller, 'kms:Decrypt', parameter.keyArn, context);
}

/** Access key id and service from `Credential=AKID/date/region/service/aws4_request`. */
function credentialScope(authorization: string | undefined): { accessKeyId: string; service: string } | null {
  const match = /Credential=([^/\s]+)\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization ?? '');
  const [, accessKeyId, service] = match ?? [];
  return accessKeyId === undefined || service === undefined ? null : { accessKeyId, service };
}

/** Query services send a form, the others JSON. */
function bodyOf(message: IncomingMessage, text: string): unknown {
  const isForm = message.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  if (isForm) return Object.fromEntries(new URLSearchParams(text));
  return text === '' ? {} : JSON.parse(text);
}

/** JSON services name the operation in a header, query services in the body. */
function operationOf(message: IncomingMessage, text: string): string {
  const target = message.headers['x-amz-target'];
  return typeof target === 'string'
    ? target.slice(target.lastIndexOf('.') + 1)
    : (new URLSearchParams(text).get('Action') ?? '');
}

async function readText(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) {
      throw new Error(`request body: more than ${BODY_MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(message: IncomingMessage, response: ServerResponse, answered: Answer): void {
  if ('kind' in answered) {
    if (answered.kind === 'reset') {
      message.socket.resetAndDestroy();
    }
    return;
  }
  if ('text' in answered) {
    response.writeHead(200, { 'content-type': 'text/xml' }).end(answered.text);
    return;
  }
  const contentType = message.headers['content-type'] ?? 'application/x-amz-json-1.0';
  response.writeHead(answered.status, { ...answered.headers, 'content-type': contentType });
  response.end(JSON.stringify(answered.body));
}

function callerIdentity(place: Place, caller: Caller | null): string {
  const arn = caller === null ? `arn:${place.partition}:iam::${place.accountId}:root` : sessionArn(place, caller);
  return [
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>',
    `<Arn>${arn}</Arn><UserId>LOCAL</UserId><Account>${place.accountId}</Account>`,
    '</GetCallerIdentityResult></GetCallerIdentityResponse>',
  ].join('');
}
