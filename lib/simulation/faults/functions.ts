/**
 * The two functions as Lambda runs them: execution environments that are reused, die in the middle of a call or of their
 * time, and start cold, with at most two at once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { type Platform, wirePoller, wireScale } from '../../lambda/wire.ts';
import type { VirtualClock } from '../clock.ts';
import type { Random } from '../random.ts';
import type { Observer } from './observer.ts';
import { awsOf, cloud66Of, type Services, silence } from './services.ts';

const MAX_ENVIRONMENTS = 2;
const TIMEOUT_MS = { scale: 60_000, poller: 75_000 } as const;
type FunctionName = keyof typeof TIMEOUT_MS;

/** How an invocation ended. */
export type Ending =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Killed, by its timeout or by a crash. */
  | { readonly kind: 'killed' }
  | { readonly kind: 'throttled' };

/** One execution environment. */
export interface Environment {
  readonly name: FunctionName;
  readonly handler: (event: unknown, context: never) => Promise<unknown>;
  isBusy: boolean;
  isDead: boolean;
  /** What was last heard of the queue's depth in this invocation. */
  depthIsKnown: boolean;
  /** The workers of all counts that were answered to it in this invocation. */
  readonly countsSeen: Set<number>;
  /** Cloud 66 accepted an action, and its record is not stored yet. */
  owesRecord: boolean;
  kill: () => void;
}

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

/** The functions, and the `fetch` that their environments share. */
export function createFunctions(
  services: Services,
  settings: Readonly<Record<string, string>>,
  observer: Observer,
  random: Random,
  crash?: CrashPoint,
) {
  const { clock, dice } = services;
  const environments: Environment[] = [];
  const outside = outsideOf(services, observer, crash);
  const cloud66 = cloud66Of(services, (body, status, reply) =>
    observer.posted(running.getStore(), body, status, reply),
  );
  let ids = 0;
  const platform: Platform = {
    clock,
    write: (line) => observer.wrote(running.getStore(), line),
    newId: () => {
      ids += 1;
      return `id-${ids}-${random.integer(0, 1_000_000)}`;
    },
    aws: {
      credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
      requestHandler: awsRequestHandler(services, outside),
      signer: UNSIGNED,
    },
  };

  const environmentOf = (name: FunctionName): Environment | null => {
    const alive = environments.filter((one) => one.name === name && !one.isDead);
    const idle = alive.find(({ isBusy }) => !isBusy);
    if (idle && !dice.strikes('cold_start')) return idle;
    if (idle) idle.isDead = true;
    if (!idle && alive.length >= MAX_ENVIRONMENTS) return null;
    const handler = (name === 'scale' ? wireScale : wirePoller)(settings, platform) as Environment['handler'];
    const fresh = { isBusy: false, isDead: false, depthIsKnown: false, owesRecord: false, kill: () => {} };
    const made: Environment = { name, handler, countsSeen: new Set(), ...fresh };
    environments.push(made);
    return made;
  };

  const invoke = async (name: FunctionName, event: unknown): Promise<Ending> => {
    const environment = environmentOf(name);
    if (environment === null) return { kind: 'throttled' };
    const ending = await live(environment, event, clock, platform.newId());
    if (ending.kind === 'returned' && environment.owesRecord) observer.silent('an action without a record, no error');
    return ending;
  };

  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const path = new URL(request.url).pathname.replace(/\d+|shop/g, '*');
    const response = await outside(`${request.method} ${path}`, () => cloud66(request));
    const isCount = request.method === 'GET' && path.endsWith('processes.json');
    if (isCount && response.ok) running.getStore()?.countsSeen.add(observer.counted());
    return response;
  };
  return { invoke, fetch };
}

/** The environment may die before a call and after it; a dead one asks nothing. */
function outsideOf({ dice }: Services, observer: Observer, crash: CrashPoint | undefined): Outside {
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
      if (operation === 'GetQueueAttributes' && environment) environment.depthIsKnown = status === 200;
      if (operation === 'SendMessage' && status === 200 && environment) environment.owesRecord = false;
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      return { response: { statusCode: status, headers, body: Readable.from([Buffer.from(JSON.stringify(body))]) } };
    },
    destroy: () => {},
  };
  return handler as unknown as AwsRequestHandler;
}

/** One invocation, to its end or its death. */
function live(environment: Environment, event: unknown, clock: VirtualClock, awsRequestId: string): Promise<Ending> {
  Object.assign(environment, { isBusy: true, depthIsKnown: false, owesRecord: false });
  environment.countsSeen.clear();
  const endsAtMs = clock.nowMs() + TIMEOUT_MS[environment.name];
  const context = { awsRequestId, getRemainingTimeInMillis: () => endsAtMs - clock.nowMs() };
  return new Promise((resolve) => {
    const cancel = clock.schedule(endsAtMs, () => environment.kill());
    const end = (ending: Ending) => {
      cancel();
      environment.isBusy = false;
      resolve(ending);
    };
    environment.kill = () => {
      environment.isDead = true;
      end({ kind: 'killed' });
    };
    running
      .run(environment, () => environment.handler(event, context as never))
      .then(
        (value) => end({ kind: 'returned', value }),
        (error: unknown) => end({ kind: 'failed', error }),
      );
  });
}

async function die(environment: Environment | undefined): Promise<never> {
  environment?.kill();
  return await silence(null);
}
