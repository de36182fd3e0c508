/** What a page can be given to show, without a run behind it. */
import type { Hands } from '../../../lib/simulation/page/controls.ts';
import { happeningOf, interventionEntry } from '../../../lib/simulation/page/entries.ts';
import { createFeed, type Feed, type Place, type Sample } from '../../../lib/simulation/page/state.ts';
import { HOSTILE_NAME, outcomeLine, quietLine, scaleOutLine } from './log-lines.ts';

/** A wave of work that comes and goes within ten minutes. */
export function sampleAt(atSeconds: number, changes: Partial<Sample> = {}): Sample {
  const wave = Math.max(0, Math.sin((atSeconds / 600) * Math.PI));
  return {
    atSeconds,
    waiting: Math.round(80 * wave),
    inFlight: Math.round(9 * wave),
    running: 1 + Math.round(8 * wave),
    ordered: 1 + Math.round(9 * wave),
    needed: Math.round(9 * wave),
    p50WaitSeconds: 12 * wave,
    p95WaitSeconds: atSeconds < 30 ? null : 50 * wave,
    outage: atSeconds > 200 && atSeconds < 260,
    deploying: atSeconds > 400 && atSeconds < 490,
    ...changes,
  };
}

export function placeFor(changes: Partial<Place> = {}): Place {
  return {
    stackName: 'shop',
    status: 'deployed',
    processName: 'worker',
    servers: [
      { uid: 'a', name: 'lion', healthy: true, ordered: 4, running: 3 },
      { uid: 'b', name: HOSTILE_NAME, healthy: true, ordered: 3, running: 3 },
    ],
    actions: [
      { id: 1001, what: 'Scale to 7', by: 'autoscaler', startedAtSeconds: 60, finishedAtSeconds: 100, success: true },
    ],
    limits: { min: 1, max: 10 },
    outage: false,
    failsNext: false,
    deploying: false,
    ...changes,
  };
}

/** A feed of a run that is well under way: ten minutes, a scale out, its confirmation and a quiet look. */
export function feedUnderWay(): Feed {
  const feed = createFeed({ load: `a load named ${HOSTILE_NAME}`, speed: 10 });
  feed.setPlace(placeFor());
  for (let atSeconds = 0; atSeconds <= 600; atSeconds += 4) feed.addSample(sampleAt(atSeconds));
  const lines = [scaleOutLine(), outcomeLine('confirmed', 'They run where they were asked for.'), quietLine()];
  for (const [index, line] of lines.entries()) {
    const happening = happeningOf('function', 'scale', line);
    if (happening) feed.addEntry({ ...happening, atSeconds: 60 * (index + 1) });
  }
  feed.addEntry({ ...interventionEntry(`pressed ${HOSTILE_NAME}`), atSeconds: 200 });
  feed.setRun({ phase: 'running' });
  return feed;
}

/** Hands that note what they were told, and change the feed as the world would. */
export function notingHands(feed: Feed): { readonly hands: Hands; readonly moves: readonly string[] } {
  const moves: string[] = [];
  const note = (move: string, changes: Partial<Place> = {}) => {
    moves.push(move);
    feed.setPlace(placeFor(changes));
    return `done: ${move}`;
  };
  return {
    moves,
    hands: {
      async addJobs(count) {
        const last = feed.state().samples.at(-1);
        const waiting = (last?.waiting ?? 0) + count;
        feed.addSample(sampleAt((last?.atSeconds ?? 0) + 4, { waiting }));
        return note(`jobs ${count}`);
      },
      deploy: () => note('deployment', { deploying: true }),
      setOutage: (on) => note(`outage ${on}`, { outage: on }),
      setFailsNext: (on) => note(`failing ${on}`, { failsNext: on }),
      changeByHand: (uid, count) => note(`by hand ${uid} ${count}`),
    },
  };
}
