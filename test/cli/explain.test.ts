/** `npm run explain` against a local AWS and the simulated Cloud 66, in process and as people start it. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Explanation, explain } from '../../lib/cli/explain.ts';
import { explanationText } from '../../lib/cli/explain-text.ts';
import type { World } from '../../lib/simulation/local/world.ts';
import { environmentOf, LION, QUEUE, startDeployment, TIGER } from './local-deployment.ts';
import { runCommand } from './run-command.ts';

const NO_OPTIONS = { target: [], stage: 'local' };

let world: World;
beforeAll(async () => {
  world = await startDeployment();
});
afterAll(() => world.close());

async function only(changes: Readonly<Record<string, string>> = {}): Promise<Explanation> {
  const [first, ...more] = await explain(
    { environment: environmentOf(world, changes), file: null },
    NO_OPTIONS,
    () => {},
  );
  if (first === undefined || more.length > 0) throw new Error('one explanation expected');
  return first;
}

describe('explain', () => {
  it('at rest: tells the hold, and the backlogs at which the count would change', async () => {
    const explanation = await only();
    expect(explanation).toMatchObject({
      problem: null,
      decision: { action: 'hold', currentCount: 1, reason: 'at_minimum' },
      hold: { reason: 'at_minimum' },
      counts: null,
      whatIf: {
        backlog: 0,
        scaleOut: { kind: 'at', backlog: 12, desiredCount: 2 },
        scaleIn: { kind: 'never', reason: 'at_minimum' },
      },
    });
    expect(stripVTControlCharacters(explanationText(explanation))).toContain(
      'scale out: at a backlog of 12 or more, to 2',
    );
  });

  it('reads what the what-if needs without pretending that the decision was made on it', async () => {
    const { input, observation } = await only();
    expect(input.observation.stack.kind).toBe('not_read');
    expect(observation.stack).toMatchObject({ kind: 'ok', value: { status: 'deployed' } });
  });

  it('with a backlog: tells the change, where the workers would go, and every reading with its age', async () => {
    await Promise.all(Array.from({ length: 30 }, () => world.cloud.queues.send(QUEUE, '{}')));
    const explanation = await only();
    expect(explanation).toMatchObject({
      decision: { action: 'scale_out', currentCount: 1, desiredCount: 3 },
      hold: null,
      counts: { [LION]: 2, [TIGER]: 1 },
    });
    const text = stripVTControlCharacters(explanationText(explanation));
    expect(text).toContain('scale out 1 -> 3: backlog_above_target');
    expect(text).toMatch(/Servers {3}lion 2, tiger 1/);
    expect(text).toMatch(/backlog +30 waiting, 0 in flight, 0 delayed \(\d s old\)/);
    expect(text).toMatch(/workers +lion 1, tiger 0 \(\d s old\)/);
  });

  it('sends nothing but reads to Cloud 66, and nothing to a queue', async () => {
    await only();
    expect(world.account.calls.reads()).toBeGreaterThan(0);
    expect(world.account.calls.writes()).toBe(0);
    const asked = new Set(world.cloud.requests.map(({ operation }) => operation));
    expect([...asked].filter((operation) => !operation.startsWith('Get'))).toEqual([]);
  });

  it('tells what went wrong and what still can be said when a reading fails', async () => {
    const explanation = await only({ QUEUE_NAME: 'nowhere' });
    expect(explanation.problem).toContain('not_found');
    expect(explanation.decision).toMatchObject({ action: 'hold', reason: 'backlog_unknown' });
    expect(explanation.whatIf).toMatchObject({ backlog: null, scaleOut: { kind: 'at', backlog: 12 } });
    expect(stripVTControlCharacters(explanationText(explanation))).toContain('Problem');
  });

  it('takes a token of the environment, beside the parameter or instead of it', async () => {
    const explanation = await only({ CLOUD66_TOKEN: 'nobody-knows-this-token' });
    expect(explanation.decision).toMatchObject({ reason: 'workers_unknown' });
    expect(explanation.problem).toContain('access_denied');
    const alone = await only({ CLOUD66_TOKEN: 'nobody-knows-this-token', CLOUD66_TOKEN_PARAMETER: '' });
    expect(alone.decision).toMatchObject({ reason: 'workers_unknown' });
  });

  it('refuses a target that does not exist, naming those that do', async () => {
    const asked = explain(
      { environment: environmentOf(world), file: null },
      { ...NO_OPTIONS, target: ['mailer'] },
      () => {},
    );
    await expect(asked).rejects.toThrow('there is no target mailer; there is worker');
  });

  it('lists every problem of the settings', async () => {
    const asked = only({ MIN_WORKERS: 'many', STACK_UID: '' });
    await expect(asked).rejects.toThrow(/STACK_UID[\s\S]*MIN_WORKERS|MIN_WORKERS[\s\S]*STACK_UID/);
  });
});

describe('the command', { concurrent: true }, () => {
  it('prints JSON and exits with 0', async () => {
    const { stdout, code } = await runCommand(
      ['explain', '--stage', 'local', '--json', '--target', 'worker'],
      environmentOf(world),
    );
    const { targets } = JSON.parse(stdout) as { targets: { decision: { action: string }; whatIf: object }[] };
    expect(targets).toMatchObject([{ decision: { action: 'scale_out' }, whatIf: { backlog: 30 } }]);
    expect(code).toBe(0);
  });

  it('exits with 1 when a target could not be decided on readings', async () => {
    const { stdout, code } = await runCommand(
      ['explain', '--stage', 'local'],
      environmentOf(world, { QUEUE_NAME: 'nowhere' }),
    );
    expect(stdout).toContain('backlog_unknown');
    expect(code).toBe(1);
  });

  it('prints problems without a stack and exits with 1', async () => {
    const { stderr, code } = await runCommand(['explain', '--stage', 'local'], environmentOf(world, { STACK_UID: '' }));
    expect(stderr).toContain('STACK_UID');
    expect(stderr).not.toContain('at file:');
    expect(code).toBe(1);
  });
});
