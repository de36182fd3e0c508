import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { parseEnvFile } from '../../lib/config/env-file.ts';
import { ConfigurationError, parseSettings } from '../../lib/config/settings.ts';
import { MINIMAL, problemLines, TWO_TARGETS } from './fixture.ts';

describe('a name that is no setting', () => {
  it.each([
    ['MAILER_MAX_WORKER', 'is not a setting; did you mean MAILER_MAX_WORKERS?'],
    ['MAILER_COLOR', 'is not a setting'],
    ['MAILER_SCALE_IN_COOLDOWN', 'is not a setting; did you mean MAILER_SCALE_IN_COOLDOWN_SECONDS?'],
    ['MAILER_DRY_RUN', 'is not a setting of one target; DRY_RUN is set once for all'],
    ['MAILR_MAX_WORKERS', 'is not a setting; did you mean MAILER_MAX_WORKERS?'],
    ['SCALE_IN_COOLDOWN', 'is not a setting; did you mean SCALE_IN_COOLDOWN_SECONDS?'],
    ['SCALE_OUT_COLOR', 'is not a setting'],
    ['CLOUD66_TOKEN_PARAM', 'is not a setting; did you mean CLOUD66_TOKEN_PARAMETER?'],
    ['CLOUD66_TOKENS', 'is not a setting; did you mean CLOUD66_TOKEN?'],
    ['ACTION_TIMEOUT', 'is not a setting; did you mean ACTION_TIMEOUT_SECONDS?'],
    ['BACKLOG_PER_WORKERS', 'is not a setting; did you mean BACKLOG_PER_WORKER?'],
    ['BACKLOG_PER_WORKER_SECONDS', 'is not a setting; did you mean BACKLOG_PER_WORKER?'],
    ['MAX_WORKERSS', 'is not a setting; did you mean MAX_WORKERS?'],
  ])('%s is a problem', (variable, message) => {
    expect(problemLines(() => parseSettings({ ...TWO_TARGETS, [variable]: '1' }))).toEqual([`${variable}: ${message}`]);
  });

  it.each([
    ['SERVER', 'SERVER is not a setting; did you mean SERVERS?'],
    ['LOGLEVEL', 'LOGLEVEL is not a setting; did you mean LOG_LEVEL?'],
    ['REPORTS_MAX_WORKERS', 'REPORTS_MAX_WORKERS is ignored: TARGETS lists no target with that prefix'],
  ])('%s is a warning, because it may be innocent', (variable, warning) => {
    expect(parseSettings({ ...TWO_TARGETS, [variable]: '1' }).warnings).toEqual([warning]);
  });

  it.each([
    ['AWS_MAILER_MAX_WORKER', 'is not a setting; did you mean AWS_MAILER_MAX_WORKERS?'],
    ['AWS_MAILERS_MAX_WORKERS', 'is not a setting; did you mean AWS_MAILER_MAX_WORKERS?'],
    ['AWS_MAILERMAX_WORKERS', 'is not a setting; did you mean AWS_MAILER_MAX_WORKERS?'],
  ])('%s is a problem although what Lambda sets begins like it', (variable, message) => {
    const environment = { ...MINIMAL, TARGETS: 'aws-mailer', AWS_REGION: 'us-east-1', [variable]: '1' };
    expect(problemLines(() => parseSettings(environment))).toContain(`${variable}: ${message}`);
  });

  it("is left alone when it is somebody else's", () => {
    const lambda = {
      AWS_LAMBDA_FUNCTION_NAME: 'scale',
      AWS_REGION: 'eu-west-1',
      LAMBDA_TASK_ROOT: '/var/task',
      LD_LIBRARY_PATH: '/lib',
      NODE_PATH: '/opt',
      PATH: '/bin',
      TZ: ':UTC',
      LANG: 'C',
      SHLVL: '1',
      STATE: 'x',
      _HANDLER: 'functions/scale.handler',
      npm_config_loglevel: 'error',
      QUEUE: 'x',
      LOG_FORMAT: 'json',
    };
    expect(parseSettings({ ...MINIMAL, ...lambda })).toEqual(parseSettings(MINIMAL));
  });
});

describe('a name in a file of settings', () => {
  const { ACTIONS_QUEUE_URL: _, ACTIONS_DEAD_LETTER_QUEUE_URL: __, ...PACKAGED } = TWO_TARGETS;

  it.each([
    ['DRYRUN', 'is not a setting; did you mean DRY_RUN?'],
    ['DRY-RUN', 'is not a setting; did you mean DRY_RUN?'],
    ['dry_run', 'is not a setting; did you mean DRY_RUN?'],
    ['DryRun', 'is not a setting; did you mean DRY_RUN?'],
    ['mailer_MIN_WORKERS', 'is not a setting; did you mean MAILER_MIN_WORKERS?'],
    ['REPORTS_MIN_WORKERS', 'is not a setting; did you mean NIGHT_REPORTS_MIN_WORKERS?'],
    ['BILL_OUT_MIN_WORKERS', 'is not a setting: TARGETS lists no target bill-out'],
    ['COOLDOWN', 'is not a setting; did you mean SCALE_IN_COOLDOWN_SECONDS?'],
    ['TOLERANZ', 'is not a setting; did you mean TOLERANCE?'],
    ['TARGET', 'is not a setting; did you mean TARGETS?'],
    ['LOGLEVEL', 'is not a setting; did you mean LOG_LEVEL?'],
    ['COLOR', 'is not a setting'],
    ['MAILER_DRY_RUN', 'is not a setting of one target; DRY_RUN is set once for all'],
    ['STAGE', 'is not a setting; --stage names the stage'],
    ['ACTIONS_QUEUE_URL', 'is set by the template'],
    ['AWS_PROFILE', 'is not a setting of this program, which alone reads this file; set it in the shell'],
  ])('%s is a problem', (variable, message) => {
    const file = parseEnvFile('.env', `${variable}=1\n`);
    expect(problemLines(() => parseDeployment(PACKAGED, { file }))).toContain(`${variable}: ${message}`);
  });

  it('is no problem with an empty value, or when the environment hides it', () => {
    const file = parseEnvFile('.env', 'DRYRUN=\nTOLERANZ=1\n');
    expect(parseDeployment({ ...PACKAGED, TOLERANZ: '' }, { file }).warnings).toEqual([]);
  });

  it('comes with what is odd in the environment, which may explain it', () => {
    const file = parseEnvFile('.env', 'COLOR=red\n');
    const parse = () => parseDeployment({ ...PACKAGED, LOGLEVEL: 'debug' }, { file });
    expect(parse).toThrow(ConfigurationError);
    expect(parse).toThrow(
      expect.objectContaining({ warnings: ['LOGLEVEL is not a setting; did you mean LOG_LEVEL?'] }) as Error,
    );
  });
});
