/** The services around the handlers, without sockets: AWS as its SDK asks it, and Cloud 66 as ky does. */
import { createHash } from 'node:crypto';
import type { Fetch } from '../../cloud66/node-fetch.ts';
import type { VirtualClock } from '../clock.ts';
import type { Cloud66Account } from '../cloud66/account.ts';
import { createReplyForms } from '../cloud66/reply-forms.ts';
import { answer } from '../cloud66/routes.ts';
import type { Random } from '../random.ts';
import type { Dice } from './plan.ts';
import { type ActionsQueue, type JobQueue, metricData } from './queues.ts';
import { type Scenario, TOKEN_PARAMETER } from './scenario.ts';

const SLOW_MS = 4_000;

/** Marks an answer that is Cloud 66's own and whole, for whoever watches. */
const WHOLE = { 'x-simulation': 'whole' } as const;

/** True for an answer that can be read to its end. */
export function isWhole(response: Response): boolean {
  return response.ok && response.headers.has('x-simulation');
}

export interface Services {
  readonly clock: VirtualClock;
  readonly account: Cloud66Account;
  readonly scenario: Scenario;
  /** By queue name. */
  readonly jobs: ReadonlyMap<string, JobQueue>;
  readonly actions: ActionsQueue;
  readonly dice: Dice;
  readonly random: Random;
  /** Whole services that are away for a while. */
  readonly outages: { sendsUntilMs: number; cloud66UntilMs: number };
  /** What the parameter holds. */
  readonly token: { value: string };
  /** What every call takes, in virtual time. */
  readonly callMs: number;
}

/** What a service answers: a status and a JSON body. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** Never ends by itself; rejects when the caller gives up. */
export function silence(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => reject(new DOMException('This operation was aborted', 'AbortError'));
    if (signal?.aborted) give();
    signal?.addEventListener('abort', give, { once: true });
  });
}

type Operation = (request: Readonly<Record<string, unknown>>) => Reply;

/** Answers one operation of AWS by its bare name. */
export function awsOf({
  clock,
  scenario,
  jobs,
  actions,
  dice,
  outages,
  token,
}: Services): (operation: string, request: string) => Reply {
  const trouble = (type: string, status = 400): Reply => ({ status, body: { __type: type, message: 'simulated' } });
  const broken = () => trouble('InternalFailure', 500);
  const operations: Readonly<Record<string, Operation>> = {
    GetQueueAttributes: ({ QueueUrl }) => {
      // A refusal of access, because that one is not tried again within the call.
      if (dice.strikes('queue_read_fails')) return trouble('AccessDeniedException', 403);
      const minutesAgo = dice.strikes('queue_read_stale') ? 2 : 0;
      const queue = jobs.get(String(QueueUrl).split('/').at(-1) ?? '');
      return { status: 200, body: { Attributes: queue?.attributes(minutesAgo) } };
    },
    SendMessage: ({ QueueUrl, MessageBody, MessageDeduplicationId }) => {
      if (dice.strikes('send_refused') || clock.nowMs() < outages.sendsUntilMs)
        return trouble('AccessDeniedException', 403);
      if (String(QueueUrl).endsWith('dead.fifo')) actions.bury(String(MessageBody));
      else actions.add(String(MessageBody), String(MessageDeduplicationId));
      if (dice.strikes('send_answer_lost')) return broken();
      const MD5OfMessageBody = createHash('md5').update(String(MessageBody)).digest('hex');
      return { status: 200, body: { MessageId: 'm', MD5OfMessageBody } };
    },
    ChangeMessageVisibility: ({ ReceiptHandle, VisibilityTimeout }) => {
      if (dice.strikes('visibility_refused')) return trouble('AccessDeniedException', 403);
      actions.hide(String(ReceiptHandle), clock.nowMs() + Number(VisibilityTimeout) * 1000);
      return { status: 200, body: {} };
    },
    GetMetricData: (request) => {
      if (dice.strikes('metrics_fail')) return trouble('AccessDeniedException', 403);
      return {
        status: 200,
        body: metricData(request, jobs, { nowMs: clock.nowMs(), sinceMs: scenario.metricsFromMs, dice }),
      };
    },
    GetParameter: ({ Name }) => {
      if (dice.strikes('parameter_throttled')) return trouble('ThrottlingException');
      if (Name !== TOKEN_PARAMETER) return trouble('ParameterNotFound');
      return { status: 200, body: { Parameter: { Value: token.value } } };
    },
  };
  return (operation, request) => {
    const run = operations[operation];
    if (run === undefined) throw new RangeError(`the simulated AWS has no ${operation}`);
    return run(JSON.parse(request) as Record<string, unknown>);
  };
}

/** Cloud 66 behind an unreliable network. `seen` is told of every scale call that reaches the account. */
export function cloud66Of(
  { account, dice, random, clock, outages }: Services,
  seen: (stackUid: string, body: string, status: number, reply: unknown) => void,
): Fetch {
  const forms = createReplyForms('mixed', random.fork('forms'));
  return async (request, signal) => {
    const url = new URL(request.url);
    const body = request.body === null ? '' : await request.text();
    const authorization = request.headers.get('authorization') ?? undefined;
    // A proxy that shows what it was sent, token and all.
    const echo = `you sent ${request.method} ${url.pathname} with authorization: ${authorization}`;
    if (dice.strikes('cloud66_reset')) throw connectionReset();
    if (dice.strikes('cloud66_hang')) return await silence(signal);
    if (dice.strikes('cloud66_error') || clock.nowMs() < outages.cloud66UntilMs)
      return new Response(`<html>502: ${echo}</html>`, { status: 502 });
    if (dice.strikes('cloud66_garbage')) return new Response(`<html>${authorization} Just a moment...</html>`);
    if (dice.strikes('cloud66_unauthorized')) return Response.json({ error: echo }, { status: 401 });
    if (dice.strikes('cloud66_slow')) await later(clock, SLOW_MS);
    const call = { method: request.method, path: url.pathname, query: url.searchParams, authorization, body };
    const reply = answer({ account, forms }, call);
    if (request.method === 'POST') seen(url.pathname.split('/')[4] ?? '', body, reply.status, reply.body);
    if (dice.strikes('cloud66_answer_lost')) throw connectionReset();
    const text = JSON.stringify(reply.body);
    const sent = dice.strikes('cloud66_cut_body') ? text.slice(0, text.length / 2) : text;
    const headers = { ...reply.headers, 'content-type': 'application/json', ...(sent === text ? WHOLE : {}) };
    return new Response(sent, { status: reply.status, headers });
  };
}

/** As Node's own HTTP calls it. */
function connectionReset(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

/** Waits in virtual time. */
export function later(clock: VirtualClock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(clock.nowMs() + delayMs, resolve);
  });
}
