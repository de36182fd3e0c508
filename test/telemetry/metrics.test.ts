import { describe, expect, it } from 'vitest';
import { createMetrics, METRICS_NAMESPACE } from '../../lib/telemetry/metrics.ts';

/** Metrics and the lines they have written. */
function collecting() {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => lines.push(JSON.parse(line));
  return {
    lines,
    metrics: createMetrics({ write, clock: { nowMs: () => 1_800_000_000_000 }, service: 'scaler-prod' }),
  };
}

describe('metrics', () => {
  it('are written as one line in the embedded metric format', () => {
    const { metrics, lines } = collecting();
    for (let target = 0; target < 250; target += 1) metrics.count('Holds');
    metrics.count('ActionsAccepted');
    metrics.measure('ActionSeconds', 'Seconds', 12.5);
    metrics.measure('ActionSeconds', 'Seconds', 31);
    metrics.flush();
    expect(lines).toEqual([
      {
        _aws: {
          Timestamp: 1_800_000_000_000,
          CloudWatchMetrics: [
            {
              Namespace: METRICS_NAMESPACE,
              Dimensions: [['Service']],
              Metrics: [
                { Name: 'Holds', Unit: 'Count' },
                { Name: 'ActionsAccepted', Unit: 'Count' },
                { Name: 'ActionSeconds', Unit: 'Seconds' },
              ],
            },
          ],
        },
        Service: 'scaler-prod',
        Holds: 250,
        ActionsAccepted: 1,
        ActionSeconds: [12.5, 31],
      },
    ]);
  });

  it('write nothing when nothing happened, and start anew after each flush', () => {
    const { metrics, lines } = collecting();
    metrics.flush();
    metrics.count('Failures');
    metrics.flush();
    metrics.flush();
    expect(lines).toMatchObject([{ Failures: 1 }]);
  });

  it('spread more than 100 values over several lines, and count each only once', () => {
    const { metrics, lines } = collecting();
    for (let value = 0; value < 230; value += 1) metrics.measure('ActionSeconds', 'Seconds', value);
    metrics.count('ActionsConfirmed');
    metrics.flush();
    expect(lines.map(({ ActionSeconds }) => (ActionSeconds as number[]).length)).toEqual([100, 100, 30]);
    expect(lines.map(({ ActionsConfirmed }) => ActionsConfirmed)).toEqual([1, undefined, undefined]);
    expect(lines.flatMap(({ ActionSeconds }) => ActionSeconds)).toEqual(
      Array.from({ length: 230 }, (_, value) => value),
    );
  });

  it('leave out values that are no numbers', () => {
    const { metrics, lines } = collecting();
    metrics.measure('ActionSeconds', 'Seconds', Number.NaN);
    metrics.flush();
    expect(lines).toEqual([]);
  });
});
