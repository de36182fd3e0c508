import { describe, expect, it } from 'vitest';
import { roles } from '../../infra/roles.ts';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { TARGET_SETTING_NAMES } from '../../lib/config/schema.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import { variablePrefix } from '../../lib/config/targets.ts';
import { MINIMAL, problemLines, problemsOf, TWO_TARGETS } from './fixture.ts';

describe('targets', () => {
  it('take unprefixed settings as defaults and prefixed ones as their own', () => {
    const environment = { ...TWO_TARGETS, MAX_WORKERS: '7', NIGHT_REPORTS_MAX_WORKERS: '3', MAILER_MIN_WORKERS: '0' };
    const { targets } = parseSettings(environment);
    expect(targets.map(({ id, policy }) => [id, policy.minWorkers, policy.maxWorkers])).toEqual([
      ['mailer', 0, 7],
      ['night-reports', 1, 3],
    ]);
    expect(targets.map(({ source }) => source)).toEqual([
      { kind: 'sqs', queueUrl: TWO_TARGETS.MAILER_QUEUE_URL },
      { kind: 'sqs_name', queueName: 'reports.fifo' },
    ]);
  });

  it('put a source of their own in the place of the one for all', () => {
    const environment = {
      ...TWO_TARGETS,
      QUEUE_URL: MINIMAL.QUEUE_URL,
      MAILER_QUEUE_URL: '',
      MAILER_METRIC: 'Sidekiq/Size',
    };
    expect(parseSettings(environment).targets.map(({ source }) => source.kind)).toEqual(['metric', 'sqs_name']);
  });

  it.each([
    ['worker', 'worker'],
    ['Mail_Out', 'mail-out'],
    ['jobs.low:1', 'jobs-low-1'],
    ['jobs_', 'jobs'],
  ])('named after the process when TARGETS is not set: %s is %s', (processName, id) => {
    expect(parseSettings({ ...MINIMAL, PROCESS_NAME: processName }).targets.map((target) => target.id)).toEqual([id]);
  });

  it('named after the process may still have prefixed settings', () => {
    expect(parseSettings({ ...MINIMAL, WORKER_MAX_WORKERS: '3' }).targets[0]?.policy.maxWorkers).toBe(3);
  });

  it('have a prefix in upper case with _ for -', () => {
    expect(variablePrefix('night-reports')).toBe('NIGHT_REPORTS_');
  });

  it.each([
    ['A', /"A" is not a target id/],
    ['mailer,', /"" is not a target id/],
    ['mail_out', /"mail_out" is not a target id/],
    ['1st', /"1st" is not a target id/],
    ['a--b', /"a--b" is not a target id/],
    ['x'.repeat(41), /is not a target id/],
    ['mailer,mailer', /"mailer" is there twice/],
    ['aws', /"aws" cannot be a target id/],
    ['max', /"max" cannot be a target id/],
    ['mailer,mailer-max', /"mailer-max" cannot be a target id/],
    ['actions', /"actions" cannot be a target id/],
  ])('with the ids %s are refused', (ids, message) => {
    const problems = problemsOf(() => parseSettings({ ...MINIMAL, TARGETS: ids }));
    expect(problems[0]).toEqual({ field: 'TARGETS', message: expect.stringMatching(message) });
  });

  it('keep their variables apart: no setting of one is a setting of another', () => {
    const names = TARGET_SETTING_NAMES.flatMap((name) =>
      TARGET_SETTING_NAMES.filter((other) => name.endsWith(`_${other}`)).map((other) => [name, other]),
    );
    for (const [name = '', other = ''] of names) {
      const between = name
        .slice(0, -other.length - 1)
        .toLowerCase()
        .replaceAll('_', '-');
      const problems = problemsOf(() => parseSettings({ ...MINIMAL, TARGETS: `a,a-${between}` }));
      expect(problems.map(({ field }) => field)).toContain('TARGETS');
    }
    expect(names.length).toBeGreaterThan(0);
  });

  it('of a process whose name makes no id are refused under PROCESS_NAME', () => {
    const problems = problemsOf(() => parseSettings({ ...MINIMAL, PROCESS_NAME: '1st' }));
    expect(problems.map(({ field }) => field)).toEqual(['PROCESS_NAME']);
  });

  it('are limited in number', () => {
    const ids = Array.from({ length: 1001 }, (_, index) => `t${index}`);
    const problems = problemsOf(() => parseSettings({ ...MINIMAL, TARGETS: ids.join(',') }));
    expect(problems).toContainEqual({ field: 'TARGETS', message: '1001 targets are more than 1000' });
  });

  it('must not share a process of a stack', () => {
    expect(problemLines(() => parseSettings({ ...TWO_TARGETS, NIGHT_REPORTS_PROCESS_NAME: 'mailer' }))).toEqual([
      `NIGHT_REPORTS_PROCESS_NAME: "mailer" of stack ${MINIMAL.STACK_UID} is already scaled by the target mailer`,
    ]);
    expect(
      parseSettings({ ...TWO_TARGETS, NIGHT_REPORTS_PROCESS_NAME: 'mailer', NIGHT_REPORTS_STACK_UID: 'other' }).targets,
    ).toHaveLength(2);
  });

  it('that lack what every target needs say both names it could have', () => {
    expect(
      problemLines(() => parseSettings({ ...TWO_TARGETS, STACK_UID: undefined, NIGHT_REPORTS_STACK_UID: 'x' })),
    ).toEqual([
      'MAILER_STACK_UID: is not set (nor is STACK_UID, for all targets); expected a Cloud 66 stack uid such as 5999b763474b0eafa5fafb64bff0ba80',
    ]);
  });
});

describe('targets of several Cloud 66 accounts', () => {
  const OTHER = { ...TWO_TARGETS, MAILER_CLOUD66_TOKEN_PARAMETER: '/other/token' };

  it('name the parameter of their token, where it is not the one for all', () => {
    const { targets } = parseSettings({ ...OTHER, MAILER_STACK_UID: 'otherstack' });
    expect(targets.map(({ tokenParameter }) => tokenParameter)).toEqual(['/other/token', undefined]);
  });

  it('are in the account of their stack', () => {
    expect(problemLines(() => parseSettings(OTHER))).toEqual([
      'NIGHT_REPORTS_CLOUD66_TOKEN_PARAMETER: is not that of mailer, which is of the same stack; a stack has one account',
    ]);
  });

  it('have each their parameter in both roles, and no other', () => {
    const deployment = parseDeployment({
      ...OTHER,
      ACTIONS_QUEUE_URL: undefined,
      ACTIONS_DEAD_LETTER_QUEUE_URL: undefined,
      MAILER_STACK_UID: 'otherstack',
    });
    const template = JSON.stringify(roles({ name: 'n', alarmNamePrefix: 'n-', deployment }));
    const read = (name: string) => template.split(`parameter/${name}"`).length - 1;
    // ReadToken and DecryptToken of two roles.
    expect([read('cloud66/token'), read('other/token'), read('third/token')]).toEqual([4, 4, 0]);
    expect(deployment.environments.scale).toMatchObject({ MAILER_CLOUD66_TOKEN_PARAMETER: '/other/token' });
    expect(deployment.environments.poller).not.toHaveProperty('MAILER_CLOUD66_TOKEN_PARAMETER');
  });
});

describe('checks across settings', () => {
  it.each([
    [{ MIN_WORKERS: '5', WORKER_MAX_WORKERS: '3' }, 'MIN_WORKERS: 5 is more than WORKER_MAX_WORKERS, 3'],
    [{ MAX_WORKERS: '0' }, 'MIN_WORKERS: 1 is more than MAX_WORKERS, 0'],
    [
      { MIN_WORKERS: '5', SERVERS: 'a,b', MAX_WORKERS_PER_SERVER: '2' },
      'MIN_WORKERS: 5 is more than the 4 that SERVERS and MAX_WORKERS_PER_SERVER leave room for',
    ],
    [{ METRIC: 'A/B' }, 'QUEUE_URL: is set, and so is METRIC; expected exactly one of QUEUE_URL, QUEUE_NAME, METRIC'],
    [
      { QUEUE_URL: '', METRIC: 'AWS/SQS/ApproximateAgeOfOldestMessage?QueueName=jobs' },
      'METRIC: is an age in seconds, not a number of messages; set QUEUE_NAME instead, and the wait that jobs may have as LATENCY_TARGET_SECONDS',
    ],
    [
      { PROCESS_NAME: '', WORKER_PROCESS_NAME: 'worker', MAIL_OUT_PROCESS_NAME: 'mail' },
      'TARGETS: is not set; for WORKER_PROCESS_NAME add TARGETS=worker,mail-out',
    ],
    [{ QUEUE_URL: '' }, 'QUEUE_URL: is not set; expected exactly one of QUEUE_URL, QUEUE_NAME, METRIC'],
  ])('%o is refused', (change, line) => {
    expect(problemLines(() => parseSettings({ ...MINIMAL, ...change }))).toEqual([line]);
  });

  it('are left out where a value could not be read', () => {
    const fields = (change: Record<string, string>) =>
      problemsOf(() => parseSettings({ ...MINIMAL, ...change })).map(({ field }) => field);
    expect(fields({ MIN_WORKERS: '20', MAX_WORKERS: 'ten' })).toEqual(['MAX_WORKERS']);
    expect(fields({ MIN_WORKERS: 'two', MAX_WORKERS: '0' })).toEqual(['MIN_WORKERS']);
    expect(fields({ QUEUE_URL: '', QUEUE_NAME: 'no good' })).toEqual(['QUEUE_NAME']);
    expect(fields({ QUEUE_URL: '', METRIC: 'no good' })).toEqual(['METRIC']);
    expect(fields({ STRATEGY: 'guess' })).toEqual(['STRATEGY']);
  });

  it('want steps for the strategy step', () => {
    const problems = problemsOf(() => parseSettings({ ...MINIMAL, STRATEGY: 'step' }));
    expect(problems.map(({ field }) => field)).toEqual(['STEPS']);
    expect(problemsOf(() => parseSettings({ ...MINIMAL, STRATEGY: 'step', STEPS: '5' }))).toHaveLength(1);
  });

  it.each([
    ['0:-1,100', 'step 2, "100", is not backlog:change'],
    ['0:-1,100:+1,50:+2', 'step 3, "50:+2", must have a backlog of more than 100, that of the step before it'],
    ['0:-1,100:0', 'no step has a change above 0'],
    [Array.from({ length: 21 }, (_, index) => `${index}:1`).join(), '21 steps are too many'],
  ])('say which of the steps %s is wrong', (steps, message) => {
    const [line] = problemLines(() => parseSettings({ ...MINIMAL, STRATEGY: 'step', STEPS: steps }));
    expect(line?.endsWith(`: ${message}`), line).toBe(true);
  });

  it.each([
    [
      { MIN_WORKERS: '0', MAX_WORKERS: '0' },
      ['target worker: MIN_WORKERS and MAX_WORKERS are 0, so that nothing ever works'],
    ],
    [{ MIN_WORKERS: '0', MAX_WORKERS: '1' }, []],
    [
      {
        TARGETS: 'a,b,c',
        PROCESS_NAME: '',
        A_PROCESS_NAME: 'a',
        B_PROCESS_NAME: 'b',
        C_PROCESS_NAME: 'c',
        C_QUEUE_NAME: 'jobs',
      },
      [
        'targets a and b read the same queue: each scales as if all of it were its own',
        'targets a and c read the same queue: each scales as if all of it were its own',
      ],
    ],
    [
      {
        TARGETS: 'a,b',
        PROCESS_NAME: '',
        QUEUE_URL: '',
        A_PROCESS_NAME: 'a',
        B_PROCESS_NAME: 'b',
        A_METRIC: 'A/B?C=1',
        B_METRIC: 'A/B?C=2',
      },
      [],
    ],
  ])('warn of what is hardly meant: %o', (change, warnings) => {
    expect(parseSettings({ ...MINIMAL, ...change }).warnings).toEqual(warnings);
  });
});

describe('the strategy', () => {
  it.each([
    [{}, 'latency'],
    [{ QUEUE_URL: '', METRIC: 'A/B?C=D' }, 'backlog'],
    [{ STRATEGY: 'backlog' }, 'backlog'],
  ])('with %o is %s', (change, kind) => {
    expect(parseSettings({ ...MINIMAL, ...change }).targets[0]?.policy.strategy.kind).toBe(kind);
  });

  it('latency is refused for a metric, which tells no rates to scale in on', () => {
    const environment = { ...MINIMAL, QUEUE_URL: '', METRIC: 'A/B?C=D', STRATEGY: 'latency' };
    expect(problemLines(() => parseSettings(environment))).toEqual([
      'STRATEGY: "latency" needs the sent counts of an SQS queue; with METRIC use backlog or step',
    ]);
  });
});

describe('the alarm threshold', () => {
  it.each([
    [{ MIN_WORKERS: '0' }, 1],
    [{ STRATEGY: 'backlog', MIN_WORKERS: '3', BACKLOG_PER_WORKER: '10' }, 34],
    [{ STRATEGY: 'backlog', MIN_WORKERS: '1', BACKLOG_PER_WORKER: '100', TOLERANCE: '0.15' }, 116],
    [{ STRATEGY: 'backlog', MIN_WORKERS: '3', BACKLOG_PER_WORKER: '0.5' }, 2],
    [{ MIN_WORKERS: '3', JOB_SECONDS: '6' }, 9],
    [{ LATENCY_TARGET_SECONDS: '10', JOB_SECONDS: '60' }, 1],
    [{ STRATEGY: 'step', STEPS: '0:-1,100:+1,500:+5' }, 100],
    [{ STRATEGY: 'step', STEPS: '0:+1' }, 1],
    [{ STRATEGY: 'step', STEPS: '50:+1', MIN_WORKERS: '0' }, 1],
    [{ ALARM_THRESHOLD: '500' }, 500],
  ])('with %o is %i', (change, threshold) => {
    expect(parseSettings({ ...MINIMAL, ...change }).targets[0]?.alarm.threshold).toBe(threshold);
  });
});
