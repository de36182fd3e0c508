import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Action,
  ArrivalForecast,
  Decision,
  LatencyStrategy,
  Look,
  Observation,
  Policy,
  RateHistory,
} from '../../lib/domain.ts';
import { changeTimes, lastChangeSeconds } from '../../lib/policy/actions.ts';
import { decide } from '../../lib/policy/decide.ts';
import { foresightOf, normalQuantile, workersThatWouldHaveDone } from '../../lib/policy/recommend/latency-need.ts';
import {
  arrivalRates,
  leadSeconds,
  longestLeadSeconds,
  serviceSeconds,
  trueShareInHand,
} from '../../lib/policy/recommend/latency-rates.ts';
import {
  actionOf,
  depthOf,
  inputOf,
  NOW,
  observationOf,
  ok,
  placementOf,
  policyOf,
  ratesOf,
  serverOf,
  unknown,
} from '../support/observations.ts';

const STRATEGY: LatencyStrategy = {
  kind: 'latency',
  targetSeconds: 60,
  targetPercent: 95,
  jobSeconds: null,
  jobsPerWorker: 1,
  learnPatterns: true,
  drainShare: 0.5,
  headroom: null,
  keepIdleSeconds: 300,
  surgeFactor: 1.5,
};

const NO_FORECAST: ArrivalForecast = { startMs: NOW, periodSeconds: 60, expected: [], cycleMinutes: [] };

/** Jobs of 6 s at a steady rate per minute for an hour, `visible` waiting, nothing foreseen. */
function steadyAt(workers: number, perMinute: number, visible = 0, changes: Partial<Observation> = {}): Observation {
  return observationOf(workers, visible, {
    rates: ok(ratesOf(Array<number>(60).fill(perMinute))),
    forecast: ok(NO_FORECAST),
    ...changes,
  });
}

function policy(changes: Partial<LatencyStrategy> = {}, others: Partial<Policy> = {}): Partial<Policy> {
  return { maxWorkers: 100, strategy: { ...STRATEGY, ...changes }, ...others };
}

function decided(seen: Observation, wish: Partial<Policy> = policy()): Decision {
  const answer = decide(inputOf(seen, wish));
  if (answer.kind !== 'decision') throw new Error(`needs ${answer.evidence.join(', ')}`);
  return answer;
}

function lookAt(agoSeconds: number, visible: number, inFlight: number, workers: number): Look {
  return { atMs: NOW - agoSeconds * 1000, visible, inFlight, workers };
}

const forecastOf = (expected: readonly number[], cycle = 60): ArrivalForecast => ({
  startMs: NOW,
  periodSeconds: 60,
  expected,
  cycleMinutes: expected.map((count) => (count > 0 ? cycle : 0)),
});

/** Nothing was there a minute ago either. */
const IDLE = ok([lookAt(60, 0, 0, 20)]);

describe('strategy latency', () => {
  it('scales out to what keeps the target from the landing on', () => {
    // 10 workers finish 100 jobs a minute, 100 come; the 400 that wait are still 400 when a change lands after 67.5 s.
    // Cleared within 30 s at 10 jobs a minute and worker: 400 / 5, and some for noise.
    const decision = decided(steadyAt(10, 100, 400, { backlog: ok(depthOf(400, 10)) }));
    expect(decision.action).toBe('scale_out');
    expect(decision.reason).toBe('wait_above_target');
    expect(decision.desiredCount).toBeGreaterThan(80);
    expect(decision.desiredCount).toBeLessThan(95);
  });

  it('shows every quantity of the decision', () => {
    const { steps } = decided(steadyAt(10, 100, 400));
    const names = steps.map(({ name }) => name);
    expect(names.slice(0, 7)).toEqual(['service', 'arrivals', 'landing', 'drain', 'steady', 'keep', 'recommend']);
    expect(steps.find(({ name }) => name === 'service')?.why).toContain('6.0 s');
    expect(steps.find(({ name }) => name === 'landing')?.why).toContain('in 68 s');
  });

  it('leaves zero for a single message', () => {
    const none = { rates: unknown(), forecast: ok(NO_FORECAST) };
    const decision = decided(observationOf(0, 1, none), policy({}, { minWorkers: 0 }));
    expect([decision.action, decision.reason, decision.desiredCount]).toEqual(['scale_out', 'from_zero', 1]);
  });

  it('goes to zero when nothing came for as long as idle workers are kept, and not while a job runs', () => {
    const wish = policy({}, { minWorkers: 0 });
    const quiet = steadyAt(2, 0);
    expect(decided(quiet, wish).desiredCount).toBe(0);
    expect(decided({ ...quiet, backlog: ok(depthOf(0, 1)) }, wish).desiredCount).toBe(1);
  });

  it('keeps what was needed within the time that idle workers are kept', () => {
    const burst = (minutesAgo: number) => {
      const sent = Array<number>(60).fill(0);
      sent[60 - minutesAgo] = 100;
      return steadyAt(20, 0, 0, { rates: ok(ratesOf(sent)), looks: IDLE });
    };
    expect(decided(burst(3)).desiredCount).toBe(11);
    const gone = decided(burst(12));
    expect([gone.desiredCount, gone.reason]).toEqual([1, 'wait_below_target']);
  });

  it('keeps less for a target that leaves time to start workers again', () => {
    const sent = [...Array<number>(56).fill(0), 100, 0, 0, 0];
    const seen = steadyAt(20, 0, 0, { rates: ok(ratesOf(sent)) });
    const kept = (targetSeconds: number) => decided(seen, policy({ targetSeconds })).desiredCount ?? 0;
    expect(kept(600)).toBeLessThan(kept(60));
  });

  /** Jobs of 6 s, 20 a minute, and a burst of 1000 some minutes ago: nothing is foreseen. */
  const afterBurst = (workers: number, minutesAgo: number) => {
    const sent = Array<number>(60).fill(20);
    sent[60 - minutesAgo] = 1000;
    return steadyAt(workers, 20, 0, { rates: ok(ratesOf(sent)), looks: ok([lookAt(60, 0, 2, workers)]) });
  };

  const whyOf = (decision: Decision) => decision.steps.find(({ name }) => name === 'recommend')?.why;

  it('keeps a few idle workers after an hour that called for many: a change has its price', () => {
    // The burst called for 100 workers, a change takes 67.5 s: its price is 0.3 x 100 x 67.5, some 2025 worker-seconds.
    // 3 workers are enough: 7 idle ones have cost 2100 after the usual 300 s, 6 have cost 1800.
    const few = decided(afterBurst(9, 6));
    expect([few.action, few.reason]).toEqual(['hold', 'on_target']);
    expect(whyOf(few)).toBe(
      '3 workers are enough, but stopping 6 is not worth a change yet: they have cost 1800 worker-seconds of 2025, since a ' +
        'change keeps the next one waiting for 68 s, at up to 100 workers. They stay for 1200 s at most.',
    );
    expect(whyOf(decided(afterBurst(10, 6)))).toBe('3 workers are enough, and were for 300 s.');
    expect(decided(afterBurst(10, 6)).desiredCount).toBe(3);
  });

  it('stops them when their idling has cost that price, the last ones after four times as long', () => {
    const idleFor = (idle: number, minutesAgo: number) => {
      const decision = decided(afterBurst(3 + idle, minutesAgo));
      expect(decision.desiredCount).toBe(decision.action === 'hold' ? 3 + idle : 3);
      return whyOf(decision);
    };
    const enoughFor = (seconds: number) => `3 workers are enough, and were for ${seconds} s.`;
    expect(idleFor(7, 6)).toBe(enoughFor(300));
    expect(idleFor(6, 7)).toBe(enoughFor(360));
    expect(idleFor(3, 12)).toContain('stopping 3 is not worth a change yet');
    expect(idleFor(3, 13)).toBe(enoughFor(720));
    expect(idleFor(1, 20)).toContain('stopping 1 is not worth a change yet');
    expect(idleFor(1, 21)).toBe(enoughFor(1200));
    // A steady hour called for no more than run.
    expect(decided(steadyAt(5, 20, 0, { looks: ok([lookAt(60, 0, 2, 5)]) })).action).toBe('scale_in');
  });

  it('never stops them sooner because they may be idle for longer', () => {
    const counts = [60, 240, 300, 330, 360, 420, 600, 3600].map(
      (keepIdleSeconds) => decided(afterBurst(9, 7), policy({ keepIdleSeconds })).desiredCount ?? 0,
    );
    expect(counts).toEqual(counts.toSorted((one, other) => one - other));
    expect(new Set(counts)).toEqual(new Set([3, 9]));
  });

  it('prices a change by no more workers than are allowed, and by those alone that may go', () => {
    expect(decided(afterBurst(4, 6), policy({}, { maxWorkers: 10 })).desiredCount).toBe(3);
    const least = decided(afterBurst(9, 6), policy({}, { minWorkers: 8 }));
    expect(whyOf(least)).toContain('stopping 1 is not worth a change yet: they have cost 300 worker-seconds of 2025');
    const rests = decided(afterBurst(9, 6), policy({}, { minWorkers: 9 }));
    expect([rests.action, rests.reason]).toEqual(['hold', 'at_minimum']);
  });

  it('minds a change less the more time the target leaves for the next one', () => {
    const cost = (targetSeconds: number) => {
      const why = whyOf(decided(afterBurst(6, 6), policy({ targetSeconds }))) ?? '';
      return Number(/worker-seconds of (\d+),/.exec(why)?.[1] ?? 0);
    };
    // Of the arrivals until the landing, (2 x 67.5 + 60 - 75) / (67.5 + 60) have no other chance at a target of 75 s,
    // and the burst calls for fewer workers where it may be worked off 7.5 s longer.
    expect(cost(60)).toBe(2025);
    expect(cost(75) / cost(60)).toBeCloseTo((120 / 127.5) * (60 / 67.5), 2);
    expect(cost(300)).toBe(0);
    expect(decided(afterBurst(5, 6), policy({ targetSeconds: 300 })).action).toBe('scale_in');
  });

  it('takes a minute that is not on record to be like the busier of those beside it', () => {
    const seen = (minutes: readonly (number | null)[], wish = policy(), workers = 40) => {
      const sent = [...Array<number>(60 - minutes.length).fill(20), ...minutes];
      const rates = ok({ ...ratesOf(Array<number>(60).fill(20)), sent });
      return decided(steadyAt(workers, 20, 0, { rates, looks: ok([lookAt(60, 0, 2, workers)]) }), wish).desiredCount;
    };
    // The window of 300 s begins with a gap: what was before it may have gone on.
    expect(seen([1000, 20, 20, 20, 20, 20])).toBe(3);
    expect(seen([1000, null, 20, 20, 20, 20])).toBe(40);
    expect(seen([1000, null, null, 20, 20, 20])).toBe(40);
    expect(seen([1000, 20, null, 20, 20, 20])).toBe(3);
    expect(seen([null, 20, 20, 20, 20])).toBe(3);
    // And so does the longest, of 1200 s, with one worker idle.
    const longest = (gap: number | null) => seen([1000, gap, ...Array<number>(19).fill(20)], policy(), 4);
    expect([longest(20), longest(null)]).toEqual([3, 4]);
    // A long target is worked off over several minutes, so that each of them counts.
    const patient = policy({ targetSeconds: 300, keepIdleSeconds: 3600 });
    const twice = seen([600, 600, 20, 20, 20, 20, 20, 20], patient);
    expect(seen([600, 20, 20, 20, 20, 20, 20, 20], patient)).toBeLessThan(twice ?? 0);
    expect(seen([600, null, 20, 20, 20, 20, 20, 20], patient)).toBe(twice);
    expect(seen([null, 600, 20, 20, 20, 20, 20, 20], patient)).toBe(twice);
  });

  it('says of no worker that it was idle for longer than is recorded', () => {
    const short = (minutes: number, keepIdleSeconds: number) => {
      const rates = ok(ratesOf(Array<number>(minutes).fill(20)));
      return whyOf(decided(steadyAt(5, 20, 0, { rates, looks: IDLE }), policy({ keepIdleSeconds })));
    };
    expect(short(1, 3600)).toBe('3 workers are enough, and were for 60 s.');
    expect(short(10, 900)).toBe('3 workers are enough, and were for 600 s.');
    expect(short(60, 86_400)).toBe('3 workers are enough, and were for 3600 s.');
  });

  it('blames a record that is too old, not the price', () => {
    const { rates, ...seen } = afterBurst(9, 6);
    if (rates.kind !== 'ok') throw new Error('there are rates');
    const old = decided({ ...seen, rates: ok({ ...rates.value, startMs: rates.value.startMs - 600_000 }) });
    expect([old.action, old.reason]).toEqual(['hold', 'history_unknown']);
    expect(whyOf(old)).toMatch(/enough\.$/);
  });

  it('prices a change by what was foreseen as well, and by all of the hour', () => {
    const batch = afterBurst(9, 6);
    const known = Array.from({ length: 60 }, (_, minute) => (minute === 54 ? 1000 : 0));
    const forecast = ok({ ...forecastOf(known), startMs: NOW - 3_600_000 });
    expect(whyOf(decided({ ...batch, forecast }))).toBe('3 workers are enough, and were for 360 s.');
    expect(whyOf(decided(afterBurst(4, 60)))).toBe('3 workers are enough, and were for 1200 s.');
    expect(whyOf(decided(afterBurst(4, 60), policy({ keepIdleSeconds: 900 })))).toBe(
      '3 workers are enough, and were for 2040 s.',
    );
    // 9 workers for 180 s have cost 1620, exactly the price at up to 80 workers.
    const paid = decided(afterBurst(12, 8), policy({ keepIdleSeconds: 180 }, { maxWorkers: 80 }));
    expect(whyOf(paid)).toBe('3 workers are enough, and were for 180 s.');
  });

  it('does not take a gap for the batch that was foreseen beside it', () => {
    const seen = (...minutes: readonly (number | null)[]) => {
      const sent = [...Array<number>(56).fill(20), ...minutes];
      const forecast = { ...forecastOf(sent.map((_, minute) => (minute === 57 ? 600 : 0))), startMs: NOW - 3_600_000 };
      const rates = ok({ ...ratesOf(Array<number>(60).fill(20)), sent });
      return decided(steadyAt(60, 20, 0, { rates, forecast: ok(forecast), looks: ok([lookAt(60, 0, 2, 60)]) }));
    };
    expect(seen(20, 600, null, 20).desiredCount).toBe(seen(20, 600, 20, 20).desiredCount);
    expect(seen(20, null, 1000, 20).desiredCount).toBe(seen(20, 1300, 1000, 20).desiredCount);
  });

  it('holds instead of scaling in when the recorded rates are missing or too old', () => {
    const missing = decided(steadyAt(20, 0, 0, { rates: unknown('failed') }));
    expect([missing.action, missing.reason]).toEqual(['hold', 'history_unknown']);
    const old = decided(steadyAt(20, 0, 0, { rates: ok(ratesOf(Array<number>(60).fill(0), 6, NOW - 600_000)) }));
    expect([old.action, old.reason]).toEqual(['hold', 'history_unknown']);
    expect(old.steps.at(-1)?.why).toContain('too old');
  });

  it('scales out on live depth alone when the recorded rates are missing, with the hint for the time of a job', () => {
    const seen = steadyAt(1, 0, 200, { rates: unknown() });
    const short = decided(seen, policy({ jobSeconds: 1 })).desiredCount ?? 0;
    const long = decided(seen, policy({ jobSeconds: 20 })).desiredCount ?? 0;
    expect(short).toBeGreaterThan(1);
    expect(long).toBeGreaterThan(short);
  });

  it('asks for nothing when the target rests and patterns are off', () => {
    const seen = observationOf(1, 0, { rates: { kind: 'not_read' }, forecast: { kind: 'not_read' } });
    const decision = decided(seen, policy({ learnPatterns: false }));
    expect([decision.action, decision.reason]).toEqual(['hold', 'at_minimum']);
  });

  it('asks for rates and forecast when something waits', () => {
    const seen = observationOf(1, 5, { rates: { kind: 'not_read' }, forecast: { kind: 'not_read' } });
    expect(decide(inputOf(seen, policy()))).toEqual({ kind: 'needs_evidence', evidence: ['rates', 'forecast'] });
  });

  it('asks a resting target for rates when something is foreseen', () => {
    const seen = observationOf(1, 0, { rates: { kind: 'not_read' }, forecast: ok(forecastOf([0, 0, 600])) });
    expect(decide(inputOf(seen, policy()))).toEqual({ kind: 'needs_evidence', evidence: ['rates'] });
  });

  it('is there before arrivals that return with the clock, and not before their time', () => {
    const due = decided(steadyAt(1, 1, 0, { forecast: ok(forecastOf([0, 0, 600])) }));
    expect([due.action, due.reason]).toEqual(['scale_out', 'pattern_ahead']);
    expect(due.steps.find(({ name }) => name === 'pattern')?.why).toContain('every 60 min');
    const later = decided(steadyAt(1, 1, 0, { forecast: ok(forecastOf([0, 0, 0, 0, 0, 0, 600])) }));
    expect(later.action).toBe('hold');
  });

  it('does not listen to the forecast when patterns are off', () => {
    const seen = steadyAt(1, 1, 0, { forecast: ok(forecastOf([0, 0, 600])) });
    expect(decided(seen, policy({ learnPatterns: false })).action).toBe('hold');
  });

  it('does not keep workers for a burst that was foreseen', () => {
    const sent = [...Array<number>(57).fill(0), 400, 0, 0];
    const rates = ok(ratesOf(sent));
    const startMs = NOW - 60 * 60_000;
    const expected = sent.map((count) => (count > 0 ? 400 : 0));
    const forecast = ok({ startMs, periodSeconds: 60, expected, cycleMinutes: expected.map(() => 60) });
    expect(decided(steadyAt(40, 0, 0, { rates, forecast, looks: IDLE })).desiredCount).toBe(1);
    expect(decided(steadyAt(40, 0, 0, { rates, looks: IDLE })).desiredCount).toBeGreaterThan(30);
  });

  it('takes what clearly began to rise to rise further', () => {
    const looks = ok([lookAt(60, 0, 5, 5)]);
    const seen = steadyAt(5, 40, 300, { backlog: ok(depthOf(300, 5)), looks });
    const most = { maxWorkers: 900 };
    const calm = decided(seen, policy({ surgeFactor: 1 }, most)).desiredCount ?? 0;
    expect(decided(seen, policy({ surgeFactor: 2 }, most)).desiredCount).toBeGreaterThan(calm);
  });

  it('is bolder about a jump than about a rise that the look before had shown already', () => {
    // 300 more wait than a minute ago; so it was a minute before that, or it was quiet.
    const ordered = (earlier: number): number => {
      const looks = ok([lookAt(120, earlier, 5, 5), lookAt(60, 300, 5, 5)]);
      return (
        decided(steadyAt(5, 40, 0, { backlog: ok(depthOf(600, 5)), looks }), policy({}, { maxWorkers: 900 }))
          .desiredCount ?? 0
      );
    };
    expect(ordered(300)).toBeGreaterThan(1.5 * ordered(0));
  });

  it('does not take a batch to go on that came as foreseen', () => {
    const looks = ok([lookAt(60, 0, 0, 40)]);
    const backlog = ok(depthOf(250, 40));
    const due = { startMs: NOW - 60_000, periodSeconds: 60, expected: [400, 0, 0], cycleMinutes: [60, 0, 0] };
    const foreseen = decided(steadyAt(40, 0, 0, { backlog, looks, forecast: ok(due) }));
    expect(foreseen.action).toBe('hold');
    expect(foreseen.steps.find(({ name }) => name === 'arrivals')?.why).toContain('as was foreseen');
    expect(decided(steadyAt(40, 0, 0, { backlog, looks })).action).toBe('scale_out');
    // Three times as much is more than was foreseen: a surprise.
    const surprise = { backlog: ok(depthOf(1200, 40)), looks, forecast: ok(due) };
    expect(decided(steadyAt(40, 0, 0, surprise)).desiredCount).toBeGreaterThan(90);
  });

  it('is bolder where changes take longer than the target', () => {
    const slow = Array.from({ length: 8 }, (_, index) =>
      actionOf({ id: index + 1, startedAtMs: NOW - 900_000, finishedAtMs: NOW - 900_000 + 180_000, success: true }),
    );
    const share = (actions: Observation['actions']): string | undefined =>
      decided(steadyAt(10, 100, 400, { actions })).steps.find(({ name }) => name === 'drain')?.why;
    expect(share(ok([]))).toContain('within 30 s');
    expect(share(ok(slow))).toContain('within 12 s');
  });

  it('leaves some of a long target for what is still to come', () => {
    const { steps } = decided(steadyAt(10, 100, 400), policy({ targetSeconds: 300 }));
    expect(steps.find(({ name }) => name === 'drain')?.why).toContain('within 126 s');
  });

  it('is there for a batch sooner where a change lately took long', () => {
    const [long] = [actionOf({ startedAtMs: NOW - 900_000, finishedAtMs: NOW - 720_000, success: true })];
    const forecast = ok(forecastOf([0, 0, 0, 0, 0, 600]));
    expect(decided(steadyAt(1, 1, 0, { forecast })).action).toBe('hold');
    expect(decided(steadyAt(1, 1, 0, { forecast, actions: ok([long]) })).reason).toBe('pattern_ahead');
  });

  it('does what the worked example of the README says', () => {
    const rates = ok(ratesOf(Array<number>(60).fill(20), 6.3));
    const took = (seconds: number) =>
      actionOf({ startedAtMs: NOW - 900_000, finishedAtMs: NOW - 900_000 + seconds * 1000, success: true });
    const seen = (before: number, inFlight: number): Observation =>
      steadyAt(5, 20, 0, {
        rates,
        backlog: ok(depthOf(38, 5)),
        actions: ok([took(54), took(61)]),
        looks: ok([lookAt(120, 0, 2, 5), lookAt(60, before, inFlight, 5)]),
      });
    const rise = decided(seen(20, 5));
    expect([rise.desiredCount, rise.reason]).toEqual([19, 'wait_above_target']);
    expect(rise.steps.find(({ name }) => name === 'drain')?.after).toBeCloseTo(18.4, 1);
    const told = rise.steps.map(({ why }) => why).join(' ');
    for (const quantity of [
      '66 a minute now, 20 of late, give or take 6.3',
      'taken as 79',
      '72 will when a change lands in 66 s',
      'within 30 s',
    ])
      expect(told).toContain(quantity);
    const jump = decided(seen(0, 2));
    expect(jump.desiredCount).toBe(48);
    const toldOfJump = jump.steps.map(({ why }) => why).join(' ');
    for (const quantity of ['74 a minute now', 'taken as 198', '203 will when a change lands'])
      expect(toldOfJump).toContain(quantity);
  });

  it('obeys the step limit, the bounds and the gate like every strategy', () => {
    const seen = steadyAt(10, 100, 400);
    const limit = { kind: 'workers', workers: 3 } as const;
    expect(decided(seen, policy({}, { scaleOutMaxStep: limit })).desiredCount).toBe(13);
    expect(decided(seen, policy({}, { maxWorkers: 10 })).reason).toBe('at_maximum');
    const busy = { ...seen, actions: ok([actionOf()]) };
    expect(decided(busy).reason).toBe('action_in_progress');
  });
});

describe('the estimates', () => {
  it('finds the time of a job by what is in hand and what is finished', () => {
    expect(serviceSeconds(STRATEGY, ratesOf(Array<number>(60).fill(600), 6))).toBeCloseTo(6, 2);
    expect(serviceSeconds(STRATEGY, null)).toBe(10);
    // A hint is taken with caution until the first jobs were seen.
    expect(serviceSeconds({ ...STRATEGY, jobSeconds: 3 }, null)).toBe(4.5);
  });

  it('leaves idle minutes and gaps out of it', () => {
    const rates = ratesOf([0, 0, 600, 0], 6);
    const gaps = { ...rates, deleted: [null, 0, 600, 0], inFlight: [9, 0, 60, null] };
    expect(serviceSeconds({ ...STRATEGY, jobSeconds: 4 }, gaps)).toBeCloseTo(6, 5);
  });

  it('does not believe that more is in hand than the workers seen lately can hold', () => {
    const looks = [lookAt(60, 0, 4, 4)];
    expect(trueShareInHand(depthOf(0, 40), 2, looks, 1)).toBe(0.1);
    expect(trueShareInHand(depthOf(0, 4), 2, looks, 1)).toBe(1);
    expect(trueShareInHand(depthOf(0, 40), 2, [], 1)).toBe(1);
  });

  it('measures the time of a change from finished actions, without stuck ones and those of others', () => {
    const took = (seconds: number, changes: Partial<Action> = {}) =>
      actionOf({ startedAtMs: NOW - 900_000, finishedAtMs: NOW - 900_000 + seconds * 1000, ...changes });
    const mailers = { userReference: 'cloud66-autoscaler:d:1-2:mailer' };
    const others = [
      took(401),
      took(-1),
      took(60, { startedAtMs: null }),
      took(100, { kind: 'stack_redeploy' }),
      took(70, { id: -3 }),
      took(3, { success: false }),
    ];
    const log = [took(50), ...others, actionOf(), took(90, mailers), took(0), took(400)];
    expect(lastChangeSeconds({ actions: ok(log) }, 'worker')).toEqual([50, 0, 400]);
    expect(lastChangeSeconds({ actions: ok(log) }, 'mailer')).toEqual([90, 50, 0, 400]);
    const many = [took(50), ...Array<Action>(20).fill(took(90, mailers))];
    expect(lastChangeSeconds({ actions: ok(many) }, 'mailer')).toEqual(Array(8).fill(90));
    // As few are remembered.
    expect(changeTimes(many).get('mailer')).toHaveLength(8);
    expect([leadSeconds([]), longestLeadSeconds([])]).toEqual([60 + 7.5, 60 + 15]);
    expect([leadSeconds([120]), longestLeadSeconds([50, 120, 90])]).toEqual([90 + 7.5, 120 + 15]);
  });

  it('remembers how long changes took where the log need not be read', () => {
    const unread: Observation['actions'] = { kind: 'not_read' };
    const changeSeconds = ok([180]);
    expect(lastChangeSeconds({ actions: unread }, 'worker')).toEqual([]);
    expect(lastChangeSeconds({ actions: unread, changeSeconds }, 'worker')).toEqual([180]);
    expect(lastChangeSeconds({ actions: unknown('failed'), changeSeconds }, 'worker')).toEqual([180]);
    expect(lastChangeSeconds({ actions: ok([]), changeSeconds }, 'worker')).toEqual([180]);
    expect(lastChangeSeconds({ actions: ok([]), changeSeconds: unknown('failed') }, 'worker')).toEqual([]);
    // A batch in five minutes: nothing to do yet where changes take a minute, time to ask for the log where they take three.
    const resting = steadyAt(1, 1, 0, { forecast: ok(forecastOf([0, 0, 0, 0, 0, 600])), actions: unread });
    const at = (observation: Observation) => decide(inputOf(observation, { maxWorkers: 500, strategy: STRATEGY }));
    expect(at(resting)).toMatchObject({ kind: 'decision', action: 'hold' });
    expect(at({ ...resting, changeSeconds })).toEqual({ kind: 'needs_evidence', evidence: ['actions'] });
  });

  it('balances looks to the newest rate', () => {
    // 60 more wait than a minute ago, and 5 busy workers have finished 50 jobs of 6 s.
    const { newest, usual } = arrivalRates(NOW, depthOf(60, 5), [lookAt(60, 0, 5, 5)], null, 6);
    expect(newest * 60).toBeCloseTo(110, 5);
    expect(usual).toBe(newest);
  });

  it('forgets looks that are too old, and passes over one of this very moment', () => {
    expect(arrivalRates(NOW, depthOf(60), [lookAt(200, 0, 5, 5)], null, 6).newest).toBe(0);
    expect(arrivalRates(NOW, depthOf(60), [lookAt(0, 0, 5, 5)], ratesOf([60, 60]), 6).newest).toBe(1);
  });

  it('takes what the first look finds in a queue without a past to have come within a minute', () => {
    const first = (rates: RateHistory | null, looks: readonly Look[] = []) =>
      arrivalRates(NOW, depthOf(50, 10), looks, rates, 6).newest;
    expect(first(ratesOf([]))).toBe(1);
    expect(arrivalRates(NOW, depthOf(50, 10), [], ratesOf([]), 6).rise).toBe(0);
    // A record tells more than a guess, an old look that what waits may be old, and no record nothing.
    expect(first(ratesOf([0]))).toBe(0);
    expect(first(ratesOf([]), [lookAt(200, 50, 0, 5)])).toBe(0);
    expect(first(null)).toBe(0);
  });

  it('knows that a queue was empty which SQS published nothing of', () => {
    const woken = (why: 'asleep' | 'no_points') => {
      const rates = { kind: 'missing', why, detail: 'nothing' } as const;
      return decided(steadyAt(1, 0, 36, { rates })).desiredCount ?? 0;
    };
    expect(woken('asleep')).toBeGreaterThan(2 * woken('no_points'));
  });

  it('takes for a rise what this queue does not do all the time', () => {
    // 120 came in the last minute and 40 did of late. Where minutes vary by chance, 80 more is a rise; where every other one has
    // 70 and the others 10, a difference of 60 is usual, and 120 may be as well.
    const seen = (minutes: readonly (number | null)[]) =>
      arrivalRates(NOW, depthOf(120), [lookAt(60, 0, 0, 5)], { ...ratesOf([]), sent: minutes }, 6);
    const every = (count: number, other: number | null) =>
      Array.from({ length: 60 }, (_, minute) => (minute % 2 === 0 ? count : other));
    const calm = seen(every(40, 40));
    expect(calm.rise).toBeCloseTo((120 - 40 - 3 * Math.sqrt(2 * 40)) / 60, 5);
    const restless = seen(every(70, 10));
    expect(restless.rise).toBe(0);
    // The index of dispersion: 60² / 80 / 0.455.
    expect(restless.noise).toBeCloseTo(Math.sqrt((3600 / 80 / 0.455) * restless.usual * 60) / 60, 5);
    // A few minutes in which the rate changed are not the usual unrest, nor are batches in a silent queue; minutes that are
    // not there tell nothing.
    const noiseOf = (minutes: readonly (number | null)[]) =>
      seen(minutes).noise / Math.sqrt(Math.max(seen(minutes).usual, 1 / 60));
    const usual = Math.sqrt(2 / 60);
    const changed = [...every(40, 40).slice(0, 28), 4, 90, 4, 90, ...every(40, 40).slice(0, 28)];
    expect(noiseOf(changed)).toBeCloseTo(usual, 6);
    expect(noiseOf(Array.from({ length: 60 }, (_, minute) => (minute % 5 === 0 ? 600 : 0)))).toBeCloseTo(usual, 6);
    expect(noiseOf(every(40, null))).toBeCloseTo(usual, 6);
    // Where nearly half of the minutes are wild, the usual unrest is still that of the others.
    expect(noiseOf([...every(41, 50).slice(0, 33), ...every(10, 400).slice(0, 27)])).toBeLessThan(2 * usual);
    // Nine pairs are too few to tell, ten are not.
    expect(seen(every(70, 10).slice(0, 10)).rise).toBeGreaterThan(0);
    expect(seen(every(70, 10).slice(0, 11)).rise).toBe(0);
  });

  it('mixes newest and usual rate unless they clearly differ', () => {
    const rates = ratesOf([60, 60, 60, 60, 60]);
    const calm = arrivalRates(NOW, depthOf(3), [lookAt(60, 0, 0, 5)], rates, 6);
    expect(calm.best).toBe(calm.newest);
    const near = arrivalRates(NOW, depthOf(66), [lookAt(60, 0, 0, 5)], rates, 6);
    expect(near.best).toBeCloseTo((near.newest + 1) / 2, 9);
    expect(near.rise).toBe(0);
  });
});

describe('the arithmetic', () => {
  it('knows the quantiles of the normal distribution', () => {
    expect([50, 95, 99].map((percent) => normalQuantile(percent).toFixed(2))).toEqual(['0.00', '1.65', '2.33']);
  });

  it('looks ahead only where the next look would be too late', () => {
    expect([60, 120, 300].map((target) => foresightOf(target, 60).toFixed(2))).toEqual(['1.00', '0.50', '0.00']);
  });

  it('finds the workers that would have done the work of the past', () => {
    expect(workersThatWouldHaveDone([0, 120, 0], 60, 0.1, 0)).toBe(20);
    expect(workersThatWouldHaveDone([0, 120, 0], 60, 0.1, 60)).toBe(10);
    expect(workersThatWouldHaveDone([60, 60, 60], 60, 0.1, 0)).toBe(10);
    expect(workersThatWouldHaveDone([], 60, 0.1, 0)).toBe(0);
  });
});

describe('for every queue, strategy latency', () => {
  const perMinute = fc.array(fc.option(fc.nat(3000), { freq: 20 }), { minLength: 1, maxLength: 60 });
  const rates = perMinute.map((sent) => ({
    startMs: NOW - 30_000 - sent.length * 60_000,
    periodSeconds: 60,
    sent,
    deleted: sent,
    inFlight: sent.map((count) => (count === null ? null : count / 10)),
  }));
  const look = fc.record({
    ago: fc.integer({ min: 5, max: 300 }),
    visible: fc.nat(3000),
    inFlight: fc.nat(60),
    workers: fc.nat(60),
  });
  const looks = fc
    .array(look, { maxLength: 8 })
    .map((all) =>
      all.toSorted((a, b) => b.ago - a.ago).map((one) => lookAt(one.ago, one.visible, one.inFlight, one.workers)),
    );
  const actions = fc.array(
    fc
      .integer({ min: 20, max: 500 })
      .map((seconds) => actionOf({ startedAtMs: NOW - 900_000, finishedAtMs: NOW - 900_000 + seconds * 1000 })),
    { maxLength: 4 },
  );
  const observation: fc.Arbitrary<Observation> = fc.record({
    backlog: fc.record({ visible: fc.nat(5000), inFlight: fc.nat(60), delayed: fc.nat(9) }).map((depth) => ok(depth)),
    placement: fc.nat(60).map((count) => ok(placementOf(serverOf('a', count)))),
    history: fc.constant(unknown()),
    rates: fc.oneof(
      { weight: 6, arbitrary: rates.map((all) => ok(all)) },
      { weight: 1, arbitrary: fc.constant(unknown()) },
    ),
    forecast: fc.oneof(
      fc.array(fc.nat(2000), { maxLength: 8 }).map((all) => ok(forecastOf(all))),
      fc.constant(unknown()),
    ),
    looks: looks.map((all) => ok(all)),
    stack: fc.constant(ok({ status: 'deployed' as const, maintenanceMode: false })),
    actions: actions.map((all) => ok(all)),
  });
  const strategy: fc.Arbitrary<LatencyStrategy> = fc.record({
    kind: fc.constant('latency' as const),
    targetSeconds: fc.integer({ min: 1, max: 3600 }),
    targetPercent: fc.constantFrom(50, 95, 99.9),
    jobSeconds: fc.option(fc.integer({ min: 1, max: 600 })),
    jobsPerWorker: fc.integer({ min: 1, max: 25 }),
    learnPatterns: fc.boolean(),
    drainShare: fc.constantFrom(0.1, 0.5, 0.7, 1),
    headroom: fc.option(fc.constantFrom(0, 1, 3)),
    keepIdleSeconds: fc.integer({ min: 0, max: 3600 }),
    surgeFactor: fc.constantFrom(1, 1.5, 5),
  });
  const wishOf = (kind: LatencyStrategy): Policy => policyOf({ minWorkers: 0, maxWorkers: 200, strategy: kind });
  const decidedAs = (seen: Observation, kind: LatencyStrategy): Decision => decided(seen, wishOf(kind));

  it('decides on a whole number within the limits, or holds', () => {
    fc.assert(
      fc.property(observation, strategy, (seen, kind) => {
        const { action, currentCount, desiredCount } = decidedAs(seen, kind);
        expect(action === 'hold').toBe(desiredCount === currentCount);
        expect(Number.isInteger(desiredCount)).toBe(true);
        expect(desiredCount).toBeGreaterThanOrEqual(0);
        expect(desiredCount).toBeLessThanOrEqual(200);
      }),
      { numRuns: 1000 },
    );
  });

  it('never wants fewer workers because more messages wait', () => {
    fc.assert(
      fc.property(
        observation,
        strategy,
        fc.nat(5000),
        fc.nat(1000),
        fc.nat(60),
        (seen, kind, visible, more, inFlight) => {
          const at = (depth: number) =>
            decidedAs({ ...seen, backlog: ok(depthOf(depth, inFlight)) }, kind).desiredCount ?? 0;
          expect(at(visible + more)).toBeGreaterThanOrEqual(at(visible));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('settles when nothing else changes', () => {
    fc.assert(
      fc.property(observation, strategy, (made, kind) => {
        // As many workers were seen as there are messages in hand: what is in hand then does not depend on the count.
        const seen = { ...made, looks: ok([lookAt(290, 0, 0, 60)]) };
        let count = decidedAs(seen, kind).desiredCount ?? 0;
        const next = (now: number): number =>
          decidedAs({ ...seen, placement: ok(placementOf(serverOf('a', now))) }, kind).desiredCount ?? 0;
        for (let pass = 0; pass < 3; pass += 1) count = next(count);
        expect(next(count)).toBe(count);
      }),
      { numRuns: 1000 },
    );
  });

  it('never lowers the count without recorded rates', () => {
    fc.assert(
      fc.property(observation, strategy, (seen, kind) => {
        for (const rates of [unknown('missing'), unknown('stale'), unknown('failed')] as const) {
          expect(decidedAs({ ...seen, rates }, kind).action).not.toBe('scale_in');
        }
        expect(decidedAs({ ...seen, backlog: unknown('failed') }, kind).action).not.toBe('scale_in');
      }),
      { numRuns: 500 },
    );
  });

  it('never wants fewer workers because of what is foreseen for later', () => {
    fc.assert(
      fc.property(observation, strategy, fc.array(fc.nat(2000), { maxLength: 8 }), (seen, kind, expected) => {
        const without = decidedAs({ ...seen, forecast: ok(NO_FORECAST) }, kind);
        const foreseen = decidedAs({ ...seen, forecast: ok(forecastOf([0, ...expected])) }, kind);
        if (without.action === 'scale_out')
          expect(foreseen.desiredCount).toBeGreaterThanOrEqual(without.desiredCount ?? 0);
      }),
      { numRuns: 500 },
    );
  });

  it('never scales in because of what was foreseen for now, where reaction alone would scale out', () => {
    fc.assert(
      fc.property(observation, strategy, fc.array(fc.nat(2000), { maxLength: 8 }), (seen, kind, expected) => {
        const without = decidedAs({ ...seen, forecast: ok(NO_FORECAST) }, kind);
        const foreseen = decidedAs({ ...seen, forecast: ok(forecastOf(expected)) }, kind);
        if (without.action === 'scale_out') expect(foreseen.action).not.toBe('scale_in');
      }),
      { numRuns: 2000 },
    );
  });

  it('decides the same after a trip through JSON', () => {
    fc.assert(
      fc.property(observation, strategy, (seen, kind) => {
        const input = { now: NOW, policy: wishOf(kind), override: ok(null), windows: [], observation: seen };
        expect(decide(JSON.parse(JSON.stringify(input)))).toEqual(decide(input));
      }),
      { numRuns: 300 },
    );
  });
});
