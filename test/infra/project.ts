import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.join(import.meta.dirname, '..', '..');
const FRAMEWORK = path.join(ROOT, 'node_modules', 'serverless', 'bin', 'serverless.js');

/** Stand-ins for the functions: this is about the template, and their own tests are about them. */
const FUNCTION = (parse: string) => `
import { readEnvironment } from '../lib/config/env.ts';
import { ${parse} } from '../lib/config/settings.ts';
export const handler = async () => ${parse}(readEnvironment());
`;

/** Two targets, with queues given in both ways. */
export const SETTINGS = {
  CLOUD66_TOKEN_PARAMETER: '/team/cloud66-token',
  STACK_UID: '5999b763474b0eafa5fafb64bff0ba80',
  TARGETS: 'mailer,night-reports',
  MAILER_PROCESS_NAME: 'mailer',
  MAILER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/210987654321/mail',
  MAILER_MIN_WORKERS: '2',
  NIGHT_REPORTS_PROCESS_NAME: 'reports',
  NIGHT_REPORTS_QUEUE_NAME: 'reports.fifo',
  ACTION_FIRST_LOOK_SECONDS: '20',
};

/** What both stage `qa` and the service's name start the names of resources with. */
export const NAME = 'cloud66-worker-autoscaler-qa';

export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** A copy of the project that can be packaged without touching the real one. */
export interface Project {
  readonly folder: string;
  /** Packages as a user would, with nothing inherited but the way to programs: no credentials. */
  serverlessPackage(
    environment: Readonly<Record<string, string>>,
    ...options: readonly string[]
  ): { readonly status: number | null; readonly output: string };
  writeDotenv(text: string): void;
  /** Text of a file that packaging wrote. */
  packaged(file: string): string;
  remove(): void;
}

export const TEMPLATE_FILE = 'cloudformation-template-update-stack.json';

export function projectCopy(): Project {
  const folder = mkdtempSync(path.join(tmpdir(), 'autoscaler-package-'));
  for (const name of ['infra', 'lib', 'serverless.yml', 'package.json']) {
    cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  mkdirSync(path.join(folder, 'functions'));
  writeFileSync(path.join(folder, 'functions', 'scale.ts'), FUNCTION('parseSettings'));
  writeFileSync(path.join(folder, 'functions', 'poller.ts'), FUNCTION('parsePollerSettings'));
  return {
    folder,
    serverlessPackage: (environment, ...options) => {
      const run = spawnSync(process.execPath, [FRAMEWORK, 'package', ...options], {
        cwd: folder,
        encoding: 'utf8',
        timeout: 60_000,
        env: { PATH: process.env.PATH ?? '', HOME: folder, AWS_REGION: 'eu-west-1', ...environment },
      });
      return { status: run.status, output: `${run.stdout}${run.stderr}` };
    },
    writeDotenv: (text) => writeFileSync(path.join(folder, '.env'), text),
    packaged: (file) => readFileSync(path.join(folder, '.serverless', file), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The resources of a template, asked by logical id or type. */
export class Resources {
  readonly all: Readonly<Record<string, Resource>>;

  constructor(templateText: string) {
    this.all = (JSON.parse(templateText) as { Resources: Record<string, Resource> }).Resources;
  }

  properties(id: string): Readonly<Record<string, unknown>> {
    const resource = this.all[id];
    if (resource === undefined) throw new Error(`the template has no ${id}`);
    return resource.Properties;
  }

  idsOf(type: string): readonly string[] {
    return Object.keys(this.all).filter((id) => this.all[id]?.Type === type);
  }

  propertiesOf(type: string): readonly Readonly<Record<string, unknown>>[] {
    return this.idsOf(type).map((id) => this.properties(id));
  }
}

export const arnOf = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
export const sub = (text: string) => ({ 'Fn::Sub': text });
/** The ARN of something in the account and region of the deployment. */
export const ownArn = (product: string, resource: string) =>
  sub(`arn:\${AWS::Partition}:${product}:\${AWS::Region}:\${AWS::AccountId}:${resource}`);
