/**
 * The decision book: what is decided in every situation of `book-cases.ts`, word for word. Nothing about a decision changes
 * without a line of `decision-book.txt` changing with it; what changed on purpose is read, then written by `vitest -u`.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { DecisionInput } from '../../lib/domain.ts';
import { attentionOf } from '../../lib/policy/attention.ts';
import { conditionsOf } from '../../lib/policy/conditions.ts';
import { decide } from '../../lib/policy/decide.ts';
import { distribute } from '../../lib/policy/distribute.ts';
import { forecastArrivals } from '../../lib/policy/patterns.ts';
import { REASONS } from '../../lib/policy/reasons.ts';
import { createRandom } from '../../lib/simulation/random.ts';
import { ratesOf } from '../support/observations.ts';
import { bookCases } from './book-cases.ts';

/** The decision in one line, and its working: the steps, whom it is told, whether it is looked at again. */
function told(input: DecisionInput): { readonly line: string; readonly working: readonly string[] } {
  const answer = decide(input);
  if (answer.kind === 'needs_evidence') return { line: `needs ${answer.evidence.join(', ')}`, working: [] };
  const { action, currentCount, recommendedCount, desiredCount, reason, steps } = answer;
  const { placement } = input.observation;
  const counts =
    action === 'hold' || placement.kind !== 'ok' || desiredCount === null
      ? ''
      : ` ${JSON.stringify(distribute(placement.value, desiredCount, input.policy))}`;
  const attention = attentionOf(answer, input.observation, input.policy, input.now);
  return {
    line: `${action} ${currentCount} -> ${desiredCount} of ${recommendedCount} (${reason})${counts}`,
    working: [
      ...steps.map(({ name, before, after, why }) => `${name} ${before} -> ${after}: ${why}`),
      ...conditionsOf(answer, input).map(({ kind, text }) => `tell ${kind}: ${text}`),
      ...(attention.awake ? [`awake: ${attention.why}`] : []),
      ...(attention.awake || attention.afterBurst === undefined ? [] : [`watched: ${attention.afterBurst}`]),
    ],
  };
}

const digest = (lines: readonly string[]) => createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 10);

/** Minutes with batches of some cycles, noise, and a batch that is missing now and then. */
function pastOf(index: number): readonly number[] {
  const random = createRandom(`past/${index}`);
  const cycle = random.pick([5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440]);
  const length = Math.min(20_160, cycle * random.integer(1, 12) + random.integer(0, 90));
  const size = random.pick([4, 9, 40, 300]);
  const noise = random.pick([0, 0, 1, 3]);
  return Array.from({ length }, (_, minute) => {
    const late = random.chance(0.1) ? 1 : 0;
    const isDue = minute % cycle === (7 + late) % cycle && !random.chance(0.15);
    return (isDue ? Math.round(size * (0.7 + 0.6 * random.next())) : 0) + random.integer(0, noise);
  });
}

describe('the decision book', () => {
  const { edges, drawn } = bookCases();

  it('says the same at every edge', async () => {
    const pages = edges.map(({ name, input }) => {
      const { line, working } = told(input);
      return [`${name}: ${line}`, ...working.map((text) => `    ${text}`)].join('\n');
    });
    const reasons = Object.entries(REASONS).map(([reason, sentence]) => `${reason}: ${sentence}`);
    await expect(`${[...pages, '', ...reasons].join('\n')}\n`).toMatchFileSnapshot('decision-book.txt');
  });

  it('says the same in situations drawn from a seed', async () => {
    const lines = drawn.map(({ name, input }) => {
      const { line, working } = told(input);
      return `${name}: ${line} ${digest(working)}`;
    });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('decision-book-drawn.txt');
  });

  it('foresees the same', async () => {
    const lines = Array.from({ length: 80 }, (_, index) => {
      const { startMs, expected, cycleMinutes } = forecastArrivals(ratesOf(pastOf(index)));
      const found = expected.flatMap((count, minute) =>
        count > 0 ? [`${minute}=${count.toFixed(3)}/${cycleMinutes[minute]}`] : [],
      );
      return `${index}: ${startMs} ${found.join(' ')}`;
    });
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot('decision-book-forecasts.txt');
  });
});
