/**
 * Statistics over samples: what CloudWatch calls Average, Sum, Minimum, Maximum, SampleCount and the percentiles.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 */
import { invalid } from './faults.ts';

/** What was put at one moment: one value, a list of values with counts, or four numbers that summarize many. */
export interface Sample {
  /** Rounded down to the resolution of the metric. */
  readonly atMs: number;
  /** Queries made before this moment do not see the sample. */
  readonly visibleAtMs: number;
  readonly unit: string;
  readonly sampleCount: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** `[value, count]` pairs; null when only the four summary numbers are known. */
  readonly values: readonly (readonly [number, number])[] | null;
}

/** One statistic of the samples of one period. */
export interface Point {
  readonly value: number;
  readonly sampleCount: number;
}

type Statistic = (samples: readonly Sample[]) => number | null;

const total = (samples: readonly Sample[], of: (sample: Sample) => number): number =>
  samples.reduce((sum, sample) => sum + of(sample), 0);

const SIMPLE: Readonly<Record<string, Statistic>> = {
  SampleCount: (samples) => total(samples, (sample) => sample.sampleCount),
  Sum: (samples) => total(samples, (sample) => sample.sum),
  Average: (samples) => total(samples, (sample) => sample.sum) / total(samples, (sample) => sample.sampleCount),
  Minimum: (samples) => samples.reduce((least, sample) => Math.min(least, sample.minimum), Number.POSITIVE_INFINITY),
  Maximum: (samples) => samples.reduce((most, sample) => Math.max(most, sample.maximum), Number.NEGATIVE_INFINITY),
};

/**
 * The function of a statistic's name; it gives null where the statistic does not exist for the samples.
 * @throws CloudWatchFault for a name that is no statistic, or one (trimmed means and the like) that is not emulated.
 */
export function statisticOf(name: string): Statistic {
  const simple = SIMPLE[name];
  if (simple) return simple;
  const percent = /^p(\d{1,2}(?:\.\d+)?|100)$/.exec(name)?.[1];
  if (percent === undefined) {
    throw invalid(
      `Stat: found '${name}', expected Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p95`,
    );
  }
  return (samples) => percentile(samples, Number(percent));
}

/**
 * Nearest rank. CloudWatch computes from a histogram and may differ by a few parts in a thousand. As there, a summary
 * counts only when all its values must be equal, and a negative value leaves no percentile.
 */
function percentile(samples: readonly Sample[], percent: number): number | null {
  const pairs: (readonly [number, number])[] = [];
  for (const sample of samples) {
    if (sample.minimum < 0) return null;
    if (sample.values) pairs.push(...sample.values);
    else if (sample.minimum === sample.maximum) pairs.push([sample.minimum, sample.sampleCount]);
    else return null;
  }
  pairs.sort((a, b) => a[0] - b[0]);
  const rank = (percent / 100) * pairs.reduce((sum, pair) => sum + pair[1], 0);
  let passed = 0;
  for (const [value, count] of pairs) {
    passed += count;
    if (passed >= rank) return value;
  }
  return pairs.at(-1)?.[0] ?? null;
}
