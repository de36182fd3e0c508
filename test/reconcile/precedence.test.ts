import { expect, it } from 'vitest';
import { createPrecedence } from '../../lib/reconcile/precedence.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 5, 1);
const first = { id: 'first', stackUid: 'shop' };
const second = { id: 'second', stackUid: 'shop' };
const elsewhere = { id: 'elsewhere', stackUid: 'blog' };

it('a stack is serial for six hours after it refused, and not by a clock that was set back', () => {
  const precedence = createPrecedence();
  expect(precedence.isSerial('shop', NOW)).toBe(false);
  precedence.keepSerial('shop', NOW);
  expect([NOW, NOW + 6 * HOUR - 1, NOW + 6 * HOUR, NOW - 1].map((at) => precedence.isSerial('shop', at))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(precedence.isSerial('blog', NOW)).toBe(false);
});

it('a change is known from when it was made', () => {
  const precedence = createPrecedence();
  expect(precedence.changedAtMs('first', NOW)).toBe(0);
  precedence.changed('first', NOW);
  expect([NOW - 1, NOW, NOW + HOUR].map((at) => precedence.changedAtMs('first', at))).toEqual([0, NOW, NOW]);
});

it('what was changed later yields to what waits, for two ticks and a half', () => {
  const precedence = createPrecedence();
  precedence.keepSerial('shop', NOW);
  precedence.changed('first', NOW - 60_000);
  precedence.keepWaiting(second, true, NOW);
  expect([NOW, NOW + 149_999, NOW + 150_000].map((at) => precedence.mustYield(first, at))).toEqual([true, true, false]);
  expect(precedence.mustYield(second, NOW)).toBe(false);
  expect(precedence.mustYield(elsewhere, NOW)).toBe(false);
  precedence.changed('second', NOW + 1);
  expect(precedence.mustYield(first, NOW + 1)).toBe(false);
});

it('nobody yields to what does not wait any more, nor to one that was never before it', () => {
  const precedence = createPrecedence();
  precedence.keepSerial('shop', NOW);
  precedence.keepWaiting(second, true, NOW);
  expect(precedence.mustYield(first, NOW)).toBe(false);
  precedence.changed('first', NOW);
  expect(precedence.mustYield(first, NOW)).toBe(true);
  precedence.keepWaiting(second, false, NOW);
  expect(precedence.mustYield(first, NOW)).toBe(false);
});

it('nobody yields on a stack that takes two changes at once', () => {
  const precedence = createPrecedence();
  precedence.changed('first', NOW - 60_000);
  precedence.keepWaiting(second, true, NOW);
  expect(precedence.mustYield(first, NOW)).toBe(false);
});
