/** The eyes of a pass: what was read becomes an observation; what is asked for later is read once per stack. */
import type {
  Action,
  ArrivalForecast,
  Backlog,
  Evidence,
  EvidenceName,
  Look,
  Observation,
  Placement,
  RateHistory,
  Reading,
  StackState,
  Target,
} from '../domain.ts';
import { forecastArrivals, PATTERN_HISTORY_SECONDS } from '../policy/patterns.ts';
import type { Memory } from './memory.ts';
import type { Clock, ProcessHost, QueueReader, RatesQuery } from './ports.ts';

/** The rates of the last hour tell how long jobs run, those of the last minutes how many come. */
const RATES_WINDOW_SECONDS = 3600;

/** Evidence of the stack is shared by its targets for this long. */
const SHARED_SECONDS = 5;

/** Evidence that all targets of a stack share. Filled in on first use. */
export interface StackEvidence {
  stack: Evidence<StackState>;
  actions: Evidence<readonly Action[]>;
  /** How far back the actions were asked for. */
  actionsSinceMs?: number;
}

/** Puts a target's share of the batched readings together; a reading that is not there is missing, not zero. */
export function observe(
  target: Target,
  depths: ReadonlyMap<string, Reading<Backlog>>,
  placements: ReadonlyMap<string, Reading<Placement>>,
  looks: Observation['looks'],
): Observation {
  return {
    backlog: depths.get(target.id) ?? noAnswer('queue depth'),
    placement: placements.get(target.processName) ?? noAnswer('placement'),
    history: { kind: 'not_read' },
    rates: { kind: 'not_read' },
    forecast: { kind: 'not_read' },
    looks,
    stack: { kind: 'not_read' },
    actions: { kind: 'not_read' },
  };
}

/** Where evidence comes from. */
export interface EvidencePorts {
  readonly clock: Clock;
  readonly queue: QueueReader;
  readonly host: ProcessHost;
  readonly memory: Memory;
}

/** What this pass saw, as later passes will want to know it; null when something could not be read. */
export function lookOf({ backlog, placement }: Observation, nowMs: number): Look | null {
  if (backlog.kind !== 'ok' || placement.kind !== 'ok') return null;
  const workers = placement.value.servers.reduce((sum, { count }) => sum + count, 0);
  return { atMs: nowMs, visible: backlog.value.visible, inFlight: backlog.value.inFlight, workers };
}

/** Reads the evidence that a decision asked for, side by side; evidence of the stack is read once and shared. */
export async function readEvidence(
  wanted: readonly EvidenceName[],
  target: Target,
  shared: StackEvidence,
  ports: EvidencePorts,
  signal: AbortSignal,
): Promise<Partial<Pick<Observation, EvidenceName>>> {
  const reads = wanted.map(async (name): Promise<Partial<Pick<Observation, EvidenceName>>> => {
    switch (name) {
      case 'history':
        return { history: await readHistory(target, ports.queue, signal) };
      case 'rates':
        return { rates: await readRates(target, ports, signal) };
      case 'forecast':
        return { forecast: await readForecast(target, ports, signal) };
      case 'stack':
        if (!isRecent(shared.stack, ports.clock)) shared.stack = await ports.host.stack(target.stackUid, signal);
        return { stack: shared.stack };
      case 'actions':
        return { actions: await readActions(target, shared, ports, signal) };
    }
  });
  return Object.assign({}, ...(await Promise.all(reads)));
}

/** The log back to whatever may still hold this target: the end of a change within its cooldown, or an action that runs. */
async function readActions(
  { stackUid, policy }: Target,
  shared: StackEvidence,
  { clock, host }: EvidencePorts,
  signal: AbortSignal,
): Promise<StackEvidence['actions']> {
  const { scaleInCooldownSeconds, manualChangeHoldSeconds, deployGraceSeconds, actionTimeoutSeconds } = policy;
  const quietSeconds = Math.max(scaleInCooldownSeconds, manualChangeHoldSeconds, deployGraceSeconds);
  const sinceMs = clock.nowMs() - (quietSeconds + actionTimeoutSeconds) * 1000;
  if (!isRecent(shared.actions, clock) || sinceMs < (shared.actionsSinceMs ?? sinceMs)) {
    shared.actionsSinceMs = sinceMs;
    shared.actions = await host.actions(stackUid, signal, sinceMs);
  }
  return shared.actions;
}

/** The targets of a stack come one after the other, and each may take seconds: by then the world may have changed. */
function isRecent(evidence: Evidence<unknown>, clock: Clock): boolean {
  return evidence.kind === 'ok' && clock.nowMs() - evidence.observedAtMs < SHARED_SECONDS * 1000;
}

async function readHistory({ id, source, policy }: Target, queue: QueueReader, signal: AbortSignal) {
  const windowSeconds = Math.max(policy.scaleOutStabilizationSeconds, policy.scaleInStabilizationSeconds);
  const query = { targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds, windowSeconds };
  const histories = await queue.histories([query], signal);
  return histories.get(id) ?? noAnswer('queue history');
}

async function readRates(target: Target, ports: EvidencePorts, signal: AbortSignal): Promise<Reading<RateHistory>> {
  const { memory, clock } = ports;
  const known = memory.rates(target.id, clock.nowMs());
  if (known) return known;
  const reading = await readRatesOf(target, RATES_WINDOW_SECONDS, 'all', ports.queue, signal);
  memory.keepRates(target.id, reading, clock.nowMs());
  return reading;
}

async function readForecast(
  target: Target,
  ports: EvidencePorts,
  signal: AbortSignal,
): Promise<Reading<ArrivalForecast>> {
  const { memory, clock } = ports;
  const known = memory.forecast(target.id, clock.nowMs());
  if (known) return known;
  const past = await readRatesOf(target, PATTERN_HISTORY_SECONDS, 'sent', ports.queue, signal);
  const reading = past.kind === 'ok' ? { ...past, value: forecastArrivals(past.value) } : past;
  memory.keepForecast(target.id, reading, clock.nowMs());
  return reading;
}

async function readRatesOf(
  { id, source, policy }: Target,
  windowSeconds: number,
  columns: RatesQuery['columns'],
  queue: QueueReader,
  signal: AbortSignal,
) {
  const query = { targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds, windowSeconds, columns };
  const rates = await queue.rates([query], signal);
  return rates.get(id) ?? noAnswer('rates of the queue');
}

/** A reading that nobody gave: missing, not zero. */
export function noAnswer(what: string): Reading<never> {
  return { kind: 'missing', why: 'no_points', detail: `No answer about the ${what}.` };
}
