/** What the run came to, as the page and the terminal say it. */
import type { RunSummary } from '../local/witness.ts';
import type { Ending } from './state.ts';

/** Of what was done from outside; a person who presses a button all the time knows what it was. */
const MOST_LISTED = 20;

/** The verdict: it never claims more than happened, and names what was done from outside. */
export function endingOf(summary: RunSummary, stopped: boolean): Ending {
  const { problems, interventions, excused } = summary;
  const more = interventions.length - MOST_LISTED;
  const done = [
    ...interventions.slice(0, MOST_LISTED).map(({ atSeconds, text }) => `from outside, ${clockOf(atSeconds)} ${text}`),
    ...(more > 0 ? [`and ${more} more things from outside`] : []),
  ];
  const base = { figures: figuresOf(summary) };
  if (problems.length > 0) {
    return {
      ...base,
      verdict: stopped ? 'stopped' : 'open',
      sentence: stopped ? 'Stopped before the loop was closed:' : 'The loop did not close:',
      details: [...problems, ...excused, ...done],
    };
  }
  if (interventions.length === 0) {
    const sentence = 'The loop is closed: backlog drained, back at the minimum, every action confirmed.';
    return { ...base, verdict: 'closed', sentence, details: [] };
  }
  const actions = excused.length === 0 ? 'every action confirmed' : 'every other action confirmed';
  return {
    ...base,
    verdict: 'disturbed',
    sentence: `The loop is closed, although the run was disturbed: backlog drained, back at the minimum, ${actions}.`,
    details: [...excused, ...done],
  };
}

function figuresOf(summary: RunSummary): Ending['figures'] {
  const { actions } = summary;
  const bad = actions.mismatched + actions.failed + actions.timedOut + actions.lost;
  const rows = [
    ['Jobs', `${summary.jobsDone} of ${summary.jobs} done`],
    ['Wait', `p50 ${summary.p50WaitSeconds} s, p95 ${summary.p95WaitSeconds} s, longest ${summary.maxWaitSeconds} s`],
    ['Backlog', `${summary.peakBacklog} at its peak`],
    [
      'Workers',
      `up to ${summary.peakWorkers}, ${summary.finalWorkers} at the end, ${summary.workerSeconds} worker-seconds`,
    ],
    ['Changes', `${summary.scaleOuts} out, ${summary.scaleIns} in`],
    ['Actions', `${actions.accepted} accepted, ${actions.confirmed} confirmed, ${bad} ended otherwise`],
    ['Time', `${summary.simulatedSeconds} simulated seconds in ${summary.wallSeconds} s`],
  ];
  return rows.map(([name = '', value = '']) => ({ name, value }));
}

/** Minutes and seconds of simulated time. */
export function clockOf(atSeconds: number): string {
  const whole = Math.floor(atSeconds);
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
}
