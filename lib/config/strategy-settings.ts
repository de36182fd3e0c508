/** The rows of the table of settings that say how a target's backlog becomes a number of workers. */
import type { Setting } from './schema.ts';
import { decimalNumber, flag, oneOf, stepRules, wholeNumber } from './values.ts';

const STRATEGY = { scope: 'target', group: 'Strategy', unit: null, functions: ['scale'] } as const;

/** Above this the last jobs of a day decide, and no head-room is enough. */
export const MOST_TARGET_PERCENT = 99.9;

export const STRATEGY_SETTINGS = {
  STRATEGY: {
    ...STRATEGY,
    type: oneOf('latency', 'backlog', 'step'),
    default: null,
    unset: 'latency for an SQS queue, backlog for a METRIC',
    example: 'latency',
    doc: 'How a backlog becomes a number of workers: latency (as many as keep the wait of jobs within a target), backlog (so many messages per worker) or step (fixed changes at given backlogs).',
  },
  LATENCY_TARGET_SECONDS: {
    ...STRATEGY,
    type: wholeNumber(1, 86_400),
    unit: 'seconds',
    default: '60',
    doc: 'Strategy latency: how long a job may wait for its start.',
  },
  LATENCY_TARGET_PERCENT: {
    ...STRATEGY,
    type: decimalNumber(50, MOST_TARGET_PERCENT),
    unit: 'percent of the jobs',
    default: '95',
    doc: 'Strategy latency: how many of the jobs must not wait longer than LATENCY_TARGET_SECONDS.',
  },
  JOB_SECONDS: {
    ...STRATEGY,
    type: decimalNumber(0.01, 86_400),
    unit: 'seconds',
    default: null,
    unset: 'learned from the queue',
    doc: 'Strategy latency: about how long a job runs; a first guess, taken with caution, that what the queue shows soon replaces.',
    example: '6',
  },
  JOBS_PER_WORKER: {
    ...STRATEGY,
    type: wholeNumber(1, 1000),
    unit: 'jobs',
    default: '1',
    doc: 'Strategy latency: jobs that one worker runs at once, such as its threads.',
  },
  LEARN_PATTERNS: {
    ...STRATEGY,
    type: flag,
    default: 'true',
    doc: 'Strategy latency: start workers before arrivals that return with the clock, such as cron batches.',
    example: 'false',
  },
  DRAIN_SHARE: {
    ...STRATEGY,
    type: decimalNumber(0.1, 1),
    unit: 'share of the target',
    default: '0.5',
    doc: 'Strategy latency: a scale out is sized to work off what waits within this share of LATENCY_TARGET_SECONDS (less of it for long targets, and where changes take longer than the target); less is faster and dearer.',
  },
  HEADROOM: {
    ...STRATEGY,
    type: decimalNumber(0, 10),
    unit: 'standard deviations',
    default: null,
    unset: 'the quantile of LATENCY_TARGET_PERCENT: 1.6 for 95, 2.3 for 99',
    doc: 'Strategy latency: how much more than the mean may arrive before a worker is missing.',
    example: '2',
  },
  KEEP_IDLE_SECONDS: {
    ...STRATEGY,
    type: wholeNumber(0, 86_400),
    unit: 'seconds',
    default: '300',
    doc: 'Strategy latency: a worker is stopped when it was not needed for this long, as far as the last hour shows (a minute at least); up to four times as long where few are idle, shorter where the target leaves time to start it again.',
  },
  SURGE_FACTOR: {
    ...STRATEGY,
    type: decimalNumber(1, 5),
    unit: 'times',
    default: '1.5',
    doc: 'Strategy latency: arrivals that clearly began to rise are taken to rise this much further until new workers are up, a jump since the last look six times as far; 1 = no further.',
  },
  BACKLOG_PER_WORKER: {
    ...STRATEGY,
    type: decimalNumber(0.01, 1_000_000),
    unit: 'messages per worker',
    default: '10',
    doc: 'Strategy backlog: one worker for every so many messages, those in flight included.',
  },
  STEPS: {
    ...STRATEGY,
    type: stepRules,
    unit: 'messages:workers',
    default: null,
    unset: 'required by the strategy step',
    doc: 'Strategy step: at a backlog of so many messages or more, change by so many workers.',
    example: '0:-1,100:+1,500:+5',
  },
} as const satisfies Record<string, Setting>;
