/**
 * Kinds of values that a setting can have: how the text of a variable becomes a value, and the words that tell a user
 * what was expected. Pure; knows no variable by name.
 */
import type { StepLimit, StepRule } from '../domain.ts';

/** How one kind of value is written. */
export interface ValueType<T> {
  /** Completes the sentence `"ten" is not …`. */
  readonly expected: string;
  /** The value, or null when the text is not such a value. The text is trimmed and not empty. */
  parse(text: string): T | null;
  /** What exactly is wrong with a text that `parse` refuses, where `expected` does not tell. */
  explain?(text: string): string | null;
}

/** CloudWatch metric as a user writes it; `stat` is a CloudWatch statistic. */
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly stat: string;
}

/** CloudWatch accepts at most this many dimensions for one metric (PutMetricData, Dimensions). */
const MAX_DIMENSIONS = 30;
const MAX_STEP_RULES = 20;
/** Longer steps are cut in messages. */
const MAX_STEP_LENGTH = 30;
const MAX_STEP_WORKERS = 1000;
const MAX_STEP_PERCENT = 1000;
const MAX_SERVERS = 200;

/** A whole number within bounds, both included. */
export function wholeNumber(min: number, max: number): ValueType<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (text) => within(/^[+-]?\d{1,15}$/.test(text) ? Number(text) : null, min, max),
  };
}

/** A number within bounds, both included; written without exponent, so that a slip of the hand is not a huge number. */
export function decimalNumber(min: number, max: number): ValueType<number> {
  return {
    expected: `a number from ${min} to ${max}`,
    parse: (text) => within(/^\d{1,15}(\.\d{1,15})?$|^\.\d{1,15}$/.test(text) ? Number(text) : null, min, max),
  };
}

/** A share, as 0.25 or as 25%. */
export function share(max: number): ValueType<number> {
  return {
    expected: `a share from 0 to ${max}, or a percentage from 0% to ${100 * max}%`,
    parse: (text) => {
      const percent = /^(.*\S)\s*%$/.exec(text)?.[1];
      if (percent === undefined) return decimalNumber(0, max).parse(text);
      const value = decimalNumber(0, 100 * max).parse(percent);
      return value === null ? null : value / 100;
    },
  };
}

function within(value: number | null, min: number, max: number): number | null {
  return value !== null && value >= min && value <= max ? value : null;
}

/** Whole minutes, written in seconds: the periods that CloudWatch evaluates once a minute. */
export function wholeMinutes(maxSeconds: number): ValueType<number> {
  const seconds = wholeNumber(60, maxSeconds);
  return {
    expected: `a multiple of 60 from 60 to ${maxSeconds}`,
    parse: (text) => {
      const value = seconds.parse(text);
      return value !== null && value % 60 === 0 ? value : null;
    },
  };
}

/** Yes or no, in the usual spellings. */
export const flag: ValueType<boolean> = {
  expected: 'true or false',
  parse: (text) => {
    const lower = text.toLowerCase();
    if (['true', '1', 'yes', 'on'].includes(lower)) return true;
    return ['false', '0', 'no', 'off'].includes(lower) ? false : null;
  },
};

/** One of a few words, in any casing. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueType<W> {
  return {
    expected: words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`,
    parse: (text) => words.find((word) => word === text.toLowerCase()) ?? null,
  };
}

/** Text of a given form. */
export function matching(pattern: RegExp, expected: string): ValueType<string> {
  return { expected, parse: (text) => (pattern.test(text) ? text : null) };
}

/** How many workers one change may move: `5` or `50%`. */
export const stepLimit: ValueType<StepLimit> = {
  expected: `a number of workers from 1 to ${MAX_STEP_WORKERS}, or a percentage from 1% to ${MAX_STEP_PERCENT}%`,
  parse: (text) => {
    const percent = text.endsWith('%');
    const amount = percent ? text.slice(0, -1).trim() : text;
    const value = wholeNumber(1, percent ? MAX_STEP_PERCENT : MAX_STEP_WORKERS).parse(amount);
    if (value === null) return null;
    return percent ? { kind: 'percent', percent: value } : { kind: 'workers', workers: value };
  },
};

/** Steps of the `step` strategy: `0:-1,100:+1,500:+5`. */
export const stepRules: ValueType<readonly StepRule[]> = {
  expected:
    'a list of backlog:change such as 0:-1,100:+1,500:+5, backlogs ascending and each once, ' +
    `with at least one change above 0 and at most ${MAX_STEP_RULES} steps`,
  parse: (text) => {
    const rules = readSteps(text);
    return typeof rules === 'string' ? null : rules;
  },
  explain: (text) => {
    const rules = readSteps(text);
    return typeof rules === 'string' ? rules : null;
  },
};

/** The steps, or a sentence on the first that is wrong. */
function readSteps(text: string): readonly StepRule[] | string {
  const rules: StepRule[] = [];
  for (const [index, part] of text.split(',').entries()) {
    const [rule, before] = [stepRule(part.trim()), rules.at(-1)];
    const step = `step ${index + 1}, ${JSON.stringify(part.trim().slice(0, MAX_STEP_LENGTH))},`;
    if (rule === null) return `${step} is not backlog:change`;
    if (before !== undefined && rule.atLeast <= before.atLeast) {
      return `${step} must have a backlog of more than ${before.atLeast}, that of the step before it`;
    }
    rules.push(rule);
  }
  if (rules.length > MAX_STEP_RULES) return `${rules.length} steps are too many`;
  return rules.some((rule) => rule.change > 0) ? rules : 'no step has a change above 0';
}

function stepRule(text: string): StepRule | null {
  const match = /^(\d{1,12})\s*:\s*([+-]?\d{1,4})$/.exec(text);
  const change = within(match === null ? null : Number(match[2]), -MAX_STEP_WORKERS, MAX_STEP_WORKERS);
  // `+ 0` turns -0, which `-0` parses to, into 0.
  return match === null || change === null ? null : { atLeast: Number(match[1]), change: change + 0 };
}

/** Names between commas, each once. */
export const serverNames: ValueType<readonly string[]> = {
  expected: `a comma-separated list of 1 to ${MAX_SERVERS} server names, each once and none empty`,
  parse: (text) => {
    const names = text.split(',').map((name) => name.trim());
    const good = names.every((name) => /^[^\s\p{Cc}]{1,255}$/u.test(name)) && new Set(names).size === names.length;
    return good && names.length <= MAX_SERVERS ? names : null;
  },
};

/**
 * `Namespace/Name?Dimension=Value&stat=Maximum`. A namespace may contain slashes, so the last one divides; what
 * CloudWatch allows and this form does not is written percent-encoded. `stat` is Maximum when left out.
 */
export const metricName: ValueType<MetricName> = {
  expected:
    'a CloudWatch metric such as Namespace/Name?Dimension=Value&stat=Maximum ' +
    '(stat: Average, Maximum, Minimum, Sum, SampleCount or p1 to p99)',
  parse: (text) => {
    const [path = '', query = '', ...rest] = text.split('?');
    const slash = path.lastIndexOf('/');
    const namespace = decoded(path.slice(0, Math.max(slash, 0)));
    const name = decoded(path.slice(slash + 1));
    const parameters = queryParameters(query);
    if (namespace === null || name === null || parameters === null || rest.length > 0) return null;
    const { stat = 'Maximum', ...dimensions } = parameters;
    if (!/^(Average|Maximum|Minimum|Sum|SampleCount|p[1-9]\d?)$/.test(stat)) return null;
    return Object.keys(dimensions).length <= MAX_DIMENSIONS ? { namespace, name, dimensions, stat } : null;
  },
};

/** `a=b&c=d` with every name once and no side empty; null when malformed. */
function queryParameters(query: string): Record<string, string> | null {
  const parameters = new Map<string, string>();
  for (const pair of query === '' ? [] : query.split('&')) {
    const equals = pair.indexOf('=');
    const name = decoded(pair.slice(0, Math.max(equals, 0)));
    const value = decoded(pair.slice(equals + 1));
    if (name === null || value === null || parameters.has(name)) return null;
    parameters.set(name, value);
  }
  return Object.fromEntries(parameters);
}

/** Percent-decoded text of 1 to 255 characters without control characters; null otherwise. */
function decoded(text: string): string | null {
  try {
    const plain = decodeURIComponent(text);
    return /^[^\p{Cc}]{1,255}$/u.test(plain) ? plain : null;
  } catch {
    return null;
  }
}

/** This very machine. */
export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '[::1]', 'localhost'];

/** Base address of an API, without the slash at its end. Encrypted, except on this very machine. */
export const apiUrl: ValueType<string> = {
  expected: 'an https:// address without user, query or fragment (http:// only on 127.0.0.1, ::1 or localhost)',
  parse: (text) => {
    const url = safeUrl(text);
    return url === null ? null : `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  },
};

/** SQS names: letters, digits, `-` and `_`, at most 80 with the `.fifo` that a FIFO queue must have (CreateQueue). */
const QUEUE_NAME = /^(?=.{1,80}$)[A-Za-z0-9_-]+(\.fifo)?$/;

/** Name of an SQS queue of this account and region. */
export const queueName: ValueType<string> = matching(
  QUEUE_NAME,
  'an SQS queue name (up to 80 letters, digits, - and _, with .fifo at the end of a FIFO queue)',
);

/** Address of an SQS queue: its path is the account and the name. */
export const queueUrl: ValueType<string> = sqsUrl(false);
/** Address of an SQS FIFO queue. */
export const fifoQueueUrl: ValueType<string> = sqsUrl(true);

function sqsUrl(fifo: boolean): ValueType<string> {
  const suffix = fifo ? '.fifo' : '';
  return {
    expected: `an SQS queue URL such as https://sqs.eu-west-1.amazonaws.com/123456789012/jobs${suffix}`,
    parse: (text) => {
      const parts = queueUrlParts(text);
      return parts?.queueName.endsWith(suffix) ? text : null;
    },
  };
}

/**
 * Hosts of SQS, their region in the middle: standard, FIPS, VPC endpoint, and the old form
 * (https://docs.aws.amazon.com/general/latest/gr/sqs-service.html). A misspelt region must not pass for a local server.
 */
const REGION = String.raw`([a-z]{2,5}(?:-[a-z]+)+-\d{1,2})`;
const SUFFIX = String.raw`(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov)`;
const SQS_HOSTS = [
  `sqs(?:-fips)?\\.${REGION}\\.${SUFFIX}`,
  `vpce-[a-z0-9-]+\\.sqs\\.${REGION}\\.vpce\\.${SUFFIX}`,
  `${REGION}\\.queue\\.${SUFFIX}`,
].map((pattern) => new RegExp(`^${pattern}$`));

/** What the address of an SQS queue tells. The region is null where the host does not name one (a local server). */
export interface QueueUrlParts {
  readonly region: string | null;
  readonly accountId: string;
  readonly queueName: string;
}

/** Takes the address of an SQS queue apart; null when it is none. */
export function queueUrlParts(text: string): QueueUrlParts | null {
  const url = safeUrl(text);
  const match = /^\/(\d{12})\/([^/]+)$/.exec(url?.pathname ?? '');
  const [accountId, name] = [match?.[1], match?.[2]];
  if (url === null || accountId === undefined || name === undefined || !QUEUE_NAME.test(name)) return null;
  const region = SQS_HOSTS.map((host) => host.exec(url.hostname)?.[1]).find((found) => found !== undefined) ?? null;
  return region === null && !LOOPBACK_HOSTS.includes(url.hostname) ? null : { region, accountId, queueName: name };
}

function safeUrl(text: string): URL | null {
  const url = URL.parse(text);
  if (url === null || `${url.username}${url.password}${url.search}${url.hash}` !== '') return null;
  const loopback = url.protocol === 'http:' && LOOPBACK_HOSTS.includes(url.hostname);
  return url.protocol === 'https:' || loopback ? url : null;
}
