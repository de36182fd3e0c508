import { describe, expect, it } from 'vitest';
import { compareShadow } from '../../lib/shadow/compare.ts';
import { parseShadowLog, type ShadowRecord } from '../../lib/shadow/records.ts';
import { shadowText, verdictOf } from '../../lib/shadow/text.ts';

const START = Date.UTC(2026, 5, 1, 12);

/** One look a minute. */
function recordsOf(looks: readonly Partial<ShadowRecord>[]): readonly ShadowRecord[] {
  return looks.map((look, minute) => ({
    event: 'shadow',
    timestamp: START + minute * 60_000,
    targetId: 'worker',
    virtualCount: 2,
    actualCount: 4,
    visible: 0,
    inFlight: 1,
    jobSeconds: 6,
    jobsPerWorker: 1,
    ordered: null,
    ...look,
  }));
}

const hour = (look: (minute: number) => Partial<ShadowRecord>) =>
  compareShadow(recordsOf(Array.from({ length: 61 }, (_, minute) => look(minute))));

describe('the comparison of a dry run with what was', () => {
  it('counts worker-hours and changes', () => {
    const compared = hour((minute) => ({ virtualCount: minute < 30 ? 1 : 3 }));
    expect(compared?.actual).toMatchObject({ workerHours: 4, changes: 0 });
    expect(compared?.virtual).toMatchObject({ workerHours: 2, changes: 1 });
    expect(compared?.coveredHours).toBe(1);
  });

  it('estimates no wait where both have enough workers', () => {
    const compared = hour(() => ({ inFlight: 1 }));
    expect(compared?.actual.longestWaitSeconds).toBe(0);
    expect(compared?.virtual.longestWaitSeconds).toBe(0);
  });

  it('estimates the wait of fewer workers under the same arrivals', () => {
    // 4 jobs run at any time: 40 a minute come, two workers finish 20.
    const compared = hour(() => ({ inFlight: 4 }));
    expect(compared?.actual.longestWaitSeconds).toBe(0);
    // After an hour 1,200 wait, and two workers finish one in 3 s.
    expect(compared?.virtual.longestWaitSeconds).toBeCloseTo(3600, -1);
  });

  it('counts no time within a gap, and begins after it with what is really there', () => {
    const records = recordsOf([{}, {}, { timestamp: START + 3_600_000 }, { timestamp: START + 3_660_000 }]);
    expect(compareShadow(records)?.coveredHours).toBeCloseTo(2 / 60);
  });

  it('says when the time of a job is only assumed', () => {
    const compared = hour(() => ({ jobSeconds: null }));
    expect(compared).toMatchObject({ isJobTimeMeasured: false, jobSeconds: 10 });
    expect(shadowText(compared ? [compared] : [], [])).toContain('is assumed to take 10 s');
  });

  it('in a sentence', () => {
    const compared = hour(() => ({}));
    expect(compared && verdictOf(compared)).toBe(
      'worker: 2.0 worker-hours instead of 4.0 in 1.0 h, longest wait about 0 s instead of 0 s, 0 changes.',
    );
  });

  it('is null where there is nothing to compare', () => {
    expect(compareShadow([])).toBeNull();
    expect(compareShadow(recordsOf([{}]))).toBeNull();
  });
});

describe('the records in a log', () => {
  it('are found among other lines and behind the prefix of a log tool, and counted where they are cut', () => {
    const [record] = recordsOf([{}]);
    const line = JSON.stringify({ ...record, timestamp: new Date(START).toISOString() });
    const { targets, unreadable } = parseShadowLog([
      'START RequestId: 1',
      `2026-06-01T12:00:00 scale ${line}`,
      line.slice(0, -20),
      JSON.stringify({ event: 'decision' }),
      line.replace('"visible":0', '"visible":-1'),
    ]);
    expect(targets.get('worker')).toHaveLength(1);
    expect(targets.get('worker')?.[0]).toMatchObject({ timestamp: START, actualCount: 4 });
    expect(unreadable).toBe(2);
  });
});
