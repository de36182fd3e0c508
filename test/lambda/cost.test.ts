import { describe, expect, it } from 'vitest';
import { billOf, billsText } from '../bench/cost-model.ts';

describe('the bill of a month', () => {
  it('stays at pocket money for a quiet target: at most 15 cents beyond its alarm, at 100 targets', async () => {
    const bill = await billOf(100, 'quiet', 60);
    expect(bill.perTarget).toBeGreaterThan(0.01); // 43,200 reads of a depth alone are 1.7 cents
    expect(bill.perTarget).toBeLessThanOrEqual(0.15);
    expect(bill.sum).toBeCloseTo(Object.values(bill.lines).reduce((sum, line) => sum + line, 0));
  });

  it('grows with the work, and is the same whenever it is made', async () => {
    const [quiet, busy, again] = [
      await billOf(10, 'quiet', 60),
      await billOf(10, 'busy', 60),
      await billOf(10, 'busy', 60),
    ];
    expect(busy.sum).toBeGreaterThan(quiet.sum);
    expect(again).toEqual(busy);
    expect(billsText([quiet, busy]).split('\n')).toHaveLength(4);
  });
});
