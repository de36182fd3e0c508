import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COVERED_TYPES, deployerPolicy } from '../../infra/deployer-policy.ts';
import { runCommand } from '../cli/run-command.ts';
import { NAME, type Project, projectCopy, Resources, SETTINGS, TEMPLATE_FILE } from './project.ts';

const PLACE = {
  name: NAME,
  partition: 'aws',
  region: 'eu-west-1',
  account: '123456789012',
  parameters: ['/c66/token', '/cloud66-worker-autoscaler/qa/overrides'],
};
const policy = deployerPolicy(PLACE);

describe('the policy for whoever deploys', () => {
  let project: Project;
  beforeAll(() => {
    project = projectCopy();
  });
  afterAll(() => project.remove());

  it('covers every type of resource that is packaged', { timeout: 60_000 }, () => {
    const { output } = project.serverlessPackage(SETTINGS, '--stage', 'qa');
    const types = new Set(Object.values(new Resources(project.packaged(TEMPLATE_FILE)).all).map(({ Type }) => Type));
    expect(types.size, output).toBeGreaterThan(8);
    const covered = new Set(Object.values(COVERED_TYPES).flat());
    expect([...types].filter((type) => !covered.has(type))).toEqual([]);
    const sids = policy.Statement.map(({ Sid }) => Sid);
    expect(Object.keys(COVERED_TYPES).filter((sid) => !sids.includes(sid))).toEqual([]);
  });

  it('fits into a managed policy, whose limit is 6,144 characters without white space', () => {
    expect(JSON.stringify(policy).length).toBeLessThan(6_144);
  });

  it('reaches beyond the deployment in reads only', () => {
    const wide = policy.Statement.filter(({ Resource, Condition }) => Resource === '*' && Condition === undefined);
    const calls = wide.flatMap(({ Action }) => Action);
    expect(calls.length).toBeGreaterThan(5);
    for (const call of calls) expect(call).toMatch(/:(Describe|Get|List|Validate)|QueryDefinition/);
    const named = policy.Statement.filter(({ Resource }) => Resource !== '*').flatMap(({ Resource }) => Resource);
    for (const arn of named)
      expect(arn.includes(NAME) || PLACE.parameters.some((name) => arn.endsWith(`:parameter${name}`)), arn).toBe(true);
  });

  it('hands its roles to Lambda alone', () => {
    const passing = policy.Statement.filter(({ Action }) => Action.includes('iam:PassRole'));
    expect(passing.map(({ Condition }) => Condition)).toEqual([
      { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
    ]);
    expect(policy.Statement.flatMap(({ Action }) => Action).filter((call) => call === 'iam:*')).toEqual([]);
  });
});

describe('npm run deployer-policy', () => {
  it('prints it as JSON', async () => {
    const { code, stdout } = await runCommand(
      [
        'deployer-policy',
        '--stage',
        'qa',
        '--region',
        'eu-west-1',
        '--account',
        '123456789012',
        '--token-parameter',
        '/c66/token',
      ],
      {},
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(policy);
  });

  it('lists every problem of its options', async () => {
    const { code, stderr } = await runCommand(['deployer-policy', '--account', '12', '--partition', 'moon'], {});
    expect(code).toBe(1);
    expect(stderr).toMatch(/3 problems/);
    for (const option of ['--region', '--account', '--partition']) expect(stderr).toContain(option);
  });
});
