/** What CloudWatch recorded of the queues: read on the way to a change only, for all targets of a pass at once. */
import type { ArrivalForecast, EvidenceName, Observation, RateHistory, Reading, Target } from '../domain.ts';
import { forecastArrivals, PATTERN_HISTORY_SECONDS } from '../policy/patterns.ts';
import type { Memory } from './memory.ts';
import type { Clock, QueueReader, RatesQuery } from './ports.ts';

/** The rates of the last hour tell how long jobs run, those of the last minutes how many come. */
const RATES_WINDOW_SECONDS = 3600;

/** What a target's decision asks for. */
export interface Wish {
  readonly target: Target;
  readonly wanted: readonly EvidenceName[];
}

/** The part of an observation that CloudWatch gives. */
type Recorded = Partial<Pick<Observation, 'history' | 'rates' | 'forecast'>>;

interface RecordedPorts {
  readonly clock: Clock;
  readonly queue: QueueReader;
  readonly memory: Memory;
}

/** Answers the wishes, by target id; wishes for anything else are left alone. */
export async function readRecorded(
  wishes: readonly Wish[],
  ports: RecordedPorts,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Recorded>> {
  const wanting = (name: EvidenceName) => wishes.filter(({ wanted }) => wanted.includes(name));
  const [histories, rates, forecasts] = await Promise.all([
    readHistories(wanting('history'), ports.queue, signal),
    readRates(wanting('rates'), ports, signal),
    readForecasts(wanting('forecast'), ports, signal),
  ]);
  const entries = wishes.map(({ target: { id }, wanted }): readonly [string, Recorded] => [
    id,
    {
      ...(wanted.includes('history') ? { history: histories.get(id) ?? noRecord('history') } : {}),
      ...(wanted.includes('rates') ? { rates: rates.get(id) ?? noRecord('rates') } : {}),
      ...(wanted.includes('forecast') ? { forecast: forecasts.get(id) ?? noRecord('rates') } : {}),
    },
  ]);
  return new Map(entries);
}

async function readHistories(wishes: readonly Wish[], queue: QueueReader, signal: AbortSignal) {
  if (wishes.length === 0) return new Map<string, never>();
  const queries = wishes.map(({ target: { id, source, policy } }) => ({
    targetId: id,
    source,
    maxAgeSeconds: policy.metricMaxAgeSeconds,
    windowSeconds: Math.max(policy.scaleOutStabilizationSeconds, policy.scaleInStabilizationSeconds),
  }));
  return await queue.histories(queries, signal);
}

async function readRates(wishes: readonly Wish[], ports: RecordedPorts, signal: AbortSignal) {
  const { memory, clock } = ports;
  const known = new Map<string, Reading<RateHistory>>();
  for (const { target } of wishes) {
    const reading = memory.rates(target.id, clock.nowMs());
    if (reading !== null) known.set(target.id, reading);
  }
  const unknown = wishes.filter(({ target }) => !known.has(target.id));
  for (const [id, reading] of await readRatesOf(unknown, RATES_WINDOW_SECONDS, 'all', ports.queue, signal)) {
    memory.keepRates(id, reading, clock.nowMs());
    known.set(id, reading);
  }
  return known;
}

/**
 * Two weeks of minutes are much to read for a target that rests: those learn a few at a time, and what has come to nothing
 * for two weeks is asked again some hours later.
 */
async function readForecasts(wishes: readonly Wish[], ports: RecordedPorts, signal: AbortSignal) {
  const { memory, clock } = ports;
  const nowMs = clock.nowMs();
  const known = new Map<string, Reading<ArrivalForecast>>();
  const resting = new Set(wishes.filter(({ wanted }) => wanted.length === 1).map(({ target }) => target.id));
  for (const { target } of wishes) {
    const reading = memory.forecast(target.id, nowMs, resting.has(target.id) ? 'resting' : 'working');
    if (reading !== null) known.set(target.id, reading);
  }
  const learners = memory.learners([...resting], known, nowMs);
  const unknown = wishes.filter(({ target: { id } }) => !known.has(id) && (!resting.has(id) || learners.has(id)));
  for (const [id, past] of await readRatesOf(unknown, PATTERN_HISTORY_SECONDS, 'sent', ports.queue, signal)) {
    const reading = past.kind === 'ok' ? { ...past, value: forecastArrivals(past.value) } : past;
    const isUnused = past.kind === 'ok' ? past.value.sent.every((count) => !count) : past.why === 'asleep';
    memory.keepForecast(id, reading, nowMs, isUnused);
    known.set(id, reading);
  }
  for (const id of resting) if (!known.has(id)) known.set(id, LEARNED_LATER);
  return known;
}

const LEARNED_LATER: Reading<never> = {
  kind: 'missing',
  why: 'no_points',
  detail: 'The queue rests; what returns with the clock is learned in turn, within a quarter of an hour.',
};

async function readRatesOf(
  wishes: readonly Wish[],
  windowSeconds: number,
  columns: RatesQuery['columns'],
  queue: QueueReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Reading<RateHistory>>> {
  if (wishes.length === 0) return new Map();
  const queries = wishes.map(({ target: { id, source, policy } }) => {
    return { targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds, windowSeconds, columns };
  });
  return await queue.rates(queries, signal);
}

function noRecord(what: string): Reading<never> {
  return { kind: 'missing', why: 'no_points', detail: `No answer about the recorded ${what} of the queue.` };
}
