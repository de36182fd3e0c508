/** Everybody who can be replayed, by name: our strategies first, then the rules of other products. */
import { InvalidInputError } from '../errors.ts';
import { baselines } from './baselines/index.ts';
import { OUR_STRATEGIES, ourPolicy, peerPolicy, type ReplayPolicy } from './policies.ts';

export const REPLAY_POLICIES: readonly ReplayPolicy[] = [
  ...OUR_STRATEGIES.map(ourPolicy),
  ...baselines.map(peerPolicy),
];

/**
 * The policies of a list such as `latency,keda`, or of `all`.
 *
 * @throws InvalidInputError naming the unknown ones and those that exist.
 */
export function policiesNamed(list: string): readonly ReplayPolicy[] {
  if (list === 'all') return REPLAY_POLICIES;
  const names = [...new Set(list.split(',').map((name) => name.trim()))];
  const found = names.map((name) => REPLAY_POLICIES.find((policy) => policy.name === name));
  const unknown = names.filter((_, index) => found[index] === undefined);
  if (unknown.length > 0) {
    const known = ['all', ...REPLAY_POLICIES.map(({ name }) => name)].join(', ');
    const problems = unknown.map((name) => ({ field: 'policy', message: `found "${name}", expected one of ${known}` }));
    throw new InvalidInputError('backtest', problems);
  }
  return found.filter((policy) => policy !== undefined);
}
