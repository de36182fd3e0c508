import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { template } from '../../infra/template.ts';
import { parseTargetsFile } from '../../lib/config/targets-file.ts';
import { billOf, billsText, PRICES, watchedMonth } from '../bench/cost-model.ts';

/** Alarms that a deployment of so many targets makes. */
function alarmsInTemplate(targets: number): number {
  const ofTarget = (_: unknown, index: number) =>
    `  t${index}:\n    PROCESS_NAME: p${index}\n    METRIC: Jobs/Depth?Queue=q${index}`;
  const text = ['targets:', ...Array.from({ length: targets }, ofTarget)].join('\n');
  const environment = { CLOUD66_TOKEN_PARAMETER: '/token', STACK_UID: 'shop' };
  const place = { service: 'autoscaler', stage: 'dev', region: 'us-east-1' };
  const parts = template(environment, place, { targets: parseTargetsFile('targets.yml', text) });
  return JSON.stringify(parts).match(/"Type":"AWS::CloudWatch::Alarm"/g)?.length ?? 0;
}

describe('the bill of a month', () => {
  it('stays at pocket money for a quiet target: at most 15 cents beyond its alarm, at 100 targets', async () => {
    const bill = await billOf(100, 'quiet', 60);
    expect(bill.perTarget).toBeGreaterThan(0.01); // 43,200 reads of a depth alone are 1.7 cents
    expect(bill.perTarget).toBeLessThanOrEqual(0.15);
    expect(bill.sum).toBeCloseTo(Object.values(bill.lines).reduce((sum, line) => sum + line, 0));
  });

  it.each([
    [5, 9],
    [410, 404],
  ])('has the alarms that the template of %d targets has', async (targets, expected) => {
    expect(alarmsInTemplate(targets)).toBe(expected);
    expect((await billOf(targets, 'quiet', 2)).lines.alarms).toBeCloseTo(expected * PRICES.alarm);
  });

  it('grows with the work, and is the same whenever it is made', async () => {
    const [quiet, busy, again] = [
      await billOf(10, 'quiet', 60),
      await billOf(10, 'busy', 60),
      await billOf(10, 'busy', 60),
    ];
    expect(busy.sum).toBeGreaterThan(quiet.sum);
    expect(again).toEqual(busy);
    expect(billsText([quiet, busy]).split('\n')).toHaveLength(4);
  });
});

describe('a month in which every minute is watched', () => {
  it('costs what the README says in both places', () => {
    const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8').replaceAll('\n', ' ');
    const { lambda, perTarget } = watchedMonth();
    const [lambdaDollars, eachDollars] = [lambda, perTarget].map((dollars) => `$${dollars.toFixed(2)}`);
    expect(readme).toContain(`${lambdaDollars} for Lambda, however many targets, and up to ${eachDollars} for each`);
    expect(readme).toContain(`up to ${lambdaDollars} for Lambda, however many there are, and ${eachDollars} for each`);
  });
});

describe('npm run cost', () => {
  const script = join(import.meta.dirname, '..', 'bench', 'cost.ts');
  const run = (...args: string[]) => promisify(execFile)(process.execPath, ['--no-warnings', script, ...args]);

  it('prints the table with the date and the source of its prices', { timeout: 60_000 }, async () => {
    const { stdout } = await run('--targets', '1,5', '--load', 'busy', '--minutes', '30');
    expect(stdout.split('\n').slice(2, 4)).toEqual([
      expect.stringMatching(/^\| 1 \| busy \|/),
      expect.stringMatching(/^\| 5 \| busy \|/),
    ]);
    expect(stdout).toMatch(/us-east-1, \d{4}-\d{2}, .*https:\/\/aws.amazon.com\/lambda\/pricing/);
  });

  it.each([
    [['--load', 'heavy'], '--load: found "heavy", expected quiet, mixed, busy'],
    [['--targets', '0'], '--targets: found "0", expected a whole number from 1 to 99999'],
    [['--target', '1'], "Unknown option '--target'"],
  ])('refuses %j and says what it expects', { timeout: 60_000 }, async (args, message) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
