/** What stands around the functions that `npm run bench:init` measures: queues, parameters and a Cloud 66 account on loopback. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRealClock } from '../../lib/simulation/clock.ts';
import { Cloud66Account } from '../../lib/simulation/cloud66/account.ts';
import { startCloud66Server } from '../../lib/simulation/cloud66/server.ts';
import { createRandom } from '../../lib/simulation/random.ts';

const TOKEN = 'token-of-the-benchmark';

/** The running world. */
export interface InitWorld {
  /** Settings of the function. */
  readonly environment: Readonly<Record<string, string>>;
  /** A GET request to it puts 40 jobs into the queue. */
  readonly controlUrl: string;
  close(): Promise<void>;
}

/** Starts it; answers of AWS and Cloud 66 come after the given times. */
export async function startInitWorld(delays: {
  readonly awsMs: number;
  readonly cloud66Ms: number;
}): Promise<InitWorld> {
  const account = new Cloud66Account({
    clock: createRealClock(),
    random: createRandom(1),
    stacks: [{ uid: 'shop', servers: [{ uid: 'a', name: 'lion' }], processes: [{ name: 'worker', counts: { a: 1 } }] }],
    tokens: [{ value: TOKEN, user: 'robot@example.com', scopes: ['public', 'admin'] }],
    settings: { callsPerHour: 1_000_000 },
  });
  const cloud66 = await startCloud66Server({ account, random: createRandom(1), replyForm: 'documented' });
  let jobs = 0;
  const aws = await serve(async (request, body, response) => {
    if (request.method === 'GET') {
      jobs = 40;
      response.end();
      return;
    }
    await sleep(delays.awsMs);
    const { status, fields } = awsAnswer(String(request.headers['x-amz-target']), body, jobs);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(fields));
  });
  const front = await serve(async (request, body, response) => {
    await sleep(delays.cloud66Ms);
    const { authorization = '', 'content-type': type = 'application/json' } = request.headers;
    const answer = await fetch(new URL(request.url ?? '/', cloud66.url), {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(body === '' ? {} : { body }),
    });
    const text = await answer.text();
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' }).end(text);
  });
  const queue = (name: string) => `${aws.url}/000000000000/${name}`;
  return {
    environment: {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: aws.url,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      CLOUD66_API_URL: `${front.url}${new URL(cloud66.url).pathname.replace(/\/$/, '')}`,
      CLOUD66_TOKEN: TOKEN,
      STACK_UID: 'shop',
      PROCESS_NAME: 'worker',
      STRATEGY: 'backlog',
      QUEUE_URL: queue('jobs'),
      ACTIONS_QUEUE_URL: queue('actions.fifo'),
      ACTIONS_DEAD_LETTER_QUEUE_URL: queue('dead.fifo'),
      STAGE: 'bench',
    },
    controlUrl: aws.url,
    async close() {
      await Promise.all([aws.close(), front.close()]);
      account.close();
      await cloud66.close();
    },
  };
}

function awsAnswer(target: string, body: string, jobs: number) {
  if (target.endsWith('GetQueueAttributes')) {
    const names = ['', 'NotVisible', 'Delayed'].map((name) => `ApproximateNumberOfMessages${name}`);
    const counts = names.map((name, index) => [name, index === 0 ? String(jobs) : '0']);
    return { status: 200, fields: { Attributes: Object.fromEntries(counts) } };
  }
  if (target.endsWith('SendMessage')) {
    const { MessageBody: text } = JSON.parse(body) as { readonly MessageBody: string };
    return { status: 200, fields: { MessageId: 'm', MD5OfMessageBody: createHash('md5').update(text).digest('hex') } };
  }
  if (target.endsWith('GetMetricData')) return { status: 200, fields: { MetricDataResults: [] } };
  return { status: 400, fields: { __type: 'ParameterNotFound', message: 'nobody has set an override' } };
}

type Answering = (request: IncomingMessage, body: string, response: ServerResponse) => Promise<void>;

async function serve(answering: Answering): Promise<{ readonly url: string; close(): Promise<void> }> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const part of request) body += part;
    await answering(request, body, response);
  };
  const server: Server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
