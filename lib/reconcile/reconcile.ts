/**
 * The imperative shell. One pass over some targets: observe, decide, act, report. Alarm and tick run the same pass; what
 * set it off is not an input. This folder knows the outside world only through `ports.ts`.
 *
 * The targets of one stack go together, because they share the process list; stacks go side by side. Trouble with one
 * target or stack never stops the others: it becomes that target's result.
 */
import type { Decision, DecisionInput, EvidenceName, ScheduleRule, ScheduleWindow, Target } from '../domain.ts';
import { AutoscalerError, asError } from '../errors.ts';
import { attentionOf } from '../policy/attention.ts';
import { decide } from '../policy/decide.ts';
import { act } from './act.ts';
import { adopt, mustSearch } from './adopt.ts';
import { sideBySide } from './concurrently.ts';
import { type Counts, countWorkers } from './counts.ts';
import { adoptEarlier, isBusy, type Turn } from './earlier.ts';
import type { Memory } from './memory.ts';
import { addAction, lookOf, noAnswer, observe, readActions, readEvidence, type StackEvidence } from './observe.ts';
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
import { readRecorded } from './recorded.ts';

/** Decisions ask for evidence at most once per kind, and the workers are counted again once; more would be a bug. */
const MAX_ROUNDS = 8;

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

/** What sets a tick's pass over all targets apart from a look between ticks. */
export interface PassKind {
  /** False for a look between two ticks: it may see some targets only, and turns are meant for all. */
  readonly countsInTurn: boolean;
}

const FULL_PASS: PassKind = { countsInTurn: true };

/**
 * Looks at each target once and changes what has to change.
 *
 * @returns one result per target, in the order of `targets`. Never throws for trouble in the outside world.
 */
export async function reconcile(
  targets: readonly Target[],
  ports: ReconcilePorts,
  signals: PassSignals,
  { countsInTurn }: PassKind = FULL_PASS,
): Promise<ReadonlyMap<string, TargetResult>> {
  const results = new Map<string, TargetResult>();
  const ids = targets.map(({ id }) => id);
  ports.memory.begin(ids, ports.clock.nowMs());
  const [depths, overrides] = await Promise.all([
    ports.queue.depths(
      targets.map(({ id, source, policy }) => ({ targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds })),
      signals.work,
    ),
    ports.overrides.read(signals.work),
  ]);
  const counts = await countWorkers(targets, depths, ports, signals.work, countsInTurn);
  const inputs = await withRecorded(targets, inputsOf(targets, { depths, overrides, counts }, ports), ports, signals);
  const searched = mustSearch(counts, depths, ports);
  await sideBySide(counts.stacks, async ([stackUid, its]) => {
    try {
      if (counts.errors.has(stackUid)) throw counts.errors.get(stackUid);
      await reconcileStack(its, inputs, ports, signals, results, searched.has(stackUid));
    } catch (error) {
      // Only a bug of ours gets here; it must not take the other stacks with it, least of all one that just scaled.
      for (const { id } of its.filter((target) => !results.has(target.id))) {
        results.set(id, { kind: 'failed', decision: null, error: asError(error) });
      }
    }
  });
  return new Map(targets.map(({ id }) => [id, resultOf(results, id)]));
}

/** What one read tells of all targets of a pass. */
interface SharedReadings {
  readonly depths: Awaited<ReturnType<QueueReader['depths']>>;
  readonly overrides: Awaited<ReturnType<OverrideReader['read']>>;
  readonly counts: Counts;
}

type Inputs = ReadonlyMap<string, DecisionInput>;

/** What each target's decision begins with, by target id. */
function inputsOf(
  targets: readonly Target[],
  { depths, overrides, counts }: SharedReadings,
  { clock, memory, openWindows }: ReconcilePorts,
): Inputs {
  const now = clock.nowMs();
  const entries = targets.map((target): readonly [string, DecisionInput] => {
    const { id, policy } = target;
    const placement = counts.placements.get(id) ?? noAnswer('placement');
    const observation = observe(target, depths, placement, memory.looks(id, now));
    const look = lookOf(observation, now);
    if (look) memory.addLook(id, look);
    const windows = openWindows(policy.schedule, now);
    return [id, { now, policy, override: overrideOf(overrides, id, now), windows, observation }];
  });
  return new Map(entries);
}

/** What the decisions ask CloudWatch for at first, in as few calls as it takes; most ask for nothing. */
async function withRecorded(
  targets: readonly Target[],
  inputs: Inputs,
  ports: ReconcilePorts,
  signals: PassSignals,
): Promise<Inputs> {
  const wishes = targets.map((target) => ({ target, wanted: wantedBy(inputs.get(target.id)) }));
  const recorded = await readRecorded(
    wishes.filter(({ wanted }) => wanted.length > 0),
    ports,
    signals.work,
  );
  const entries = [...inputs].map(([id, input]): readonly [string, DecisionInput] => {
    const observation = { ...input.observation, ...recorded.get(id) };
    return [id, { ...input, observation }];
  });
  return new Map(entries);
}

/** Nothing for a decision that fails: it fails again, and is told, when it is the target's turn. */
function wantedBy(input: DecisionInput | undefined): readonly EvidenceName[] {
  try {
    const answer = input === undefined ? null : decide(input);
    return answer?.kind === 'needs_evidence' ? answer.evidence : [];
  } catch {
    return [];
  }
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

/**
 * One after the other within a stack: Cloud 66 may refuse a second action while it starts a first one. What was changed last
 * has its turn last, so that a target that grows with every pass does not keep the others waiting.
 */
async function reconcileStack(
  targets: readonly Target[],
  inputs: Inputs,
  ports: ReconcilePorts,
  signals: PassSignals,
  results: Map<string, TargetResult>,
  isSearched: boolean,
): Promise<void> {
  const isChanging = targets.some((target) => ports.memory.isExpecting(target, ports.clock.nowMs()));
  const notRead = { kind: 'not_read' } as const;
  const evidence: StackEvidence = { isChanging, stack: notRead, actions: notRead, newestLog: notRead };
  const [first] = targets;
  if (isSearched && first) await readActions(first, evidence, ports, signals.work);
  const { memory, clock } = ports;
  const changedAtMs = ({ id }: Target) => memory.changedAtMs(id, clock.nowMs());
  const turns: Turn[] = [];
  for (const target of targets.toSorted((a, b) => changedAtMs(a) - changedAtMs(b))) {
    const input = inputs.get(target.id);
    if (input === undefined) continue;
    const now = clock.nowMs();
    // Perhaps this was learned from the one before, or from the log just read.
    const serial = memory.isSerial(target.stackUid, now) ? { isSerial: true } : {};
    const changeSeconds = memory.changeSeconds(target);
    const observation = { ...input.observation, ...(changeSeconds && { changeSeconds }) };
    const result = await reconcileTarget(target, { ...input, ...serial, now, observation }, evidence, ports, signals);
    results.set(target.id, result);
    memory.keepWaiting(target, isBusy(result), now);
    turns.push({ target, result, seen: evidence.newestLog });
  }
  await adoptEarlier(turns, evidence.newestLog, results, ports, signals);
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
    await adopt(target, evidence.newestLog, ports, signals);
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const answer = decide(input);
      if (answer.kind === 'decision') {
        const { result, counts, begun } = await act({ target, decisionId, decision: answer, input }, ports, signals);
        if (begun) addAction(evidence, begun);
        ports.reporter.decided({ targetId: target.id, decisionId, input, result, counts });
        if (result.kind === 'scaled' || result.kind === 'dry_run') expectChange(target, answer, ports);
        ports.memory.keepAttention(target.id, attentionOf(answer, input.observation, input.policy, input.now));
        return result;
      }
      input = await withEvidence(input, answer.evidence, target, evidence, ports, signals);
      if (answer.evidence.includes('actions')) await adopt(target, evidence.newestLog, ports, signals);
    }
    throw new AutoscalerError(`The decision for "${target.id}" asked for evidence it already had.`);
  } catch (error) {
    const result: TargetResult = { kind: 'failed', decision: null, error: asError(error) };
    ports.reporter.decided({ targetId: target.id, decisionId, input, result, counts: null });
    return result;
  }
}

function expectChange({ id }: Target, { desiredCount }: Decision, { memory, clock }: ReconcilePorts): void {
  if (desiredCount !== null) memory.expect(id, desiredCount, clock.nowMs());
  memory.changed(id, clock.nowMs());
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
