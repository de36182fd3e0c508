/** The eyes of a pass: what was read becomes an observation; what is asked for later is read once per stack. */
import type {
  Action,
  Backlog,
  Evidence,
  EvidenceName,
  Observation,
  Placement,
  Reading,
  StackState,
  Target,
} from '../domain.ts';
import type { ProcessHost, QueueReader } from './ports.ts';

/** Evidence that all targets of a stack share. Filled in on first use. */
export interface StackEvidence {
  stack: Evidence<StackState>;
  actions: Evidence<readonly Action[]>;
}

/** Puts a target's share of the batched readings together; a reading that is not there is missing, not zero. */
export function observe(
  target: Target,
  depths: ReadonlyMap<string, Reading<Backlog>>,
  placements: ReadonlyMap<string, Reading<Placement>>,
): Observation {
  return {
    backlog: depths.get(target.id) ?? noAnswer('queue depth'),
    placement: placements.get(target.processName) ?? noAnswer('placement'),
    history: { kind: 'not_read' },
    stack: { kind: 'not_read' },
    actions: { kind: 'not_read' },
  };
}

/** Reads the evidence that a decision asked for, side by side; evidence of the stack is read once and shared. */
export async function readEvidence(
  wanted: readonly EvidenceName[],
  target: Target,
  shared: StackEvidence,
  ports: { readonly queue: QueueReader; readonly host: ProcessHost },
  signal: AbortSignal,
): Promise<Partial<Pick<Observation, EvidenceName>>> {
  const reads = wanted.map(async (name): Promise<Partial<Pick<Observation, EvidenceName>>> => {
    switch (name) {
      case 'history':
        return { history: await readHistory(target, ports.queue, signal) };
      case 'stack':
        if (shared.stack.kind === 'not_read') shared.stack = await ports.host.stack(target.stackUid, signal);
        return { stack: shared.stack };
      case 'actions':
        if (shared.actions.kind === 'not_read') shared.actions = await ports.host.actions(target.stackUid, signal);
        return { actions: shared.actions };
    }
  });
  return Object.assign({}, ...(await Promise.all(reads)));
}

async function readHistory({ id, source, policy }: Target, queue: QueueReader, signal: AbortSignal) {
  const windowSeconds = Math.max(policy.scaleOutStabilizationSeconds, policy.scaleInStabilizationSeconds);
  const query = { targetId: id, source, maxAgeSeconds: policy.metricMaxAgeSeconds, windowSeconds };
  const histories = await queue.histories([query], signal);
  return histories.get(id) ?? noAnswer('queue history');
}

function noAnswer(what: string): Reading<never> {
  return { kind: 'missing', why: 'no_points', detail: `No answer about the ${what}.` };
}
