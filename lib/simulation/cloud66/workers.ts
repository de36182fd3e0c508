/**
 * The workers of one process that really run. Cloud 66's books say how many there should be; new ones need time to start
 * up, and those on a dead server do not run whatever the books say.
 */
import type { SimulationClock } from '../clock.ts';

export interface Crew {
  /** Brings a server to this number: starts the missing ones, stops those too many (still starting ones first). */
  settle(serverUid: string, wanted: number): void;
  /** Stops every worker and starts it again, as a deployment does. */
  restart(): void;
  /** Workers that take jobs: everywhere, or on one server. */
  running(serverUid?: string): number;
  /** Cancels every start that is under way. */
  close(): void;
}

interface Post {
  running: number;
  readonly starting: (() => void)[];
}

export interface CrewOptions {
  readonly clock: SimulationClock;
  readonly startUpSeconds: () => number;
  /** Workers by server uid that run from the beginning. */
  readonly initial: Readonly<Record<string, number>>;
  readonly onChanged: (running: number) => void;
}

export function createCrew({ clock, startUpSeconds, initial, onChanged }: CrewOptions): Crew {
  const posts = new Map<string, Post>();
  for (const [serverUid, running] of Object.entries(initial)) posts.set(serverUid, { running, starting: [] });

  const running = (serverUid?: string): number =>
    [...posts]
      .filter(([uid]) => serverUid === undefined || uid === serverUid)
      .reduce((total, [, post]) => total + post.running, 0);

  const startOne = (post: Post): void => {
    const cancel = clock.schedule(clock.nowMs() + startUpSeconds() * 1000, () => {
      post.starting.splice(post.starting.indexOf(cancel), 1);
      post.running += 1;
      onChanged(running());
    });
    post.starting.push(cancel);
  };

  const stop = (post: Post, count: number): void => {
    const cancelled = post.starting.splice(Math.max(0, post.starting.length - count));
    for (const cancel of cancelled) cancel();
    const stopped = count - cancelled.length;
    if (stopped === 0) return;
    post.running -= stopped;
    onChanged(running());
  };

  const settle = (serverUid: string, wanted: number): void => {
    const post = posts.get(serverUid) ?? { running: 0, starting: [] };
    posts.set(serverUid, post);
    const missing = wanted - post.running - post.starting.length;
    if (missing < 0) stop(post, -missing);
    for (let started = 0; started < missing; started += 1) startOne(post);
  };

  return {
    settle,
    restart: () => {
      for (const [serverUid, post] of posts) {
        const count = post.running + post.starting.length;
        settle(serverUid, 0);
        settle(serverUid, count);
      }
    },
    running,
    close: () => {
      for (const post of posts.values()) for (const cancel of post.starting.splice(0)) cancel();
    },
  };
}

/** Seconds that a stop sequence leaves a worker, from `term, 90, kill`; Cloud 66's default is 90. */
export function stopSecondsOf(stopSequence: string): number {
  return stopSequence
    .split(',')
    .map((part) => part.trim())
    .filter((part) => /^\d+$/.test(part))
    .reduce((total, part) => total + Number(part), 0);
}
