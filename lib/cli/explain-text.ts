/** An explanation as people read it. */
import { styleText } from 'node:util';
import type { Decision, Evidence, Observation, QueueSource, Step } from '../domain.ts';
import { REASONS } from '../policy/reasons.ts';
import type { Turn } from '../policy/what-if.ts';
import type { DecisionRecord } from './decision-log.ts';
import type { Explanation } from './explain.ts';
import type { Replay } from './replay.ts';

const COLORS = { scale_out: 'green', scale_in: 'yellow', hold: 'cyan' } as const;

/** All of one target. */
export function explanationText({
  target,
  decision,
  whatIf,
  problem,
  input,
  observation,
  ...rest
}: Explanation): string {
  const { id, processName, stackUid, source } = target;
  const head = `${styleText('bold', id)}  (process ${processName} of stack ${stackUid}, ${sourceText(source)})`;
  const steps = decision?.steps.map(stepText) ?? [];
  return [
    head,
    ...(problem === null ? [] : [row('Problem', styleText('red', problem))]),
    row('Decision', decision === null ? 'none could be made' : decisionText(decision)),
    ...rows('Servers', rest.counts === null ? [] : [countsText(rest.counts, observation)]),
    ...rows('Working', steps),
    ...rows('Evidence', evidenceLines(observation, input.now)),
    ...rows('What if', [
      `scale out: ${turnText(whatIf.scaleOut, 'more', 'or more')}`,
      `scale in:  ${turnText(whatIf.scaleIn, 'less', 'or less')}`,
      ...(whatIf.backlog === null ? [] : [`the backlog counts as ${whatIf.backlog} now`]),
    ]),
  ].join('\n');
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(9)} ${text}`;
}

function rows(name: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => row(index === 0 ? name : '', line));
}

function sourceText(source: QueueSource): string {
  switch (source.kind) {
    case 'sqs':
      return `queue ${source.queueUrl}`;
    case 'sqs_name':
      return `queue ${source.queueName}`;
    case 'metric':
      return `metric ${source.namespace} ${source.name}`;
  }
}

function decisionText({ action, currentCount, desiredCount, reason }: Decision): string {
  const counts = action === 'hold' ? `at ${currentCount ?? '?'}` : `${currentCount ?? '?'} -> ${desiredCount ?? '?'}`;
  return `${styleText(COLORS[action], `${action.replace('_', ' ')} ${counts}`)}: ${reason}. ${REASONS[reason]}`;
}

function stepText({ name, before, after, why }: Step): string {
  return `${name.padEnd(10)} ${`${count(before)} -> ${count(after)}`.padEnd(12)} ${why}`;
}

/** Strategies show quantities between whole numbers, too. */
function count(value: number | null): string {
  return value === null ? '?' : String(Math.round(value * 10) / 10);
}

function countsText(counts: Readonly<Record<string, number>>, { placement }: Observation): string {
  const names = placement.kind === 'ok' ? new Map(placement.value.servers.map(({ uid, name }) => [uid, name])) : null;
  return Object.entries(counts)
    .map(([uid, workers]) => `${names?.get(uid) ?? uid} ${workers}`)
    .join(', ');
}

/** One line for each reading: what was seen, and how long ago. */
function evidenceLines(observation: Observation, now: number): readonly string[] {
  const { backlog, placement, history, stack, actions } = observation;
  const { rates, forecast } = observation;
  const line = <T>(name: string, reading: Evidence<T>, tell: (value: T) => string) =>
    `${name.padEnd(10)} ${readingText(reading, tell, now)}`;
  return [
    line('backlog', backlog, ({ visible, inFlight, delayed }) => {
      return `${visible} waiting, ${inFlight} in flight, ${delayed} delayed`;
    }),
    line('workers', placement, ({ servers }) =>
      servers.length === 0 ? 'no servers' : servers.map(({ name, count: workers }) => `${name} ${workers}`).join(', '),
    ),
    line('history', history, ({ points }) => {
      const depths = points.map(({ visible, inFlight }) => visible + inFlight);
      return points.length === 0
        ? 'no points'
        : `${points.length} minutes, ${Math.min(...depths)} to ${Math.max(...depths)}`;
    }),
    line(
      'rates',
      rates,
      ({ sent, deleted }) => `${sumOf(sent)} sent and ${sumOf(deleted)} done in ${sent.length} periods`,
    ),
    line(
      'forecast',
      forecast,
      ({ expected }) => `${Math.round(sumOf(expected))} expected in ${expected.length} periods`,
    ),
    line('stack', stack, ({ status, maintenanceMode }) => `${status}${maintenanceMode ? ', in maintenance' : ''}`),
    line('actions', actions, (all) => {
      const running = all.filter(({ finishedAtMs }) => finishedAtMs === null).length;
      return `${all.length} in the log, ${running} running`;
    }),
  ];
}

function readingText<T>(reading: Evidence<T>, tell: (value: T) => string, now: number): string {
  if (reading.kind === 'not_read') return 'not needed, not read';
  if (reading.kind !== 'ok') return `${reading.kind} (${reading.why}): ${reading.detail}`;
  return `${tell(reading.value)} (${Math.max(0, Math.round((now - reading.observedAtMs) / 1000))} s old)`;
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

function turnText(turn: Turn, direction: 'more' | 'less', bound: string): string {
  switch (turn.kind) {
    case 'at':
      return `at a backlog of ${turn.backlog} ${bound}, to ${turn.desiredCount} (${turn.reason})`;
    case 'always':
      return `at any backlog, to ${turn.desiredCount} (${turn.reason})`;
    case 'never':
      return `at no backlog, however much ${direction}: ${turn.reason}. ${turn.meaning} ${turn.why}`;
    case 'unread':
      return `not known: ${turn.evidence.join(', ')} could not be read`;
  }
}

/** The replay of logged decisions. */
export function replaysText(
  replays: readonly { readonly record: DecisionRecord; readonly result: Replay }[],
  cut: readonly number[],
  counts: Readonly<Record<'same' | 'different' | 'unusable' | 'undecided' | 'others', number>>,
): string {
  const single = replays.length === 1;
  if (replays.length + cut.length + counts.unusable + counts.undecided === 0) {
    return 'There is no decision in it: they are the lines with "event":"decision" in the log of the scale function.';
  }
  return [
    ...replays.flatMap(({ record, result }) => replayLines(record, result, single)),
    ...cut.map((line) => `line ${line}: ${styleText('red', 'cut off')}; the whole line is needed to decide again`),
    `${counts.same} decided the same, byte for byte; ${counts.different} differently; ${counts.unusable} unusable; ` +
      `${counts.undecided} without a decision; ${counts.others} other lines`,
  ].join('\n');
}

function replayLines(record: DecisionRecord, result: Replay, withWorking: boolean): readonly string[] {
  const where = `line ${record.line}, ${record.targetId} ${record.decisionId}`;
  switch (result.kind) {
    case 'same': {
      const { decision } = result;
      const lines = [`${where}: ${styleText('green', 'the same')}: ${decisionText(decision)}`];
      return withWorking ? [...lines, ...rows('Working', decision.steps.map(stepText))] : lines;
    }
    case 'different':
      return [
        `${where}: ${styleText('red', 'different')}`,
        ...result.differences.flatMap(({ path, logged, now }) => [
          `  ${path}`,
          `    - ${logged ?? 'nothing'}`,
          `    + ${now ?? 'nothing'}`,
        ]),
      ];
    case 'undecided':
      return [`${where}: the pass failed before it decided`];
    case 'unusable':
      return [`${where}: ${styleText('red', 'unusable')}: ${result.why}`];
  }
}
