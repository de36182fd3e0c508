/**
 * The wire shapes of the requests that this CloudWatch understands, parsed once at its edge. Unknown parameters are
 * refused rather than ignored: an alarm that silently loses half of its rule would be a lie.
 * Limits: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/ (PutMetricData, GetMetricData, PutMetricAlarm).
 */
import * as v from 'valibot';
import { invalid } from './faults.ts';

const text = (maxLength: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(maxLength));
const count = (minimum: number, maximum: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(minimum), v.maxValue(maximum));
/** Times travel as seconds since the epoch, with a fraction. */
const EpochSeconds = v.pipe(v.number(), v.finite());
const Arns = v.optional(v.pipe(v.array(text(1024)), v.maxLength(5)), () => []);

const PeriodSeconds = v.pipe(
  count(1, 86_400),
  v.check(
    (seconds) => [1, 5, 10, 20, 30].includes(seconds) || seconds % 60 === 0,
    'Invalid period: Expected 1, 5, 10, 20, 30 or a multiple of 60',
  ),
);

const Dimensions = v.optional(
  v.pipe(
    v.array(v.strictObject({ Name: text(255), Value: text(1024) })),
    v.maxLength(30),
    v.check(
      (list) => new Set(list.map((one) => one.Name)).size === list.length,
      'Invalid dimensions: names must differ',
    ),
  ),
  () => [],
);

const MetricStatSchema = v.strictObject({
  Metric: v.strictObject({ Namespace: text(255), MetricName: text(255), Dimensions }),
  Period: PeriodSeconds,
  Stat: text(32),
  Unit: v.optional(text(64)),
});

const MetricDataQuerySchema = v.strictObject({
  Id: v.pipe(v.string(), v.maxLength(255), v.regex(/^[a-z][a-zA-Z0-9_]*$/)),
  MetricStat: v.optional(MetricStatSchema),
  Expression: v.optional(text(2048)),
  Label: v.optional(v.string()),
  Period: v.optional(PeriodSeconds),
  ReturnData: v.optional(v.boolean()),
  AccountId: v.optional(text(255)),
});

export type MetricStat = v.InferOutput<typeof MetricStatSchema>;
export type MetricDataQuery = v.InferOutput<typeof MetricDataQuerySchema>;

export const PutMetricDataSchema = v.strictObject({
  Namespace: text(255),
  MetricData: v.pipe(
    v.array(
      v.strictObject({
        MetricName: text(255),
        Dimensions,
        Timestamp: v.optional(EpochSeconds),
        Value: v.optional(v.number()),
        Values: v.optional(v.pipe(v.array(v.number()), v.maxLength(150))),
        Counts: v.optional(v.pipe(v.array(v.number()), v.maxLength(150))),
        StatisticValues: v.optional(
          v.strictObject({ SampleCount: v.number(), Sum: v.number(), Minimum: v.number(), Maximum: v.number() }),
        ),
        Unit: v.optional(text(64), 'None'),
        StorageResolution: v.optional(v.picklist([1, 60]), 60),
      }),
    ),
    v.minLength(1),
    v.maxLength(1000),
  ),
});
export type PutMetricDataRequest = v.InferOutput<typeof PutMetricDataSchema>;
export type MetricDatum = PutMetricDataRequest['MetricData'][number];

export const GetMetricDataSchema = v.strictObject({
  MetricDataQueries: v.pipe(v.array(MetricDataQuerySchema), v.minLength(1), v.maxLength(500)),
  StartTime: EpochSeconds,
  EndTime: EpochSeconds,
  ScanBy: v.optional(v.picklist(['TimestampDescending', 'TimestampAscending']), 'TimestampDescending'),
  MaxDatapoints: v.optional(count(1, 100_800), 100_800),
  NextToken: v.optional(v.string()),
  LabelOptions: v.optional(v.strictObject({ Timezone: v.optional(v.string()) })),
});
export type GetMetricDataRequest = v.InferOutput<typeof GetMetricDataSchema>;

const StateValueSchema = v.picklist(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
export type StateValue = v.InferOutput<typeof StateValueSchema>;

const ComparisonSchema = v.picklist([
  'GreaterThanOrEqualToThreshold',
  'GreaterThanThreshold',
  'LessThanThreshold',
  'LessThanOrEqualToThreshold',
]);
export type Comparison = v.InferOutput<typeof ComparisonSchema>;

const TreatMissingDataSchema = v.picklist(['missing', 'ignore', 'breaching', 'notBreaching']);
export type TreatMissingData = v.InferOutput<typeof TreatMissingDataSchema>;

/** The properties of a CloudFormation `AWS::CloudWatch::Alarm` have the same names, so a template's alarm fits too. */
export const PutMetricAlarmSchema = v.strictObject({
  AlarmName: text(255),
  AlarmDescription: v.optional(v.pipe(v.string(), v.maxLength(1024))),
  ActionsEnabled: v.optional(v.boolean(), true),
  OKActions: Arns,
  AlarmActions: Arns,
  InsufficientDataActions: Arns,
  MetricName: v.optional(text(255)),
  Namespace: v.optional(text(255)),
  Statistic: v.optional(v.picklist(['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'])),
  ExtendedStatistic: v.optional(text(32)),
  Dimensions,
  Period: v.optional(PeriodSeconds),
  Unit: v.optional(text(64)),
  Metrics: v.optional(v.pipe(v.array(MetricDataQuerySchema), v.minLength(1), v.maxLength(20))),
  EvaluationPeriods: count(1, 8640),
  DatapointsToAlarm: v.optional(count(1, 8640)),
  Threshold: v.pipe(v.number(), v.finite()),
  ComparisonOperator: ComparisonSchema,
  TreatMissingData: v.optional(TreatMissingDataSchema, 'missing'),
  EvaluateLowSampleCountPercentile: v.optional(v.literal('evaluate')),
  Tags: v.optional(v.array(v.strictObject({ Key: v.string(), Value: v.string() }))),
});
export type PutMetricAlarmRequest = v.InferOutput<typeof PutMetricAlarmSchema>;

export const DescribeAlarmsSchema = v.strictObject({
  AlarmNames: v.optional(v.pipe(v.array(text(255)), v.maxLength(100))),
  AlarmNamePrefix: v.optional(text(255)),
  AlarmTypes: v.optional(v.array(v.picklist(['MetricAlarm', 'CompositeAlarm', 'LogAlarm']))),
  StateValue: v.optional(StateValueSchema),
  ActionPrefix: v.optional(text(1024)),
  MaxRecords: v.optional(count(1, 100), 50),
  NextToken: v.optional(v.string()),
});
export type DescribeAlarmsRequest = v.InferOutput<typeof DescribeAlarmsSchema>;

export const SetAlarmStateSchema = v.strictObject({
  AlarmName: text(255),
  StateValue: StateValueSchema,
  StateReason: v.pipe(v.string(), v.maxLength(1023)),
  StateReasonData: v.optional(v.pipe(v.string(), v.maxLength(4000))),
});
export type SetAlarmStateRequest = v.InferOutput<typeof SetAlarmStateSchema>;

export const AlarmNamesSchema = v.strictObject({ AlarmNames: v.pipe(v.array(text(255)), v.maxLength(100)) });

/**
 * Parses the body of a request.
 * @throws CloudWatchFault (ValidationException) that names every problem with its path.
 */
export function parseRequest<const Schema extends v.GenericSchema>(
  schema: Schema,
  body: unknown,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, body);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => `${v.getDotPath(issue) ?? 'request'}: ${issue.message}`);
  const plural = problems.length === 1 ? 'error' : 'errors';
  throw invalid(`${problems.length} validation ${plural} detected: ${problems.join('; ')}`);
}
