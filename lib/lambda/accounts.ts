/** The Cloud 66 accounts of a deployment: one for all targets, and those that targets name a token of their own for. */
import type { Target } from '../domain.ts';
import { AutoscalerError } from '../errors.ts';
import type { ProcessHost, Scaler } from '../reconcile/ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CallReport } from './calls.ts';

/** Everything that belongs to one token: its calls are counted, and run out, by themselves. */
export interface Account {
  readonly host: ProcessHost;
  readonly scaler: Scaler;
  readonly calls: CallReport;
}

/** Name of a token's parameter; undefined = the token for all. */
type AccountName = string | undefined;

/** The accounts, each made when it is first asked for. */
export interface Accounts {
  of(tokenParameter: AccountName): Account;
  /** Tells what there is to tell of the calls of each. */
  tell(logger: Logger): void;
}

/** The most that one execution environment keeps: records name parameters, and a queue may hold anything. */
const MAX_ACCOUNTS = 100;

export function createAccounts(open: (tokenParameter: AccountName) => Account): Accounts {
  const accounts = new Map<AccountName, Account>();
  return {
    of(tokenParameter) {
      const known = accounts.get(tokenParameter);
      if (known) return known;
      if (accounts.size >= MAX_ACCOUNTS) throw new AutoscalerError(`More than ${MAX_ACCOUNTS} Cloud 66 accounts.`);
      const account = open(tokenParameter);
      accounts.set(tokenParameter, account);
      return account;
    },
    tell: (logger) => {
      for (const { calls } of accounts.values()) calls.tell(logger);
    },
  };
}

/** The host of all stacks: each call goes to the account of its stack. */
export function hostOfStacks(
  targets: readonly Target[],
  hostOf: (tokenParameter: AccountName) => ProcessHost,
): ProcessHost {
  const tokens = tokensOf(targets);
  const host = (stackUid: string) => hostOf(tokens.get(stackUid));
  return {
    placements: (stackUid, ...rest) => host(stackUid).placements(stackUid, ...rest),
    allowance: (stackUid) => host(stackUid).allowance(stackUid),
    stack: (stackUid, ...rest) => host(stackUid).stack(stackUid, ...rest),
    actions: (stackUid, ...rest) => host(stackUid).actions(stackUid, ...rest),
    action: (stackUid, ...rest) => host(stackUid).action(stackUid, ...rest),
  };
}

/** The lever of all stacks. */
export function scalerOfStacks(targets: readonly Target[], { of }: Accounts): Scaler {
  const tokens = tokensOf(targets);
  return { scale: (request, signal) => of(tokens.get(request.stackUid)).scaler.scale(request, signal) };
}

function tokensOf(targets: readonly Target[]): ReadonlyMap<string, AccountName> {
  return new Map(targets.map(({ stackUid, tokenParameter }) => [stackUid, tokenParameter]));
}
