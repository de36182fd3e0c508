/**
 * What can set off a pass: three shapes of one CloudWatch alarm, and the schedule. They are all read as "look at this
 * alarm's targets" or "look at all of them"; the numbers that an alarm carries are not even kept.
 *
 * Shapes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html (direct),
 * https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html (SNS), and
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html (EventBridge).
 */
import * as v from 'valibot';
import { InvalidInputError, type Problem } from '../errors.ts';

/** An event, reduced to what it may say: look. */
export type Look =
  | { readonly kind: 'tick'; readonly atMs: number }
  | { readonly kind: 'alarm'; readonly alarmName: string; readonly state: string; readonly atMs: number };

/** CloudWatch writes `2026-01-31T10:00:00.000+0000`; Date wants a colon in the offset. */
const time = v.pipe(
  v.string(),
  v.transform((text) => Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))),
  v.number('is not a time'),
  v.finite('is not a time'),
);

/** Alarm names are up to 255 characters; they come back in logs, so nothing longer is taken in. */
const alarmName = v.pipe(v.string(), v.minLength(1), v.maxLength(255));
const state = v.object({ value: v.pipe(v.string(), v.maxLength(32)), timestamp: v.optional(time) });

const directAlarm = v.object({ time, alarmData: v.object({ alarmName, state }) });
const eventBridgeAlarm = v.object({ time, detail: v.object({ alarmName, state }) });
const schedule = v.object({ time });
const snsEvent = v.object({
  Records: v.pipe(v.array(v.object({ Sns: v.object({ Message: v.string() }) })), v.minLength(1), v.maxLength(10)),
});
const snsMessage = v.object({
  AlarmName: alarmName,
  NewStateValue: v.pipe(v.string(), v.maxLength(32)),
  StateChangeTime: time,
});

/**
 * @param event whatever Lambda was invoked with.
 * @returns the looks it asks for: one, or one per SNS record.
 * @throws InvalidInputError that lists every problem by path, for anything that is not one of the known shapes.
 */
export function parseEvent(event: unknown): readonly Look[] {
  if (!isObject(event)) throw invalid([{ field: 'event', message: `${typeof event} found, an object expected` }]);
  if ('Records' in event) {
    return parse(snsEvent, event, 'SNS event').Records.map(({ Sns }) => {
      const message = parse(snsMessage, parseJson(Sns.Message), 'SNS alarm message');
      const { AlarmName, NewStateValue, StateChangeTime } = message;
      return { kind: 'alarm', alarmName: AlarmName, state: NewStateValue, atMs: StateChangeTime };
    });
  }
  if ('alarmData' in event) {
    const { alarmData, time: atMs } = parse(directAlarm, event, 'CloudWatch alarm event');
    return [alarmLook(alarmData, atMs)];
  }
  if (event['detail-type'] === 'CloudWatch Alarm State Change') {
    const { detail, time: atMs } = parse(eventBridgeAlarm, event, 'EventBridge alarm event');
    return [alarmLook(detail, atMs)];
  }
  if (event['detail-type'] === 'Scheduled Event') {
    return [{ kind: 'tick', atMs: parse(schedule, event, 'Scheduled event').time }];
  }
  const expected = 'a CloudWatch alarm (direct, SNS or EventBridge) or a scheduled event expected';
  throw invalid([{ field: 'event', message: `an object with the keys ${keysOf(event)} found, ${expected}` }]);
}

function alarmLook(alarm: { alarmName: string; state: v.InferOutput<typeof state> }, atMs: number): Look {
  return { kind: 'alarm', alarmName: alarm.alarmName, state: alarm.state.value, atMs: alarm.state.timestamp ?? atMs };
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown, subject: string): v.InferOutput<S> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => ({ field: v.getDotPath(issue) ?? 'event', message: issue.message }));
  throw new InvalidInputError(subject, problems);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid([{ field: 'Records.Sns.Message', message: 'text that is not JSON found, a JSON alarm expected' }]);
  }
}

function invalid(problems: readonly Problem[]): InvalidInputError {
  return new InvalidInputError('Event of an unknown shape', problems);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function keysOf(value: object): string {
  return JSON.stringify(
    Object.keys(value)
      .slice(0, 10)
      .map((key) => key.slice(0, 40)),
  );
}
