/** `npm run explain`: what would be decided for each target now, on what, and what would have to change. Changes nothing. */
import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { Command } from 'commander';
import { openWindows } from '../config/schedule.ts';
import type { Decision, DecisionInput, Observation, ServerCounts, Target } from '../domain.ts';
import { AutoscalerError, asError, InvalidInputError } from '../errors.ts';
import { type Hold, holdOf, type WhatIf, whatIf } from '../policy/what-if.ts';
import { createMemory } from '../reconcile/memory.ts';
import { readEvidence, type StackEvidence } from '../reconcile/observe.ts';
import type { Reporter, TargetResult } from '../reconcile/ports.ts';
import { type ReconcilePorts, reconcile } from '../reconcile/reconcile.ts';
import { type Connection, connect, type PlaceOptions, readSources, type Sources, withPlaceOptions } from './connect.ts';
import { parseDecisionLog } from './decision-log.ts';
import { explanationText, replaysText } from './explain-text.ts';
import { replay } from './replay.ts';

/** What is known of one target now. */
export interface Explanation {
  readonly target: Target;
  /** Null when the pass failed before it decided. */
  readonly decision: Decision | null;
  /** What keeps the count as it is; null for a change. */
  readonly hold: Hold | null;
  /** Workers per server uid that would be asked for; null for a hold. */
  readonly counts: ServerCounts | null;
  readonly whatIf: WhatIf;
  /** What went wrong; null when nothing did. */
  readonly problem: string | null;
  /** What the decision was made on. */
  readonly input: DecisionInput;
  /** All that was read, evidence for the what-if included. */
  readonly observation: Observation;
}

interface ExplainOptions extends PlaceOptions {
  readonly target: readonly string[];
  readonly json: boolean;
  readonly decision?: string;
}

type Decided = Parameters<Reporter['decided']>[0];

/** The whole of it: reading and deciding for all targets. */
const LIMIT_SECONDS = 120;
/** Each kind of evidence is asked for once. */
const MAX_EVIDENCE_ROUNDS = 6;

/** The `explain` command. */
export function explainCommand(): Command {
  return withPlaceOptions(new Command('explain'))
    .description(
      'Shows what would be decided for each target now: the working, the evidence, and the backlog at which the\n' +
        'count would change. Reads only; nothing is scaled. With --decision, decides logged decisions again.',
    )
    .option('--target <id>', 'only this target; may be given several times', collect, [])
    .option('--json', 'print JSON', false)
    .option('--decision <file>', "lines of the function's log, - for standard input: is the same decided today?")
    .action(async (options: ExplainOptions) => {
      const { decision: file } = options;
      process.exitCode = file === undefined ? await explainNow(options) : await explainLogged(file, options);
    });
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

async function explainNow(options: ExplainOptions): Promise<number> {
  const explanations = await explain(readSources(), options, (text) => console.error(text));
  console.log(
    options.json ? JSON.stringify({ targets: explanations }) : explanations.map(explanationText).join('\n\n'),
  );
  return explanations.some(({ problem }) => problem !== null) ? 1 : 0;
}

async function explainLogged(file: string, { json }: ExplainOptions): Promise<number> {
  const log = parseDecisionLog(file === '-' ? await textOf(process.stdin) : await readLog(file));
  const replays = log.records.map((record) => ({ record, result: replay(record) }));
  const counts = {
    same: replays.filter(({ result }) => result.kind === 'same').length,
    different: replays.filter(({ result }) => result.kind === 'different').length,
    unusable: replays.filter(({ result }) => result.kind === 'unusable').length + log.cut.length,
    undecided: replays.filter(({ result }) => result.kind === 'undecided').length,
    others: log.others,
  };
  console.log(json ? JSON.stringify({ ...counts, cut: log.cut, replays }) : replaysText(replays, log.cut, counts));
  // Nothing compared is no proof of anything.
  return counts.same > 0 && counts.different === 0 && counts.unusable === 0 ? 0 : 1;
}

async function readLog(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = asError(error).message;
    throw new InvalidInputError('explain', [{ field: '--decision', message: `${file} could not be read: ${why}` }]);
  }
}

/**
 * One pass over the targets with a scaler that sends nothing, and what would have to change for each.
 *
 * @throws InvalidInputError for settings that are wrong and targets that do not exist.
 */
export async function explain(
  sources: Sources,
  options: PlaceOptions & { readonly target: readonly string[] },
  tell: (text: string) => void,
): Promise<readonly Explanation[]> {
  const connection = connect(sources, options, (warning) => tell(`Cloud 66 warns: ${warning}`));
  const targets = chosen(connection.deployment.targets, options.target);
  await connection.requireCredentials();
  for (const warning of connection.deployment.warnings) tell(`warning: ${warning}`);
  const decided = new Map<string, Decided>();
  const ports = lookingPorts(connection, (event) => decided.set(event.targetId, event));
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), LIMIT_SECONDS * 1000);
  try {
    const results = await reconcile(targets, ports, { work: limit.signal, last: limit.signal });
    return await Promise.all(
      targets.map((target) =>
        explanationOf(target, decided.get(target.id), results.get(target.id), ports, limit.signal),
      ),
    );
  } finally {
    clearTimeout(timer);
  }
}

function chosen(targets: readonly Target[], ids: readonly string[]): readonly Target[] {
  const known = targets.map(({ id }) => id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    const message = `there is no target ${unknown.join(', ')}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`;
    throw new InvalidInputError('explain', [{ field: '--target', message }]);
  }
  return ids.length === 0 ? targets : targets.filter(({ id }) => ids.includes(id));
}

/** Ports that read as the function does and cannot send: the scaler has no client, the sender no queue. */
export function lookingPorts(
  { ports }: Pick<Connection, 'ports'>,
  onDecided: (event: Decided) => void,
): ReconcilePorts {
  return {
    ...ports,
    scaler: { scale: async () => ({ kind: 'not_sent' }) },
    // Nothing is scaled here. An action that is found without a record is left to the function, which stores it.
    sender: { send: async () => {} },
    reporter: { decided: onDecided, ended: () => {}, looked: () => {}, adopted: () => {} },
    memory: createMemory({ learnAfterSeconds: 0 }),
    openWindows,
    newDecisionId: () => 'explained',
  };
}

async function explanationOf(
  target: Target,
  decided: Decided | undefined,
  result: TargetResult | undefined,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<Explanation> {
  if (decided === undefined) throw new AutoscalerError(`Target "${target.id}" came to no decision.`);
  const { input, counts } = decided;
  const decision = decided.result.decision;
  const problem = result?.kind === 'failed' ? result.error.message : null;
  const complete = await withWhatIfEvidence(target, input, ports, signal);
  return {
    target,
    decision,
    hold: decision === null ? null : holdOf(decision),
    counts,
    whatIf: whatIf(complete),
    problem,
    input,
    observation: complete.observation,
  };
}

/** What decisions at other backlogs would ask for, read now: the pass itself reads only what its own needed. */
async function withWhatIfEvidence(
  target: Target,
  input: DecisionInput,
  ports: ReconcilePorts,
  signal: AbortSignal,
): Promise<DecisionInput> {
  const { stack, actions } = input.observation;
  const shared: StackEvidence = { isChanging: false, stack, actions, newestLog: { kind: 'not_read' } };
  let complete = input;
  for (let round = 0; round < MAX_EVIDENCE_ROUNDS; round += 1) {
    const { scaleOut, scaleIn } = whatIf(complete);
    const wanted = [scaleOut, scaleIn].flatMap((turn) => (turn.kind === 'unread' ? turn.evidence : []));
    if (wanted.length === 0) break;
    const read = await readEvidence([...new Set(wanted)], target, shared, ports, signal);
    complete = { ...complete, observation: { ...complete.observation, ...read } };
  }
  return complete;
}
