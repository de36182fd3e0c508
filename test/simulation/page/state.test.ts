import { describe, expect, it } from 'vitest';
import { happeningOf, interventionEntry } from '../../../lib/simulation/page/entries.ts';
import { MinuteWaits } from '../../../lib/simulation/page/minute-waits.ts';
import { type Change, createFeed, MOST_ENTRIES, MOST_SAMPLES } from '../../../lib/simulation/page/state.ts';
import { holdLine, quietLine, scaleOutLine } from './log-lines.ts';
import { placeFor, sampleAt } from './shown.ts';

describe('the feed', () => {
  it('tells every change, and nothing to whoever has stopped listening', () => {
    const feed = createFeed({ load: 'a load', speed: 10 });
    const told: Change['name'][] = [];
    const stop = feed.listen(({ name }) => told.push(name));
    feed.setRun({ phase: 'running' });
    feed.addSample(sampleAt(0));
    feed.addEntry({ ...interventionEntry('hello'), atSeconds: 1 });
    feed.setPlace(placeFor());
    stop();
    feed.addSample(sampleAt(4));
    expect(told).toEqual(['run', 'sample', 'entry', 'place']);
    expect(feed.state().samples).toHaveLength(2);
    expect(feed.state().run).toEqual({ load: 'a load', speed: 10, phase: 'running', ending: null });
  });

  it('tells a place only when it is another one', () => {
    const feed = createFeed({ load: '', speed: 1 });
    let told = 0;
    feed.listen(() => {
      told += 1;
    });
    feed.setPlace(placeFor());
    feed.setPlace(placeFor());
    expect(told).toBe(1);
    feed.setPlace(placeFor({ outage: true }));
    expect(told).toBe(2);
  });

  it('forgets the oldest, so that a run may stay for days', () => {
    const feed = createFeed({ load: '', speed: 1 });
    for (let index = 0; index < MOST_SAMPLES + 5; index += 1) feed.addSample(sampleAt(index));
    for (let index = 0; index < MOST_ENTRIES + 5; index += 1) {
      feed.addEntry({ ...interventionEntry(`${index}`), atSeconds: index });
    }
    const { samples, entries } = feed.state();
    expect([samples.length, samples[0]?.atSeconds]).toEqual([MOST_SAMPLES, 5]);
    expect([entries.length, entries[0]?.why, entries.at(-1)?.id]).toEqual([MOST_ENTRIES, '5', MOST_ENTRIES + 5]);
  });

  it('marks a hold that says what the decision before it said', () => {
    const feed = createFeed({ load: '', speed: 1 });
    for (const line of [holdLine(), holdLine(), scaleOutLine(), scaleOutLine(), quietLine()]) {
      const happening = happeningOf('function', 'scale', line);
      if (happening) feed.addEntry({ ...happening, atSeconds: 0 });
    }
    expect(feed.state().entries.map(({ repeats }) => repeats)).toEqual([false, true, false, false, false]);
  });
});

describe('waits of the last minute', () => {
  it('are known as soon as a job was taken up, and unknown when none was for a minute', () => {
    const all: number[] = [];
    const waits = new MinuteWaits(all);
    waits.look(0);
    expect(waits.quantiles()).toEqual({ p50WaitSeconds: null, p95WaitSeconds: null });
    all.push(...Array.from({ length: 100 }, (_, index) => index + 1));
    waits.look(4);
    expect(waits.quantiles()).toEqual({ p50WaitSeconds: 50, p95WaitSeconds: 95 });
    all.push(7);
    waits.look(60);
    expect(waits.quantiles().p95WaitSeconds).toBe(95);
    waits.look(64);
    expect(waits.quantiles()).toEqual({ p50WaitSeconds: 7, p95WaitSeconds: 7 });
    waits.look(121);
    expect(waits.quantiles().p95WaitSeconds).toBeNull();
  });
});
