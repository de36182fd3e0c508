import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../../../lib/simulation/local/witness.ts';
import { endingOf } from '../../../lib/simulation/page/ending.ts';

const SUMMARY: RunSummary = {
  jobs: 60,
  jobsDone: 60,
  p50WaitSeconds: 3,
  p95WaitSeconds: 20,
  maxWaitSeconds: 30,
  peakBacklog: 50,
  peakWorkers: 7,
  finalWorkers: 1,
  workerSeconds: 900,
  actions: { accepted: 2, confirmed: 2, mismatched: 0, failed: 0, timedOut: 0, lost: 0 },
  scaleOuts: 1,
  scaleIns: 1,
  simulatedSeconds: 600,
  wallSeconds: 60,
  speed: 10,
  seed: 1,
  load: 'a burst',
  problems: [],
  interventions: [],
  excused: [],
};

describe('the verdict', () => {
  it('is plain when nobody touched the run', () => {
    const ending = endingOf(SUMMARY, false);
    expect(ending).toMatchObject({ verdict: 'closed', details: [] });
    expect(ending.sentence).toContain('every action confirmed');
    expect(ending.figures).toContainEqual({ name: 'Jobs', value: '60 of 60 done' });
  });

  it('names what was done from outside, and does not claim that every action was confirmed', () => {
    const ending = endingOf(
      {
        ...SUMMARY,
        interventions: [{ atSeconds: 200, text: 'action 1002 was made to fail' }],
        excused: ['action 1002 failed: it was made to fail'],
      },
      false,
    );
    expect(ending.verdict).toBe('disturbed');
    expect(ending.sentence).toContain('every other action confirmed');
    expect(ending.details).toEqual([
      'action 1002 failed: it was made to fail',
      'from outside, 03:20 action 1002 was made to fail',
    ]);
  });

  it('is bad when something is open, whoever did what', () => {
    const interventions = [{ atSeconds: 5, text: 'the Cloud 66 API was out' }];
    const open = { ...SUMMARY, problems: ['3 jobs are not done'], interventions };
    expect(endingOf(open, false)).toMatchObject({
      verdict: 'open',
      details: ['3 jobs are not done', 'from outside, 00:05 the Cloud 66 API was out'],
    });
    expect(endingOf(open, true)).toMatchObject({ verdict: 'stopped', sentence: 'Stopped before the loop was closed:' });
  });

  it('lists a sane number of things', () => {
    const interventions = Array.from({ length: 50 }, () => ({ atSeconds: 1, text: '50 jobs were added' }));
    const { details } = endingOf({ ...SUMMARY, interventions }, false);
    expect(details).toHaveLength(21);
    expect(details.at(-1)).toBe('and 30 more things from outside');
  });
});
