/** The deployed functions: there, as set up here, ticked by the schedule, fed by the actions queue, and alive. */
import type { DeployedFunction, LoggedLine } from './aws.ts';
import { attempt, type CheckResult, type Checks, type Examined, fail, listed, notChecked, ok, warn } from './check.ts';
import { allows } from './policy-text.ts';

const FUNCTIONS = { id: 'functions', title: 'Both functions are deployed, with the settings of here' };
const SCHEDULE = { id: 'schedule', title: 'The schedule ticks the scale function' };
const MAPPING = { id: 'mapping', title: 'The actions queue feeds the poller' };
const CONCURRENCY = { id: 'concurrency', title: 'The reserved concurrency is possible' };
const HEARTBEAT = { id: 'heartbeat', title: 'The scale function runs' };
const DEPLOY = 'Run npm run deploy.';
const UNSEEN = 'the functions could not be seen';

/** What is known of the functions; null where they could not be seen. */
export interface SeenFunctions {
  readonly result: CheckResult;
  readonly scale: DeployedFunction | null;
}

/** Looks for the functions. The other checks of the deployment depend on them. */
export async function seeFunctions({ aws, name, deployment, signal }: Examined): Promise<SeenFunctions> {
  const read = await attempt(() =>
    Promise.all([aws.function(`${name}-scale`, signal), aws.function(`${name}-poller`, signal)]),
  );
  if (read.kind === 'error') {
    const advice = 'Does this machine have credentials for the account, with lambda:GetFunctionConfiguration?';
    return { result: fail(FUNCTIONS, read.message, advice), scale: null };
  }
  const [scale, poller] = read.value;
  const missing = [...(scale ? [] : [`${name}-scale`]), ...(poller ? [] : [`${name}-poller`])];
  if (scale === null || poller === null) {
    const advice = `${DEPLOY} Or do --stage and --region name another deployment?`;
    return { result: fail(FUNCTIONS, `there is no ${listed(missing)}`, advice), scale };
  }
  const bad = [scale, poller].find(
    ({ state, lastUpdateStatus }) => state !== 'Active' || lastUpdateStatus === 'Failed',
  );
  if (bad !== undefined) {
    return {
      result: fail(FUNCTIONS, `${bad.arn} is ${bad.state}, last update ${bad.lastUpdateStatus}`, DEPLOY),
      scale,
    };
  }
  const { environments } = deployment;
  const differing = [
    ...differingVariables(scale.variables, environments.scale),
    ...differingVariables(poller.variables, environments.poller),
  ];
  const result =
    differing.length === 0
      ? ok(FUNCTIONS, `deployed ${new Date(scale.modifiedAtMs).toISOString()}`)
      : warn(
          FUNCTIONS,
          `set differently there: ${listed([...new Set(differing)])}`,
          `To bring them in line: ${DEPLOY}`,
        );
  return { result, scale };
}

/** Variables that the template sets by itself, and those by which the local run is told where things are. */
const OF_TEMPLATE = ['STAGE', 'ACTIONS_QUEUE_URL', 'ACTIONS_DEAD_LETTER_QUEUE_URL', 'ALARM_NAME_PREFIX'];

function differingVariables(
  deployed: Readonly<Record<string, string>>,
  here: Readonly<Record<string, string>>,
): readonly string[] {
  const names = new Set([...Object.keys(deployed), ...Object.keys(here)]);
  return [...names].filter((name) => !OF_TEMPLATE.includes(name) && deployed[name] !== here[name]);
}

/** Everything that hangs on the functions. */
export async function* checkFunctions(examined: Examined, scale: DeployedFunction | null): Checks {
  yield await scheduleResult(examined, scale);
  yield await mappingResult(examined, scale);
  yield await concurrencyResult(examined, scale);
  yield await heartbeatResult(examined, scale);
}

async function scheduleResult({ aws, name, signal }: Examined, scale: DeployedFunction | null): Promise<CheckResult> {
  if (scale === null) return notChecked(SCHEDULE, UNSEEN);
  const read = await attempt(() =>
    Promise.all([aws.rules(scale.arn, signal), aws.permissions(`${name}-scale`, signal)]),
  );
  if (read.kind === 'error') return notChecked(SCHEDULE, read.message);
  const [all, permissions] = read.value;
  const rules = all.filter(({ expression }) => expression !== '');
  const [first] = rules;
  if (first === undefined) return fail(SCHEDULE, 'no schedule rule points at the function', DEPLOY);
  const enabled = rules.find(({ isEnabled }) => isEnabled);
  if (enabled === undefined) {
    return fail(SCHEDULE, `rule ${first.name} is disabled`, `Enable it: aws events enable-rule --name ${first.name}`);
  }
  if (!allows(permissions, 'events.amazonaws.com', enabled.arn)) {
    return fail(SCHEDULE, `rule ${enabled.name} may not invoke the function`, DEPLOY);
  }
  return ok(SCHEDULE, `${enabled.expression}, rule ${enabled.name}`);
}

async function mappingResult({ aws, name, signal }: Examined, scale: DeployedFunction | null): Promise<CheckResult> {
  if (scale === null) return notChecked(MAPPING, UNSEEN);
  const read = await attempt(() => aws.mappings(`${name}-poller`, signal));
  if (read.kind === 'error') return notChecked(MAPPING, read.message);
  const mapping = read.value.find(({ sourceArn }) => sourceArn.endsWith(`:${name}-actions.fifo`));
  if (mapping === undefined)
    return fail(MAPPING, 'the poller has no event source mapping to the actions queue', DEPLOY);
  if (!mapping.reportsItemFailures) {
    const detail = 'the mapping does not report failures by item: one record would bring back its whole batch';
    return fail(MAPPING, detail, DEPLOY);
  }
  switch (mapping.state) {
    case 'Enabled':
      return ok(MAPPING, 'it is enabled');
    case 'Creating':
    case 'Enabling':
    case 'Updating':
      return warn(MAPPING, `it is ${mapping.state.toLowerCase()}`, 'Run doctor again in a minute.');
    default:
      return fail(
        MAPPING,
        `it is ${mapping.state}`,
        'Enable it, or actions are never confirmed: update-event-source-mapping.',
      );
  }
}

/** New accounts have ten in all; the rest of an account should keep a hundred. */
const LEAST_UNRESERVED = 10;
const COMFORTABLE_UNRESERVED = 100;

async function concurrencyResult(
  { aws, name, deployment, signal }: Examined,
  scale: DeployedFunction | null,
): Promise<CheckResult> {
  const wanted = deployment.reservedConcurrency;
  if (wanted === null) return ok(CONCURRENCY, 'none is asked for');
  const read = await attempt(async () => ({
    account: await aws.concurrency(signal),
    reserved: scale === null ? null : await aws.reservedConcurrency(`${name}-scale`, signal),
  }));
  if (read.kind === 'error') return notChecked(CONCURRENCY, read.message);
  const { account, reserved } = read.value;
  const left = account.unreserved + (reserved ?? 0) - wanted;
  const detail = `${wanted} of the account's ${account.limit}, which leaves ${left} unreserved`;
  if (left < LEAST_UNRESERVED) {
    return fail(CONCURRENCY, detail, 'Set RESERVED_CONCURRENCY=none, or ask AWS for a higher limit.');
  }
  if (scale !== null && reserved !== wanted) {
    return warn(CONCURRENCY, `${reserved ?? 'none'} reserved there, ${wanted} here`, DEPLOY);
  }
  if (left < COMFORTABLE_UNRESERVED) return warn(CONCURRENCY, detail, 'Other functions may be throttled.');
  return ok(CONCURRENCY, detail);
}

const LOG_SECONDS = 900;
const SILENCE_SECONDS = 300;

/** Every pass writes at least its metrics, so the newest line is the newest pass. */
async function heartbeatResult(
  { aws, name, clock, signal }: Examined,
  scale: DeployedFunction | null,
): Promise<CheckResult> {
  if (scale === null) return notChecked(HEARTBEAT, UNSEEN);
  const nowMs = clock.nowMs();
  const read = await attempt(() => aws.log(`${name}-scale`, nowMs - LOG_SECONDS * 1000, signal));
  if (read.kind === 'error') return notChecked(HEARTBEAT, read.message);
  const newest = read.value.at(-1);
  const ageSeconds = newest === undefined ? null : Math.max(0, Math.round((nowMs - newest.atMs) / 1000));
  if (ageSeconds === null || ageSeconds > SILENCE_SECONDS) {
    const since = ageSeconds === null ? `for ${LOG_SECONDS} s at least` : `for ${ageSeconds} s`;
    const isNew = nowMs - scale.modifiedAtMs < SILENCE_SECONDS * 1000;
    if (isNew) return warn(HEARTBEAT, 'it was deployed a moment ago and has not run yet', 'Run doctor again soon.');
    return fail(
      HEARTBEAT,
      `its log is silent ${since}`,
      'It should tick once a minute: look at schedule and throttles.',
    );
  }
  return pulseResult(read.value, ageSeconds);
}

function pulseResult(lines: readonly LoggedLine[], ageSeconds: number): CheckResult {
  const records = lines.map(({ text }) => recordIn(text)).filter((record) => record !== null);
  const last = records.findLast(({ event }) => event === 'decision');
  const detail = `last line ${ageSeconds} s ago; last decision logged: ${last?.message ?? `none in ${LOG_SECONDS} s that is worth a line`}`;
  const trouble = records.findLast(({ level }) => level === 'error');
  // An error that was followed by a good decision is over.
  const isOver = trouble !== undefined && last !== undefined && records.indexOf(last) > records.indexOf(trouble);
  if (trouble === undefined || isOver) return ok(HEARTBEAT, detail);
  return warn(HEARTBEAT, `${detail}; last error: ${trouble.message}`, 'npm run explain shows what it sees now.');
}

/** The fields of a log record that matter here; null for metrics, the platform's own lines, and other text. */
function recordIn(text: string): { readonly level: string; readonly message: string; readonly event: string } | null {
  const start = text.indexOf('{"timestamp"');
  if (start < 0) return null;
  try {
    const parsed: unknown = JSON.parse(text.slice(start));
    const field = (key: string) =>
      typeof parsed === 'object' && parsed !== null ? String(Reflect.get(parsed, key) ?? '') : '';
    return { level: field('level'), message: field('message'), event: field('event') };
  } catch {
    return null;
  }
}
