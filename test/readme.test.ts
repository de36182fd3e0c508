import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withGeneratedParts } from '../lib/cli/readme.ts';
import { FAULTS } from '../lib/simulation/faults/plan.ts';
import { MUTANTS } from './faults/mutants.ts';

const ROOT = join(import.meta.dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Commands of the README, and the test that runs each; those that need an AWS account are run by nobody here. */
const COVERED: Readonly<Record<string, string>> = {
  'npm ci && npm start': 'test/e2e',
  'npm start -s -- --json | jq': 'test/e2e',
  'npm start -- --help': 'test/e2e',
  'npm ci && npm test': '.ci/run',
  'npx serverless package --stage "$STAGE" --region "$REGION"': 'test/infra',
  'npm run explain -- --stage "$STAGE" --region "$REGION"': 'test/cli/explain.test.ts',
  'npm run doctor -- --stage "$STAGE" --region "$REGION"': 'test/doctor',
  'npm run -s deployer-policy -- --stage "$STAGE" --region "$REGION" --account 123456789012':
    'test/infra/deployer-policy.test.ts',
  ...Object.fromEntries(
    [
      'worker 8 --for 2h --why "import"',
      'worker pause --for 1h --why "migration"',
      '--all pause-scale-in --for 1d --why "sale"',
      'worker --clear',
      '--list',
    ].map((words) => [`npm run override -- ${words} --stage "$STAGE" --region "$REGION"`, 'test/cli/override.test.ts']),
  ),
  'npm run shadow-report -- --hours 24 --report shadow.html --stage "$STAGE" --region "$REGION"':
    'test/cli/shadow-report.test.ts',
  'npm run backtest': 'test/cli',
  'npm run backtest -- --arrivals test/fixtures/traces/azfn19_diurnal_1m.csv --load 3 --job-seconds 6 --slo 60:95 --policy all --report out.html':
    'test/cli',
  'npm run tune -- --shape bursts --slo 60:95 --budget 8': 'test/cli',
  'npm run bench:fleet': 'test/lambda/fleet.test.ts',
  'npm start -- --faults 2': 'test/e2e/cli.test.ts',
  'npm run bench:backtest': 'test/backtest/bench.test.ts',
  'npm run faults -- --seeds 1-10': 'test/cli/faults.test.ts',
  'npm run load': 'test/faults/load.test.ts',
  'npm run mutation': 'test/mutation/mutation.test.ts',
  'npm run cost': 'test/lambda/cost.test.ts',
  'npm run cost -- --targets 12 --load busy': 'test/lambda/cost.test.ts',
  'npm run bench:init': 'test/infra/bench-init.test.ts',
  'npm run bench:policy -- --quick': 'test/backtest/bench-policy.test.ts',
  'npm run bench:policy -- --budget 4 --seeds 1-4 --no-oracle --policies latency,backlog,buildkite,keda,knative,judoscale,nomad,laravel-queue-autoscale,aws-target-tracking --traces azfn19_diurnal_1m,azfn19_ramps_1m,azfn19_onoff_1m,azfn19_cron30noisy_1m,azfn19_hourlybatch_1m,azfn19_longbursts_1m,azfn19_base_spikes_1m,azfn19_rarelong_1m,azure_llm23_conv_1s':
    'test/backtest/bench-policy.test.ts',
};
const NEEDS_AN_ACCOUNT = [
  'npm run backtest -- --queue',
  'read -rs TOKEN',
  'aws ssm put-parameter',
  'aws lambda put-function-concurrency',
  'npx serverless deploy',
  'npx serverless logs',
  'npx serverless remove',
];

describe('the README', () => {
  it('has the tables that the code gives (npm run docs writes them)', () => {
    expect(withGeneratedParts(readme)).toBe(readme);
  });

  it('names only commands that a test runs or that need an account', () => {
    const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) => block.split('\n'));
    const commands = blocks
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== '' && !/^[A-Z0-9_]+=/.test(line));
    expect(commands.length).toBeGreaterThan(4);
    for (const command of commands) {
      const known = command in COVERED || NEEDS_AN_ACCOUNT.some((start) => command.startsWith(start));
      expect(known, `"${command}" is run by no test`).toBe(true);
    }
    for (const place of Object.values(COVERED)) expect(existsSync(join(ROOT, place)), place).toBe(true);
  });

  it('counts what it boasts of', () => {
    expect(readme).toContain(`${Object.keys(FAULTS).length} kinds of faults`);
    expect(readme).toContain(`each of ${MUTANTS.length} broken versions`);
  });

  it('names every metric', () => {
    const source = readFileSync(join(ROOT, 'lib', 'telemetry', 'metrics.ts'), 'utf8');
    const names = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(readme).toContain(`\`${name}\``);
  });

  it('writes the METRIC of its recipe as .env.example does', () => {
    const [line = ''] = /^# METRIC=.*$/m.exec(readFileSync(join(ROOT, '.env.example'), 'utf8')) ?? [];
    expect(readme).toContain(`\n${line.slice(2)}\n`);
  });

  it('links only to files that are there', () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link = '']) => link);
    for (const link of links) expect(existsSync(join(ROOT, link)), link).toBe(true);
  });
});
