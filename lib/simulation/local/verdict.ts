/** Is the loop of a local run closed, and what did the run come to? Says why not, and what was done to it from outside. */
import type { OutcomeKind } from '../../domain.ts';
import type { ActionView } from '../cloud66/model.ts';
import type { Cloud66Stack } from '../cloud66/stack.ts';
import type { Consumers } from './consumers.ts';
import type { SeenOutcome } from './records.ts';
import type { Visitor } from './visitor.ts';

/** An outcome, and when it was told. */
export interface EndedAction extends SeenOutcome {
  readonly seenAtMs: number;
}

/** What a verdict is given on. */
export interface Evidence {
  readonly stack: Cloud66Stack;
  readonly crew: Consumers | undefined;
  readonly processName: string;
  readonly minWorkers: number;
  /** Jobs that were sent, and those of the load that were not yet. */
  readonly sent: number;
  readonly unsent: number;
  readonly outcomes: readonly EndedAction[];
  readonly visitor: Visitor;
  /** What else disturbs the run all the time, such as drawn faults. */
  readonly disturbance?: string;
}

/** Why the loop is not closed yet; empty = it is. */
export function problemsOf(evidence: Evidence): readonly string[] {
  const { stack, crew, processName, minWorkers, sent, unsent, visitor } = evidence;
  const done = crew?.done() ?? 0;
  const running = stack.workers(processName);
  const excused = new Set(excusesOf(evidence).map(({ actionId }) => actionId));
  const ours = scaledBy(stack);
  const open = ours.filter(({ id }) => outcomeOf(evidence, id) !== 'confirmed' && !excused.has(id));
  const untrue = ours.filter(({ id }) => visitor.diary.wasBroken(id) && outcomeOf(evidence, id) === 'confirmed');
  return [
    ...(unsent > 0 ? [`${unsent} messages have not been sent`] : []),
    ...(done < sent ? [`${sent - done} jobs are not done`] : []),
    ...(running !== minWorkers ? [`${running} workers run; the minimum is ${minWorkers}`] : []),
    ...(visitor.hasOutage() ? ['the outage of the Cloud 66 API is still on'] : []),
    ...open.map(({ id }) => `action ${id} was accepted and not confirmed`),
    ...untrue.map(({ id }) => `action ${id} was made to fail and is said to be confirmed`),
    ...(ours.length === 0 ? ['nothing was scaled'] : []),
  ];
}

/** Actions that did not end as asked because of what was done from outside. */
export function excusesOf(evidence: Evidence): readonly { readonly actionId: number; readonly text: string }[] {
  return scaledBy(evidence.stack).flatMap((action) => {
    const ended = evidence.outcomes.find(({ record }) => record.actionId === action.id);
    const kind = ended?.outcome.kind as OutcomeKind | undefined;
    if (!ended || !kind) return [];
    const { visitor, disturbance } = evidence;
    const isFact = kind === 'confirmed' || kind === 'failed';
    const excuse = visitor.diary.excuseFor(action, kind, ended.seenAtMs) ?? (isFact ? null : (disturbance ?? null));
    if (excuse === null) return [];
    return [{ actionId: action.id, text: `action ${action.id} ${kind.replace('_', ' ')}: ${excuse}` }];
  });
}

/** The numbers of the summary, with what is open and what is excused. */
export function resultsOf(evidence: Evidence) {
  const { stack, crew, processName, minWorkers, sent, outcomes } = evidence;
  const waits = (crew?.waitSeconds ?? []).toSorted((a, b) => a - b);
  const quantile = (share: number) => round(waits[Math.max(0, Math.ceil(share * waits.length) - 1)] ?? 0);
  const count = (kind: OutcomeKind) => outcomes.filter(({ outcome }) => outcome.kind === kind).length;
  const ours = scaledBy(stack);
  const totals = ours.map(({ requestedCounts }) => sumOf(Object.values(requestedCounts)));
  const steps = [...totals, minWorkers].map((total, index, all) => total - (all[index + 1] ?? total));
  return {
    problems: problemsOf(evidence),
    excused: excusesOf(evidence).map(({ text }) => text),
    jobs: sent,
    jobsDone: crew?.done() ?? 0,
    p50WaitSeconds: quantile(0.5),
    p95WaitSeconds: quantile(0.95),
    maxWaitSeconds: quantile(1),
    finalWorkers: stack.workers(processName),
    workerSeconds: Math.round(crew?.workerSeconds() ?? 0),
    actions: {
      accepted: ours.length,
      confirmed: count('confirmed'),
      mismatched: count('mismatched'),
      failed: count('failed'),
      timedOut: count('timed_out'),
      lost: count('lost'),
    },
    scaleOuts: steps.filter((step) => step > 0).length,
    scaleIns: steps.filter((step) => step < 0).length,
  };
}

/** The autoscaler's actions, newest first; what people do in the dashboard is not its affair. */
function scaledBy(stack: Cloud66Stack): readonly ActionView[] {
  return stack.actions().filter(({ startedVia }) => startedVia === 'api');
}

function outcomeOf({ outcomes }: Evidence, actionId: number): string | undefined {
  return outcomes.find(({ record }) => record.actionId === actionId)?.outcome.kind;
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}
