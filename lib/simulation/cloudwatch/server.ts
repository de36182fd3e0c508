/**
 * The door of the local CloudWatch: requests as the AWS SDK for JavaScript 3.1164 sends them, which is AWS JSON 1.0 with
 * `x-amz-target: GraniteServiceVersion20100801.<Operation>`, times in seconds since the epoch, the body of PutMetricData
 * compressed with gzip when it is larger than 10 kB, and error codes of the older query protocol in a header.
 * `createCloudWatchHandler` answers without a port, for a gateway that stands in front of several services.
 */

import { createServer, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { asError } from '../../errors.ts';
import type { Clock } from '../../reconcile/ports.ts';
import type { Alarms } from './alarms.ts';
import { CloudWatchFault, invalid } from './faults.ts';
import { getMetricData } from './query.ts';
import {
  AlarmNamesSchema,
  DescribeAlarmsSchema,
  GetMetricDataSchema,
  PutMetricDataSchema,
  parseRequest,
  SetAlarmStateSchema,
} from './shapes.ts';
import type { MetricStore } from './store.ts';

const TARGET_PREFIX = 'GraniteServiceVersion20100801.';
/** PutMetricData takes 1 MB after decompression; the rest is room for GetMetricData with 500 queries. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

export interface CloudWatchParts {
  readonly store: MetricStore;
  readonly alarms: Alarms;
  readonly clock: Clock;
}

/** A reply, before its body becomes text. */
interface CloudWatchReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** Answers one operation, given by its bare name (`PutMetricAlarm`) and its parsed JSON body. Never throws. */
type CloudWatchHandler = (operation: string, body: unknown) => CloudWatchReply;

type Operation = (body: unknown) => Readonly<Record<string, unknown>>;

/** The operations on these parts, without HTTP. */
export function createCloudWatchHandler({ store, alarms, clock }: CloudWatchParts): CloudWatchHandler {
  const operations = new Map<string, Operation>([
    ['PutMetricData', silent((body) => store.put(parseRequest(PutMetricDataSchema, body)))],
    ['GetMetricData', (body) => ({ ...getMetricData(store, parseRequest(GetMetricDataSchema, body), clock.nowMs()) })],
    ['PutMetricAlarm', silent((body) => alarms.put(body))],
    ['DescribeAlarms', (body) => alarms.describe(parseRequest(DescribeAlarmsSchema, body))],
    ['SetAlarmState', silent((body) => alarms.setState(parseRequest(SetAlarmStateSchema, body)))],
    ['EnableAlarmActions', silent((body) => alarms.setActionsEnabled(namesIn(body), true))],
    ['DisableAlarmActions', silent((body) => alarms.setActionsEnabled(namesIn(body), false))],
    ['DeleteAlarms', silent((body) => alarms.delete(namesIn(body)))],
  ]);
  return (operation, body) => {
    try {
      const run = operations.get(operation);
      if (!run) throw unknownOperation(operation, [...operations.keys()]);
      return reply(200, run(body));
    } catch (error) {
      return failure(error);
    }
  };
}

/** An operation without a result answers an empty object. */
const silent =
  (run: (body: unknown) => void): Operation =>
  (body) => {
    run(body);
    return {};
  };
const namesIn = (body: unknown): readonly string[] => parseRequest(AlarmNamesSchema, body).AlarmNames;

function unknownOperation(operation: string, known: readonly string[]): CloudWatchFault {
  const message = `The operation '${operation}' is not emulated by this local CloudWatch, which has ${known.join(', ')}`;
  return new CloudWatchFault('UnknownOperationException', message);
}

function reply(status: number, body: object, headers: Readonly<Record<string, string>> = {}): CloudWatchReply {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.0', ...headers }, body };
}

function failure(error: unknown): CloudWatchReply {
  const fault =
    error instanceof CloudWatchFault ? error : new CloudWatchFault('InternalServiceFault', asError(error).message);
  const blame = fault.status < 500 ? 'Sender' : 'Receiver';
  const body = { __type: `com.amazonaws.cloudwatch#${fault.name}`, message: fault.message, Message: fault.message };
  return reply(fault.status, body, { 'x-amzn-query-error': `${fault.queryCode};${blame}` });
}

export interface CloudWatchServer {
  /** `http://127.0.0.1:<port>`, for the SDK's `endpoint`. */
  readonly url: string;
  readonly handle: CloudWatchHandler;
  close(): Promise<void>;
}

/**
 * Listens on the loopback address, on a free port unless one is given. Time does not pass in here: the caller calls
 * `alarms.advance()`.
 */
export async function startCloudWatchServer(
  parts: CloudWatchParts & { readonly port?: number },
): Promise<CloudWatchServer> {
  const handle = createCloudWatchHandler(parts);
  const server = createServer((request, response) => {
    respond(request, handle).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(JSON.stringify(body)),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(parts.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The local CloudWatch has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    handle,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function respond(request: IncomingMessage, handle: CloudWatchHandler): Promise<CloudWatchReply> {
  try {
    const bytes = await readBody(request);
    const target = request.headers['x-amz-target'];
    if (typeof target !== 'string' || !target.startsWith(TARGET_PREFIX)) {
      throw invalid(`x-amz-target: found '${String(target)}', expected '${TARGET_PREFIX}<Operation>' (AWS JSON 1.0)`);
    }
    return handle(target.slice(TARGET_PREFIX.length), parseBody(bytes, request.headers['content-encoding']));
  } catch (error) {
    return failure(error);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw invalid(`The request is larger than ${MAX_BODY_BYTES} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/**
 * The JSON of a request's body, decompressed where needed: the SDK sends large PutMetricData bodies gzipped.
 * @throws CloudWatchFault (ValidationException)
 */
function parseBody(bytes: Buffer, encoding: string | undefined): unknown {
  try {
    const plain = encoding === 'gzip' ? gunzipSync(bytes, { maxOutputLength: MAX_BODY_BYTES }) : bytes;
    return plain.length === 0 ? {} : JSON.parse(plain.toString('utf8'));
  } catch (error) {
    throw invalid(`The body is not JSON: ${asError(error).message}`);
  }
}
