/** Small templates for tests of the local AWS: functions with inline code, their roles, and what hangs on them. */
import { afterEach } from 'vitest';
import { type Cloud, type CloudOptions, startCloud } from '../../../lib/simulation/aws/cloud.ts';
import { installScaledTime, type ScaledTime, wall } from '../../../lib/simulation/time.ts';

/** One function with a role of its own. Allowed: `actions` by resource. */
export interface SmallFunction {
  readonly code: string;
  readonly allow?: Readonly<Record<string, readonly string[]>>;
  readonly properties?: object;
}

/** `Work` becomes the function `Work` with the role `WorkRole`. */
export function functionResources(functions: Readonly<Record<string, SmallFunction>>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(functions).flatMap(([name, { code, allow = {}, properties = {} }]) => [
      [
        name,
        {
          Type: 'AWS::Lambda::Function',
          Properties: {
            FunctionName: name,
            Code: { ZipFile: code },
            Handler: 'index.handler',
            Runtime: 'nodejs24.x',
            Role: { 'Fn::GetAtt': [`${name}Role`, 'Arn'] },
            Timeout: 30,
            ...properties,
          },
        },
      ],
      [`${name}Role`, role(allow)],
    ]),
  );
}

function role(allow: Readonly<Record<string, readonly string[]>>): object {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
      },
      Policies: [
        {
          PolicyName: 'inline',
          PolicyDocument: {
            Statement: Object.entries(allow).map(([resource, actions]) => ({
              Effect: 'Allow',
              Action: actions,
              Resource: resource,
            })),
          },
        },
      ],
    },
  };
}

/** The ARN of a queue in the local account. */
export function arnOf(queueName: string): string {
  return `arn:aws:sqs:us-east-1:000000000000:${queueName}`;
}

export const POLLER_ACTIONS = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

const started: Cloud[] = [];
let time: ScaledTime | null = null;

afterEach(async () => {
  await Promise.all(started.splice(0).map((cloud) => cloud.close()));
  time?.uninstall();
  time = null;
});

/** Lets the test's process and the functions live faster, until the end of the test. */
export function liveFaster(speed: number): void {
  const nowMs = wall.nowMs();
  time = installScaledTime({ speed, originRealMs: nowMs, originMs: nowMs });
}

/** Starts the resources as a stack; stopped at the end of the test. */
export async function startStack(
  resources: Record<string, object>,
  options: Partial<CloudOptions> = {},
): Promise<Cloud> {
  const cloud = await startCloud({ template: { Resources: resources }, artifactsFolder: '/nonexistent', ...options });
  started.push(cloud);
  return cloud;
}

/** Waits until `condition` holds; a test that waits in vain runs into its own timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise<void>((resolve) => {
      wall.after(5, resolve);
    });
  }
}
