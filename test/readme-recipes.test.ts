/** The recipes that publish a queue's depth, run as they stand in the README, with stand-ins for Ruby and the AWS CLI. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSettings } from '../lib/config/settings.ts';

const readme = readFileSync(join(import.meta.dirname, '..', 'README.md'), 'utf8');
const section = readme.slice(readme.indexOf('### Sidekiq, Resque'), readme.indexOf('## Cloud 66 API'));
const blocks = [...section.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block = '']) => block);
const [script = '', ...others] = blocks;
const count = /^depth=[\s\S]*?'\)$/m;
const recipes = [script, ...others.map((other) => script.replace(count, count.exec(other)?.[0] ?? 'no count'))];

const folder = mkdtempSync(join(tmpdir(), 'autoscaler-recipes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script with a `bundle` that does what `ruby` says, and an `aws` that writes down what it was called with. */
function run(text: string, ruby: string) {
  const program = (name: string, lines: string) => {
    writeFileSync(join(folder, name), `#!/bin/bash\n${lines}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const calls = join(folder, 'calls');
  writeFileSync(calls, '');
  program('bundle', ruby);
  program('aws', `printf '%s\\n' "$@" >> '${calls}'`);
  program('publish-depth', text);
  const path = `${folder}${delimiter}${process.env['PATH']}`;
  const { status } = spawnSync('bash', ['-e', join(folder, 'publish-depth')], { env: { PATH: path }, timeout: 10_000 });
  return { status, published: readFileSync(calls, 'utf8').trim().split('\n') };
}

describe('a recipe that publishes the depth of a queue', () => {
  it('is there for Sidekiq, Resque, GoodJob and Solid Queue', () => {
    expect(recipes.map((recipe) => /Sidekiq|Resque|GoodJob|SolidQueue/.exec(recipe)?.[0])).toEqual([
      'Sidekiq',
      'Resque',
      'GoodJob',
      'SolidQueue',
    ]);
  });

  it.each(recipes)('publishes what was counted, zeros included: %#', (recipe) => {
    for (const depth of ['7', '0']) {
      const { status, published } = run(recipe, `echo ${depth}`);
      expect(status).toBe(0);
      expect(published.slice(0, 2)).toEqual(['cloudwatch', 'put-metric-data']);
      expect(published.slice(-2)).toEqual(['--value', depth]);
    }
  });

  it.each(recipes)('publishes nothing when the queue does not answer, and fails: %#', (recipe) => {
    const { status, published } = run(recipe, 'echo "cannot connect" >&2; exit 1');
    expect(status).not.toBe(0);
    expect(published).toEqual(['']);
  });

  it('publishes the metric that METRIC names', () => {
    const { published } = run(script, 'echo 3');
    const option = (name: string) => published[published.indexOf(name) + 1];
    const METRIC = /^METRIC=(.*)$/m.exec(section)?.[1] ?? '';
    const { targets } = parseSettings({
      STACK_UID: '5999b763474b0eafa5fafb64bff0ba80',
      PROCESS_NAME: 'worker',
      METRIC,
      CLOUD66_TOKEN: 'a-token',
      ACTIONS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/a.fifo',
      ACTIONS_DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/d.fifo',
    });
    const [dimension = '', value = ''] = option('--dimensions')?.split('=') ?? [];
    expect(targets[0]?.source).toMatchObject({
      kind: 'metric',
      namespace: option('--namespace'),
      name: option('--metric-name'),
      dimensions: { [dimension]: value },
    });
    expect(section).toContain(`"cloudwatch:namespace": "${option('--namespace')}"`);
  });
});
