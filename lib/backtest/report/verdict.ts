/** What a backtest says, in two sentences, and where ours loses: said first by us, not found out later by others. */
import type { BacktestResult, PolicyResult } from '../run.ts';
import type { LateStretch } from './late-stretches.ts';
import { clockText } from './time-text.ts';

/** The strategy that a deployment uses unless told otherwise; before it there was `backlog`. */
const FLAGSHIP = 'latency';
/** Differences below this are noise of the seed. */
const NOISE = 0.02;

/** Policies that keep the objective first, the cheapest first among them; the others by their late share. */
export function ranked(policies: readonly PolicyResult[]): readonly PolicyResult[] {
  return policies.toSorted((a, b) => {
    if (a.meetsSlo !== b.meetsSlo) return a.meetsSlo ? -1 : 1;
    return a.meetsSlo ? a.costRatio - b.costRatio : a.lateShare - b.lateShare;
  });
}

/** The one of ours that the verdict is about; null when none was flown. */
export function oursOf(policies: readonly PolicyResult[]): PolicyResult | null {
  const ours = policies.filter((policy) => policy.ours);
  return ours.find(({ name }) => name === FLAGSHIP) ?? ours[0] ?? null;
}

/** Two sentences. */
export function verdictOf(result: BacktestResult): readonly [string, string] {
  const ours = oursOf(result.policies);
  if (ours === null) return [peersOnly(result), againstOptimum(result, null)];
  return [againstPeers(ours, result), againstOptimum(result, ours)];
}

function peersOnly({ policies }: BacktestResult): string {
  const [best] = ranked(policies);
  if (best === undefined) return 'No policy was flown to its end, so there is nothing to say.';
  return best.meetsSlo
    ? `Of the ${policies.length} policies flown, ${best.name} keeps the target at the lowest cost, ${times(best.costRatio)} the work.`
    : `None of the ${policies.length} policies flown keeps the target; ${best.name} comes nearest with ${percent(best.lateShare)} late.`;
}

function againstPeers(ours: PolicyResult, { policies, slo, complete }: BacktestResult): string {
  const target = `${slo.waitSeconds} s for ${percent(slo.share)} of the jobs`;
  const part = complete ? '' : 'On the part that was replayed, ';
  const start = `${part}${ours.name} ${ours.meetsSlo ? 'keeps' : 'misses'} the target of ${target}`;
  const cost = `at ${times(ours.costRatio)} the cost of the work (${percent(ours.lateShare)} late)`;
  const peers = ranked(policies.filter((policy) => !policy.ours));
  const [best] = peers;
  if (best === undefined) return `${start} ${cost}.`;
  if (!best.meetsSlo) {
    const others = `none of the ${peers.length} other policies keeps it (nearest: ${best.name}, ${percent(best.lateShare)} late at ${times(best.costRatio)})`;
    return `${start} ${cost}; ${others}.`;
  }
  const difference = ours.costRatio / best.costRatio - 1;
  const compared =
    Math.abs(difference) < NOISE
      ? 'as much as'
      : `${percent(Math.abs(difference))} ${difference < 0 ? 'less' : 'more'} than`;
  return `${start} ${cost}, which is ${compared} the cheapest other policy that keeps it, ${best.name} at ${times(best.costRatio)}.`;
}

function againstOptimum({ references, complete }: BacktestResult, ours: PolicyResult | null): string {
  const { lpBound, oraclePlan, staticBest } = references;
  if (oraclePlan === null && lpBound === null) {
    return complete
      ? 'The optimum was not computed.'
      : 'It was stopped before the optimum was computed, so there is nothing to measure the cost against.';
  }
  const parts = [
    oraclePlan && `a plan made with the traffic known costs ${times(oraclePlan.costRatio)}`,
    lpBound && `no plan can cost less than ${times(lpBound.costRatio)}`,
    staticBest && `the best fixed count of ${staticBest.workers ?? 0} workers costs ${times(staticBest.costRatio)}`,
  ].filter((part) => part !== null);
  const text = `${parts.slice(0, -1).join(', ')}${parts.length > 1 ? ' and ' : ''}${parts.at(-1)}`;
  const gap = ours !== null && oraclePlan !== null ? ours.costRatio - oraclePlan.costRatio : null;
  const price = gap !== null && gap > 0 ? `, so not knowing the future costs ${gap.toFixed(2)} × the work here` : '';
  return `${text[0]?.toUpperCase()}${text.slice(1)}${price}.`;
}

/** Where others do better than ours, and when ours is late. Empty when nobody does and it never is. */
export function lossesOf(
  { policies, slo }: BacktestResult,
  stretches: readonly LateStretch[],
  dated: { readonly startMs: number } | null,
): readonly string[] {
  const ours = oursOf(policies);
  if (ours === null) return [];
  const others = policies.filter((policy) => policy !== ours);
  const losses: string[] = [];
  if (!ours.meetsSlo) {
    losses.push(`${ours.name} misses the target: ${percent(ours.lateShare)} late, ${percent(1 - slo.share)} allowed.`);
  }
  for (const other of ranked(others)) {
    const loss = lossAgainst(ours, other);
    if (loss !== null) losses.push(loss);
  }
  for (const stretch of stretches) losses.push(stretchText(stretch, dated));
  return losses;
}

function lossAgainst(ours: PolicyResult, other: PolicyResult): string | null {
  const cheaper = 1 - other.costRatio / ours.costRatio;
  const numbers = `${times(other.costRatio)}, ${percent(other.lateShare)} late, p95 ${seconds(other.waitSeconds.p95)}`;
  if (other.meetsSlo && !ours.meetsSlo) return `${other.name} keeps the target (${numbers}).`;
  if (other.meetsSlo && cheaper > NOISE)
    return `${other.name} keeps the target ${percent(cheaper)} cheaper (${numbers}).`;
  const faster = other.waitSeconds.p95 < ours.waitSeconds.p95;
  if (faster && cheaper > -NOISE) return `${other.name} has shorter waits for no more money (${numbers}).`;
  return null;
}

function stretchText(stretch: LateStretch, dated: { readonly startMs: number } | null): string {
  const from = clockText(stretch.fromSeconds, dated);
  const to = clockText(stretch.toSeconds, dated).split(' ').at(-1);
  const { lateJobs, maxWaitSeconds, peakBacklog, workersBefore, workersMost } = stretch;
  const jobs = `${lateJobs.toLocaleString('en-US')} late job${lateJobs === 1 ? '' : 's'}`;
  const workers = `workers ${workersBefore} → ${workersMost}`;
  return `${from} to ${to}: ${jobs}, longest wait ${seconds(maxWaitSeconds)}, backlog up to ${peakBacklog.toLocaleString('en-US')}, ${workers}.`;
}

/** `1.42 ×`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(2)} ×`;
}

/** A share as percent, with one decimal below ten where it is not zero. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value.toFixed(value >= 9.95 ? 0 : 1).replace(/\.0$/, '')} %`;
}

/** A duration in the unit that suits it: `45 s`, `12 min`, `3.5 h`, `14 days`. */
export function seconds(value: number): string {
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  const [amount, unit] = value < 172_800 ? [value / 3600, 'h'] : [value / 86_400, 'days'];
  return `${amount.toFixed(1).replace(/\.0$/, '')} ${unit}`;
}
