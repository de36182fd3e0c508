/** `npm run explain -- --decision`: logged decisions are decided again, byte for byte. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDecisionLog } from '../../lib/cli/decision-log.ts';
import { replay } from '../../lib/cli/replay.ts';
import type { DecisionInput } from '../../lib/domain.ts';
import { decide } from '../../lib/policy/decide.ts';
import { createLogger } from '../../lib/telemetry/logger.ts';
import { createMetrics } from '../../lib/telemetry/metrics.ts';
import { createRedactor } from '../../lib/telemetry/redaction.ts';
import { createReporter } from '../../lib/telemetry/reporter.ts';
import { type PackagedCopy, packagedCopy } from '../e2e/packaged.ts';
import { hurry, inScene, SCALE, SPEED, tick } from '../e2e/scene.ts';
import { inputOf, NOW, observationOf } from '../support/observations.ts';
import { runCommand } from './run-command.ts';

/** The log line of a decision, as the function writes it. */
function loggedLine(input: DecisionInput): string {
  const lines: string[] = [];
  const write = (line: string) => {
    lines.push(line);
  };
  const clock = { nowMs: () => NOW };
  const logger = createLogger({ level: 'debug', write, clock, redactor: createRedactor() });
  const reporter = createReporter({ logger, metrics: createMetrics({ write, clock, service: 'scale' }), clock });
  const decision = decide(input);
  if (decision.kind !== 'decision') throw new Error('a decision expected');
  const result = { kind: 'held', decision } as const;
  reporter.decided({ targetId: 'worker', decisionId: 'one', input, result, counts: null });
  const line = lines.find((each) => each.includes('"event":"decision"'));
  if (line === undefined) throw new Error(`no record among ${lines.join('\n')}`);
  return line;
}

const OUT = loggedLine(inputOf(observationOf(1, 45)));
const IN = loggedLine(inputOf(observationOf(6, 15)));

/** The record with a change somewhere in its text. */
function changed(line: string, from: string, to: string): string {
  if (!line.includes(from)) throw new Error(`${from} is not in ${line}`);
  return line.replace(from, to);
}

function replayed(text: string) {
  return parseDecisionLog(text).records.map((record) => replay(record));
}

describe('decision records are found', () => {
  it.each([
    ['as the function writes them', `${OUT}\n${IN}\n`],
    [
      'behind the prefix of aws logs tail',
      [OUT, IN].map((line) => `2026-06-01T12:00:00.123000+00:00 2026/06/01/[$LATEST]0a1b ${line}`).join('\n'),
    ],
    ['behind the time of an export to S3', `2026-06-01T12:00:00.123Z ${OUT}\n2026-06-01T12:01:00.123Z ${IN}`],
    [
      'in the answer of filter-log-events',
      JSON.stringify({ events: [OUT, IN].map((message, index) => ({ message, timestamp: index })) }, null, 2),
    ],
    [
      'in the results of Logs Insights',
      JSON.stringify({ results: [OUT, IN].map((value) => [{ field: '@message', value: `${value}\n` }]) }),
    ],
    [
      'in a subscription',
      JSON.stringify({ messageType: 'DATA_MESSAGE', logEvents: [{ message: OUT }, { message: IN }] }),
    ],
  ])('%s', (_title, text) => {
    expect(parseDecisionLog(text)).toMatchObject({
      records: [{ targetId: 'worker', decisionId: 'one' }, { targetId: 'worker' }],
      cut: [],
    });
    expect(replayed(text)).toMatchObject([
      { kind: 'same', decision: { action: 'scale_out' } },
      { kind: 'same', decision: { action: 'scale_in' } },
    ]);
  });

  it('among other lines, which are counted', () => {
    const text = `START RequestId: 1\n${OUT}\n{"_aws":{}}\n{"timestamp":"x","message":"other"}\n\n`;
    expect(parseDecisionLog(text)).toMatchObject({ records: [{ line: 2 }], others: 3 });
  });

  it('when cut off, as what they are', () => {
    const logger = JSON.stringify({ message: 'm', truncated: true, start: '{"event":"decision","targetId":"w"' });
    expect(parseDecisionLog(`${OUT.slice(0, 300)}\n${logger}`)).toMatchObject({ records: [], cut: [1, 2], others: 0 });
  });
});

describe('deciding again', () => {
  it('names every difference by its path, and both values', () => {
    const [result] = replayed(changed(OUT, '"desiredCount":5', '"desiredCount":6'));
    expect(result).toEqual({
      kind: 'different',
      differences: [{ path: 'decision.desiredCount', logged: '6', now: '5' }],
    });
  });

  it('compares bytes: another order of keys is a difference', () => {
    const reordered = changed(OUT, '"currentCount":1,"recommendedCount":5', '"recommendedCount":5,"currentCount":1');
    expect(replayed(reordered)).toMatchObject([{ kind: 'different', differences: [{ path: 'order of keys' }] }]);
  });

  it('follows a wish that Cloud 66 refused as busy to the hold that became of it', () => {
    const record: { decision: { steps: object[] } } = JSON.parse(OUT);
    const step = { name: 'scale', before: 5, after: 1, why: 'Cloud 66 is busy: (409) redeploying' };
    const decision = {
      ...record.decision,
      action: 'hold',
      desiredCount: 1,
      reason: 'stack_busy',
      steps: [...record.decision.steps, step],
    };
    expect(replayed(JSON.stringify({ ...record, decision }))).toMatchObject([{ kind: 'same' }]);
  });

  it('tells a record without a decision and one without input apart', () => {
    const record: object = JSON.parse(OUT);
    expect(replayed(JSON.stringify({ ...record, decision: null }))).toEqual([{ kind: 'undecided' }]);
    const why = 'its input lacks now, observation';
    expect(replayed(JSON.stringify({ ...record, input: { policy: {} } }))).toEqual([{ kind: 'unusable', why }]);
    const empty = { now: 1, policy: {}, observation: {} };
    expect(replayed(JSON.stringify({ ...record, input: empty }))).toMatchObject([{ kind: 'unusable' }]);
  });
});

describe('the command', { concurrent: true }, () => {
  it('takes a single record on standard input, shows its working, and exits with 0', async () => {
    const { stdout, code } = await runCommand(['explain', '--decision', '-'], {}, OUT);
    expect(stdout).toContain('the same');
    expect(stdout).toContain('45 waiting + 0 in flight / 10 per worker = 5.');
    expect(code).toBe(0);
  });

  it('exits with 1 and shows the difference when something else is decided', async () => {
    const text = `${IN}\n${changed(OUT, '"maxWorkers":10', '"maxWorkers":3')}`;
    const { stdout, code } = await runCommand(['explain', '--decision', '-'], {}, text);
    expect(stdout).toContain('decision.desiredCount\n    - 5\n    + 3');
    expect(stdout).toContain('1 decided the same, byte for byte; 1 differently');
    expect(code).toBe(1);
  });

  it.each([
    ['nothing to compare', 'START RequestId: 1', 'There is no decision in it'],
    ['a record that is cut off', `${OUT}\n${IN.slice(0, 200)}`, 'line 2: cut off'],
  ])('exits with 1 for %s', async (_title, text, told) => {
    const { stdout, code } = await runCommand(['explain', '--decision', '-'], {}, text);
    expect(stdout).toContain(told);
    expect(code).toBe(1);
  });

  it('names a file that it cannot read', async () => {
    const { stderr, code } = await runCommand(['explain', '--decision', '/nowhere/log'], {});
    expect(stderr).toContain('--decision: /nowhere/log could not be read');
    expect(code).toBe(1);
  });
});

describe('a local run', () => {
  let packaged: PackagedCopy;
  let slowDown: () => void;
  let folder: string;
  beforeAll(async () => {
    packaged = await packagedCopy();
    folder = await mkdtemp(join(tmpdir(), 'explain-'));
    slowDown = hurry(SPEED);
  }, 120_000);
  afterAll(async () => {
    slowDown?.();
    await packaged?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives the same 100 decisions again, from its own log', { timeout: 180_000 }, () =>
    inScene({ packaged, jobs: 60, jobSeconds: 2 }, async (scene) => {
      for (let looks = 0; scene.decisions().length < 100; looks += 1) {
        if (looks % 20 === 10) await scene.send(25);
        await scene.invoke(SCALE, tick());
      }
      const file = join(folder, 'log.txt');
      await writeFile(file, scene.text());
      const { stdout, code } = await runCommand(['explain', '--json', '--decision', file], {});
      const seen = new Set(scene.decisions().map(({ decision }) => decision?.action));
      expect(seen).toContain('scale_out');
      expect(seen).toContain('hold');
      const { same, different, unusable } = JSON.parse(stdout) as Record<string, number>;
      expect({ different, unusable, code }).toEqual({ different: 0, unusable: 0, code: 0 });
      expect(same).toBeGreaterThanOrEqual(100);
    }),
  );
});
