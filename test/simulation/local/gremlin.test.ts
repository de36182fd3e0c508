/** Trouble for a local run: drawn from its seed, told in the diary, and over when it is told to be. */
import { describe, expect, it } from 'vitest';
import { Gremlin } from '../../../lib/simulation/local/gremlin.ts';
import { Visitor } from '../../../lib/simulation/local/visitor.ts';
import { createExample, scaleCall } from '../cloud66/example.ts';

const REQUEST = { method: 'GET', path: '/', index: 0, atMs: 0 };
const READ = { service: 'sqs', operation: 'GetQueueAttributes', functionName: 'scale' };

function scene(seed: number) {
  const visitor = new Visitor({ stackUid: 'shop', processName: 'worker', queueName: 'jobs' });
  const gremlin = new Gremlin(seed, visitor);
  const { account, clock } = createExample({ actionFault: gremlin.actionFault });
  const queues = { depth: () => ({}) as never, send: async () => '' };
  visitor.enter({ account, cloud: { queues } });
  /** What a while of everything brings. */
  const live = (atSeconds = 0) => {
    const happened: string[] = [];
    for (let minute = 0; minute < 300; minute += 1) {
      clock.advanceBySeconds(60);
      gremlin.minute(['uid-a', 'uid-b'], atSeconds);
      happened.push(JSON.stringify([gremlin.apiFault(REQUEST), gremlin.awsFault(READ), visitor.hasOutage()]));
      if (minute % 10 === 0 && !visitor.isDeploying()) {
        try {
          account.stack('shop').scale(scaleCall({ 'uid-a': 1 + (minute % 3) }));
        } catch {
          happened.push('busy');
        }
      }
    }
    return happened;
  };
  return { visitor, gremlin, live };
}

describe('the gremlin', () => {
  it('draws the same trouble from the same seed, and other from another', () => {
    const [first, again, other] = [scene(1), scene(1), scene(2)];
    const lived = first.live();
    expect(again.live()).toEqual(lived);
    expect(other.live()).not.toEqual(lived);
    const [told] = first.gremlin.interventions(61.4);
    expect(told).toEqual({
      atSeconds: 61,
      text: expect.stringMatching(/^faults of seed 1: action_\w+ \d+, /) as string,
    });
    expect(again.gremlin.interventions(61.4)).toEqual([told]);
  });

  it('tells people of what it does to the stack, and of actions that it lets fail', () => {
    const { visitor, live } = scene(1);
    live();
    const kinds = new Set(visitor.interventions().map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(['by_hand', 'deployment', 'failing_action', 'outage']);
  });

  it('ends no outage but its own', () => {
    const { visitor, gremlin, live } = scene(1);
    live();
    // What was still out when it was told to be calm ends within minutes.
    for (let minute = 0; minute < 3; minute += 1) gremlin.minute(['uid-a'], 601);
    expect(visitor.hasOutage()).toBe(false);
    visitor.setOutage(true);
    for (let minute = 0; minute < 10; minute += 1) gremlin.minute(['uid-a'], 601);
    expect(visitor.hasOutage()).toBe(true);
  });

  it('leaves requests that are no function’s alone, and everything after ten minutes', () => {
    const { gremlin, live } = scene(1);
    const asked = Array.from({ length: 500 }, () => gremlin.awsFault({ ...READ, functionName: null }));
    expect(asked.every((fault) => fault === null)).toBe(true);
    expect(new Set(live(601).filter((line) => line !== 'busy'))).toEqual(new Set(['[null,null,false]']));
  });
});
