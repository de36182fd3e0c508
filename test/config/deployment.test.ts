import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { parsePollerSettings, parseSettings } from '../../lib/config/settings.ts';
import { problemLines, TWO_TARGETS } from './fixture.ts';

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
});
