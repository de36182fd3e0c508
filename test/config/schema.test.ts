import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../lib/config/deployment.ts';
import { envExample } from '../../lib/config/example.ts';
import { GROUPS, SETTINGS, type Setting, TARGET_SETTING_NAMES } from '../../lib/config/schema.ts';

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

  it("keeps the variables of two targets apart, because no target setting is another one's ending", () => {
    const endings = TARGET_SETTING_NAMES.filter((name) =>
      TARGET_SETTING_NAMES.some((other) => other.endsWith(`_${name}`)),
    );
    expect(endings).toEqual([]);
  });
});

describe('.env.example', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

  it('is what the table says', async () => {
    await expect(envExample()).toMatchFileSnapshot('../../.env.example');
  });

  it('shows every setting once', () => {
    for (const [name] of rows) expect(text.match(new RegExp(`^(# )?${name}=`, 'gm')), name).toHaveLength(1);
  });

  it('is a working configuration as it stands', () => {
    const lines = text.split('\n').filter((line) => /^[A-Z]/.test(line));
    const environment = Object.fromEntries(lines.map((line) => line.split(/=(.*)/, 2) as [string, string]));
    expect(parseDeployment(environment).targets.map(({ id }) => id)).toEqual(['worker']);
  });
});
