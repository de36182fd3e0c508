/**
 * Looks at a deployment, its settings and what it depends on, and says what is wrong and what to do about it. One file
 * per concern; `doctor.ts` puts them in order. Nothing here changes anything, and nothing that is deployed imports it.
 */
import type { Cloud66Client } from '../cloud66/client.ts';
import type { TokenSource } from '../cloud66/token.ts';
import type { Deployment } from '../config/deployment.ts';
import type { Clock, OverrideReader, QueueReader } from '../reconcile/ports.ts';
import type { DeploymentReader } from './aws.ts';

/** `warn` is worth a look, `fail` keeps something from working. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** What one check found. */
export interface CheckResult {
  /** Stable, such as `alarm:mailer`: the check, and the target or stack it is about. */
  readonly id: string;
  readonly status: CheckStatus;
  /** What is right when the check is ok. */
  readonly title: string;
  /** What was found. */
  readonly detail: string;
  /** What to do; empty when there is nothing to do. */
  readonly advice: string;
}

/** Everything that is looked at. */
export interface Examined {
  readonly clock: Clock;
  /** Service and stage, with which the names of all resources begin. */
  readonly name: string;
  readonly deployment: Deployment;
  /** Time between two looks at a target that is watched. */
  readonly watchIntervalSeconds: number;
  /** The Cloud 66 account of a token's parameter; undefined = the one for all. */
  readonly accountOf: (tokenParameter: string | undefined) => {
    readonly token: TokenSource;
    readonly client: Cloud66Client;
  };
  readonly queue: QueueReader;
  readonly overrides: OverrideReader;
  readonly aws: DeploymentReader;
  /** False when even a call that must be refused is not to be made. */
  readonly probesScope: boolean;
  readonly signal: AbortSignal;
}

/** Results as they come. */
export type Checks = AsyncGenerator<CheckResult, void>;

/** A check's identity. */
export interface Subject {
  readonly id: string;
  readonly title: string;
}

export function ok(subject: Subject, detail: string): CheckResult {
  return { ...subject, status: 'ok', detail, advice: '' };
}

export function warn(subject: Subject, detail: string, advice: string): CheckResult {
  return { ...subject, status: 'warn', detail, advice };
}

export function fail(subject: Subject, detail: string, advice: string): CheckResult {
  return { ...subject, status: 'fail', detail, advice };
}

/** For what could not be looked at because of something that another check tells. */
export function notChecked(subject: Subject, why: string): CheckResult {
  return warn(subject, `not checked: ${why}`, 'Run doctor again when that is mended.');
}

/** A value, or the error that came instead. */
export type Attempt<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'error'; readonly error: unknown; readonly message: string };

export async function attempt<T>(call: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { kind: 'ok', value: await call() };
  } catch (error) {
    return {
      kind: 'error',
      error,
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    };
  }
}

/** `one, two and 3 more`. */
export function listed(names: readonly string[], most = 10): string {
  const shown = names.slice(0, most).join(', ') || 'none';
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
