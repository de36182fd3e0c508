/** What sets the scale function off: alarms in three forms, the tick, and events that it must not follow. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AlarmEvent, toEventBridgeEvent, toSnsEvent } from '../../lib/simulation/cloudwatch/events.ts';
import { type PackagedCopy, packagedCopy } from './packaged.ts';
import {
  ACTIONS_QUEUE,
  ALARM_PREFIX,
  FAILED_EVENTS,
  hurry,
  inScene,
  POLLER,
  SCALE,
  type Scene,
  SIDE_BY_SIDE,
  SPEED,
  tick,
} from './scene.ts';

let packaged: PackagedCopy;
let slowDown: () => void;
beforeAll(async () => {
  packaged = await packagedCopy();
  slowDown = hurry(SPEED);
}, 120_000);
afterAll(async () => {
  slowDown?.();
  await packaged?.remove();
});

/** The recorded event of an alarm, as if it were of now and of this alarm. */
function alarmEvent(alarmName: string, atMs = Date.now()): AlarmEvent {
  const event: AlarmEvent = JSON.parse(
    readFileSync(new URL('../fixtures/events/alarm-direct.json', import.meta.url), 'utf8'),
  );
  const time = new Date(atMs).toISOString().replace('Z', '+0000');
  const { alarmData } = event;
  return { ...event, time, alarmData: { ...alarmData, alarmName, state: { ...alarmData.state, timestamp: time } } };
}

function cloud66Calls({ world }: Scene): number {
  return world.account.calls.all().length;
}

describe('an alarm', SIDE_BY_SIDE, () => {
  it('of the template goes off, calls the function, and means the same through SNS and EventBridge', () =>
    inScene({ packaged, jobs: 30, settings: { DRY_RUN: 'true' } }, async (scene) => {
      await scene.until('the alarm goes off', () =>
        scene.transitions.some(({ event }) => event.alarmData.state.value === 'ALARM'),
      );
      const transition = scene.transitions.find(({ event }) => event.alarmData.state.value === 'ALARM');
      if (transition === undefined) throw new Error('there is no such transition');
      expect(transition.event.alarmData.alarmName).toBe(`${ALARM_PREFIX}worker`);
      expect(transition.actionArns).toEqual([expect.stringContaining(SCALE)]);
      const topicArn = 'arn:aws:sns:us-east-1:000000000000:alarms';
      for (const event of [transition.event, toSnsEvent(transition, topicArn), toEventBridgeEvent(transition)]) {
        const before = scene.decisions().length;
        const outcome = await scene.invoke(SCALE, event);
        // The first look orders, the others see its virtual change under way.
        const worker = expect.stringMatching(/^(dry_run|held)$/);
        expect(outcome).toEqual({ kind: 'succeeded', payload: { worker } });
        expect(scene.decisions().length).toBeGreaterThan(before);
      }
      expect(scene.cloud.refusals).toEqual([]);
    }));

  it('whose permission is missing is refused; the tick scales all the same', () => {
    const template = structuredClone(packaged.template) as { Resources: Record<string, unknown> };
    delete template.Resources.AlarmPermission;
    return inScene({ packaged: { ...packaged, template }, jobs: 30 }, async (scene) => {
      await scene.until('a refusal', () => scene.cloud.refusals.length > 0);
      expect(scene.cloud.refusals[0]).toMatchObject({ action: 'lambda:InvokeFunction' });
      await scene.until('an outcome', () => scene.outcomes().length > 0);
      expect(scene.outcomes()[0]).toMatchObject({ outcome: { kind: 'confirmed' } });
    });
  });

  it.each<[string, () => AlarmEvent, string]>([
    ['that nobody knows', () => alarmEvent('somebody-elses-alarm'), 'no target has this alarm'],
    ['of an hour ago', () => alarmEvent(`${ALARM_PREFIX}worker`, Date.now() - 3_600_000), 'too old'],
  ])('%s leaves a record and is not followed', (_title, event, why) =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      expect(await scene.invoke(SCALE, event())).toEqual({ kind: 'succeeded', payload: {} });
      expect(scene.lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(why) }]);
      expect(cloud66Calls(scene)).toBe(0);
    }),
  );
});

describe('an event of an unknown shape', SIDE_BY_SIDE, () => {
  it('fails the invocation and is kept, with the reason, in the queue of failed events', () =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      const event = { hello: 'world' };
      expect(await scene.cloud.invokeAsynchronously(SCALE, event)).toBe('RetriesExhausted');
      const [kept, ...more] = scene.cloud.queues.bodies(FAILED_EVENTS).map((body) => JSON.parse(body));
      expect(more).toEqual([]);
      expect(kept).toMatchObject({
        requestPayload: event,
        requestContext: { approximateInvokeCount: 1 },
        responsePayload: { errorType: 'InvalidInputError', errorMessage: expect.stringContaining('hello') },
      });
      expect(cloud66Calls(scene)).toBe(0);
    }));

  it('is refused by the poller, too', () =>
    inScene({ packaged }, async (scene) => {
      const outcome = await scene.invoke(POLLER, { Records: [{ body: 'hello' }] });
      expect(outcome).toMatchObject({ kind: 'failed', payload: { errorType: 'InvalidInputError' } });
    }));
});

describe('an alarm and a tick at the same moment', SIDE_BY_SIDE, () => {
  /** However many calls were made: all asked for the same absolute counts, so together they are one change. */
  async function isOneChange(scene: Scene): Promise<void> {
    await scene.until('an outcome', () => scene.outcomes().length > 0);
    await scene.until('all records are gone', () => scene.cloud.queues.bodies(ACTIONS_QUEUE).length === 0);
    const actions = scene.stack.actions();
    expect(new Set(actions.map(({ requestedCounts }) => JSON.stringify(requestedCounts))).size).toBe(1);
    expect(scene.outcomes().map(({ outcome }) => outcome?.kind)).toEqual(actions.map(() => 'confirmed'));
    expect(scene.stack.workers('worker')).toBe(3);
  }

  it('are one change, because the function runs once at a time', () =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      const events = [alarmEvent(`${ALARM_PREFIX}worker`), tick()];
      const ends = await Promise.all(events.map((event) => scene.cloud.invokeAsynchronously(SCALE, event)));
      expect(ends).toEqual(['Success', 'Success']);
      await isOneChange(scene);
    }));

  it('are one call, and so is every further look while the action runs and ends', () =>
    inScene({ packaged, byHand: true, jobs: 30 }, async (scene) => {
      const target = () => scene.stack.workers('worker');
      for (let look = 0; look < 3; look += target() === 3 ? 1 : 0) await scene.invoke(SCALE, tick());
      expect(scene.world.account.calls.writes()).toBe(1);
      expect(scene.decisions()).toContainEqual(
        expect.objectContaining({ decision: expect.objectContaining({ reason: 'action_in_progress' }) }),
      );
    }));

  it.each(['conflict', 'queue'] as const)('are one change without that limit, too (a busy stack: %s)', (whenBusy) => {
    const template = structuredClone(packaged.template) as {
      Resources: Record<string, { Properties: Record<string, unknown> }>;
    };
    delete template.Resources.ScaleLambdaFunction?.Properties.ReservedConcurrentExecutions;
    const account = { whenBusy };
    return inScene({ packaged: { ...packaged, template }, byHand: true, jobs: 30, account }, async (scene) => {
      const events = [alarmEvent(`${ALARM_PREFIX}worker`), tick()];
      const outcomes = await Promise.all(events.map((event) => scene.cloud.invoke(SCALE, event)));
      expect(outcomes.map(({ kind }) => kind)).toEqual(['succeeded', 'succeeded']);
      await isOneChange(scene);
    });
  });
});

describe('a wrong configuration', SIDE_BY_SIDE, () => {
  it('stops the scale function before it does anything, naming every problem', () => {
    const settings = { MAX_WORKERS: 'many', MIN_WORKERS: '-1', TOLERANCE: '2', BACKLOG_PER_WORKR: '5' };
    return inScene({ packaged, byHand: true, settings, jobs: 30 }, async (scene) => {
      const outcome = await scene.invoke(SCALE, tick());
      expect(outcome.kind).toBe('failed');
      for (const name of Object.keys(settings)) expect(scene.failures(SCALE)[0]).toContain(name);
      expect(scene.cloud.requests.filter(({ functionName }) => functionName === SCALE)).toEqual([]);
      expect(cloud66Calls(scene)).toBe(0);
    });
  });

  it('stops the poller, and the records stay', () =>
    inScene({ packaged, settings: { ACTION_TIMEOUT_SECONDS: 'soon' } }, async (scene) => {
      await scene.cloud.queues.send(ACTIONS_QUEUE, 'hello', { groupId: 'g', deduplicationId: 'd' });
      await scene.until('a failure', () => scene.failures(POLLER).length > 0);
      expect(scene.failures(POLLER)[0]).toContain('ACTION_TIMEOUT_SECONDS');
      expect(scene.cloud.queues.bodies(ACTIONS_QUEUE)).toEqual(['hello']);
    }));
});
