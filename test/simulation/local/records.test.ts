import { describe, expect, it } from 'vitest';
import { recordOf, whyOf } from '../../../lib/simulation/local/records.ts';

describe('a line of a function', () => {
  it('that holds a record is read', () => {
    expect(recordOf('{"level":"info","message":"hello"}')).toEqual({ level: 'info', message: 'hello' });
  });

  it.each([
    ['metrics', '{"_aws":{},"message":"x"}'],
    ['text', 'REPORT RequestId: 1'],
    ['half a record', '{"message":'],
    ['JSON of something else', '{"hello":1}'],
    ['nothing', ''],
  ])('that is none (%s) is left out', (_title, line) => {
    expect(recordOf(line)).toBeNull();
  });
});

describe('why a decision is what it is', () => {
  const step = (name: string, before: number | null, after: number | null) => ({
    name,
    before,
    after,
    why: `${name}.`,
  });
  const decision = (action: string, steps: readonly ReturnType<typeof step>[]) => ({
    action,
    reason: 'on_target',
    steps,
  });

  it('names the recommendation and the rule that set another count', () => {
    const steps = [step('load', 4, 4), step('recommend', 4, 1), step('stabilize', 1, 2), step('cooldown', 2, 2)];
    expect(whyOf(decision('scale_in', steps))).toBe('recommend. stabilize.');
  });

  it('says it once when the recommendation stood', () => {
    expect(whyOf(decision('scale_out', [step('recommend', 1, 8), step('tolerate', 8, 8)]))).toBe('recommend.');
    expect(whyOf(decision('scale_out', [step('bounds', 0, 1)]))).toBe('bounds.');
  });

  it('is the rule that held for a hold', () => {
    expect(whyOf(decision('hold', [step('recommend', 4, 1), step('gate', 1, 4)]))).toBe('gate.');
    expect(whyOf(decision('hold', []))).toBe('');
  });
});
