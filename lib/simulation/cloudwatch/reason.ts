/**
 * The sentence and the JSON with which CloudWatch explains a state, in the wording and number format of its real events.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
 */
import { breaches, type Datapoint, type Verdict } from './evaluate.ts';
import type { Comparison, TreatMissingData } from './shapes.ts';

/** What a reason is about: the alarm's rule and how it was judged. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly range: readonly Datapoint[];
  readonly atMs: number;
  readonly threshold: number;
  readonly comparison: Comparison;
  readonly datapointsToAlarm: number;
  /** True when the alarm names M itself; the sentence then counts "out of the last". */
  readonly countsDatapoints: boolean;
  readonly treatMissingData: TreatMissingData;
  readonly periodSeconds: number;
  /** Null for an alarm on an expression. */
  readonly statistic: string | null;
  readonly unit: string | undefined;
}

const COMPARISONS: Readonly<Record<Comparison, string>> = {
  GreaterThanThreshold: 'greater than',
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
};

const wasWere = (count: number): string => (count === 1 ? 'was' : 'were');
const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** Time as CloudWatch writes it in events: UTC with milliseconds and an offset without colon. */
export function awsTime(atMs: number): string {
  return new Date(atMs).toISOString().replace('Z', '+0000');
}

/** A number as CloudWatch (a Java program) writes it: `50.0`, `1.0E7`. */
export function awsNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-3)) {
    const [digits = '0', exponent = '0'] = value.toExponential().split('e');
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** `[2.0 (23/11/26 10:01:00), 1.0 (23/11/26 10:00:00)]` without the brackets, newest first. */
function listOf(points: readonly Datapoint[]): string {
  return points
    .map((point) => {
      const [date = '', time = ''] = new Date(point.atMs).toISOString().split('T');
      const [year = '', month = '', day = ''] = date.split('-');
      return `${awsNumber(point.value ?? 0)} (${day}/${month}/${year.slice(2)} ${time.slice(0, 8)})`;
    })
    .join(', ');
}

/** `StateReason`. */
export function reasonOf(judgement: Judgement): string {
  const { verdict, range } = judgement;
  if (verdict.state === 'INSUFFICIENT_DATA') {
    const unknown = range.filter((point) => point.value === null).length;
    return `Insufficient Data: ${plural(unknown, 'datapoint')} ${wasWere(unknown)} unknown.`;
  }
  const treatment = judgement.treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
  const filled = `${plural(verdict.filled, 'missing datapoint')} ${wasWere(verdict.filled)} treated as [${treatment}]`;
  if (verdict.used.length === 0) {
    return `Threshold Crossed: no datapoints were received for ${plural(verdict.filled, 'period')} and ${filled}.`;
  }
  const isFilled = verdict.filled > 0 && ['breaching', 'notBreaching'].includes(judgement.treatMissingData);
  const clauses = [crossing(judgement), isFilled ? filled : null].filter((clause) => clause !== null);
  return `Threshold Crossed: ${clauses.join(' and ')}${transition(judgement)}.`;
}

/** The datapoints that speak for the new state; null when only missing ones do. */
function crossing({ verdict, comparison, threshold, countsDatapoints }: Judgement): string | null {
  const isAlarm = verdict.state === 'ALARM';
  const speaking = verdict.used.filter((point) => breaches(point.value ?? 0, comparison, threshold) === isAlarm);
  const { length } = speaking;
  if (length === 0) return null;
  // "1 out of the last 1 datapoints" is how CloudWatch writes it.
  const evaluated = `${verdict.used.length + verdict.filled} datapoints`;
  const many = countsDatapoints ? `${length} out of the last ${evaluated}` : plural(length, 'datapoint');
  const verb = `${wasWere(length)}${isAlarm ? '' : ' not'}`;
  return `${many} [${listOf(speaking)}] ${verb} ${COMPARISONS[comparison]} the threshold (${awsNumber(threshold)})`;
}

/** CloudWatch names the pair OK and ALARM even when the state before was INSUFFICIENT_DATA. */
function transition({ verdict, countsDatapoints, datapointsToAlarm }: Judgement): string {
  if (!countsDatapoints) return '';
  const isAlarm = verdict.state === 'ALARM';
  const needed = isAlarm ? datapointsToAlarm : verdict.used.length + verdict.filled - datapointsToAlarm + 1;
  return ` (minimum ${plural(needed, 'datapoint')} for ${isAlarm ? 'OK -> ALARM' : 'ALARM -> OK'} transition)`;
}

/** `StateReasonData`: a JSON text, put together by hand because `50.0` does not survive `JSON.stringify`. */
export function reasonDataOf(judgement: Judgement): string {
  const { verdict, range, statistic, unit } = judgement;
  const oldestFirst = verdict.used.toReversed();
  const [first] = oldestFirst;
  // With data, AWS lists what it evaluated; without, the periods that it looked at.
  const evaluated = first ? verdict.used : range.toReversed();
  const fields = [
    '"version":"1.0"',
    `"queryDate":"${awsTime(judgement.atMs)}"`,
    ...(first ? [`"startDate":"${awsTime(first.atMs)}"`] : []),
    ...(unit === undefined ? [] : [`"unit":${JSON.stringify(unit)}`]),
    ...(statistic === null ? [] : [`"statistic":${JSON.stringify(statistic)}`]),
    `"period":${judgement.periodSeconds}`,
    `"recentDatapoints":[${oldestFirst.map((point) => awsNumber(point.value ?? 0)).join(',')}]`,
    `"threshold":${awsNumber(judgement.threshold)}`,
    `"evaluatedDatapoints":[${evaluated.map(evaluatedDatapoint).join(',')}]`,
  ];
  return `{${fields.join(',')}}`;
}

function evaluatedDatapoint(point: Datapoint): string {
  const timestamp = `"timestamp":"${awsTime(point.atMs)}"`;
  if (point.value === null) return `{${timestamp}}`;
  const samples = point.sampleCount === null ? '' : `"sampleCount":${awsNumber(point.sampleCount)},`;
  return `{${timestamp},${samples}"value":${awsNumber(point.value)}}`;
}
