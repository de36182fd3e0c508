import { describe, expect, it } from 'vitest';
import { createBudget } from '../../lib/cloud66/budget.ts';
import { createCallReport } from '../../lib/lambda/calls.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { logged } from './logged.ts';

const HOUR = 3_600_000;

/** A report on a budget of 100 calls an hour, and what it wrote. */
function reporting() {
  const time = { nowMs: 10 * HOUR };
  const clock = { nowMs: () => time.nowMs };
  const lines: string[] = [];
  const metrics = createMetrics({ write: (line) => lines.push(line), clock, service: 's' });
  const budget = createBudget({ defaultLimit: 100 });
  const report = createCallReport({ account: 'one', budget, metrics, clock });
  const { logger, records } = logged();
  const seen = (remaining: number | null) => {
    const rateLimit = { limit: null, remaining, resetAtMs: null, observedAtMs: time.nowMs };
    budget.seen(rateLimit);
    report.seen(rateLimit);
  };
  /** Ends an invocation: the value it wrote, if any. */
  const end = (): unknown => {
    report.tell(logger);
    metrics.flush();
    const line = lines.pop();
    return line === undefined ? null : JSON.parse(line).ApiCallsRemaining;
  };
  return { time, budget, seen, end, records };
}

describe('the calls that are left', () => {
  it('are one value per invocation that was told of them, and none for the others', () => {
    const { seen, end } = reporting();
    expect(end()).toBeNull();
    seen(80);
    seen(79);
    expect(end()).toBe(79);
    seen(null);
    expect(end()).toBeNull();
  });

  it('are told in the log once an hour when no more than the reserve is left', () => {
    const { time, seen, end, records } = reporting();
    seen(26);
    end();
    expect(records).toEqual([]);
    seen(25);
    end();
    seen(20);
    end();
    expect(records).toMatchObject([{ level: 'warn', event: 'api_calls', account: 'one', remaining: 25, limit: 100 }]);
    time.nowMs += HOUR;
    end();
    expect(records).toHaveLength(1);
    seen(3);
    end();
    expect(records).toMatchObject([{}, { remaining: 3 }]);
  });

  it('are none while Cloud 66 throttles', () => {
    const { time, budget, end, records } = reporting();
    budget.called(time.nowMs);
    budget.throttled(time.nowMs + 60_000);
    expect(end()).toBeUndefined();
    expect(records).toMatchObject([{ remaining: 0, limit: 100 }]);
  });
});
