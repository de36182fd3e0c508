/** The alarms of the deployment: there, pointing at this function in both directions, and allowed to. */
import { type AlarmDefinition, alarmDefinition } from '../config/alarms.ts';
import type { Target } from '../domain.ts';
import type { DeployedAlarm } from './aws.ts';
import { attempt, type CheckResult, type Checks, type Examined, fail, notChecked, ok, warn } from './check.ts';
import { allows } from './policy-text.ts';

/** The principal that runs alarm actions: "Invoke a Lambda function from an alarm" of the CloudWatch user guide. */
const ALARM_SERVICE = 'lambda.alarms.cloudwatch.amazonaws.com';
const DEPLOY = 'Run npm run deploy.';
const PERMISSION = { id: 'alarm-permission', title: 'Alarms may invoke the scale function' };

/**
 * @param functionArn of the deployed scale function; null when it could not be seen.
 */
export async function* checkAlarms(examined: Examined, functionArn: string | null): Checks {
  const { aws, deployment, name, signal, clock } = examined;
  const prefix = `${name}-backlog-`;
  const read = functionArn === null ? null : await attempt(() => aws.alarms(prefix, signal));
  for (const target of deployment.targets) {
    const subject = { id: `alarm:${target.id}`, title: `Alarm ${prefix}${target.id} points at the function` };
    if (functionArn === null || read === null) yield notChecked(subject, 'the functions could not be seen');
    else if (read.kind === 'error') yield notChecked(subject, read.message);
    else {
      const alarm = read.value.find((one) => one.name === `${prefix}${target.id}`);
      yield alarmResult(subject, alarm, alarmDefinition(target, prefix), functionArn, clock.nowMs());
    }
  }
  yield await permissionResult(examined, functionArn, prefix, deployment.targets);
}

function alarmResult(
  subject: { readonly id: string; readonly title: string },
  alarm: DeployedAlarm | undefined,
  wanted: AlarmDefinition,
  functionArn: string,
  nowMs: number,
): CheckResult {
  if (alarm === undefined) return fail(subject, 'there is no such alarm', DEPLOY);
  const lacking = [
    ...(alarm.alarmActions.includes(functionArn) ? [] : ['ALARM']),
    ...(alarm.okActions.includes(functionArn) ? [] : ['OK']),
  ];
  if (lacking.length > 0) {
    return fail(
      subject,
      `nothing is called when it goes to ${lacking.join(' and ')}`,
      `Its actions were changed. ${DEPLOY}`,
    );
  }
  if (!alarm.actionsEnabled) {
    return fail(
      subject,
      'its actions are switched off',
      `Switch them on: enable-alarm-actions --alarm-names ${alarm.name}`,
    );
  }
  const changed = differencesOf(alarm, wanted);
  if (changed.length > 0) return warn(subject, `it differs from the settings here: ${changed.join('; ')}`, DEPLOY);
  const since = alarm.changedAtMs === null ? '' : ` for ${ageText(nowMs - alarm.changedAtMs)}`;
  if (alarm.state === 'INSUFFICIENT_DATA') {
    return warn(subject, `it is INSUFFICIENT_DATA${since}: ${alarm.stateReason}`, 'It needs a first point to watch.');
  }
  return ok(subject, `it is ${alarm.state}${since}`);
}

function differencesOf(alarm: DeployedAlarm, wanted: AlarmDefinition): readonly string[] {
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ['metric', `${alarm.namespace} ${alarm.metricName}`, `${wanted.namespace} ${wanted.metricName}`],
    ['statistic', alarm.statistic, wanted.statistic],
    ['period', alarm.periodSeconds, wanted.periodSeconds],
    ['threshold', alarm.threshold, wanted.threshold],
  ];
  return pairs
    .filter(([, there, here]) => there !== here)
    .map(([what, there, here]) => `${what} ${there} there, ${here} here`);
}

function ageText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

async function permissionResult(
  { aws, name, signal }: Examined,
  functionArn: string | null,
  prefix: string,
  targets: readonly Target[],
): Promise<CheckResult> {
  if (functionArn === null) return notChecked(PERMISSION, 'the functions could not be seen');
  const read = await attempt(() => aws.permissions(`${name}-scale`, signal));
  if (read.kind === 'error') return notChecked(PERMISSION, read.message);
  const [partition, region, account] = [1, 3, 4].map((part) => functionArn.split(':')[part] ?? '');
  const refused = targets.filter(
    ({ id }) =>
      !allows(read.value, ALARM_SERVICE, `arn:${partition}:cloudwatch:${region}:${account}:alarm:${prefix}${id}`),
  );
  if (refused.length === 0) return ok(PERMISSION, `all ${targets.length} may`);
  const detail = `its policy does not let in the alarms of ${refused.map(({ id }) => id).join(', ')}`;
  return fail(PERMISSION, detail, `Was a permission removed by hand? ${DEPLOY}`);
}
