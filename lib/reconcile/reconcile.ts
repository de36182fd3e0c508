/**
 * The imperative shell. One pass over some targets: observe, decide, act, report. Alarm and tick run the same pass; what
 * set it off is not an input. This folder knows the outside world only through `ports.ts`.
 *
 * The targets of one stack go together, because they share the process list; stacks go side by side. Trouble with one
 * target or stack never stops the others: it becomes that target's result.
 */
import type { DecisionInput, EvidenceName, Observation, ScheduleRule, ScheduleWindow, Target } from '../domain.ts';
import { AutoscalerError } from '../errors.ts';
import { attentionOf } from '../policy/attention.ts';
import { decide } from '../policy/decide.ts';
import { act } from './act.ts';
import type { Memory } from './memory.ts';
import { lookOf, noAnswer, observe, readEvidence, type StackEvidence } from './observe.ts';
import type {
  ActionSender,
  Clock,
  OverrideReader,
  ProcessHost,
  QueueReader,
  Reporter,
  Scaler,
  TargetResult,
} from './ports.ts';

/** Stacks that are looked at side by side: enough to hide latency, few enough to be polite to the API. */
const CONCURRENT_STACKS = 8;

/** Decisions ask for evidence at most once per kind, and the workers are counted again once; more would be a bug. */
const MAX_ROUNDS = 7;

/** Everything a pass works with. */
export interface ReconcilePorts {
  readonly clock: Clock;
  readonly queue: QueueReader;
  readonly host: ProcessHost;
  readonly overrides: OverrideReader;
  readonly scaler: Scaler;
  readonly sender: ActionSender;
  readonly reporter: Reporter;
  readonly memory: Memory;
  /** The windows of a schedule that are open at a time. */
  readonly openWindows: (rules: readonly ScheduleRule[], nowMs: number) => readonly ScheduleWindow[];
  /** Names one decision, uniquely, for logs and records. */
  readonly newDecisionId: () => string;
}

/** The time limits of a pass. */
export interface PassSignals {
  /** Aborted when no new work may begin any more. */
  readonly work: AbortSignal;
  /** Aborted at the very last moment: until then an accepted action may still be recorded. */
  readonly last: AbortSignal;
}

/**
 * Looks at each target once and changes what has to change.
 *
 * @returns one result per target, in the order of `targets`. Never throws for trouble in the outside world.
 */
export async function reconcile(
  targets: readonly Target[],
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<ReadonlyMap<string, TargetResult>> {
  const results = new Map<string, TargetResult>();
  const [depths, overrides] = await Promise.all([
    ports.queue.depths(
      targets.map(({ id, source, policy }) => ({ targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds })),
      signals.work,
    ),
    ports.overrides.read(signals.work),
  ]);
  const shared = { depths, overrides };
  const stacks = [...Map.groupBy(targets, (target) => target.stackUid)];
  const worker = async () => {
    for (let next = stacks.shift(); next; next = stacks.shift()) {
      const [stackUid, stackTargets] = next;
      // Only a bug of ours gets here; it must not take the other stacks with it, least of all one that just scaled.
      await reconcileStack(stackUid, stackTargets, shared, ports, signals, results).catch((error: unknown) => {
        for (const { id } of stackTargets.filter((target) => !results.has(target.id))) {
          results.set(id, { kind: 'failed', decision: null, error: asError(error) });
        }
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_STACKS, stacks.length) }, worker));
  return new Map(targets.map(({ id }) => [id, resultOf(results, id)]));
}

/** What one read tells of all targets of a pass. */
interface SharedReadings {
  readonly depths: Awaited<ReturnType<QueueReader['depths']>>;
  readonly overrides: Awaited<ReturnType<OverrideReader['read']>>;
}

/** The target's own override while it lasts, else the one for all. */
function overrideOf(
  overrides: SharedReadings['overrides'],
  targetId: string,
  nowMs: number,
): DecisionInput['override'] {
  if (overrides.kind !== 'ok') return overrides;
  const own = overrides.value.get(targetId);
  const value = (own && nowMs < own.untilMs ? own : overrides.value.get('*')) ?? null;
  return { ...overrides, value };
}

function resultOf(results: ReadonlyMap<string, TargetResult>, targetId: string): TargetResult {
  const result = results.get(targetId);
  if (result !== undefined) return result;
  const error = new AutoscalerError(`Target "${targetId}" came to no result in this pass.`);
  return { kind: 'failed', decision: null, error };
}

/** One after the other within a stack: Cloud 66 may refuse a second action while it starts a first one. */
async function reconcileStack(
  stackUid: string,
  targets: readonly Target[],
  { depths, overrides }: SharedReadings,
  ports: ReconcilePorts,
  signals: PassSignals,
  results: Map<string, TargetResult>,
): Promise<void> {
  const evidence: StackEvidence = { stack: { kind: 'not_read' }, actions: { kind: 'not_read' } };
  const placements = await ports.host.placements(
    stackUid,
    targets.map(({ processName }) => processName),
    signals.work,
  );
  for (const target of targets) {
    const now = ports.clock.nowMs();
    const observation = observe(target, depths, placements, ports.memory.looks(target.id, now));
    const look = lookOf(observation, now);
    if (look) ports.memory.addLook(target.id, look);
    const windows = ports.openWindows(target.policy.schedule, now);
    const override = overrideOf(overrides, target.id, now);
    const input = { now, policy: target.policy, override, windows, observation };
    const result = await reconcileTarget(target, input, evidence, ports, signals);
    results.set(target.id, result);
  }
}

/** One target, start to end: whatever goes wrong here is this target's result and nobody else's. */
async function reconcileTarget(
  target: Target,
  firstInput: DecisionInput,
  evidence: StackEvidence,
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<TargetResult> {
  const decisionId = ports.newDecisionId();
  let input = firstInput;
  try {
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = decide(input);
      if (answer.kind === 'decision') {
        if (answer.action !== 'hold' && isTorn(input.observation)) {
          input = await withWorkersNow(input, target, ports, signals);
          continue;
        }
        const { result, counts } = await act({ target, decisionId, decision: answer, input }, ports, signals);
        ports.reporter.decided({ targetId: target.id, decisionId, input, result, counts });
        ports.memory.keepAttention(target.id, attentionOf(answer, input.observation, input.policy, input.now));
        return result;
      }
      input = await withEvidence(input, answer.evidence, target, evidence, ports, signals);
    }
    throw new AutoscalerError(`The decision for "${target.id}" asked for evidence it already had.`);
  } catch (error) {
    const result: TargetResult = { kind: 'failed', decision: null, error: asError(error) };
    ports.reporter.decided({ targetId: target.id, decisionId, input, result, counts: null });
    return result;
  }
}

/**
 * True when the workers were counted before the action log was read: an action that ended in between would leave the old
 * count with nothing running beside it. Told by the order of our own reads, whatever clocks say.
 */
function isTorn({ placement, actions }: Observation): boolean {
  return placement.kind === 'ok' && actions.kind === 'ok' && placement.observedAtMs < actions.observedAtMs;
}

/** Counts the workers once more before a change; what was decided on the old count is decided again on this one. */
async function withWorkersNow(
  input: DecisionInput,
  { stackUid, processName }: Target,
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<DecisionInput> {
  const placements = await ports.host.placements(stackUid, [processName], signals.work, { fresh: true });
  const placement = placements.get(processName) ?? noAnswer('placement');
  return { ...input, now: ports.clock.nowMs(), observation: { ...input.observation, placement } };
}

async function withEvidence(
  input: DecisionInput,
  wanted: readonly EvidenceName[],
  target: Target,
  evidence: StackEvidence,
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<DecisionInput> {
  const read = await readEvidence(wanted, target, evidence, ports, signals.work);
  return { ...input, now: ports.clock.nowMs(), observation: { ...input.observation, ...read } };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new AutoscalerError(String(error));
}
