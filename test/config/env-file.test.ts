import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseEnvFile, readEnvFile } from '../../lib/config/env-file.ts';

const lines = (text: string) => parseEnvFile('.env', text).problems.map(({ field, message }) => `${field}: ${message}`);

describe('a file of settings', () => {
  it('holds names and values, with quotes, comments, export and the line ends of Windows', () => {
    const text = [
      '\uFEFF# first',
      'A=1',
      'export B = two words  # why',
      '',
      `C='a # b'`,
      'D="x=y" # why',
      'E=',
      'F=Sidekiq/Size?Queue=default&stat=Maximum',
      'G=0 7 * * 1-5 | Europe/Berlin | 10h | min=4',
    ];
    for (const end of ['\n', '\r\n']) {
      expect(parseEnvFile('.env', text.join(end))).toEqual({
        name: '.env',
        problems: [],
        variables: {
          A: '1',
          B: 'two words',
          C: 'a # b',
          D: 'x=y',
          E: '',
          F: 'Sidekiq/Size?Queue=default&stat=Maximum',
          G: '0 7 * * 1-5 | Europe/Berlin | 10h | min=4',
        },
      });
    }
  });

  it.each([
    ['DRY_RUN true', '.env, line 1: is not NAME=value (it begins with DRY_RUN)'],
    ['\nMAX WORKERS=3', '.env, line 2: is not NAME=value (it begins with MAX)'],
    ['=3', '.env, line 1: is not NAME=value'],
    ['A="x', 'A: has a quote that is not closed on its line'],
    ['A="x" y', 'A: has text after its closing quote'],
    ['A=x#y', 'A: has a # that begins a comment; put the value into quotes'],
    ['A=1\nB=2\nA=3', 'A: is set twice in .env, lines 1 and 3'],
    ['A'.repeat(100_001), '.env: is longer than 100000 characters'],
  ])('is refused with %j', (text, line) => {
    expect(lines(text)).toEqual([line]);
  });

  it.each(['0f'.repeat(32), `${'0f'.repeat(20)}=`, `x ${'0f'.repeat(32)}`])(
    'never shows a pasted token: %s',
    (text) => {
      expect(lines(text)).toHaveLength(1);
      expect(lines(text).join()).not.toContain('0f0f');
    },
  );
});

describe('the file of a project', () => {
  const folder = mkdtempSync(join(tmpdir(), 'autoscaler-env-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('may be missing, unless it was asked for', () => {
    expect(readEnvFile(folder, {})).toBeNull();
    expect(readEnvFile(folder, { AUTOSCALER_ENV_FILE: 'other.env' })?.problems).toEqual([
      { field: 'AUTOSCALER_ENV_FILE', message: 'other.env cannot be read (ENOENT)' },
    ]);
  });

  it('is .env whatever the stage, the one that was asked for, or none', () => {
    writeFileSync(join(folder, '.env'), 'A=1\n');
    writeFileSync(join(folder, '.env.production'), 'A=2\n');
    expect(readEnvFile(folder, { STAGE: 'production', NODE_ENV: 'production' })).toMatchObject({
      name: '.env',
      variables: { A: '1' },
    });
    const asked = readEnvFile(folder, { AUTOSCALER_ENV_FILE: '.env.production' });
    expect(asked).toMatchObject({ name: '.env.production', variables: { A: '2' } });
    expect(readEnvFile(folder, { AUTOSCALER_ENV_FILE: 'none' })).toBeNull();
  });

  it('that cannot be read is a problem of its own', () => {
    expect(readEnvFile(join(folder, '.env', '..'), { AUTOSCALER_ENV_FILE: '.' })?.problems).toEqual([
      { field: 'AUTOSCALER_ENV_FILE', message: '. cannot be read (EISDIR)' },
    ]);
  });
});
