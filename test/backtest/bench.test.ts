import { describe, expect, it } from 'vitest';
import { measure } from '../bench/backtest.ts';

describe('the benchmark of the backtest', () => {
  it('runs, and replays what it says', async () => {
    const measured = await measure('backlog', 3, 0.5);
    expect(measured).toMatchObject({ policy: 'backlog', load: 3, minutes: 720 });
    expect(measured.jobs).toBeGreaterThan(19_000);
    expect(measured.looks).toBeGreaterThanOrEqual(719);
    expect(measured.minutesPerSecond).toBeGreaterThan(0);
  });
});
