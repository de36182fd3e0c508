/** A run with the local page in front of it, which goes on until it is told to end. */
import type { Load } from '../../lib/simulation/local/load.ts';
import type { Packaged } from '../../lib/simulation/local/package.ts';
import { createVisitor, runLocal } from '../../lib/simulation/local/run.ts';
import type { RunSummary } from '../../lib/simulation/local/witness.ts';
import { endingOf } from '../../lib/simulation/page/ending.ts';
import { startPage } from '../../lib/simulation/page/server.ts';
import { createFeed } from '../../lib/simulation/page/state.ts';
import { watchRun } from '../../lib/simulation/page/watch.ts';
import { currentTimeSettings } from '../../lib/simulation/time.ts';

/** A run that is watched. */
export interface WatchedRun {
  readonly url: string;
  /** Ends run and page. Resolves with what the run came to; its verdict is that of the moment at which the loop closed. */
  end(): Promise<RunSummary>;
}

/** Starts both; the run begins as soon as its world is there. */
export async function startWatchedRun(packaged: Packaged, load: Load): Promise<WatchedRun> {
  const feed = createFeed({ load: load.piece, speed: currentTimeSettings().speed });
  const visitor = createVisitor();
  const page = await startPage({ feed, hands: visitor, port: 0 });
  const stop = new AbortController();
  const stopped = new Promise((resolve) => {
    stop.signal.addEventListener('abort', resolve, { once: true });
  });
  const run = runLocal({
    packaged,
    load,
    seed: 7,
    jobSeconds: 3,
    limitSeconds: 1800,
    tell: () => {},
    signal: stop.signal,
    visitor,
    onlooker: watchRun(feed, visitor),
    async afterwards(summary) {
      feed.setRun({ ending: endingOf(summary, stop.signal.aborted) });
      await stopped;
    },
  });
  return {
    url: page.url,
    async end() {
      stop.abort();
      try {
        return await run;
      } finally {
        await page.close();
      }
    },
  };
}
