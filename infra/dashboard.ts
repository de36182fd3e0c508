/** One dashboard per deployment, and the questions that are asked of its logs, ready to run in Logs Insights. */
import { alarmDefinition } from '../lib/config/alarms.ts';
import type { Target } from '../lib/domain.ts';
import type { MetricName } from '../lib/telemetry/metrics.ts';
import { METRICS_NAMESPACE } from '../lib/telemetry/metrics.ts';
import type { Plan, Resource, TemplatePart } from './cloudformation.ts';
import { sub } from './cloudformation.ts';

/** Targets whose backlog is drawn, and in one chart: more lines than these tell nobody anything. */
const MAX_TARGETS = 40;
const TARGETS_PER_CHART = 10;
/** A dashboard is 24 columns wide. */
const WIDTH = 12;
const HEIGHT = 6;

/** One chart: a title and its metrics, as dashboards write them. */
interface Chart {
  readonly title: string;
  readonly metrics: readonly (readonly unknown[])[];
  readonly stat?: string;
}

/** Dashboard and saved queries. */
export function dashboard(plan: Plan): TemplatePart {
  const { name } = plan;
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        // The body is text; its region stands in it as `${AWS::Region}`.
        Properties: { DashboardName: name, DashboardBody: sub(JSON.stringify({ widgets: widgets(plan) })) },
      },
      ...Object.fromEntries(QUERIES.map((query) => [`${query.id}Query`, savedQuery(name, query)])),
    },
  };
}

function widgets({ name, deployment }: Plan) {
  const own = (functionName: string, ...metrics: MetricName[]) =>
    metrics.map((metric) => [METRICS_NAMESPACE, metric, 'Service', `${name}-${functionName}`]);
  const lambda = (metric: string) =>
    ['scale', 'poller'].map((each) => ['AWS/Lambda', metric, 'FunctionName', `${name}-${each}`]);
  const charts: readonly Chart[] = [
    ...backlogCharts(deployment.targets),
    {
      title: 'Decisions',
      metrics: own('scale', 'DecisionsScaleOut', 'DecisionsScaleIn', 'Holds', 'HoldsUnknown', 'HoldsBusy'),
    },
    {
      title: 'What became of actions',
      metrics: [
        ...own('scale', 'ActionsAccepted'),
        ...own(
          'poller',
          'ActionsConfirmed',
          'ActionsSuperseded',
          'ActionsMismatched',
          'ActionsFailed',
          'ActionsTimedOut',
          'ActionsLost',
        ),
      ],
    },
    {
      title: 'Calls left to the Cloud 66 API in this hour',
      metrics: own('scale', 'ApiCallsRemaining'),
      stat: 'Minimum',
    },
    { title: 'Calls to the Cloud 66 API', metrics: [...own('scale', 'ApiCalls'), ...own('poller', 'ApiCalls')] },
    { title: 'Time until an action is done (s)', metrics: own('poller', 'ActionSeconds'), stat: 'p90' },
    {
      title: 'Errors',
      metrics: [...lambda('Errors'), ...own('scale', 'Failures'), ...own('poller', 'LooksUnreadable')],
    },
    { title: 'Invocations', metrics: lambda('Invocations') },
    {
      title: 'Messages put aside',
      metrics: ['actions-dead.fifo', 'failed-events'].map((queue) => [
        'AWS/SQS',
        'ApproximateNumberOfMessagesVisible',
        'QueueName',
        `${name}-${queue}`,
      ]),
      stat: 'Maximum',
    },
  ];
  return charts.map(({ title, metrics, stat = 'Sum' }, index) => ({
    type: 'metric',
    x: (index % 2) * WIDTH,
    y: Math.floor(index / 2) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: { title, metrics, stat, period: 60, region: `\${AWS::Region}`, view: 'timeSeries' },
  }));
}

/** The metric that the target's alarm watches, for the first targets; the others are said to be missing. */
function backlogCharts(targets: readonly Target[]): readonly Chart[] {
  const shown = targets.slice(0, MAX_TARGETS);
  const hidden = targets.length - shown.length;
  const charts = Math.ceil(shown.length / TARGETS_PER_CHART);
  return Array.from({ length: charts }, (_, index) => {
    const some = shown.slice(index * TARGETS_PER_CHART, (index + 1) * TARGETS_PER_CHART);
    const rest = hidden > 0 && index === charts - 1 ? ` (${hidden} more targets are not drawn)` : '';
    return { title: `Backlog${rest}`, metrics: some.map(backlogMetric), stat: 'Maximum' };
  });
}

function backlogMetric(target: Target): readonly unknown[] {
  const { namespace, metricName, dimensions } = alarmDefinition(target, '');
  return [namespace, metricName, ...Object.entries(dimensions).flat(), { label: target.id }];
}

/** A question, and the query that answers it. The fields are those of the log records in lib/telemetry/reporter.ts. */
export interface SavedQuery {
  readonly id: string;
  readonly title: string;
  readonly functionName: 'scale' | 'poller';
  readonly query: string;
}

/** The questions of the operating manual. */
export const QUERIES: readonly SavedQuery[] = [
  {
    id: 'Decisions',
    title: 'What was decided, and why',
    functionName: 'scale',
    query:
      'fields @timestamp, message, decision.reason, ageSeconds.backlog\n| filter event = "decision"\n| sort @timestamp desc\n| limit 100',
  },
  {
    id: 'Changes',
    title: 'What was changed',
    functionName: 'scale',
    query:
      'fields @timestamp, targetId, decision.currentCount, decision.desiredCount, decision.reason, result.actionId\n| filter event = "decision" and result.kind = "scaled"\n| sort @timestamp desc\n| limit 100',
  },
  {
    id: 'Holds',
    title: 'Why is it not scaling: holds by target and reason',
    functionName: 'scale',
    query:
      'filter event = "decision" and decision.action = "hold"\n| stats count(*) as holds, latest(@timestamp) as last by targetId, decision.reason\n| sort holds desc',
  },
  {
    id: 'Failures',
    title: 'What failed',
    functionName: 'scale',
    query:
      'fields @timestamp, level, message\n| filter level = "error" or level = "warn"\n| sort @timestamp desc\n| limit 100',
  },
  {
    id: 'Outcomes',
    title: 'What became of actions',
    functionName: 'poller',
    query:
      'fields @timestamp, targetId, outcome.kind, outcome.why, tookSeconds, record.actionId\n| filter event = "outcome"\n| sort @timestamp desc\n| limit 100',
  },
];

function savedQuery(name: string, { title, functionName, query }: SavedQuery): Resource {
  return {
    Type: 'AWS::Logs::QueryDefinition',
    Properties: {
      // Slashes make folders.
      Name: `${name}/${title}`,
      LogGroupNames: [`/aws/lambda/${name}-${functionName}`],
      QueryString: query,
    },
  };
}
