/** What a visitor does to a stack, and what the verdict makes of it. The account is the real one, on a virtual clock. */
import { describe, expect, it } from 'vitest';
import type { OutcomeKind } from '../../../lib/domain.ts';
import { type EndedAction, excusesOf, problemsOf, resultsOf } from '../../../lib/simulation/local/verdict.ts';
import { Visitor } from '../../../lib/simulation/local/visitor.ts';
import { createExample, scaleCall } from '../cloud66/example.ts';

const NO_DEPTH = {
  visible: 0,
  inFlight: 0,
  delayed: 0,
  oldestAgeSeconds: null,
  sent: 0,
  received: 0,
  deleted: 0,
  emptyReceives: 0,
};

/** A stack with two workers on lion and one on tiger; actions take 60 s. */
function scene() {
  const visitor = new Visitor({ stackUid: 'shop', processName: 'worker', queueName: 'jobs' });
  const { account, clock } = createExample({ actionFault: visitor.actionFault, startUpSeconds: () => 0 });
  const said: string[] = [];
  visitor.listen((text) => said.push(text));
  const queue: string[] = [];
  const queues = {
    depth: () => ({ ...NO_DEPTH, visible: queue.length }),
    send: async (_name: string, body: string) => String(queue.push(body)),
  };
  const stack = account.stack('shop');
  const ended: EndedAction[] = [];
  return {
    visitor,
    said,
    queue,
    stack,
    clock,
    enter: () => visitor.enter({ account, cloud: { queues } }),
    scaleTo: (count: number) => stack.scale(scaleCall({ 'uid-a': count, 'uid-b': 0 })).id,
    end: (actionId: number, kind: OutcomeKind) =>
      ended.push({
        event: 'outcome',
        level: 'info',
        message: '',
        targetId: 'worker',
        record: { actionId, desiredCount: 1, previousCount: 3 },
        outcome: { kind, why: '' },
        seenAtMs: clock.nowMs(),
      }),
    evidence: () => ({
      stack,
      crew: undefined,
      processName: 'worker',
      minWorkers: 1,
      sent: 0,
      unsent: 0,
      outcomes: ended,
      visitor,
    }),
  };
}

describe('a visitor', () => {
  it('can do nothing before there is a world', async () => {
    const { visitor } = scene();
    await expect(visitor.addJobs(1)).rejects.toThrow('not begun');
    for (const move of [() => visitor.deploy(), () => visitor.setOutage(true), () => visitor.setFailsNext(true)]) {
      expect(move).toThrow('not begun');
    }
  });

  it('adds jobs, a sane number at a time', async () => {
    const { visitor, enter, queue, said } = scene();
    enter();
    await visitor.addJobs(50);
    expect([queue.length, visitor.addedJobs(), said]).toEqual([50, 50, ['50 jobs added to the queue.']]);
    for (const count of [0, 1.5, 501, Number.NaN])
      await expect(visitor.addJobs(count)).rejects.toThrow('from 1 to 500');
    queue.length = 4900;
    await expect(visitor.addJobs(101)).rejects.toThrow('at most 5000');
  });

  it('deploys once at a time, and it is known how long that lasted', () => {
    const { visitor, enter, clock } = scene();
    enter();
    visitor.deploy();
    expect(() => visitor.deploy()).toThrow('under way already');
    clock.advanceBySeconds(60);
    expect(visitor.interventions()).toMatchObject([{ kind: 'deployment', toMs: null }]);
    clock.advanceBySeconds(31);
    expect(visitor.isDeploying()).toBe(false);
    expect(visitor.interventions()[0]?.toMs).toBe(clock.nowMs());
    visitor.deploy();
  });

  it('switches the API off and on again', () => {
    const { visitor, enter, said } = scene();
    enter();
    expect(visitor.apiFault()).toBeNull();
    visitor.setOutage(true);
    visitor.setOutage(true);
    expect(visitor.apiFault()).toEqual({ kind: 'status', status: 503 });
    expect(problemsOf({ ...scene().evidence(), visitor })).toContain('the outage of the Cloud 66 API is still on');
    visitor.setOutage(false);
    expect(visitor.apiFault()).toBeNull();
    expect(visitor.setOutage(false)).toBe('There is no outage.');
    expect([visitor.interventions().length, said.length]).toEqual([1, 2]);
  });

  it('changes workers on a server that is there, within reason', () => {
    const { visitor, enter, stack, clock } = scene();
    enter();
    visitor.changeByHand('uid-b', 4);
    clock.advanceBySeconds(1);
    expect(stack.workers('worker', 'uid-b')).toBe(4);
    expect(stack.workers('worker')).toBe(6);
    expect(() => visitor.changeByHand('nowhere', 1)).toThrow('no such server');
    expect(() => visitor.changeByHand('uid-b', 21)).toThrow('from 0 to 20');
  });
});

describe('the verdict on a run that was disturbed', () => {
  it('excuses the action that was made to fail, only that one, and only if it is told as failed', () => {
    const { visitor, enter, clock, scaleTo, end, evidence, stack } = scene();
    enter();
    visitor.setFailsNext(true);
    const broken = scaleTo(2);
    clock.advanceBySeconds(60);
    expect(stack.action(broken)).toMatchObject({ success: false });
    expect(visitor.failsNext()).toBe(false);
    end(broken, 'failed');
    const good = scaleTo(1);
    clock.advanceBySeconds(60);
    end(good, 'confirmed');
    expect(problemsOf(evidence())).toEqual([]);
    expect(excusesOf(evidence())).toEqual([{ actionId: broken, text: `action ${broken} failed: it was made to fail` }]);
    expect(resultsOf(evidence()).actions).toMatchObject({ accepted: 2, confirmed: 1, failed: 1 });
  });

  it('is a problem when a broken action is told as confirmed', () => {
    const { visitor, enter, clock, scaleTo, end, evidence } = scene();
    enter();
    visitor.setFailsNext(true);
    const broken = scaleTo(2);
    clock.advanceBySeconds(60);
    end(broken, 'confirmed');
    expect(problemsOf(evidence())).toContain(`action ${broken} was made to fail and is said to be confirmed`);
  });

  it.each<[OutcomeKind, boolean]>([
    ['mismatched', true],
    ['timed_out', true],
    ['lost', true],
    ['failed', false],
  ])('an action that ended %s while somebody changed workers by hand is excused: %s', (kind, isExcused) => {
    const { visitor, enter, clock, scaleTo, end, evidence } = scene();
    enter();
    const id = scaleTo(1);
    clock.advanceBySeconds(60);
    visitor.changeByHand('uid-b', 0);
    end(id, kind);
    expect(problemsOf(evidence())).toEqual(isExcused ? [] : [`action ${id} was accepted and not confirmed`]);
  });

  it('excuses nothing that happened before or after', () => {
    const { visitor, enter, clock, scaleTo, end, evidence } = scene();
    enter();
    visitor.changeByHand('uid-b', 0);
    clock.advanceBySeconds(10);
    const id = scaleTo(1);
    clock.advanceBySeconds(60);
    end(id, 'mismatched');
    clock.advanceBySeconds(10);
    visitor.changeByHand('uid-b', 0);
    expect(problemsOf(evidence())).toEqual([`action ${id} was accepted and not confirmed`]);
  });

  it('does not count what people do in the dashboard among the actions', () => {
    const { visitor, enter, evidence } = scene();
    enter();
    visitor.changeByHand('uid-a', 1);
    visitor.changeByHand('uid-b', 0);
    expect(problemsOf(evidence())).toEqual(['nothing was scaled']);
  });
});
