/** What a packaged function may do, is told, and consists of; and what packaging refuses. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePollerSettings, parseSettings } from '../../lib/config/settings.ts';
import { onlyEntry } from './archive.ts';
import { arnOf, NAME, ownArn, projectCopy, Resources, SETTINGS, sub, TEMPLATE_FILE } from './project.ts';

const project = projectCopy();
const TOKEN = ownArn('ssm', 'parameter/team/cloud66-token');

afterAll(() => project.remove());

interface Statement {
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

describe('a packaged function', () => {
  let resources = new Resources('{"Resources":{}}');

  beforeAll(() => {
    project.writeDotenv('MAX_WORKERS=7\nTOLERANCE=0.2\n');
    const run = project.serverlessPackage({ ...SETTINGS, MAX_WORKERS: '9' }, '--stage', 'qa');
    expect(run.output).toContain('Service packaged');
    expect(run.output).toContain('LIVE  mailer: process mailer of stack');
    resources = new Resources(project.packaged(TEMPLATE_FILE));
  }, 90_000);

  function statementsOf(roleId: string): readonly Statement[] {
    const policies = resources.properties(roleId).Policies as { PolicyDocument: { Statement: readonly Statement[] } }[];
    return policies.flatMap((policy) => policy.PolicyDocument.Statement);
  }

  /** Each allowed call with what it is allowed on. */
  function grants(roleId: string): readonly (readonly [string, unknown])[] {
    const statements = statementsOf(roleId);
    expect(statements.every((statement) => statement.Effect === 'Allow')).toBe(true);
    return statements.flatMap((statement) => statement.Action.map((action) => [action, statement.Resource] as const));
  }

  it('gives the scale function its calls on its resources, and nothing else', () => {
    expect(resources.properties('ScaleLambdaFunction')).toHaveProperty('Role', arnOf('ScaleRole'));
    const log = ownArn('logs', `log-group:/aws/lambda/${NAME}-scale:*`);
    const mail = sub(`arn:\${AWS::Partition}:sqs:eu-west-1:210987654321:mail`);
    const reports = ownArn('sqs', 'reports.fifo');
    expect(grants('ScaleRole')).toEqual([
      ['sqs:GetQueueAttributes', [mail, reports]],
      ['sqs:GetQueueUrl', [reports]],
      ['cloudwatch:GetMetricData', '*'],
      ['ssm:GetParameter', ownArn('ssm', 'parameter/cloud66-worker-autoscaler/qa/overrides')],
      ['sqs:SendMessage', arnOf('ActionsQueue')],
      ['sqs:SendMessage', arnOf('FailedEventsQueue')],
      ['ssm:GetParameter', TOKEN],
      ['kms:Decrypt', ownArn('kms', 'key/*')],
      ['logs:CreateLogStream', log],
      ['logs:PutLogEvents', log],
    ]);
  });

  it('gives the poller its calls on its resources, and nothing else', () => {
    expect(resources.properties('PollerLambdaFunction')).toHaveProperty('Role', arnOf('PollerRole'));
    const log = ownArn('logs', `log-group:/aws/lambda/${NAME}-poller:*`);
    expect(grants('PollerRole')).toEqual([
      ['sqs:ReceiveMessage', arnOf('ActionsQueue')],
      ['sqs:DeleteMessage', arnOf('ActionsQueue')],
      ['sqs:GetQueueAttributes', arnOf('ActionsQueue')],
      ['sqs:ChangeMessageVisibility', arnOf('ActionsQueue')],
      ['sqs:SendMessage', arnOf('ActionsDeadLetterQueue')],
      ['ssm:GetParameter', TOKEN],
      ['kms:Decrypt', ownArn('kms', 'key/*')],
      ['logs:CreateLogStream', log],
      ['logs:PutLogEvents', log],
    ]);
  });

  it('lets a role decrypt nothing but the token, whatever the key', () => {
    const statements = resources.idsOf('AWS::IAM::Role').flatMap(statementsOf);
    const bound = statements.filter((statement) => statement.Action.includes('kms:Decrypt'));
    expect(bound).toHaveLength(2);
    for (const { Condition } of bound) {
      expect(Condition).toEqual({
        StringEquals: {
          'kms:ViaService': sub(`ssm.\${AWS::Region}.\${AWS::URLSuffix}`),
          'kms:EncryptionContext:PARAMETER_ARN': TOKEN,
        },
      });
    }
  });

  it('gives each function the variables it reads; the environment wins over .env', () => {
    const queues = {
      ACTIONS_QUEUE_URL: { Ref: 'ActionsQueue' },
      ACTIONS_DEAD_LETTER_QUEUE_URL: { Ref: 'ActionsDeadLetterQueue' },
    };
    const own = { MAX_WORKERS: '9', TOLERANCE: '0.2', ALARM_NAME_PREFIX: `${NAME}-backlog-` };
    const { ACTION_FIRST_LOOK_SECONDS: _, ...read } = SETTINGS;
    expect(resources.properties('ScaleLambdaFunction').Environment).toEqual({
      Variables: { ...read, ...own, ...queues, STAGE: 'qa' },
    });
    expect(resources.properties('PollerLambdaFunction').Environment).toEqual({
      Variables: { CLOUD66_TOKEN_PARAMETER: '/team/cloud66-token', STAGE: 'qa', ...queues },
    });
  });

  it('archives one file per function, which runs as it is and understands its environment', () => {
    const literal = (id: string) => {
      const { Variables } = resources.properties(id).Environment as { Variables: Record<string, unknown> };
      const url = (queue: unknown) =>
        `https://sqs.eu-west-1.amazonaws.com/123456789012/${JSON.stringify(queue).length}.fifo`;
      return Object.fromEntries(
        Object.entries(Variables).map(([name, value]) => [name, typeof value === 'string' ? value : url(value)]),
      );
    };
    for (const [name, id, parse] of [
      ['scale', 'ScaleLambdaFunction', parseSettings],
      ['poller', 'PollerLambdaFunction', parsePollerSettings],
    ] as const) {
      const entry = onlyEntry(readFileSync(path.join(project.folder, '.serverless', `${name}.zip`)));
      expect(entry.name).toBe(`functions/${name}.mjs`);
      const file = path.join(project.folder, `unpacked-${name}.mjs`);
      writeFileSync(file, entry.content);
      const script = `console.log(JSON.stringify(await (await import(${JSON.stringify(pathToFileURL(file).href)})).handler()))`;
      const run = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        env: literal(id),
      });
      expect(run.stderr).toBe('');
      expect(JSON.parse(run.stdout)).toEqual(parse(literal(id)));
    }
  });
});

describe('packaging', () => {
  it('stops at a wrong configuration, with every problem by name, and packages nothing', () => {
    rmSync(path.join(project.folder, '.serverless'), { recursive: true, force: true });
    project.writeDotenv('MAX_WORKERS=ten\n');
    const run = project.serverlessPackage({ ...SETTINGS, MAILER_QUEUE_URL: '', MAILER_MAX_WORKER: '3' });
    expect(run.status).not.toBe(0);
    expect(run.output).toContain('configuration: 3 problems');
    expect(run.output).toContain('MAX_WORKERS: "ten" is not a whole number from 0 to 1000');
    expect(run.output).toContain('MAILER_QUEUE_URL: is not set; expected exactly one of QUEUE_URL, QUEUE_NAME, METRIC');
    expect(run.output).toContain('MAILER_MAX_WORKER: is not a setting; did you mean MAILER_MAX_WORKERS?');
    expect(run.output.match(/"ten"/g)).toHaveLength(1);
    // The framework adds one line of its own, without the list.
    expect(run.output).toContain('the settings cannot be used, see above');
    expect(run.output).not.toMatch(/^ {4}at /m);
    expect(existsSync(path.join(project.folder, '.serverless', 'scale.zip'))).toBe(false);
  });

  it('stops at a file with a line that could have said DRY_RUN, whatever file there is for the stage', () => {
    project.writeDotenv('DRY_RUN true\n');
    writeFileSync(path.join(project.folder, '.env.qa'), 'DRY_RUN=true\n');
    const run = project.serverlessPackage(SETTINGS, '--stage', 'qa');
    expect(run.status).not.toBe(0);
    expect(run.output).toContain('Settings: .env and the environment');
    expect(run.output).toContain('.env, line 1: is not NAME=value (it begins with DRY_RUN)');
  });

  it('never writes a token down, not even for the local stage', () => {
    project.writeDotenv('CLOUD66_TOKEN=very-s3cret\n');
    const { CLOUD66_TOKEN_PARAMETER: _, ...settings } = SETTINGS;
    const refused = project.serverlessPackage(settings);
    expect(refused.status).not.toBe(0);
    expect(refused.output).toContain('CLOUD66_TOKEN: the token itself is never packaged');
    expect(refused.output).not.toContain('very-s3cret');
    expect(project.serverlessPackage(settings, '--stage', 'local').status).toBe(0);
    const text = project.packaged(TEMPLATE_FILE);
    expect(text).toContain('/cloud66-worker-autoscaler/local/token');
    const state = project.packaged('serverless-state.json');
    expect(`${text}${state}`).not.toContain('very-s3cret');
  }, 60_000);
});
