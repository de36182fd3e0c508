import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Slots } from '../../lib/backtest/slots.ts';

const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), freeAt: fc.integer({ min: 0, max: 100 }), owner: fc.nat(4) }),
  fc.record({ kind: fc.constant('occupy' as const), freeAt: fc.integer({ min: 0, max: 200 }) }),
  fc.record({ kind: fc.constant('remove' as const), owner: fc.nat(4) }),
);

describe('slots', () => {
  it('behave as a sorted list, whatever is added, occupied and removed', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const slots = new Slots(60);
        let model: number[] = [];
        for (const each of steps) {
          if (each.kind === 'add') {
            slots.add(each.freeAt, each.owner);
            model.push(each.freeAt);
          } else if (each.kind === 'occupy' && model.length > 0) {
            slots.occupyEarliest(each.freeAt);
            model[0] = each.freeAt;
          } else if (each.kind === 'remove') {
            const gone: number[] = [];
            slots.remove(
              (owner) => owner === each.owner,
              (freeAt) => gone.push(freeAt),
            );
            for (const freeAt of gone) model.splice(model.indexOf(freeAt), 1);
          }
          model = model.toSorted((a, b) => a - b);
          const kept: number[] = [];
          slots.each((freeAt) => kept.push(freeAt));
          expect(kept.toSorted((a, b) => a - b)).toEqual(model);
          expect(slots.earliest).toBe(model[0] ?? Number.POSITIVE_INFINITY);
          expect(slots.occupiedAt(50)).toBe(model.filter((freeAt) => freeAt > 50).length);
        }
      }),
    );
  });
});
