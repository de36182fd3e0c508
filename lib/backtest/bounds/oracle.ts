/**
 * The oracle: a schedule made with the traffic known, as a rule that the plant can run. It knows what will arrive but
 * neither how long an action will take nor which one will fail.
 */
import type { Baseline, Settings, Workload } from '../baselines/baseline.ts';
import { order, setting } from '../baselines/rule.ts';
import { type IntegerPlan, integerPlan } from './integer-plan.ts';
import { type FluidProblem, safeWaitSlots } from './problem.ts';

/** Share of a worker's capacity that the plan counts on. */
export const ORACLE_DERATE = 0.9;
const LOOK_SECONDS = 15;

/** The plan that the oracle follows: kept even by a job at the start of its slot, on derated workers. */
export function oraclePlan(problem: FluidProblem): IntegerPlan {
  return integerPlan({ ...problem, jobSeconds: problem.jobSeconds / ORACLE_DERATE }, safeWaitSlots(problem));
}

/** The most workers that the plan has from one simulated second to another; its first ones before, its last ones after. */
export function plannedWorkers(plan: IntegerPlan, fromSeconds: number, toSeconds = fromSeconds): number {
  const newest = plan.workers.length - 1;
  const slotOf = (seconds: number): number => Math.min(newest, Math.max(0, Math.floor(seconds / plan.slotSeconds)));
  let most = 0;
  for (let slot = slotOf(fromSeconds); slot <= slotOf(toSeconds); slot += 1) {
    most = Math.max(most, plan.workers[slot] ?? 0);
  }
  return most;
}

/**
 * A schedule as a rule: orders what the plan has one mean action latency from now. Not a peer: it sees the future.
 * `marginSeconds` orders a scale-out that much earlier still, for traffic where a slow action costs the target.
 */
export function oracle(plan: IntegerPlan): Baseline {
  const defaults = (workload: Workload): Settings => ({ leadSeconds: workload.actionSeconds, marginSeconds: 0 });
  return {
    name: 'oracle-plan',
    title: 'a schedule made with the traffic known',
    source: 'lib/backtest/bounds/integer-plan.ts',
    knobs: [
      { name: 'leadSeconds', values: [30, 60, 90, 120], unit: 'seconds' },
      { name: 'marginSeconds', values: [0, 30, 60, 120], unit: 'seconds' },
    ],
    defaults,
    byTheBook: defaults,
    nativeIntervalSeconds: LOOK_SECONDS,
    readsCloudWatch: false,
    start(settings, workload) {
      const leadSeconds = setting(settings, 'leadSeconds');
      const marginSeconds = setting(settings, 'marginSeconds');
      return ({ nowSeconds, desiredWorkers }) => {
        const from = nowSeconds + leadSeconds;
        return order(workload, plannedWorkers(plan, from, from + marginSeconds), desiredWorkers);
      };
    },
  };
}
