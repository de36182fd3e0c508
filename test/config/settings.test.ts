import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../lib/config/env.ts';
import { parsePollerSettings, parseSettings } from '../../lib/config/settings.ts';
import { MINIMAL, problemLines, problemsOf, TWO_TARGETS } from './fixture.ts';

describe('the settings of the scale function', () => {
  it('are complete from the few variables that have no default', () => {
    expect(parseSettings(MINIMAL)).toEqual({
      cloud66: { apiUrl: 'https://app.cloud66.com/api/3', token: { kind: 'parameter', name: '/cloud66/token' } },
      apiBudgetReserve: 0.25,
      actionsQueueUrl: MINIMAL.ACTIONS_QUEUE_URL,
      deadLetterQueueUrl: MINIMAL.ACTIONS_DEAD_LETTER_QUEUE_URL,
      alarmNamePrefix: 'cloud66-worker-autoscaler-dev-backlog-',
      stage: 'dev',
      watchIntervalSeconds: 15,
      actionTimeoutSeconds: 900,
      dryRun: false,
      logLevel: 'info',
      notifyTopicArn: null,
      warnings: [],
      targets: [
        {
          id: 'worker',
          stackUid: MINIMAL.STACK_UID,
          processName: 'worker',
          source: { kind: 'sqs', queueUrl: MINIMAL.QUEUE_URL },
          alarm: { threshold: 1, periodSeconds: 60 },
          policy: {
            minWorkers: 1,
            maxWorkers: 10,
            strategy: {
              kind: 'latency',
              targetSeconds: 60,
              targetPercent: 95,
              jobSeconds: null,
              jobsPerWorker: 1,
              learnPatterns: true,
              drainShare: 0.5,
              headroom: null,
              keepIdleSeconds: 300,
              surgeFactor: 1.5,
            },
            countDelayed: false,
            tolerance: 0.1,
            scaleOutStabilizationSeconds: 0,
            scaleInStabilizationSeconds: 300,
            scaleOutMaxStep: null,
            scaleInMaxStep: null,
            scaleInCooldownSeconds: 300,
            servers: null,
            maxWorkersPerServer: null,
            metricMaxAgeSeconds: 180,
            actionTimeoutSeconds: 900,
            schedule: [],
            maxJobSeconds: null,
            stopSeconds: 90,
            longJobs: 'warn',
            deployGraceSeconds: 120,
            manualChangeHoldSeconds: 300,
          },
        },
      ],
    });
  });

  it('take every setting from its variable', () => {
    const settings = parseSettings({
      ...MINIMAL,
      CLOUD66_API_URL: 'http://127.0.0.1:8066/api/3/',
      ALARM_NAME_PREFIX: 'mine-',
      STAGE: 'qa',
      ACTION_FIRST_LOOK_SECONDS: '5',
      ACTION_TIMEOUT_SECONDS: '600',
      DRY_RUN: 'Yes',
      LOG_LEVEL: 'WARN',
      STRATEGY: 'step',
      STEPS: '0:-1, 100:+1, 500:5',
      COUNT_DELAYED: 'true',
      METRIC_MAX_AGE_SECONDS: '120',
      MIN_WORKERS: '2',
      MAX_WORKERS: '20',
      SERVERS: 'lion, tiger',
      MAX_WORKERS_PER_SERVER: '8',
      TOLERANCE: '.25',
      SCALE_OUT_STABILIZATION_SECONDS: '60',
      SCALE_IN_STABILIZATION_SECONDS: '600',
      SCALE_OUT_MAX_STEP: '50%',
      SCALE_IN_MAX_STEP: '2',
      SCALE_IN_COOLDOWN_SECONDS: '0',
      ALARM_THRESHOLD: '77',
      ALARM_PERIOD_SECONDS: '120',
    });
    expect(settings).toMatchObject({
      cloud66: { apiUrl: 'http://127.0.0.1:8066/api/3' },
      alarmNamePrefix: 'mine-',
      stage: 'qa',
      actionTimeoutSeconds: 600,
      dryRun: true,
      logLevel: 'warn',
    });
    expect(settings.targets[0]?.alarm).toEqual({ threshold: 77, periodSeconds: 120 });
    expect(settings.targets[0]?.policy).toEqual({
      minWorkers: 2,
      maxWorkers: 20,
      strategy: {
        kind: 'step',
        steps: [
          { atLeast: 0, change: -1 },
          { atLeast: 100, change: 1 },
          { atLeast: 500, change: 5 },
        ],
      },
      countDelayed: true,
      tolerance: 0.25,
      scaleOutStabilizationSeconds: 60,
      scaleInStabilizationSeconds: 600,
      scaleOutMaxStep: { kind: 'percent', percent: 50 },
      scaleInMaxStep: { kind: 'workers', workers: 2 },
      scaleInCooldownSeconds: 0,
      servers: ['lion', 'tiger'],
      maxWorkersPerServer: 8,
      metricMaxAgeSeconds: 120,
      actionTimeoutSeconds: 600,
      schedule: [],
      maxJobSeconds: null,
      stopSeconds: 90,
      longJobs: 'warn',
      deployGraceSeconds: 120,
      manualChangeHoldSeconds: 300,
    });
  });

  it('treat empty and blank variables as not set', () => {
    const blank = { TARGETS: '', MAX_WORKERS: '  ', STEPS: '', WORKER_MAX_WORKER: '', LOG_LEVEL: '\t' };
    expect(parseSettings({ ...MINIMAL, ...blank })).toEqual(parseSettings(MINIMAL));
  });

  it('list every problem at once, by the name of its variable', () => {
    expect(
      problemLines(() => parseSettings({ ...MINIMAL, STACK_UID: '', MAX_WORKERS: 'ten', TOLERANCE: '10%' })),
    ).toEqual([
      'STACK_UID: is not set; expected a Cloud 66 stack uid such as 5999b763474b0eafa5fafb64bff0ba80',
      'MAX_WORKERS: "ten" is not a whole number from 0 to 1000',
      'TOLERANCE: "10%" is not a number from 0 to 1',
    ]);
  });

  it('report an empty environment in full, without inventing follow-up problems', () => {
    expect(problemsOf(() => parseSettings({})).map(({ field }) => field)).toEqual([
      'CLOUD66_TOKEN_PARAMETER',
      'ACTIONS_QUEUE_URL',
      'ACTIONS_DEAD_LETTER_QUEUE_URL',
      'PROCESS_NAME',
      'STACK_UID',
      'QUEUE_URL',
    ]);
  });

  it('cut long values in messages', () => {
    const [line] = problemLines(() => parseSettings({ ...MINIMAL, MAX_WORKERS: '9'.repeat(5000) }));
    expect(line?.length).toBeLessThan(200);
  });

  it.each([
    [
      'MAX_WORKERS',
      'a1'.repeat(32),
      'MAX_WORKERS: the value (not shown) looks like a Cloud 66 token, which belongs into SSM',
    ],
    [
      'STACK_UID',
      '0f'.repeat(32),
      'STACK_UID: the value (not shown) looks like a Cloud 66 token, which belongs into SSM',
    ],
    ['CLOUD66_TOKEN_PARAMETER', '0f'.repeat(32), 'CLOUD66_TOKEN_PARAMETER: the value (not shown) looks like'],
    [
      'CLOUD66_TOKEN_PARAMETER',
      'c66_Ab3'.repeat(6),
      'CLOUD66_TOKEN_PARAMETER: the value (not shown: it may be a secret) is not',
    ],
    ['STACK_UID', 'Zx9'.repeat(14), 'STACK_UID: the value (not shown: it may be a secret) is not'],
    [
      'CLOUD66_API_URL',
      'https://app.cloud66.com/api/3?token=hidden',
      'CLOUD66_API_URL: "https://app.cloud66.com/api/3?…" is not',
    ],
    ['CLOUD66_API_URL', 'https://me:hidden@app.cloud66.com', 'CLOUD66_API_URL: "https://…@app.cloud66.com" is not'],
  ])('never show what may be a secret in the wrong place: %s', (variable, value, line) => {
    const [first = ''] = problemLines(() => parseSettings({ ...MINIMAL, [variable]: value }));
    expect(first).toContain(line);
    expect(first).not.toContain('hidden');
    expect(first).not.toContain(value);
  });

  it('warn when the token would go to another host than that of Cloud 66', () => {
    const warningsFor = (url: string) => parseSettings({ ...MINIMAL, CLOUD66_API_URL: url }).warnings;
    expect(warningsFor('https://app.cloud66.co/api/3')).toEqual([
      'CLOUD66_API_URL: the token is sent to app.cloud66.co, which is not app.cloud66.com',
    ]);
    expect(warningsFor('http://[::1]:8066/api/3')).toEqual([]);
  });

  it('warns of a schedule that names more workers than the limit allows: it narrows limits and raises none', () => {
    const warningsFor = (limits: string) =>
      parseSettings({ ...MINIMAL, SCHEDULE: `0 7 * * 1-5 | Europe/Berlin | 10h | ${limits}` }).warnings;
    const told = (most: number) =>
      `SCHEDULE: "0 7 * * 1-5" allows ${most} workers, but a schedule does not raise MAX_WORKERS, 10`;
    expect(warningsFor('max=40')).toEqual([told(40)]);
    expect(warningsFor('min=11')).toEqual([told(11)]);
    expect(warningsFor('min=4 max=10')).toEqual([]);
  });

  it('do not change with the order of the variables', () => {
    const reversed = Object.fromEntries(Object.entries(TWO_TARGETS).toReversed());
    expect(parseSettings(reversed)).toEqual(parseSettings(TWO_TARGETS));
  });
});

describe('the token', () => {
  it('may be given by value, without a warning outside of production', () => {
    const settings = parseSettings({ ...MINIMAL, CLOUD66_TOKEN_PARAMETER: '', CLOUD66_TOKEN: 's3cret' });
    expect(settings.cloud66.token).toEqual({ kind: 'value', value: 's3cret' });
    expect(settings.warnings).toEqual([]);
  });

  it.each(['production', 'prod', 'live', 'Production'])(
    'by value earns a warning in stage %s that does not show it',
    (stage) => {
      const environment = { ...MINIMAL, CLOUD66_TOKEN_PARAMETER: undefined, CLOUD66_TOKEN: 's3cret', STAGE: stage };
      const { warnings } = parseSettings(environment);
      expect(warnings).toEqual([expect.stringMatching(/^CLOUD66_TOKEN in stage/)]);
      expect(warnings.join()).not.toContain('s3cret');
    },
  );

  it('must be given in one form, not two', () => {
    expect(problemLines(() => parseSettings({ ...MINIMAL, CLOUD66_TOKEN: 's3cret' }))).toEqual([
      'CLOUD66_TOKEN: CLOUD66_TOKEN_PARAMETER is set as well; expected exactly one of CLOUD66_TOKEN_PARAMETER, CLOUD66_TOKEN',
    ]);
  });

  it.each(['a"b', 'a b', 'ä', `${'a'.repeat(513)}`])('has the characters of a bearer token: not %s', (token) => {
    const environment = { ...MINIMAL, CLOUD66_TOKEN_PARAMETER: undefined, CLOUD66_TOKEN: token };
    expect(problemLines(() => parseSettings(environment))).toHaveLength(1);
  });

  it('is not shown when it is malformed', () => {
    const environment = { ...MINIMAL, CLOUD66_TOKEN_PARAMETER: undefined, CLOUD66_TOKEN: 'two words' };
    const lines = problemLines(() => parseSettings(environment));
    expect(lines).toEqual([expect.stringMatching(/^CLOUD66_TOKEN: the value \(not shown\) is not a token/)]);
    expect(lines.join()).not.toContain('two words');
  });
});

describe('the settings of the poller', () => {
  it('need no targets, because a record tells all there is to know', () => {
    const {
      targets: _,
      alarmNamePrefix: __,
      watchIntervalSeconds: ___,
      dryRun: ____,
      ...common
    } = parseSettings(MINIMAL);
    const { ACTIONS_QUEUE_URL, ACTIONS_DEAD_LETTER_QUEUE_URL, CLOUD66_TOKEN_PARAMETER } = MINIMAL;
    const environment = { ACTIONS_QUEUE_URL, ACTIONS_DEAD_LETTER_QUEUE_URL, CLOUD66_TOKEN_PARAMETER };
    expect(parsePollerSettings(environment)).toEqual(common);
  });

  it('report their own problems only', () => {
    const environment = { ...MINIMAL, ACTIONS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/jobs' };
    expect(problemLines(() => parsePollerSettings(environment))).toEqual([
      expect.stringMatching(/^ACTIONS_QUEUE_URL: ".*" is not an SQS queue URL such as .*\.fifo$/),
    ]);
  });
});

describe('the environment', () => {
  it('is a copy of the variables of this process', () => {
    const environment = readEnvironment();
    expect(environment).toEqual({ ...process.env });
    expect(environment).not.toBe(process.env);
  });
});
