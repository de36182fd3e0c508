import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { parseEnvFile } from '../../lib/config/env-file.ts';
import { envExample } from '../../lib/config/example.ts';
import { GROUPS, SETTINGS, type Setting } from '../../lib/config/schema.ts';
import { problemLines } from './fixture.ts';

const rows: readonly (readonly [string, Setting])[] = Object.entries(SETTINGS);

describe('the table of settings', () => {
  it.each(rows)('%s has a default that it understands itself, or says what unset means', (_, setting) => {
    if (setting.default === null) expect(setting.unset).toMatch(/\w/);
    else expect(setting.type.parse(setting.default)).not.toBeNull();
  });

  it.each(rows)('%s has a sentence, a heading and an example that it understands', (name, setting) => {
    expect(setting.doc).toMatch(/^[A-Z].*\.$/);
    expect(GROUPS).toContain(setting.group);
    expect(setting.type.parse(setting.example ?? setting.default ?? '')).not.toBeNull();
    if (/_SECONDS$/.test(name)) expect(setting.unit).toBe('seconds');
  });

  it('never lets a secret into a function or a target', () => {
    const secrets = rows.filter(([, setting]) => setting.secret === true);
    expect(secrets.map(([name]) => name)).toEqual(['CLOUD66_TOKEN']);
    expect(secrets.every(([, setting]) => setting.functions.length === 0 && setting.scope === 'global')).toBe(true);
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

  it('is what the table says', async () => {
    await expect(envExample()).toMatchFileSnapshot('../../.env.example');
  });

  it('shows every setting once, but for those that the template sets', () => {
    for (const [name, { group }] of rows) {
      const times = group === 'Set by the template' ? 0 : 1;
      expect([...text.matchAll(new RegExp(`^(# )?${name}=`, 'gm'))], name).toHaveLength(times);
    }
  });

  it('is a working configuration but for what only the user knows, and scales nothing yet', () => {
    const file = parseEnvFile('.env.example', text);
    const deployment = parseDeployment({}, { file });
    expect(deployment.targets.map(({ id }) => id)).toEqual(['worker']);
    expect(deployment).toMatchObject({ dryRun: true, warnings: [] });
    expect(problemLines(() => parseDeployment({}, { file, region: 'eu-west-1' }))).toEqual([
      'STACK_UID: is still the example, "your-stack-uid"; put in the uid of your stack',
      'QUEUE_URL: is still the example; put in the address of your queue',
    ]);
  });
});
