/**
 * One message for all notices of an invocation, to one SNS topic, by one signed request: a client of the SDK would cost more at
 * every cold start than all messages of a month. Trouble with it is told in the log and never stops anything.
 * Source: Amazon SNS API Reference, Publish (query protocol).
 */
import { AutoscalerError } from '../errors.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { Notice } from './notices.ts';

/** Sends a form to a service. @throws what the connection throws; answers with status and text */
export type PostForm = (
  request: { readonly service: string; readonly endpoint: string; readonly form: URLSearchParams },
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly text: string }>;

export interface PublisherOptions {
  readonly postForm: PostForm;
  readonly topicArn: string;
  /** Value of `AWS_ENDPOINT_URL_SNS` or `AWS_ENDPOINT_URL`, when set. */
  readonly endpoint?: string | undefined;
  readonly stage: string;
  readonly clock: Clock;
}

/** Messages per hour from one execution environment: what comes beyond them waits and goes into the next one. */
const MAX_MESSAGES_PER_HOUR = 12;
const HOUR_MS = 3_600_000;
/** Lines of one message; the others are counted. */
const MAX_LINES = 40;
/** SNS: subjects are ASCII and shorter than 100 characters. */
const MAX_SUBJECT_CHARACTERS = 99;

/** Sends notices; holds back those that come too fast. */
export interface Publisher {
  /** @returns the number of messages sent, 0 or 1. @throws AutoscalerError when SNS did not take it; the notices are kept */
  publish(notices: readonly Notice[], signal: AbortSignal): Promise<number>;
}

export function createPublisher({ postForm, topicArn, endpoint, stage, clock }: PublisherOptions): Publisher {
  let held: readonly Notice[] = [];
  let sentMs: readonly number[] = [];
  return {
    async publish(notices, signal) {
      const nowMs = clock.nowMs();
      held = [...held, ...notices].slice(-10 * MAX_LINES);
      sentMs = sentMs.filter((atMs) => atMs <= nowMs && nowMs - atMs < HOUR_MS);
      if (held.length === 0 || sentMs.length >= MAX_MESSAGES_PER_HOUR) return 0;
      const request = {
        service: 'sns',
        endpoint: endpoint ?? endpointOf(topicArn),
        form: formOf(topicArn, stage, held),
      };
      const { status, text } = await postForm(request, signal);
      if (status !== 200) throw new AutoscalerError(`SNS topic ${topicArn}: ${refusalIn(status, text)}`);
      sentMs = [...sentMs, nowMs];
      held = [];
      return 1;
    },
  };
}

function formOf(topicArn: string, stage: string, notices: readonly Notice[]): URLSearchParams {
  const kinds = JSON.stringify([...new Set(notices.map(({ kind }) => kind))]);
  return new URLSearchParams({
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: topicArn,
    Subject: subjectOf(stage, notices),
    Message: messageOf(notices),
    // For filter policies: people who want trouble alone subscribe to its kinds.
    'MessageAttributes.entry.1.Name': 'kinds',
    'MessageAttributes.entry.1.Value.DataType': 'String.Array',
    'MessageAttributes.entry.1.Value.StringValue': kinds,
    'MessageAttributes.entry.2.Name': 'stage',
    'MessageAttributes.entry.2.Value.DataType': 'String',
    'MessageAttributes.entry.2.Value.StringValue': stage,
  });
}

/** What a mail client shows in its list: the first notice, and how many more there are. */
export function subjectOf(stage: string, notices: readonly Notice[]): string {
  const [first, ...more] = notices;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  const start = first === undefined ? '' : `${first.targetId}: ${first.kind.replaceAll('_', ' ')}`;
  const room = MAX_SUBJECT_CHARACTERS - others.length;
  return `${`[${stage}] ${start}`.replace(/[^\x20-\x7e]/g, '?').slice(0, room)}${others}`;
}

/** One line per notice. */
export function messageOf(notices: readonly Notice[]): string {
  const lines = notices.slice(0, MAX_LINES).map(({ kind, targetId, text }) => `${targetId} (${kind}): ${text}`);
  const rest = notices.length - lines.length;
  return [...lines, ...(rest > 0 ? [`… and ${rest} more`] : [])].join('\n');
}

/** `arn:aws:sns:eu-west-1:…`: the region of the topic, which need not be ours. */
function endpointOf(topicArn: string): string {
  const [, partition, , region] = topicArn.split(':');
  return `https://sns.${region}.amazonaws.com${partition === 'aws-cn' ? '.cn' : ''}`;
}

/** Code and message of SNS's XML. */
function refusalIn(status: number, text: string): string {
  const part = (name: string) => new RegExp(`<${name}>([^<]{0,300})`).exec(text)?.[1];
  return [part('Code') ?? `status ${status}`, part('Message')].filter((one) => one !== undefined).join(': ');
}
