/** When to look at a running action again. Pure. */

/** How the pause grows, within what SQS allows a visibility timeout to be. */
export interface LookAgainLimits {
  readonly firstSeconds: number;
  /** Each pause is this many times the one before. */
  readonly growth: number;
  readonly maximumSeconds: number;
}

/**
 * Most actions take 20 s to 3 minutes: after the first look (`ACTION_FIRST_LOOK_SECONDS`, 30) the next comes after 15 s, then
 * one every 20 s. The shortest next action takes about that long, so what an action did is seen before the next one changes
 * it. The 900 s after which an action is given up are reached after about 45 looks; a queue allows 1,000 receives.
 */
const DEFAULT_LIMITS: LookAgainLimits = { firstSeconds: 15, growth: 1.3, maximumSeconds: 20 };

/** The longest visibility timeout: 12 hours. Source: SQS API Reference, ChangeMessageVisibility. */
const SQS_MAXIMUM_SECONDS = 43_200;

/**
 * Whole seconds until the next look.
 * @param receiveCount how often the message has been received, this time included; at least 1
 */
export function lookAgainSeconds(receiveCount: number, limits: LookAgainLimits = DEFAULT_LIMITS): number {
  const looks = Math.max(1, receiveCount);
  // The exponent is bounded so that the power stays finite for any receive count.
  const grown = limits.firstSeconds * limits.growth ** Math.min(looks - 1, 100);
  return Math.round(Math.min(grown, limits.maximumSeconds, SQS_MAXIMUM_SECONDS));
}
