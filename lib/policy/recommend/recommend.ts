/**
 * From a backlog to a count: one file per strategy in this folder, chosen here. A strategy says only what it would like;
 * limits, quiet times and bounds are the business of the rules that follow.
 */
import type { Backlog, EvidenceName, Policy, Reason, Step, Strategy } from '../../domain.ts';
import { workersForBacklog } from './backlog.ts';
import { workersForStep } from './step.ts';

/** What a strategy would like. */
export interface Recommendation {
  /** The whole number of workers. */
  readonly count: number;
  /** Before rounding up: what the tolerance is measured on. Null = a change that was asked for as such, not a ratio. */
  readonly exact: number | null;
  readonly why: string;
  /** Why a change to this count would be made. */
  readonly reason: Reason;
  /** The quantities behind it, where there are more than fit into `why`. */
  readonly steps: readonly Step[];
  /** Evidence that is missing for a scale in: without it the count is kept. */
  readonly lacks: EvidenceName | null;
}

/** The part of a queue's depth that calls for workers: waiting and in hand, delayed messages only when asked for. */
export function demandOf(backlog: Backlog, policy: Pick<Policy, 'countDelayed'>): number {
  return backlog.visible + backlog.inFlight + (policy.countDelayed ? backlog.delayed : 0);
}

/** The strategies that look at the depth alone. */
export type DepthStrategy = Exclude<Strategy, { readonly kind: 'latency' }>;

/** What the strategy would like at this backlog. From zero, any demand asks for at least one worker. */
export function recommend(
  policy: Pick<Policy, 'countDelayed'>,
  strategy: DepthStrategy,
  backlog: Backlog,
  currentCount: number,
): Recommendation {
  const { count, exact, why } = fromDepth(policy, strategy, backlog, currentCount);
  const rises = currentCount === 0 ? 'from_zero' : 'backlog_above_target';
  return { count, exact, why, reason: count < currentCount ? 'backlog_below_target' : rises, steps: [], lacks: null };
}

function fromDepth(
  policy: Pick<Policy, 'countDelayed'>,
  strategy: DepthStrategy,
  backlog: Backlog,
  currentCount: number,
): Pick<Recommendation, 'count' | 'exact' | 'why'> {
  const demand = demandOf(backlog, policy);
  switch (strategy.kind) {
    case 'backlog': {
      const exact = workersForBacklog(demand, strategy.backlogPerWorker);
      const count = Math.ceil(exact);
      return {
        count,
        exact,
        why: `${describe(backlog, policy)} / ${strategy.backlogPerWorker} per worker = ${count}.`,
      };
    }
    case 'step': {
      const stepped = workersForStep(demand, currentCount, strategy.steps);
      const count = currentCount === 0 && demand > 0 ? Math.max(1, stepped) : stepped;
      const change = count - currentCount;
      return {
        count,
        exact: null,
        why: `${describe(backlog, policy)}: step of ${change > 0 ? '+' : ''}${change} from ${currentCount}.`,
      };
    }
  }
}

function describe(backlog: Backlog, policy: Pick<Policy, 'countDelayed'>): string {
  const delayed = policy.countDelayed ? ` + ${backlog.delayed} delayed` : '';
  return `${backlog.visible} waiting + ${backlog.inFlight} in flight${delayed}`;
}
