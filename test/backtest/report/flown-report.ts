/** A small backtest and everything that its report needs. */
import { USUAL_CELL } from '../../../lib/backtest/cell.ts';
import { policiesNamed } from '../../../lib/backtest/contenders.ts';
import type { ReportInput } from '../../../lib/backtest/report/html.ts';
import { createRecorder } from '../../../lib/backtest/report/recording.ts';
import { lossesOf } from '../../../lib/backtest/report/verdict.ts';
import { runBacktest } from '../../../lib/backtest/run.ts';
import type { Trace } from '../../../lib/backtest/trace.ts';

/** What somebody may call a file. */
export const HOSTILE_NAME = '<img src=x onerror=alert(1)></script><script>alert(2)</script>';

/** Two hours with a burst every half hour. */
export function smallTrace(name: string): Trace {
  const arrivals = Float64Array.from({ length: 120 }, (_, minute) => (minute % 30 < 4 ? 90 : 10));
  return { name, binSeconds: 60, startSeconds: 0, arrivals };
}

export async function flownReport(name: string): Promise<ReportInput> {
  const recorder = createRecorder();
  const result = await runBacktest({
    cell: { ...USUAL_CELL, trace: smallTrace(name), scaling: { kind: 'load', busyWorkers: 3 } },
    seeds: [1],
    league: 'N',
    policies: policiesNamed('latency,keda,buildkite'),
    settingsFrom: 'defaults',
    recorder,
    solver: async () => ({
      lpBound: { costRatio: 1.1, lateShare: null, waitSeconds: null },
      oraclePlan: { costRatio: 1.3, lateShare: 0.01, waitSeconds: { p50: 1, p95: 30, p99: 50, max: 90 } },
    }),
  });
  const recording = recorder.recording();
  const losses = lossesOf(result, recording?.flights[0]?.stretches ?? [], null);
  return {
    result,
    recording,
    losses,
    notes: [`About ${name}`],
    settingsFrom: 'defaults',
    command: ['backtest', '--arrivals', `${name}.csv`],
  };
}
