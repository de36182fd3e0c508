import { describe, expect, it } from 'vitest';
import { createTokenSource, fixedToken } from '../../lib/cloud66/token.ts';
import { errorFrom } from './support.ts';

/** A parameter whose values come one after the other, the clock to read it by, and how often it was read. */
function parameter(...values: readonly (string | Error)[]) {
  const state = { nowMs: 0, reads: 0 };
  const readParameter = async (): Promise<string> => {
    const value = values[Math.min(state.reads, values.length - 1)] ?? '';
    state.reads += 1;
    await Promise.resolve();
    if (value instanceof Error) throw value;
    return value;
  };
  const source = createTokenSource({ name: '/cloud66/token', readParameter, clock: { nowMs: () => state.nowMs } });
  return { state, source };
}

describe('a token from a parameter', () => {
  it('is read once for 300 seconds, however many ask', async () => {
    const { state, source } = parameter('first', 'second');
    expect(await Promise.all([source.get(), source.get(), source.refresh()])).toEqual(['first', 'first', 'first']);
    state.nowMs = 299_999;
    expect(await source.get()).toBe('first');
    expect(state.reads).toBe(1);
    state.nowMs = 300_000;
    expect(await source.get()).toBe('second');
  });

  it('is refreshed at most every 30 seconds', async () => {
    const { state, source } = parameter('first', 'second', 'third');
    await source.get();
    state.nowMs = 29_999;
    expect(await source.refresh()).toBe('first');
    state.nowMs = 30_000;
    expect(await Promise.all([source.refresh(), source.refresh()])).toEqual(['second', 'second']);
    expect(await source.get()).toBe('second');
    expect(state.reads).toBe(2);
  });

  it('is read again after a failure, which is passed on', async () => {
    const { source } = parameter(new Error('no permission'), 'second');
    expect((await errorFrom(source.get())).message).toBe('no permission');
    expect(await source.get()).toBe('second');
  });

  it('loses the line break that editors add, and must not be empty', async () => {
    expect(await parameter(' token\n').source.get()).toBe('token');
    const error = await errorFrom(parameter(' \n').source.get());
    expect(error.message).toBe('the parameter of the Cloud 66 API token, /cloud66/token, is empty');
  });
});

it('a fixed token stays what it is', async () => {
  const source = fixedToken('token');
  expect(await source.get()).toBe('token');
  expect(await source.refresh()).toBe('token');
});
