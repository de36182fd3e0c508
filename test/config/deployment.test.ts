import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { parsePollerSettings, parseSettings } from '../../lib/config/settings.ts';
import { summaryLines } from '../../lib/config/summary.ts';
import { problemLines, problemsOf, TWO_TARGETS } from './fixture.ts';

const { ACTIONS_QUEUE_URL: _, ACTIONS_DEAD_LETTER_QUEUE_URL: __, ...PACKAGED } = TWO_TARGETS;

describe('a deployment', () => {
  it('needs no queues yet and knows what the template has to', () => {
    const deployment = parseDeployment({ ...PACKAGED, STAGE: 'qa', ACTION_FIRST_LOOK_SECONDS: '20' });
    expect(deployment).toMatchObject({
      stage: 'qa',
      tokenParameter: '/cloud66/token',
      actionFirstLookSeconds: 20,
      reservedConcurrency: 2,
      warnings: [],
    });
    expect(deployment.targets).toEqual(parseSettings(TWO_TARGETS).targets);
  });

  it.each([
    ['0', null],
    ['none', null],
    ['None', null],
    ['3', 3],
  ])('with RESERVED_CONCURRENCY %s reserves %s', (text, value) => {
    expect(parseDeployment({ ...PACKAGED, RESERVED_CONCURRENCY: text }).reservedConcurrency).toBe(value);
  });

  it('gives each function the variables that it reads, and no other', () => {
    const strangers = { HOME: '/root', AWS_PROFILE: 'me', RESERVED_CONCURRENCY: '2', LOG_LEVEL: 'debug', DRY_RUN: '1' };
    const { environments } = parseDeployment({ ...PACKAGED, ...strangers });
    expect(environments.poller).toEqual({ CLOUD66_TOKEN_PARAMETER: '/cloud66/token', LOG_LEVEL: 'debug' });
    expect(environments.scale).toEqual({
      CLOUD66_TOKEN_PARAMETER: '/cloud66/token',
      LOG_LEVEL: 'debug',
      DRY_RUN: '1',
      TARGETS: TWO_TARGETS.TARGETS,
      STACK_UID: TWO_TARGETS.STACK_UID,
      MAILER_PROCESS_NAME: 'mailer',
      MAILER_QUEUE_URL: TWO_TARGETS.MAILER_QUEUE_URL,
      NIGHT_REPORTS_PROCESS_NAME: 'reports',
      NIGHT_REPORTS_QUEUE_NAME: 'reports.fifo',
    });
  });

  it('is understood by the functions exactly as it was by packaging', () => {
    const deployment = parseDeployment({ ...PACKAGED, MAX_WORKERS: '4', MAILER_TOLERANCE: '0.2' });
    const { ACTIONS_QUEUE_URL, ACTIONS_DEAD_LETTER_QUEUE_URL } = TWO_TARGETS;
    const queues = { ACTIONS_QUEUE_URL, ACTIONS_DEAD_LETTER_QUEUE_URL };
    expect(parseSettings({ ...deployment.environments.scale, ...queues }).targets).toEqual(deployment.targets);
    expect(parsePollerSettings({ ...deployment.environments.poller, ...queues }).warnings).toEqual([]);
  });

  it('refuses to package a token', () => {
    expect(
      problemLines(() => parseDeployment({ ...PACKAGED, CLOUD66_TOKEN_PARAMETER: '', CLOUD66_TOKEN: 's3cret' })),
    ).toEqual([
      'CLOUD66_TOKEN: the token itself is never packaged; store it as an SSM SecureString and set CLOUD66_TOKEN_PARAMETER to its name',
    ]);
  });

  it('of the local stage names a parameter that the local run fills, and still does not carry the token', () => {
    const environment = { ...PACKAGED, CLOUD66_TOKEN_PARAMETER: '', CLOUD66_TOKEN: 's3cret', STAGE: 'local' };
    const deployment = parseDeployment(environment);
    expect(deployment.tokenParameter).toBe('/cloud66-worker-autoscaler/local/token');
    expect(JSON.stringify(deployment)).not.toContain('s3cret');
  });

  it('reports what only the functions read, too', () => {
    const bad = { LOG_LEVEL: 'loud', DRY_RUN: 'perhaps', CLOUD66_API_URL: 'x', RESERVED_CONCURRENCY: 'some' };
    expect(problemLines(() => parseDeployment({ ...PACKAGED, ...bad, MAILER_MAX_WORKER: '1' }))).toEqual([
      expect.stringMatching(/^CLOUD66_API_URL: "x" is not an https/),
      expect.stringMatching(/^DRY_RUN: "perhaps" is not true or false/),
      expect.stringMatching(/^LOG_LEVEL: "loud" is not one of debug, info, warn, error/),
      expect.stringMatching(/^RESERVED_CONCURRENCY: "some" is not a whole number from 0 to 100, or none/),
      expect.stringMatching(/^MAILER_MAX_WORKER: /),
    ]);
  });

  it('offers the parameter alone for the token', () => {
    expect(problemLines(() => parseDeployment({ ...PACKAGED, CLOUD66_TOKEN_PARAMETER: '' }))).toEqual([
      'CLOUD66_TOKEN_PARAMETER: is not set; expected the name of an SSM parameter that begins with /, such as /cloud66/token',
    ]);
    expect(problemLines(() => parseDeployment({ ...PACKAGED, CLOUD66_TOKEN: 's3cret', STAGE: 'local' }))).toEqual([
      'CLOUD66_TOKEN: CLOUD66_TOKEN_PARAMETER is set as well; expected exactly one of CLOUD66_TOKEN_PARAMETER, CLOUD66_TOKEN',
    ]);
  });

  it('is refused with examples that nobody replaced and with a queue elsewhere, by the name that was set', () => {
    const wrong = {
      ...PACKAGED,
      MAILER_STACK_UID: 'your-stack-uid',
      MAILER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/210987654321/mail',
    };
    expect(problemsOf(() => parseDeployment(wrong, { region: 'eu-west-1' })).map(({ field }) => field)).toEqual([
      'MAILER_STACK_UID',
      'MAILER_QUEUE_URL',
    ]);
    const { TARGETS: _, ...rest } = PACKAGED;
    const local = { ...rest, PROCESS_NAME: 'worker', QUEUE_URL: 'http://127.0.0.1:4566/000000000000/jobs' };
    expect(parseDeployment(local, { region: 'eu-west-1' }).targets).toHaveLength(1);
    expect(parseDeployment({ ...wrong, STAGE: 'local' }, { region: 'eu-west-1' }).targets).toHaveLength(2);
  });

  it.each([
    [
      {},
      'mailer: process mailer of stack 5999b763474b0eafa5fafb64bff0ba80, queue mail of account 123456789012, 1 to 10 workers, strategy latency (95 % of jobs wait at most 60 s)',
    ],
    [
      { MAILER_STRATEGY: 'backlog', MAILER_QUEUE_URL: '', MAILER_QUEUE_NAME: 'm' },
      'queue m, 1 to 10 workers, strategy backlog (10 messages per worker)',
    ],
    [
      { MAILER_STRATEGY: 'step', STEPS: '0:-1,9:+1', MAILER_QUEUE_URL: '', MAILER_METRIC: 'A/B?C=D' },
      'metric A/B, 1 to 10 workers, strategy step (2 steps)',
    ],
  ])('with %o is summed up in a line that says what it may do', (change, text) => {
    const [live = ''] = summaryLines(parseDeployment({ ...PACKAGED, ...change }));
    expect(live).toMatch(/^LIVE {2}mailer: /);
    expect(live).toContain(text);
    expect(summaryLines(parseDeployment({ ...PACKAGED, ...change, DRY_RUN: 'yes' }))[0]).toBe(
      live.replace('LIVE', 'DRY RUN'),
    );
  });
});
