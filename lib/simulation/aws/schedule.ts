/** EventBridge rules with a rate: the ticks, and the event that EventBridge makes of one. */
import { randomUUID } from 'node:crypto';

/** What a rule does. */
export interface ScheduleOptions {
  readonly ruleArn: string;
  readonly accountId: string;
  readonly region: string;
  readonly periodSeconds: number;
  /** Gets the event of each tick. Must not throw. */
  readonly onTick: (event: ScheduledEvent) => void;
}

/** A running rule. */
export interface Schedule {
  close(): void;
}

/** The event that a target gets when the rule gives no input of its own. */
interface ScheduledEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': 'Scheduled Event';
  readonly source: 'aws.events';
  readonly account: string;
  /** Whole seconds, as EventBridge writes them. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: Readonly<Record<string, never>>;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };

/** Seconds between two ticks of `rate(5 minutes)`. Throws an Error for anything else: cron is not supported locally. */
export function ratePeriodSeconds(expression: string): number {
  const [, value = '', unit = ''] = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const seconds = UNIT_SECONDS[unit];
  if (seconds === undefined) {
    throw new Error(`ScheduleExpression: found ${expression}, expected rate(N minutes), rate(N hours) or rate(N days)`);
  }
  return Number(value) * seconds;
}

/** Starts a rule; the first tick comes one period from now. Ticks do not drift, and missed ones are left out. */
export function startSchedule(options: ScheduleOptions): Schedule {
  const periodMs = options.periodSeconds * 1000;
  let dueAtMs = Date.now() + periodMs;
  let timer: NodeJS.Timeout;
  const tick = (): void => {
    const nowMs = Date.now();
    options.onTick(scheduledEvent(options, nowMs));
    dueAtMs += periodMs * Math.max(1, Math.ceil((nowMs - dueAtMs) / periodMs));
    timer = setTimeout(tick, dueAtMs - Date.now());
  };
  timer = setTimeout(tick, periodMs);
  return { close: () => clearTimeout(timer) };
}

function scheduledEvent({ ruleArn, accountId, region }: ScheduleOptions, nowMs: number): ScheduledEvent {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: accountId,
    time: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [ruleArn],
    detail: {},
  };
}
