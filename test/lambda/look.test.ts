import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../lib/errors.ts';
import { look, PassFailedError } from '../../lib/lambda/look.ts';
import { depthOf, NOW, ok, unknown } from '../support/observations.ts';
import { fakeWorld, openSignals, targetOf, type WorldAnswers } from '../support/ports.ts';
import { logged } from './logged.ts';

function recorded(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../fixtures/events/${name}.json`, import.meta.url), 'utf8'));
}

/** Recorded half a minute before `NOW`. */
const alarm = recorded('alarm-direct');
const tick = recorded('tick');

/** Looks with two targets, of which the alarm names `worker`. */
async function lookAt(event: unknown, changes: Partial<WorldAnswers> = {}) {
  const world = fakeWorld(changes);
  const { logger, records } = logged();
  const targets = [targetOf('worker'), targetOf('mailer', { stackUid: 'stack-2' })];
  const settings = { targets, alarmNamePrefix: 'autoscaler-prod-backlog-', watchIntervalSeconds: 15 };
  const looking = look(event, settings, world.ports, openSignals(), logger);
  return { ...world, records, looking };
}

describe('a look', () => {
  it('of the tick goes to all targets, in their order', async () => {
    const { looking, results } = await lookAt(tick);
    expect(await looking).toEqual({ worker: 'held', mailer: 'held' });
    expect(results).toHaveLength(2);
  });

  it.each(['alarm-direct', 'alarm-sns', 'alarm-eventbridge'])(
    'of an alarm (%s) goes to its target only',
    async (name) => {
      const { looking, calls } = await lookAt(recorded(name));
      expect(await looking).toEqual({ worker: 'held' });
      expect(calls).toContain('depths 1');
    },
  );

  it('of several records goes to each target once', async () => {
    const sns = recorded('alarm-sns') as { Records: readonly unknown[] };
    const { looking, results } = await lookAt({ Records: [...sns.Records, ...sns.Records] });
    expect(await looking).toEqual({ worker: 'held' });
    expect(results).toHaveLength(1);
  });

  it('takes no number from the alarm: the queue is read', async () => {
    const { looking, requests } = await lookAt(alarm, { depths: { worker: ok(depthOf(95)) } });
    expect(await looking).toEqual({ worker: 'scaled' });
    expect(requests).toMatchObject([{ processName: 'worker', counts: { a: 10 } }]);
  });
});

describe('an alarm is recorded and not followed when it', () => {
  it('is of nobody', async () => {
    const { looking, calls, records } = await lookAt(recorded('alarm-composite'));
    expect(await looking).toEqual({});
    expect(calls).toEqual([]);
    expect(records).toMatchObject([
      { level: 'warn', message: expect.stringContaining('no target has this alarm'), alarmName: 'everything-is-bad' },
    ]);
  });

  it('only begins like the name of a target', async () => {
    const { alarmData } = alarm as { alarmData: object };
    const event = { ...alarm, alarmData: { ...alarmData, alarmName: 'autoscaler-prod-backlog-worker2' } };
    expect(await (await lookAt(event)).looking).toEqual({});
  });

  it.each([
    [900, { worker: 'held' }],
    [901, {}],
  ])('is %i s old: %j', async (ageSeconds, summary) => {
    const eventMs = Date.UTC(2026, 5, 1, 11, 59, 30, 123);
    const { looking, records } = await lookAt(alarm, { nowMs: eventMs + ageSeconds * 1000 });
    expect(await looking).toEqual(summary);
    expect(records.some(({ message }) => message.includes('too old'))).toBe(ageSeconds > 900);
  });
});

describe('a look fails', () => {
  it('for an event of an unknown shape, before anything is read', async () => {
    const { looking, calls } = await lookAt({ hello: 1 });
    await expect(looking).rejects.toBeInstanceOf(InvalidInputError);
    expect(calls).toEqual([]);
  });

  it('at the very end, when the other targets have had their turn, naming those that failed', async () => {
    const depths = { worker: unknown('failed'), mailer: ok(depthOf(30)) };
    const { looking, requests } = await lookAt(tick, { depths, nowMs: NOW });
    const error = await looking.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PassFailedError);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^1 of 2 targets failed:\n {2}worker: .*made by a test/),
    });
    expect((error as Error).cause).toBeInstanceOf(Error);
    expect(requests).toMatchObject([{ processName: 'mailer' }]);
  });
});
