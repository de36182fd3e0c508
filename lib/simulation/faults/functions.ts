/** The two functions as Lambda runs them, with all that they ask of the outside under watch. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Fetch } from '../../cloud66/node-fetch.ts';
import { type Platform, wirePoller, wireScale } from '../../lambda/wire.ts';
import type { Random } from '../random.ts';
import { createEnvironments, type Ending, type Environment, type FunctionName, live } from './environments.ts';
import type { Observer } from './observer.ts';
import { actionIdOf } from './queues.ts';
import { ALARM_PREFIX, type Scenario } from './scenario.ts';
import { awsOf, cloud66Of, isWhole, later, type Services, silence } from './services.ts';

const running = new AsyncLocalStorage<Environment>();

type AwsRequestHandler = NonNullable<NonNullable<Platform['aws']>['requestHandler']>;

/** Where an environment dies: at the n-th call of a kind, such as `scale SendMessage`, before or after it is answered. */
export interface CrashPoint {
  readonly call: string;
  readonly when: 'before' | 'after';
  readonly occurrence: number;
}

/** Makes a call to the outside, with its name. */
type Outside = <T>(name: string, call: () => Promise<T>) => Promise<T>;

/** The functions, in environments that come and go. */
export function createFunctions(
  services: Services,
  settings: Scenario['settings'],
  observer: Observer,
  random: Random,
  crash?: CrashPoint,
) {
  const { clock } = services;
  const outside = outsideOf(services, observer, crash);
  const cloud66 = cloud66Of(services, (...call) => observer.posted(running.getStore(), ...call));
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id-${ids}-${random.integer(0, 1_000_000)}`;
  };
  const aws = {
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    requestHandler: awsRequestHandler(services, outside),
    signer: UNSIGNED,
  };
  const ask = async (request: Request, signal: AbortSignal): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const [, , , , stackUid = '', ...rest] = pathname.split('/');
    const path = `/${rest.join('/').replace(/\d+/g, '*')}`;
    const environment = running.getStore();
    const response = await outside(`${request.method} ${path}`, () => {
      observer.asks(environment, request.method);
      return cloud66(request, signal);
    });
    if (environment) {
      hear(environment, response, clock.nowMs());
      if (request.method === 'GET' && isWhole(response)) {
        if (path === '/processes.json') observer.counts(environment, stackUid);
        if (path === '/actions.json') environment.logsRead.push({ stackUid, atMs: clock.nowMs() });
      }
    }
    return response;
  };
  // Whoever gives up hears no more of it, whatever becomes of the call.
  const fetch: Fetch = (request, signal) => Promise.race([ask(request, signal), silence(signal)]);
  const write = (line: string) => observer.wrote(running.getStore(), line);
  const environments = createEnvironments(services, random, (name, ownClock) => {
    const wire = name === 'scale' ? wireScale : wirePoller;
    return wire(settings[name], { clock: ownClock, write, newId, aws, fetch }) as Environment['handler'];
  });

  const invoke = async (name: FunctionName, event: unknown): Promise<Ending> => {
    const environment = environments.take(name);
    if (environment === null) return { kind: 'throttled' };
    environment.scope = scopeOf(event);
    const awsRequestId = newId();
    const ending = await live(environment, clock, (times) =>
      running.run(environment, () => environment.handler(event, { awsRequestId, ...times } as never)),
    );
    if (ending.kind !== 'killed') observer.logsRead(environment);
    if (ending.kind === 'returned' && environment.owed.size > 0) {
      observer.silent(`no record of action ${[...environment.owed].join()}, and no error`);
    }
    return ending;
  };

  return { invoke, setClocksBack: environments.setClocksBack };
}

/** The target whose alarm an event is of; null = all. */
function scopeOf(event: unknown): string | null {
  const { alarmData } = event as { readonly alarmData?: { readonly alarmName: string } };
  return alarmData?.alarmName.replace(ALARM_PREFIX, '') ?? null;
}

/** What an answer tells of the rate limit. */
function hear(environment: Environment, response: Response, atMs: number): void {
  const [remaining, limit] = ['remaining', 'limit'].map((name) => response.headers.get(`x-ratelimit-${name}`));
  if (remaining === null || limit === null) return;
  const isThrottled = response.status === 503;
  environment.told = { remaining: Number(remaining), limit: Number(limit), atMs, isThrottled };
}

/** The environment may die before a call and after it; a dead one asks nothing. */
function outsideOf({ dice, clock, callMs }: Services, observer: Observer, crash: CrashPoint | undefined): Outside {
  let occurrence = 0;
  const isChosen = (call: string, when: CrashPoint['when']) =>
    crash?.call === call && crash.when === when && ++occurrence === crash.occurrence;
  return async (name, call) => {
    const environment = running.getStore();
    if (environment?.isDead) return await silence(null);
    const functionName = environment?.name ?? 'none';
    observer.called(functionName, name);
    if (dice.strikes('crash_before_call') || isChosen(`${functionName} ${name}`, 'before')) {
      observer.crashed(functionName, name, 'before');
      return await die(environment);
    }
    if (callMs > 0) await later(clock, callMs);
    const value = await call();
    if (dice.strikes('crash_after_call') || isChosen(`${functionName} ${name}`, 'after')) {
      observer.crashed(functionName, name, 'after');
      return await die(environment);
    }
    return value;
  };
}

/** A quarter of a simulated day would go into signatures that nobody reads. */
const UNSIGNED = { sign: async (request: unknown) => request } as NonNullable<NonNullable<Platform['aws']>['signer']>;

/** What the AWS clients send through. */
function awsRequestHandler(services: Services, outside: Outside): AwsRequestHandler {
  const aws = awsOf(services);
  const handler = {
    handle: async (request: { readonly headers: Record<string, string>; readonly body: unknown }) => {
      const operation = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? '';
      const { body: sent } = request;
      const text = typeof sent === 'string' ? sent : new TextDecoder().decode(sent as Uint8Array);
      const { status, body } = await outside(operation, async () => aws(operation, text));
      const environment = running.getStore();
      if (environment) noteAws(environment, operation, text, status === 200);
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      return { response: { statusCode: status, headers, body: inOnePiece(Buffer.from(JSON.stringify(body))) } };
    },
    destroy: () => {},
  };
  return handler as unknown as AwsRequestHandler;
}

/** What is read of a stream, without one: there are ten thousand answers in a day. */
async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What the environment knows after an answer. */
function noteAws({ depthsKnown, owed }: Environment, operation: string, request: string, isOk: boolean): void {
  if (operation === 'GetQueueAttributes') {
    const { QueueUrl } = JSON.parse(request) as { readonly QueueUrl: string };
    if (isOk) depthsKnown.add(QueueUrl);
    else depthsKnown.delete(QueueUrl);
  }
  if (operation !== 'SendMessage' || !isOk) return;
  const { MessageBody } = JSON.parse(request) as { readonly MessageBody: string };
  owed.delete(actionIdOf(MessageBody) ?? 0);
}

async function die(environment: Environment | undefined): Promise<never> {
  environment?.kill();
  return await silence(null);
}
