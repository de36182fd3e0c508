/**
 * The functions of the stack: their code unpacked, their environments started, used again and limited as Lambda does.
 * Lives here: one synchronous invocation. Retries and destinations are in `asynchronous.ts`.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InvalidInputError } from '../../errors.ts';
import type { Caller } from './access.ts';
import { type ExecutionEnvironment, type InvocationResult, startEnvironment } from './environment.ts';
import type { Resource, Stack } from './template.ts';
import { unzip } from './zip.ts';

/** How an attempt to invoke ended; `throttled` when all environments that the function may have are busy. */
export type InvokeOutcome = InvocationResult | { readonly kind: 'throttled' };

/** A function that can be invoked. */
export interface LocalFunction {
  readonly name: string;
  readonly arn: string;
  readonly caller: Caller;
  /** The key id that the function signs with; the gateway knows it by this. */
  readonly accessKeyId: string;
  /** Runs an event now, in a warm environment where there is one. Never rejects. */
  invoke(event: unknown, requestId?: string): Promise<InvokeOutcome>;
  /** Ends every environment. Invocations under way end as failed. */
  stop(): Promise<void>;
}

/** What all functions share. */
export interface FunctionOptions {
  readonly stack: Stack;
  /** The folder with the zip files that the template names. */
  readonly artifactsFolder: string;
  /** Where code is unpacked. */
  readonly workFolder: string;
  readonly nodePath: string;
  /** Added to the variables of each function; wins over the template. */
  readonly extraEnvironment: Readonly<Record<string, string>>;
  readonly onLine: (functionName: string, line: string) => void;
}

/** Processes for a function without reserved concurrency; AWS's account limit would be 1000. */
const UNRESERVED_CONCURRENCY = 10;
const ENVIRONMENT_MAX_BYTES = 4096;
/** Names that Lambda sets itself and refuses in a function's configuration. */
const RESERVED_NAME =
  /^(AWS_REGION|AWS_ACCESS_KEY|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY|AWS_SESSION_TOKEN|AWS_LAMBDA_.*|LAMBDA_.*|_HANDLER)$/;

/** Unpacks and configures one function. Throws `InvalidInputError` for what Lambda would refuse at deployment. */
export async function createFunction(
  resource: Resource<'AWS::Lambda::Function'>,
  options: FunctionOptions,
): Promise<LocalFunction> {
  const { name, arn, properties } = resource;
  const taskRoot = await unpack(resource, options);
  const accessKeyId = accessKeyIdOf(name);
  const variables = environmentOf(resource, options, taskRoot, accessKeyId);
  const limit = properties.ReservedConcurrentExecutions ?? UNRESERVED_CONCURRENCY;
  const idle: ExecutionEnvironment[] = [];
  const all = new Set<ExecutionEnvironment>();
  let busy = 0;
  let stopped = false;

  const take = async (): Promise<ExecutionEnvironment> => {
    for (let warm = idle.pop(); warm !== undefined; warm = idle.pop()) {
      if (warm.alive) {
        return warm;
      }
      all.delete(warm);
      await warm.stop();
    }
    const started = await startEnvironment({
      nodePath: options.nodePath,
      functionArn: arn,
      timeoutSeconds: properties.Timeout,
      variables,
      onLine: (line) => options.onLine(name, line),
    });
    all.add(started);
    return started;
  };
  const giveBack = async (environment: ExecutionEnvironment): Promise<void> => {
    if (environment.alive && !stopped) {
      idle.push(environment);
    } else {
      all.delete(environment);
      await environment.stop();
    }
  };

  return {
    name,
    arn,
    accessKeyId,
    caller: { functionName: name, roleArn: properties.Role },
    async invoke(event, requestId = randomUUID()) {
      if (busy >= limit || stopped) {
        return { kind: 'throttled' };
      }
      busy += 1;
      try {
        const environment = await take();
        const result = await environment.invoke(requestId, event);
        await giveBack(environment);
        return result;
      } catch (error) {
        return { kind: 'failed', payload: { errorType: 'Sandbox.Failure', errorMessage: String(error) } };
      } finally {
        busy -= 1;
      }
    },
    async stop() {
      stopped = true;
      await Promise.all([...all].map((environment) => environment.stop()));
    },
  };
}

/** Made up, but always the same for a function: 20 characters, as temporary key ids have. */
function accessKeyIdOf(functionName: string): string {
  return `ASIA${createHash('sha256').update(functionName).digest('hex').slice(0, 16).toUpperCase()}`;
}

async function unpack(resource: Resource<'AWS::Lambda::Function'>, options: FunctionOptions): Promise<string> {
  const code = resource.properties.Code;
  const folder = join(options.workFolder, resource.name);
  // Inline code gets a name of its own by CloudFormation; here as a module, like the bundles.
  const files =
    'ZipFile' in code
      ? new Map([['index.mjs', Buffer.from(code.ZipFile)]])
      : unzip(await readFile(join(options.artifactsFolder, basename(code.S3Key))));
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** The variables of the process: the template's, and those that Lambda sets. Nothing of this process is inherited. */
function environmentOf(
  { logicalId, name, properties }: Resource<'AWS::Lambda::Function'>,
  { stack, extraEnvironment }: FunctionOptions,
  taskRoot: string,
  accessKeyId: string,
): Record<string, string> {
  const own: Record<string, string> = properties.Environment?.Variables ?? {};
  const bytes = Object.entries(own).reduce((total, [key, value]) => total + Buffer.byteLength(key + value), 0);
  const field = `Resources.${logicalId}.Environment`;
  const problems = Object.keys(own)
    .filter((key) => RESERVED_NAME.test(key))
    .map((key) => ({ field: `${field}.${key}`, message: 'is reserved by Lambda' }));
  if (bytes > ENVIRONMENT_MAX_BYTES) {
    problems.push({ field, message: `found ${bytes} bytes, expected at most ${ENVIRONMENT_MAX_BYTES}` });
  }
  if (problems.length > 0) {
    throw new InvalidInputError('Lambda functions', problems);
  }
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    // No home, so that no configuration or credentials of the person at this machine are found.
    HOME: taskRoot,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL: stack.endpoint,
    ...own,
    ...extraEnvironment,
    AWS_REGION: stack.region,
    AWS_DEFAULT_REGION: stack.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(properties.MemorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '[$LATEST]local',
    LAMBDA_TASK_ROOT: taskRoot,
    _HANDLER: properties.Handler,
  };
}
