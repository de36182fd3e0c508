import { describe, expect, it } from 'vitest';
import type { Override } from '../../lib/domain.ts';
import { encodeOverrides, parseOverrides } from '../../lib/overrides/document.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const pause: Override = { kind: 'pause', workers: null, untilMs: NOW + 1000, why: 'migration' };
const count: Override = { kind: 'count', workers: 8, untilMs: NOW + 2000, why: 'import "x"' };

describe('the document of the overrides', () => {
  it('is read as it was written', () => {
    const overrides = new Map([
      ['*', pause],
      ['worker', count],
    ]);
    expect(parseOverrides(encodeOverrides(overrides, NOW))).toEqual(overrides);
  });

  it('leaves out what has ended', () => {
    const overrides = new Map([
      ['mailer', pause],
      ['worker', count],
    ]);
    expect([...parseOverrides(encodeOverrides(overrides, NOW + 1000)).keys()]).toEqual(['worker']);
  });

  it.each([
    ['', /not JSON/],
    ['[]', /version/],
    ['null', /document/],
    ['{}', /version[\s\S]*overrides/],
    ['{"version":2,"overrides":[]}', /version/],
    ['{"version":1,"overrides":[{"target":"a","kind":"count","until":"2026-06-01","why":"x"}]}', /overrides.0.workers/],
    ['{"version":1,"overrides":[{"target":"a","kind":"stop","until":"2026-06-01","why":"x"}]}', /overrides.0.kind/],
    [
      '{"version":1,"overrides":[{"target":"A b","kind":"pause","until":"soon","why":""}]}',
      /target[\s\S]*until[\s\S]*why/,
    ],
    [
      '{"version":1,"overrides":[{"target":"a","kind":"count","workers":-1,"until":"2026-06-01","why":"x"}]}',
      /workers/,
    ],
  ])('that is not understood is an error, never an empty one: %s', (text, message) => {
    expect(() => parseOverrides(text)).toThrow(message);
  });
});
