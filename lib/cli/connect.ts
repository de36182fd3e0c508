/**
 * What the commands that look at a real deployment share: its settings, as packaging reads them, and the same readers as
 * the deployed function has. Nothing here can change a worker: there is no scaler and no sender.
 */
import { join } from 'node:path';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { Command } from 'commander';
import { createBudget } from '../cloud66/budget.ts';
import { type Cloud66Client, createCloud66Client } from '../cloud66/client.ts';
import { createProcessHost } from '../cloud66/process-host.ts';
import { createTokenSource, fixedToken, type TokenSource } from '../cloud66/token.ts';
import { type Deployment, parseDeployment } from '../config/deployment.ts';
import { type Environment, variableText } from '../config/env.ts';
import { type EnvFile, readEnvFile } from '../config/env-file.ts';
import { homeRegion } from '../config/home-region.ts';
import { overridesParameter } from '../config/overrides-parameter.ts';
import { readSetting } from '../config/read.ts';
import { globalSource } from '../config/settings.ts';
import { readTargetsFile, type TargetsFile } from '../config/targets-file.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { hostOfStacks } from '../lambda/accounts.ts';
import { createOverrideReader } from '../overrides/source.ts';
import { createCloudWatch } from '../queue/cloudwatch.ts';
import type { AwsConnection } from '../queue/connection.ts';
import { createParameterReader, type ParameterStorePlace } from '../queue/parameter.ts';
import { createQueueReader } from '../queue/reader.ts';
import { createSqs } from '../queue/sqs.ts';
import type { Clock, OverrideReader, ProcessHost, QueueReader } from '../reconcile/ports.ts';

/** As in serverless.yml; names of resources begin with it and the stage. */
const SERVICE = 'cloud66-worker-autoscaler';
const ROOT = join(import.meta.dirname, '..', '..');

/** Where a deployment is. */
export interface Place {
  readonly stage: string;
  readonly region: string;
  /** Service and stage, with which all names of the template begin. */
  readonly name: string;
}

/** Options that say where; what is left out comes from the environment, as for `serverless deploy`. */
export interface PlaceOptions {
  readonly stage?: string;
  readonly region?: string;
}

/** One Cloud 66 account as the commands see it. */
export interface CloudAccount {
  readonly token: TokenSource;
  readonly client: Cloud66Client;
  readonly host: ProcessHost;
}

/** Readers of one deployment. */
export interface Connection {
  readonly place: Place;
  readonly deployment: Deployment;
  readonly aws: AwsConnection;
  /** Says once and first what every call to AWS would fail of. @throws NoCredentialsError */
  readonly requireCredentials: () => Promise<void>;
  /** The Cloud 66 account of a token's parameter; undefined = the one for all. */
  readonly accountOf: (tokenParameter: string | undefined) => CloudAccount;
  readonly watchIntervalSeconds: number;
  readonly ports: {
    readonly clock: Clock;
    readonly queue: QueueReader;
    readonly host: ProcessHost;
    readonly overrides: OverrideReader;
  };
  /** Where the overrides are kept, and under which name. */
  readonly overridesPlace: ParameterStorePlace & { readonly name: string };
}

/** Adds `--stage` and `--region`. */
export function withPlaceOptions(command: Command): Command {
  return command
    .option('--stage <name>', 'the deployment to look at (default: dev)')
    .option(
      '--region <name>',
      "the deployment's region (default: AWS_REGION, AWS_DEFAULT_REGION, or where the queues are)",
    );
}

/** The settings of this machine: its environment, and the project's files, which lose against it. */
export interface Sources {
  readonly environment: Environment;
  readonly file: EnvFile | null;
  /** The file of targets, if TARGETS_FILE names one. */
  readonly targets?: TargetsFile | null;
}

export function readSources(): Sources {
  const environment = { ...process.env };
  const file = readEnvFile(ROOT, environment);
  return { environment, file, targets: readTargetsFile(ROOT, { ...file?.variables, ...environment }) };
}

/** The place that a deployment with the same options and settings goes to: see stage and region in serverless.yml. */
function placeOf({ environment, file, targets }: Sources, { stage = 'dev', region }: PlaceOptions): Place {
  const set = (variable: string) => variableText(environment, variable);
  const named = region ?? set('AWS_REGION') ?? set('AWS_DEFAULT_REGION');
  return {
    stage,
    region: named ?? homeRegion({ ...targets?.variables, ...file?.variables, ...environment }),
    name: nameOf(stage),
  };
}

/** Service and stage: what the names of all resources of a deployment begin with. */
export function nameOf(stage: string): string {
  return `${SERVICE}-${stage}`;
}

/**
 * Readers for the deployment that the settings describe.
 *
 * @param onWarning is told what Cloud 66 warns of.
 * @throws InvalidInputError that lists every problem of the settings by variable name.
 */
export function connect(sources: Sources, options: PlaceOptions, onWarning: (warning: string) => void): Connection {
  const clock: Clock = { nowMs: () => Date.now() };
  const settings = globalSource(sources.environment, sources);
  const { environment } = settings;
  const place = placeOf(sources, options);
  const deployment = deploymentOf(sources, environment, place);
  const aws = awsConnection(sources.environment, place.region);
  const sqs = createSqs(aws);
  const ownToken = variableText(environment, 'CLOUD66_TOKEN');
  const endpoint = variableText(sources.environment, 'AWS_ENDPOINT_URL_SSM') ?? aws.endpoint;
  const store = { signedPost: sqs.signedPost, region: place.region, endpoint };
  const parameters = createParameterReader(store);
  const overridesPlace = { ...store, name: overridesParameter(place.stage) };
  const readDocument = (signal: AbortSignal) => parameters.readIfAny(overridesPlace.name, signal);
  const never = new AbortController().signal; // the reader has a time limit of its own
  const tokenIn = (name: string) =>
    createTokenSource({ name, readParameter: () => parameters.read(name, never), clock });
  const apiUrl = readSetting(settings, 'CLOUD66_API_URL');
  const watchIntervalSeconds = readSetting(settings, 'WATCH_INTERVAL_SECONDS');
  const reserveShare = readSetting(settings, 'API_BUDGET_RESERVE');
  const accounts = new Map<string | undefined, CloudAccount>();
  const accountOf = (name: string | undefined): CloudAccount => {
    const known = accounts.get(name);
    if (known) return known;
    const usual = ownToken === null ? tokenIn(deployment.tokenParameter) : fixedToken(ownToken);
    const token = name === undefined ? usual : tokenIn(name);
    const budget = createBudget({ reserveShare });
    const client = createCloud66Client({ apiUrl, token, clock, budget, onWarning });
    const host = createProcessHost({ client, clock, account: name ?? deployment.tokenParameter });
    const account = { token, client, host };
    accounts.set(name, account);
    return account;
  };
  const queue = createQueueReader({ sqs, cloudwatch: createCloudWatch(aws), clock });
  const overrides = createOverrideReader({ readDocument, clock });
  const host = hostOfStacks(deployment.targets, (name) => accountOf(name).host);
  const ports = { clock, queue, host, overrides };
  const requireCredentials = () => checkCredentials(aws);
  return { place, deployment, aws, requireCredentials, accountOf, watchIntervalSeconds, ports, overridesPlace };
}

/**
 * The settings as packaging would read them, but for one thing: a token of one's own is welcome here, beside the name of
 * the parameter or instead of it, because nothing of this is packaged.
 */
function deploymentOf(
  { environment, file, targets = null }: Sources,
  merged: Environment,
  { stage, region }: Place,
): Deployment {
  const packaging = { file, targets, region };
  const hasOwnToken = variableText(merged, 'CLOUD66_TOKEN') !== null;
  if (!hasOwnToken) return parseDeployment({ ...environment, STAGE: stage }, packaging);
  const tokenParameter = variableText(merged, 'CLOUD66_TOKEN_PARAMETER') ?? `/${SERVICE}/${stage}/token`;
  // Set to nothing rather than left out: that wins over the file.
  const withoutToken = { CLOUD66_TOKEN: '', CLOUD66_TOKEN_PARAMETER: tokenParameter };
  return parseDeployment({ ...environment, STAGE: stage, ...withoutToken }, packaging);
}

/** The endpoint and key of the environment, if it has them; else the SDK looks for profiles and roles. */
export function awsConnection(environment: Environment, region: string): AwsConnection {
  const set = (variable: string) => variableText(environment, variable);
  const [endpoint, accessKeyId, secretAccessKey, sessionToken] = [
    set('AWS_ENDPOINT_URL'),
    set('AWS_ACCESS_KEY_ID'),
    set('AWS_SECRET_ACCESS_KEY'),
    set('AWS_SESSION_TOKEN'),
  ];
  const hasKey = accessKeyId !== null && secretAccessKey !== null && set('AWS_PROFILE') === null;
  return {
    region,
    environment,
    ...(endpoint === null ? {} : { endpoint }),
    credentials: hasKey
      ? { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) }
      : defaultProvider(),
  };
}

/** AWS cannot be asked from this machine: it has no credentials, or they cannot be had. */
export class NoCredentialsError extends AutoscalerError {
  override readonly name = 'NoCredentialsError';
  /** As the SDK says it. */
  readonly why: string;

  constructor(why: string) {
    super(`This machine has no AWS credentials: set AWS_PROFILE, or log in (aws sso login). The SDK says: ${why}`);
    this.why = why;
  }
}

async function checkCredentials({ credentials }: AwsConnection): Promise<void> {
  try {
    if (typeof credentials === 'function') await credentials();
  } catch (error) {
    throw new NoCredentialsError(asError(error).message);
  }
}
