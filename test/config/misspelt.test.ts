import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../lib/config/settings.ts';
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
    ['CLOUD66_TOKEN_PARAM', 'is not a setting'],
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
