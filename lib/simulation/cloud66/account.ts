/**
 * A Cloud 66 account as a deterministic state machine: stacks, tokens, rate limit. No HTTP here (`routes.ts` and
 * `server.ts` serve it), no wire names (`reply-forms.ts`), no time and no randomness but what is passed in.
 *
 * Where the public documents are silent, a setting decides, so that every plausible Cloud 66 can be simulated.
 */
import type { SimulationClock } from '../clock.ts';
import type { Random } from '../random.ts';
import { CallLog } from './call-log.ts';
import type { AccountSettings, Scope, StackSeed, Token, WorkersEvent } from './model.ts';
import { type Budget, createRateLimit, type RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { Cloud66Stack } from './stack.ts';

export const DEFAULT_SETTINGS: AccountSettings = {
  // Between 20 s and 2 min, mostly around one: no latency is documented; the official client looks every 15 s for 10 min.
  scaleLatencySeconds: (random) => 20 + 100 * random.beta(2, 3),
  startUpSeconds: (random) => 15 * random.next(),
  whenBusy: 'conflict',
  omittedServers: 'keep',
  echoesUserReference: true,
  listsZeroCounts: true,
  restartsWorkersOnDeploy: true,
  callsPerHour: 3600, // the documentation's sample header; its text says 3,000
  throttledStatus: 503,
  trialExpired: false,
  warning: null,
  actionFault: () => null,
};

/** The first ids, as in the documentation's samples: small and not equal to each other. */
const FIRST_ACTION_ID = 1001;
const FIRST_RESOURCE_ID = 283;

export interface AccountOptions {
  readonly clock: SimulationClock;
  readonly random: Random;
  readonly stacks: readonly StackSeed[];
  readonly tokens: readonly Token[];
  readonly settings?: Partial<AccountSettings>;
  /** Told whenever the number of running workers of a process changes; not of those that run from the beginning. */
  readonly onWorkersChanged?: (event: WorkersEvent) => void;
}

export class Cloud66Account {
  readonly clock: SimulationClock;
  readonly settings: AccountSettings;
  readonly calls = new CallLog();
  readonly #stacks = new Map<string, Cloud66Stack>();
  #tokens: readonly Token[];
  readonly #rateLimit: RateLimit;

  constructor({ clock, random, stacks, tokens, settings, onWorkersChanged }: AccountOptions) {
    this.clock = clock;
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    this.#tokens = tokens;
    this.#rateLimit = createRateLimit(this.settings.callsPerHour, clock);
    let nextActionId = FIRST_ACTION_ID;
    for (const [index, seed] of stacks.entries()) {
      if (this.#stacks.has(seed.uid)) throw new RangeError(`stack ${seed.uid} exists already`);
      const stack = new Cloud66Stack({
        seed,
        resourceId: FIRST_RESOURCE_ID + index,
        clock,
        random: random.fork(`stack/${seed.uid}`),
        settings: this.settings,
        nextActionId: () => nextActionId++,
        onWorkersChanged: onWorkersChanged ?? (() => {}),
      });
      this.#stacks.set(seed.uid, stack);
    }
  }

  /** Throws not_found. */
  stack(uid: string): Cloud66Stack {
    const stack = this.#stacks.get(uid);
    if (stack === undefined) throw new Refusal('not_found', `no stack ${uid} in this account`);
    return stack;
  }

  /** The token of an `Authorization` header. Throws unauthenticated, without repeating what was sent. */
  authenticate(authorization: string | undefined): Token {
    const sent = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const token = this.#tokens.find((known) => known.value === sent);
    if (token === undefined) throw new Refusal('unauthenticated', 'the access token is missing, revoked or wrong');
    return token;
  }

  /** Revokes the tokens of a user; the new one may do what the first of them could. */
  replaceTokens(user: string, value: string): void {
    const scopes = this.#tokens.find((token) => token.user === user)?.scopes ?? [];
    this.#tokens = [...this.#tokens.filter((token) => token.user !== user), { value, user, scopes }];
  }

  /** Throws forbidden. */
  checkScope(token: Token, scope: Scope): void {
    if (!token.scopes.includes(scope)) throw new Refusal('forbidden', `this call needs the scope ${scope}`);
  }

  /** Takes calls from a user's budget of this hour; also for people and CI who share it. */
  spend(user: string, calls = 1): Budget {
    return this.#rateLimit.spend(user, calls);
  }

  /** Stops time for the account, so that a process on the real clock can end. */
  close(): void {
    for (const stack of this.#stacks.values()) stack.close();
  }
}
