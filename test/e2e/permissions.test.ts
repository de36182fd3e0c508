/** A role that lacks one permission: the refusal is told, nothing passes for a success, nothing is lost. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Packaged } from '../../lib/simulation/local/package.ts';
import { LOCAL_TOKEN, TOKEN_PARAMETER } from '../../lib/simulation/local/world.ts';
import { ONE_TARGET, type PackagedCopy, packagedCopy } from './packaged.ts';
import {
  ACTIONS_QUEUE,
  DEAD_LETTERS,
  hurry,
  inScene,
  POLLER,
  SCALE,
  type Scene,
  type SceneOptions,
  SIDE_BY_SIDE,
  SPEED,
  type Template,
  tick,
} from './scene.ts';

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  // With a topic, so that each statement that there can be is there.
  packaged = await packagedCopy({ ...ONE_TARGET, NOTIFY_TOPIC_ARN: 'arn:aws:sns:us-east-1:000000000000:alerts' });
  slowDown = hurry(SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

interface Statement {
  readonly Sid: string;
  Action: string[];
}

/** Permissions without which some test here has shown what happens. */
const proven = new Set<string>();

/** The same package with one action taken out of one statement. Throws when it is not there to be taken out. */
function without(sid: string, action: string, change: (template: Template) => void = () => {}): Packaged {
  const template = structuredClone(packaged.template) as Template;
  proven.add(`${sid} ${action}`);
  let removed = 0;
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::IAM::Role') continue;
    for (const { PolicyDocument } of Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[]) {
      const [wanted] = PolicyDocument.Statement.filter(({ Sid, Action }) => Sid === sid && Action.includes(action));
      if (wanted === undefined) continue;
      wanted.Action = wanted.Action.filter((each) => each !== action);
      if (wanted.Action.length === 0) PolicyDocument.Statement = PolicyDocument.Statement.filter((s) => s !== wanted);
      removed += 1;
    }
  }
  if (removed === 0) throw new Error(`no role allows ${action} in a statement ${sid}`);
  change(template);
  return { template, artifactsFolder: packaged.artifactsFolder };
}

function refused({ cloud }: Scene): readonly string[] {
  return [...new Set(cloud.refusals.map(({ action }) => action))];
}

function writes({ world }: Scene): number {
  return world.account.calls.writes();
}

/** The token under a key of one's own, which the role must be allowed to use. */
const OWN_KEY = {
  type: 'SecureString',
  value: LOCAL_TOKEN,
  keyArn: 'arn:aws:kms:us-east-1:000000000000:key/own',
} as const;

describe('the scale function fails, and changes nothing, without', SIDE_BY_SIDE, () => {
  it.each<[string, string, Omit<SceneOptions, 'packaged'>]>([
    ['ReadDepth', 'sqs:GetQueueAttributes', { jobs: 30 }],
    ['FindQueues', 'sqs:GetQueueUrl', { jobs: 30 }],
    ['ReadToken', 'ssm:GetParameter', { jobs: 30 }],
    ['ReadMetrics', 'cloudwatch:GetMetricData', { workers: 5 }],
    ['ReadOverrides', 'ssm:GetParameter', { jobs: 30 }],
    ['DecryptToken', 'kms:Decrypt', { jobs: 30, cloud: { parameters: { [TOKEN_PARAMETER]: OWN_KEY } } }],
  ])('%s %s', (sid, action, options) =>
    inScene({ packaged: without(sid, action), byHand: true, ...options }, async (scene) => {
      const outcome = await scene.invoke(SCALE, tick());
      expect(outcome.kind).toBe('failed');
      expect(JSON.stringify(outcome)).toContain('not authorized');
      expect(JSON.stringify(outcome)).toContain(action);
      expect(refused(scene)).toEqual([action]);
      expect(scene.lines.filter(({ level }) => level === 'error').length).toBeGreaterThan(0);
      expect(writes(scene)).toBe(0);
      expect(scene.stack.workers('worker')).toBe(options.workers ?? 1);
    }),
  );
});

describe('an accepted action is not lost', SIDE_BY_SIDE, () => {
  it('when its record may not be stored: the invocation fails with the whole record in the log', () =>
    inScene({ packaged: without('RecordActions', 'sqs:SendMessage'), byHand: true, jobs: 30 }, async (scene) => {
      const outcome = await scene.invoke(SCALE, tick());
      expect(outcome).toMatchObject({ kind: 'failed', payload: { errorMessage: expect.stringContaining('1001') } });
      const [action] = scene.stack.actions();
      expect(scene.text()).toContain(`\\"actionId\\":${action?.id}`);
      expect(scene.text()).toContain('\\"desiredCount\\":3,');
      expect(refused(scene)).toEqual(['sqs:SendMessage']);
      expect(scene.cloud.queues.depth(ACTIONS_QUEUE).sent).toBe(0);
      expect(scene.outcomes()).toEqual([]);
    }));

  it('when its message may not be hidden for a while: it is delivered again when the queue says so, and confirmed', () =>
    inScene(
      {
        packaged: without('FollowActions', 'sqs:ChangeMessageVisibility', ({ Resources }) => {
          // Six minutes would do as well, and take six minutes.
          Object.assign(Resources.ActionsQueue?.Properties ?? {}, { VisibilityTimeout: 60 });
        }),
        byHand: true,
        jobs: 30,
        account: { actionFault: () => ({ kind: 'slow', latencySeconds: 60 }) },
      },
      async (scene) => {
        await scene.invoke(SCALE, tick());
        await scene.until('a refusal', () => refused(scene).includes('sqs:ChangeMessageVisibility'));
        await scene.until('an error record', () => scene.lines.some(({ level }) => level === 'error'));
        expect(scene.outcomes()).toEqual([]);
        expect(scene.cloud.queues.bodies(ACTIONS_QUEUE)).toHaveLength(1);
        await scene.until('an outcome', () => scene.outcomes().length > 0);
        expect(scene.outcomes()).toMatchObject([{ outcome: { kind: 'confirmed' } }]);
        expect(scene.outcomes()[0]?.looks).toBeGreaterThan(1);
        expect(scene.cloud.queues.depth(ACTIONS_QUEUE).sent).toBe(1);
      },
    ));
});

it("the token under a key of one's own is read with the rights that the roles give", () =>
  inScene(
    { packaged, byHand: true, jobs: 30, cloud: { parameters: { [TOKEN_PARAMETER]: OWN_KEY } } },
    async (scene) => {
      expect((await scene.invoke(SCALE, tick())).kind).toBe('succeeded');
      expect(writes(scene)).toBe(1);
    },
  ));

it('what may not be told is scaled all the same, with a warning and a metric', () =>
  inScene({ packaged: without('Notify', 'sns:Publish'), byHand: true, jobs: 30 }, async (scene) => {
    expect((await scene.invoke(SCALE, tick())).kind).toBe('succeeded');
    expect(writes(scene)).toBe(1);
    expect(refused(scene)).toEqual(['sns:Publish']);
    expect(scene.text()).toContain('A notification could not be sent');
    expect(scene.text()).toContain('"NotificationsFailed"');
  }));

it('a record that is none stays in the actions queue while it may not be put aside', () =>
  inScene({ packaged: without('PutAsideRecords', 'sqs:SendMessage') }, async (scene) => {
    await scene.cloud.queues.send(ACTIONS_QUEUE, 'hello', { groupId: 'g', deduplicationId: 'd' });
    await scene.until('a batch was handled', () => scene.invocations.some((each) => each.functionName === POLLER));
    expect(refused(scene)).toEqual(['sqs:SendMessage']);
    expect(scene.text()).toContain('A record could not be handled');
    expect(scene.cloud.queues.bodies(ACTIONS_QUEUE)).toEqual(['hello']);
    expect(scene.cloud.queues.bodies(DEAD_LETTERS)).toEqual([]);
  }));

it.each([
  ['FollowActions', 'sqs:ReceiveMessage'],
  ['FollowActions', 'sqs:DeleteMessage'],
  ['FollowActions', 'sqs:GetQueueAttributes'],
  ['KeepFailedEvents', 'sqs:SendMessage'],
])('a deployment without %s %s is refused, as AWS refuses it', async (sid, action) => {
  await expect(inScene({ packaged: without(sid, action) }, async () => {})).rejects.toThrow(action);
});

/** What a function prints reaches its log through Lambda itself, which the local AWS does not ask for rights. */
const UNPROVEN = ['WriteLog logs:CreateLogStream', 'WriteLog logs:PutLogEvents'];

it('no permission of any role is there without a test above that shows what it is needed for', () => {
  const { Resources } = packaged.template as Template;
  const granted = Object.values(Resources).flatMap(({ Type, Properties }) =>
    Type === 'AWS::IAM::Role'
      ? (Properties.Policies as { PolicyDocument: { Statement: Statement[] } }[]).flatMap(({ PolicyDocument }) =>
          PolicyDocument.Statement.flatMap(({ Sid, Action }) => Action.map((action) => `${Sid} ${action}`)),
        )
      : [],
  );
  expect([...new Set(granted)].filter((each) => !UNPROVEN.includes(each)).toSorted()).toEqual([...proven].toSorted());
});
