import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { withPackagedTargets } from '../../lib/config/packaged-targets.ts';
import { parseSettings } from '../../lib/config/settings.ts';
import { parseTargetsFile, readTargetsFile } from '../../lib/config/targets-file.ts';
import { MINIMAL, problemLines } from './fixture.ts';

const FLEET = `
defaults:
  STACK_UID: 5999e763   # no number
  MAX_WORKERS: 20
targets:
  mailer:
    PROCESS_NAME: mailer
    QUEUE_NAME: mails
    SERVERS: [lion, tiger]
    COUNT_DELAYED: true
  night-reports:
    PROCESS_NAME: reports
    QUEUE_NAME: reports
    MAX_WORKERS: 3
`;
const ENVIRONMENT = { CLOUD66_TOKEN_PARAMETER: '/cloud66/token', STAGE: 'qa' };
const deploymentOf = (text: string, environment: Readonly<Record<string, string>> = {}) =>
  parseDeployment({ ...ENVIRONMENT, ...environment }, { targets: parseTargetsFile('fleet.yml', text) });
const folder = mkdtempSync(join(tmpdir(), 'autoscaler-fleet-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a file of targets', () => {
  it('says what variables would say, text by text', () => {
    expect(parseTargetsFile('fleet.yml', FLEET).variables).toEqual({
      STACK_UID: '5999e763',
      MAX_WORKERS: '20',
      TARGETS: 'mailer,night-reports',
      MAILER_PROCESS_NAME: 'mailer',
      MAILER_QUEUE_NAME: 'mails',
      MAILER_SERVERS: 'lion,tiger',
      MAILER_COUNT_DELAYED: 'true',
      NIGHT_REPORTS_PROCESS_NAME: 'reports',
      NIGHT_REPORTS_QUEUE_NAME: 'reports',
      NIGHT_REPORTS_MAX_WORKERS: '3',
    });
  });

  it('loses against the environment, as the file of settings does', () => {
    const { targets } = deploymentOf(FLEET, { MAILER_MAX_WORKERS: '7' });
    expect(targets.map(({ id, policy }) => [id, policy.maxWorkers])).toEqual([
      ['mailer', 7],
      ['night-reports', 3],
    ]);
  });

  it('is packaged beside the code, and takes no room in the variables of a function', () => {
    const { environments, packagedTargets } = deploymentOf(FLEET, { MAILER_MAX_WORKERS: '7' });
    expect(environments.scale).toEqual({
      CLOUD66_TOKEN_PARAMETER: '/cloud66/token',
      MAILER_MAX_WORKERS: '7',
      TARGETS_FILE: 'targets.json',
    });
    expect(environments.poller).toEqual({ CLOUD66_TOKEN_PARAMETER: '/cloud66/token' });
    expect(packagedTargets).toMatchObject({ TARGETS: 'mailer,night-reports', MAILER_QUEUE_NAME: 'mails' });
  });

  it.each<[string, string, RegExp]>([
    ['nothing', '', /fleet.yml, line 1: the file: expected the keys targets/],
    ['a list', '- a', /expected the keys targets/],
    ['no targets', 'defaults:\n  MAX_WORKERS: 3\n', /the file: has no targets/],
    ['targets without settings', 'targets:\n  a:\n', /fleet.yml, line 2: targets.a: expected settings/],
    ['an unknown key', 'target:\n  a: {}\ntargets:\n  a: {}\n', /line 1: target: expected targets or defaults/],
    [
      'a misspelt setting',
      'targets:\n  a:\n    MAX_WORKER: 3\n',
      /line 3: targets.a.MAX_WORKER: .*did you mean MAX_WORKERS/,
    ],
    ['a setting in the wrong case', 'targets:\n  a:\n    max-workers: 3\n', /line 3.*did you mean MAX_WORKERS/],
    [
      'a setting of the program',
      'targets:\n  a:\n    DRY_RUN: true\n',
      /line 3: targets.a.DRY_RUN: is one setting for the whole/,
    ],
    [
      'a key that is there twice',
      'targets:\n  a:\n    MAX_WORKERS: 3\n    MAX_WORKERS: 4\n',
      /line 4.*[Mm]ap keys must be unique/,
    ],
    ['a value that is none', 'targets:\n  a:\n    MAX_WORKERS:\n', /line 3: targets.a.MAX_WORKERS: expected a text/],
    [
      'a value with parts',
      'targets:\n  a:\n    MAX_WORKERS: {b: 1}\n',
      /line 3: targets.a.MAX_WORKERS: expected a text/,
    ],
    ['an alias', 'targets:\n  a: &a\n    MAX_WORKERS: 1\n  b: *a\n', /line 4: targets: .*alias/],
    ['no YAML', 'targets: [', /fleet.yml, line \d/],
    ['far too much', `targets: ${'x'.repeat(1_000_001)}`, /longer than 1000000/],
  ])('%s is refused with its line', (_title, text, message) => {
    const lines = parseTargetsFile('fleet.yml', text).problems.map(({ field, message: said }) => `${field}: ${said}`);
    expect(lines.join('\n')).toMatch(message);
  });

  it('values that are wrong are told with their lines, all at once', () => {
    const text = FLEET.replace('MAX_WORKERS: 20', 'MAX_WORKERS: many').replace(
      'QUEUE_NAME: mails',
      'QUEUE_NAME: "a b"',
    );
    const lines = problemLines(() => deploymentOf(text)).join('\n');
    expect(lines).toMatch(/^fleet.yml, line 4: MAX_WORKERS: "many" is not a whole number/m);
    expect(lines).toMatch(/^fleet.yml, line 8: MAILER_QUEUE_NAME: "a b" is not/m);
  });

  it('a bomb of aliases goes off nowhere', () => {
    const bomb = `a: &a [x,x]\n${'bcdefghij'
      .split('')
      .map((name, index) => `${name}: &${name} [*${'abcdefghij'[index]},*${'abcdefghij'[index]}]`)
      .join('\n')}\ntargets: *j\n`;
    expect(parseTargetsFile('bomb.yml', bomb).problems.length).toBeGreaterThan(0);
  });

  it('is read where TARGETS_FILE says; one that is not there is a problem, not nothing', () => {
    writeFileSync(join(folder, 'fleet.yml'), FLEET);
    expect(readTargetsFile(folder, { TARGETS_FILE: 'fleet.yml' })?.variables.TARGETS).toBe('mailer,night-reports');
    expect(readTargetsFile(folder, {})).toBeNull();
    expect(readTargetsFile(folder, { TARGETS_FILE: 'nowhere.yml' })?.problems).toEqual([
      { field: 'TARGETS_FILE', message: 'nowhere.yml cannot be read (ENOENT)' },
    ]);
  });
});

describe('the packaged targets', () => {
  const code = pathToFileURL(join(folder, 'scale.mjs')).href;

  it('lie under the environment of the function', () => {
    const { packagedTargets } = deploymentOf(FLEET);
    writeFileSync(join(folder, 'targets.json'), JSON.stringify(packagedTargets));
    const { STACK_UID: _stack, PROCESS_NAME: _process, QUEUE_URL: _queue, ...environment } = MINIMAL;
    const own = { ...environment, TARGETS_FILE: 'targets.json', MAILER_MAX_WORKERS: '7' };
    const { targets } = parseSettings(withPackagedTargets(own, code));
    expect(targets.map(({ id, stackUid, policy }) => [id, stackUid, policy.maxWorkers])).toEqual([
      ['mailer', '5999e763', 7],
      ['night-reports', '5999e763', 3],
    ]);
  });

  it('are not looked for where packaging announced none', () => {
    expect(withPackagedTargets(MINIMAL, 'file:///nowhere/')).toBe(MINIMAL);
  });

  it.each(['[', '7', 'null'])('that cannot be used stop the function: %s', (text) => {
    writeFileSync(join(folder, 'targets.json'), text);
    const parse = () => withPackagedTargets({ TARGETS_FILE: 'targets.json' }, code);
    expect(problemLines(parse)[0]).toMatch(/^TARGETS_FILE: targets.json cannot be used/);
  });
});
