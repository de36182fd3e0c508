import { describe, expect, it } from 'vitest';
import { policiesNamed } from '../../lib/backtest/contenders.ts';
import type { ReplayPolicy } from '../../lib/backtest/policies.ts';
import { measure } from '../bench/backtest.ts';

describe('the benchmark of the backtest', () => {
  it('runs, and replays what it says', async () => {
    const [backlog] = policiesNamed('backlog');
    const measured = await measure(backlog as ReplayPolicy, 3, 0.5);
    expect(measured).toMatchObject({ policy: 'backlog', load: 3, minutes: 720 });
    expect(measured.jobs).toBeGreaterThan(19_000);
    expect(measured.looks).toBeGreaterThanOrEqual(719);
    expect(measured.minutesPerSecond).toBeGreaterThan(0);
  });
});
