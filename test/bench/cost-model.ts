/**
 * What a month costs: calls that the deployed code makes in the simulated fleet, times list prices. Only the time that
 * outside calls take is assumed, because nothing in the simulation waits.
 */
import { MAX_ALARMS } from '../../infra/alarms.ts';
import { type FleetPlan, type FleetResult, runFleet } from './fleet-run.ts';

/** List prices of us-east-1 in US dollars, without free tiers. */
export const PRICES = {
  asOf: '2026-11',
  sources: [
    'https://aws.amazon.com/lambda/pricing/',
    'https://aws.amazon.com/sqs/pricing/',
    'https://aws.amazon.com/cloudwatch/pricing/',
  ],
  lambdaGbSecond: 0.000_013_333_4,
  lambdaRequest: 0.2 / 1e6,
  sqsRequest: 0.4 / 1e6,
  sqsFifoRequest: 0.5 / 1e6,
  metricRead: 0.01 / 1000,
  alarm: 0.1,
  metric: 0.3,
  logGb: 0.5 + 0.03,
} as const;

const MINUTES_PER_MONTH = 43_200;
const MEMORY_GB = 0.25;
/** Assumed: an answer of SQS and of Cloud 66, how many are asked at once, and what a tick takes besides. */
const SQS_SECONDS = 0.015;
const CLOUD66_SECONDS = 0.3;
const SQS_AT_ONCE = 25;
const CLOUD66_AT_ONCE = 8;
const TICK_SECONDS = 0.1;
/** Lambda's own three lines for each invocation. */
const LAMBDA_LOG_BYTES = 350;
/** Lambda asks the actions queue all the time, with five pollers of 20 s. */
const RECEIVES = 648_000;
/** Alarms on the program's own health, and metrics of its own that are in use. */
const HEALTH_ALARMS = 4;
const OWN_METRICS = 8;
/** Looks in a watched minute beyond the tick's: every 15 s. */
const MORE_LOOKS = 3;
/** Rates are kept for half a minute: at most one of those looks reads the three of them again. */
const METRICS_AGAIN = 3;
const WATCHED_SECONDS = 50;

/** A month, by what is paid for. */
export interface Bill {
  readonly targets: number;
  readonly load: NonNullable<FleetPlan['load']>;
  readonly lines: Readonly<
    Record<'lambda' | 'depths' | 'actions' | 'metricReads' | 'alarms' | 'metrics' | 'logs', number>
  >;
  readonly sum: number;
  /** Of one target, besides its alarm and what any deployment costs. */
  readonly perTarget: number;
}

/** A month in which every minute is watched, at most: the function, however many targets there are, and each target besides. */
export function watchedMonth(): { readonly lambda: number; readonly perTarget: number } {
  const perMinute = MORE_LOOKS * PRICES.sqsRequest + METRICS_AGAIN * PRICES.metricRead;
  return {
    lambda: MINUTES_PER_MONTH * WATCHED_SECONDS * MEMORY_GB * PRICES.lambdaGbSecond,
    perTarget: MINUTES_PER_MONTH * perMinute,
  };
}

/** Runs the fleet for some minutes and bills a month of such minutes. */
export async function billOf(targets: number, load: Bill['load'], minutes: number): Promise<Bill> {
  const fixed = linesOf(await run(1, 'quiet', minutes));
  const lines = linesOf(await run(targets, load, minutes));
  const sum = total(lines);
  const growth = sum - lines.alarms - (total(fixed) - fixed.alarms);
  return { targets, load, lines, sum, perTarget: targets > 1 ? growth / (targets - 1) : 0 };
}

async function run(targets: number, load: Bill['load'], minutes: number): Promise<FleetResult> {
  const stacks = Math.max(1, Math.round(targets / 5));
  return await runFleet({ targets, stacks, minutes, load, callsPerHour: 3000, othersPerHour: 0 });
}

function linesOf({ plan, queueCalls, calls, changes, watched, logBytes }: FleetResult): Bill['lines'] {
  const months = plan.minutes / MINUTES_PER_MONTH;
  const cloud66Calls = calls.reduce((sum, count) => sum + count, 0);
  const depths = queueCalls.depths + MORE_LOOKS * watched.targetMinutes;
  const metricReads = queueCalls.metrics + METRICS_AGAIN * watched.targetMinutes;
  const waited = (depths * SQS_SECONDS) / SQS_AT_ONCE + (cloud66Calls * CLOUD66_SECONDS) / CLOUD66_AT_ONCE;
  const seconds = plan.minutes * TICK_SECONDS + waited + watched.minutes * WATCHED_SECONDS;
  const month = (amount: number) => amount / months;
  return {
    lambda: month(seconds * MEMORY_GB * PRICES.lambdaGbSecond + (plan.minutes + changes * 5) * PRICES.lambdaRequest),
    depths: month(depths * PRICES.sqsRequest),
    actions: RECEIVES * PRICES.sqsFifoRequest + month(changes * 8 * PRICES.sqsFifoRequest),
    metricReads: month(metricReads * PRICES.metricRead),
    alarms: (Math.min(plan.targets, MAX_ALARMS) + HEALTH_ALARMS) * PRICES.alarm,
    metrics: OWN_METRICS * PRICES.metric,
    logs: month(((logBytes + plan.minutes * LAMBDA_LOG_BYTES) / 1e9) * PRICES.logGb),
  };
}

function total(lines: Bill['lines']): number {
  return Object.values(lines).reduce((sum, amount) => sum + amount, 0);
}

/** As people read it; also the table of the README. */
export function billsText(bills: readonly Bill[]): string {
  const dollars = (amount: number) => (amount >= 0.005 || amount === 0 ? amount.toFixed(2) : amount.toFixed(4));
  const head = [
    'Targets',
    'Load',
    'Lambda',
    'Depths',
    'Actions queue',
    'Metric reads',
    'Alarms',
    'Own metrics',
    'Logs',
    'Sum',
    'One target',
  ];
  const rows = bills.map(({ targets, load, lines, sum, perTarget }) => {
    return [
      String(targets),
      load,
      ...Object.values(lines).map(dollars),
      `**${dollars(sum)}**`,
      targets > 1 ? dollars(perTarget) : '',
    ];
  });
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
