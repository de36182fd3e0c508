/** Queues of a simulated fleet: a mixed load, minute by minute, worked off by as many workers as the account runs. */
import type { Backlog, BacklogHistory, RateHistory, Reading } from '../../lib/domain.ts';
import type { QueueReader, RatesQuery } from '../../lib/reconcile/ports.ts';
import type { Random } from '../../lib/simulation/random.ts';

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1440;
const JOB_SECONDS = 6;
/** What CloudWatch is behind. */
const LAG_MINUTES = 2;

/** Of a hundred targets three follow the day, five have batches, one is hit by bursts; the others have a job now and then. */
type Load = 'quiet' | 'daily' | 'batches' | 'bursts';

function loadOf(index: number, fleet: FleetLoad): Load {
  if (fleet === 'quiet') return 'quiet';
  if (fleet === 'busy') return (['daily', 'batches', 'bursts'] as const)[index % 3] ?? 'daily';
  const place = index % 100;
  if (place === 7) return 'bursts';
  if (place % 20 === 3) return 'batches';
  return place % 33 === 15 ? 'daily' : 'quiet';
}

/** What a fleet does: next to nothing, the mixture above, or real work everywhere. */
export type FleetLoad = 'quiet' | 'mixed' | 'busy';

/** One queue and what was recorded of it, per minute since the start. */
export class FleetQueue {
  readonly load: Load;
  /** Workers that take jobs. */
  workers = 1;
  visible = 0;
  inFlight = 0;
  readonly #random: Random;
  readonly #phase: number;
  readonly #sent: Uint16Array;
  readonly #done: Uint16Array;
  readonly #depth: Uint16Array;
  #minutes = 0;

  constructor(index: number, minutes: number, random: Random, fleet: FleetLoad = 'mixed') {
    this.load = loadOf(index, fleet);
    this.#random = random;
    this.#phase = random.integer(0, DAY_MINUTES - 1);
    [this.#sent, this.#done, this.#depth] = [0, 0, 0].map(() => new Uint16Array(minutes)) as [
      Uint16Array,
      Uint16Array,
      Uint16Array,
    ];
  }

  /** A minute passes. */
  pass(): void {
    const came = this.#poisson(this.#meanAt(this.#minutes));
    const waiting = this.visible + this.inFlight + came;
    const done = Math.min(waiting, Math.floor((this.workers * 60) / JOB_SECONDS));
    const left = waiting - done;
    this.inFlight = Math.min(left, this.workers);
    this.visible = left - this.inFlight;
    this.#sent[this.#minutes] = came;
    this.#done[this.#minutes] = done;
    this.#depth[this.#minutes] = this.visible;
    this.#minutes += 1;
  }

  depth(): Backlog {
    return { visible: this.visible, inFlight: this.inFlight, delayed: 0 };
  }

  history(startMs: number, windowMinutes: number): BacklogHistory {
    const to = Math.max(0, this.#minutes - LAG_MINUTES);
    const from = Math.max(0, to - windowMinutes - LAG_MINUTES);
    const points = Array.from(this.#depth.subarray(from, to), (visible, at) => {
      return { atMs: startMs + (from + at) * MINUTE_MS, visible, inFlight: 0, delayed: 0 };
    });
    return { periodSeconds: 60, points };
  }

  rates(startMs: number, windowMinutes: number, columns: RatesQuery['columns']): RateHistory {
    const to = Math.max(0, this.#minutes - LAG_MINUTES);
    const from = Math.max(0, to - windowMinutes);
    const sent = Array.from(this.#sent.subarray(from, to));
    const deleted = Array.from(this.#done.subarray(from, to), (count) => (columns === 'all' ? count : null));
    const inFlight = deleted.map((count) => (count === null ? null : (count * JOB_SECONDS) / 60));
    return { startMs: startMs + from * MINUTE_MS, periodSeconds: 60, sent, deleted, inFlight };
  }

  #meanAt(minute: number): number {
    const place = (minute + this.#phase) % DAY_MINUTES;
    switch (this.load) {
      case 'quiet':
        return 0.05;
      case 'daily':
        return 14 * Math.max(0, Math.sin((2 * Math.PI * place) / DAY_MINUTES));
      case 'batches':
        return place % 480 === 0 ? 150 : 0.1;
      case 'bursts':
        return this.#random.chance(1 / 600) ? 400 : 0.5;
    }
  }

  #poisson(mean: number): number {
    if (mean > 30) return Math.max(0, Math.round(this.#random.normal(mean, Math.sqrt(mean))));
    let [count, product] = [0, this.#random.next()];
    for (const limit = Math.exp(-mean); product > limit; product *= this.#random.next()) count += 1;
    return count;
  }
}

/** How often the readers were asked, and for how many metrics. */
export interface QueueCalls {
  depths: number;
  metrics: number;
  metricCalls: number;
}

/** The readers of the fleet's queues. */
export function fleetReader(
  queues: ReadonlyMap<string, FleetQueue>,
  clock: { nowMs(): number },
  startMs: number,
  calls: QueueCalls,
): QueueReader {
  const answered = <Q extends { readonly targetId: string }, T>(
    queries: readonly Q[],
    read: (queue: FleetQueue, query: Q) => T,
  ): ReadonlyMap<string, Reading<T>> =>
    new Map(
      queries.map((query) => {
        const queue = queues.get(query.targetId);
        if (queue === undefined) throw new RangeError(`no queue of ${query.targetId}`);
        return [query.targetId, { kind: 'ok', value: read(queue, query), observedAtMs: clock.nowMs() }];
      }),
    );
  const count = (metrics: number) => {
    calls.metrics += metrics;
    calls.metricCalls += Math.ceil(metrics / 500);
  };
  return {
    depths: async (queries) => {
      calls.depths += queries.length;
      return answered(queries, (queue) => queue.depth());
    },
    histories: async (queries) => {
      count(3 * queries.length);
      return answered(queries, (queue, { windowSeconds }) => queue.history(startMs, Math.ceil(windowSeconds / 60)));
    },
    rates: async (queries) => {
      for (const { columns } of queries) calls.metrics += columns === 'all' ? 3 : 1;
      count(0);
      calls.metricCalls += 1;
      return answered(queries, (queue, { windowSeconds, columns }) =>
        queue.rates(startMs, Math.ceil(windowSeconds / 60), columns),
      );
    },
  };
}
