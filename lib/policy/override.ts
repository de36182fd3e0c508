/** A person's word goes before every strategy, within the limits, and ends by itself. */
import type { DecisionInput, Override } from '../domain.ts';
import { hold, pass, type Rule, type Situation } from './ruling.ts';

/** The override in force; null when there is none, it has ended, or it is not known whether there is one. */
export function overrideInForce({ now, override }: Pick<DecisionInput, 'now' | 'override'>): Override | null {
  return override.kind === 'ok' && override.value !== null && now < override.value.untilMs ? override.value : null;
}

/** An override for people: what, until when and why. */
export function overrideText({ kind, workers, untilMs, why }: Override): string {
  const what = { count: `${workers} workers`, pause: 'no change', pause_scale_in: 'no scale in' }[kind];
  return `${what} until ${new Date(untilMs).toISOString()}: ${why}`;
}

/** Holds every scale in while somebody has paused them, corrections included. */
export const pauseScaleIn: Rule<Situation> = (situation, count) => {
  const { currentCount } = situation;
  const override = count < currentCount ? overrideInForce(situation) : null;
  if (override?.kind !== 'pause_scale_in') return pass(count);
  return hold('override', count, currentCount, 'scale_in_paused', `Overridden: ${overrideText(override)}`);
};
